// Buttons that use or make a passkey. The server says what to sign, the browser asks the person, the form is sent.
// The conversion between JSON and what browsers speak is django-allauth's (mfa/js/webauthn-json.js).
// @ts-check

/** @returns {string} the CSRF token from its cookie */
function csrfToken() {
  return decodeURIComponent(document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]*)/)?.[1] ?? "");
}

/** @param {string} address @param {string} purpose @returns {Promise<any>} what the browser is to sign */
async function optionsFrom(address, purpose) {
  const answer = await fetch(address, {
    method: "POST",
    body: new URLSearchParams({ for: purpose }),
    headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
  });
  if (!answer.ok) throw new Error(`no passkey options: ${answer.status}`);
  return answer.json();
}

/** @param {string} address @param {string} purpose @returns {Promise<string>} the browser's answer as JSON */
async function askForPasskey(address, purpose) {
  const options = await optionsFrom(address, purpose);
  // @ts-ignore webauthn-json.js was loaded before this file
  const { webauthnJSON } = window;
  return JSON.stringify(await (purpose === "make" ? webauthnJSON.create(options) : webauthnJSON.get(options)));
}

/** @param {HTMLButtonElement} button */
async function pressed(button) {
  const form = button.form;
  const field = form?.querySelector("[data-passkey-answer]");
  const trouble = form?.querySelector("[data-passkey-trouble]");
  if (!form || !(field instanceof HTMLInputElement)) return;
  if (trouble instanceof HTMLElement) trouble.hidden = true;
  button.disabled = true;
  try {
    field.value = await askForPasskey(button.dataset.passkeyOptions ?? "", button.dataset.passkey ?? "");
    form.submit();
  } catch {
    if (trouble instanceof HTMLElement) trouble.hidden = false;
  } finally {
    button.disabled = false;
  }
}

function offerPasskeys() {
  if (!("PublicKeyCredential" in window)) return;
  for (const button of document.querySelectorAll("button[data-passkey]")) {
    if (button instanceof HTMLButtonElement) button.hidden = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button[data-passkey]") : null;
  if (button instanceof HTMLButtonElement) void pressed(button);
});
document.addEventListener("htmx:afterSwap", offerPasskeys);
offerPasskeys();
