// Every page: the CSRF token for partial updates, menus that close, and one attribute that says scripts run.
// @ts-check

document.documentElement.dataset.scripts = "on";

/** @returns {string} the CSRF token from its cookie, empty if there is none */
function csrfToken() {
  const found = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return found ? decodeURIComponent(found.slice("csrftoken=".length)) : "";
}

document.addEventListener("htmx:configRequest", (event) => {
  /** @type {CustomEvent} */ (event).detail.headers["X-CSRFToken"] = csrfToken();
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
