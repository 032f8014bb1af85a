// Every page: the CSRF token for partial updates, menus that close, a form is sent once, and one attribute that says
// scripts run.
// @ts-check

document.documentElement.dataset.scripts = "on";

/** @returns {string} the CSRF token from its cookie, empty if there is none */
function csrfToken() {
  const found = document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]*)/);
  return decodeURIComponent(found?.[1] ?? "");
}

document.addEventListener("htmx:configRequest", (event) => {
  /** @type {CustomEvent} */ (event).detail.headers["X-CSRFToken"] = csrfToken();
});

const KEYS = ["csrfmiddlewaretoken", "intent_key", "drawn_for", "seen"];
const SENT_FOR_MS = 10_000;
const DOWNLOAD_MS = 1_500;

/** @param {HTMLFormElement} form @param {boolean} sent */
function markSent(form, sent) {
  if (sent) form.dataset.sent = "yes";
  else delete form.dataset.sent;
  form.toggleAttribute("aria-busy", sent);
  for (const button of form.querySelectorAll("button:not([type=button])")) /** @type {HTMLButtonElement} */ (button).disabled = sent;
}

/** A file was sent and the page stays: the next click is a new wish. @param {HTMLFormElement} form */
function drawNewKey(form) {
  const key = form.elements.namedItem("intent_key");
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  if (key instanceof HTMLInputElement) key.value = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

/** A form that asks and writes with different buttons does not put its keys into an address. @param {HTMLFormElement} form */
function keepKeysOutOfTheAddress(form) {
  const keys = [...form.querySelectorAll("input[type=hidden]")].filter((field) => KEYS.includes(/** @type {HTMLInputElement} */ (field).name));
  for (const field of keys) /** @type {HTMLInputElement} */ (field).disabled = true;
  setTimeout(() => { for (const field of keys) /** @type {HTMLInputElement} */ (field).disabled = false; });
}

/** @param {HTMLFormElement} form @returns {string} a name for a form that it has again when its page is fetched again */
function nameOf(form) {
  const alike = [...document.forms].filter((other) => other.action === form.action);
  return `${alike.indexOf(form)} ${form.action}`;
}

/** Remember, with this step of the browser's history, under which key a form was sent. @param {HTMLFormElement} form */
function rememberKey(form) {
  const key = form.elements.namedItem("intent_key");
  if (!(key instanceof HTMLInputElement)) return;
  history.replaceState({ ...history.state, sent: { ...history.state?.sent, [nameOf(form)]: key.value } }, "");
}

// Who goes back finds what they typed. It was sent: sent once more it has the same key, and is not done again.
const [arrived] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
if (arrived?.type === "back_forward") {
  for (const form of document.forms) {
    const key = form.elements.namedItem("intent_key");
    const sent = history.state?.sent?.[nameOf(form)];
    if (key instanceof HTMLInputElement && sent) key.value = sent;
  }
}

// One click, one request. The server does things once in any case; this spares it the second request.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  const by = /** @type {HTMLButtonElement | null} */ (event.submitter);
  if ((by?.getAttribute("formmethod") ?? form.method) !== "post") {
    keepKeysOutOfTheAddress(form);
    return;
  }
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  setTimeout(() => {
    markSent(form, !event.defaultPrevented);
    if (event.defaultPrevented) return;
    rememberKey(form);
    const download = form.matches("[data-download]");
    setTimeout(() => {
      if (download) drawNewKey(form);
      markSent(form, false);
    }, download ? DOWNLOAD_MS : SENT_FOR_MS);
  });
});

window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) markSent(/** @type {HTMLFormElement} */ (form), false);
});

// An answer that asks for the password (401, 423) takes the whole page: it carries along what was typed.
document.addEventListener("htmx:beforeSwap", (event) => {
  const detail = /** @type {CustomEvent} */ (event).detail;
  if (!detail.xhr.getResponseHeader("Ketaclinic-Held")) return;
  detail.shouldSwap = true;
  detail.isError = false;
  detail.target = document.body;
  detail.swapOverride = "innerHTML";
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open], details.confirm[open]")) {
    menu.removeAttribute("open");
    /** @type {HTMLElement | null} */ (menu.querySelector("summary"))?.focus();
  }
});

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target)) menu.removeAttribute("open");
  }
  const cancel = target.closest("[data-close]");
  if (cancel) {
    const holder = cancel.closest("details");
    holder?.removeAttribute("open");
    /** @type {HTMLElement | null | undefined} */ (holder?.querySelector("summary"))?.focus();
  }
  if (target.closest("[data-print]")) window.print();
});

const firstError = document.querySelector("[data-error-summary]");
if (firstError instanceof HTMLElement) firstError.focus();
