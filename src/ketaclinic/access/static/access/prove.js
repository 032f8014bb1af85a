// A panel over the page that asks for the password when a script's entry was held back (401, 423): the entry stays
// where it is and is sent again once the person has proved that it is they.
// @ts-check

/** @returns {string} the CSRF token from its cookie */
function csrfToken() {
  return decodeURIComponent(document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]*)/)?.[1] ?? "");
}

/** @type {Promise<boolean> | null} one panel at a time: whoever asks meanwhile waits for the same answer */
let asking = null;

/**
 * Ask for the password and send it to ``address``.
 * @param {string} address @param {string} title @returns {Promise<boolean>} whether the person proved it
 */
function prove(address, title) {
  asking ??= ask(address, title).finally(() => { asking = null; });
  return asking;
}

/** @param {string} address @param {string} title @returns {Promise<boolean>} */
function ask(address, title) {
  const sample = document.getElementById("prove-panel");
  if (!(sample instanceof HTMLTemplateElement)) return Promise.resolve(false);
  const panel = /** @type {HTMLDialogElement} */ (/** @type {DocumentFragment} */ (sample.content.cloneNode(true)).firstElementChild);
  const form = /** @type {HTMLFormElement} */ (panel.querySelector("form"));
  const trouble = /** @type {HTMLElement} */ (panel.querySelector("[data-trouble]"));
  const heading = panel.querySelector("h2");
  if (heading) heading.textContent = title;
  document.body.append(panel);
  return new Promise((resolve) => {
    /** @param {boolean} proved */
    const close = (proved) => { panel.close(); panel.remove(); resolve(proved); };
    panel.addEventListener("cancel", (event) => { event.preventDefault(); close(false); });
    panel.querySelector("[data-later]")?.addEventListener("click", () => close(false));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      void send(address, form).then((wrong) => {
        if (wrong === "") return close(true);
        trouble.textContent = wrong;
        trouble.hidden = false;
        form.reset();
      });
    });
    panel.showModal();
  });
}

/** @param {string} address @param {HTMLFormElement} form @returns {Promise<string>} what was wrong, or nothing */
async function send(address, form) {
  try {
    const body = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": csrfToken() } });
    const said = await answer.json();
    return answer.ok ? "" : (said.because ?? ["That was not right."]).join(" ");
  } catch {
    return "The server cannot be reached. What you entered stays on this device.";
  }
}

Object.assign((window.ketaclinic ??= {}), { prove });
