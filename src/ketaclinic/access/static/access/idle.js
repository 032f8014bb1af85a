// A page nobody touches goes to the lock page by itself, also one that renews its content every few seconds.
// The server is the judge: it counts real requests, and this script tells it of typing and tapping, at most once a minute.
// @ts-check

const page = document.body.dataset;
const IDLE_MS = Number(page.idle) * 1_000;
const WARN_MS = Math.min(60_000, IDLE_MS / 2);
const TOLD_EVERY_MS = 60_000;
const LOOKED_EVERY_MS = 5_000;

let locksAt = Date.now() + IDLE_MS;
let toldAt = Date.now();
/** @type {HTMLElement | null} */
let warning = null;

/** @returns {string} the CSRF token from its cookie */
function csrfToken() {
  return decodeURIComponent(document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]*)/)?.[1] ?? "");
}

/** Somebody is there. */
async function stay() {
  toldAt = Date.now();
  locksAt = toldAt + IDLE_MS;
  warn(false);
  const answer = await fetch(page.here ?? "", { method: "POST", headers: { Accept: "application/json", "X-CSRFToken": csrfToken() } });
  if (answer.status === 423) await look();
}

/** Ask the server how long there is; another tab may have been busy. */
async function look() {
  const answer = await fetch(page.state ?? "", { headers: { Accept: "application/json" } });
  if (answer.redirected || !answer.ok) return leave();
  const { locked, seconds } = await answer.json();
  locksAt = Date.now() + seconds * 1_000;
  if (locked || seconds <= 0) await leave();
  else warn(locksAt - Date.now() <= WARN_MS);
}

async function leave() {
  await window.ketaclinic?.keepTyped?.().catch(() => undefined);
  document.dispatchEvent(new CustomEvent("ketaclinic:locking"));
  const here = window.location.pathname + window.location.search;
  window.location.assign(`${page.locked}?${new URLSearchParams({ next: here })}`);
}

/** @param {boolean} soon */
function warn(soon) {
  if (!soon) {
    warning?.remove();
    warning = null;
    return;
  }
  if (warning) return;
  warning = document.createElement("div");
  warning.className = "locks-soon";
  warning.setAttribute("role", "alert");
  const words = Object.assign(document.createElement("p"), { textContent: "This screen locks in less than a minute." });
  const button = Object.assign(document.createElement("button"), { className: "btn primary", type: "button", textContent: "I am here" });
  button.addEventListener("click", () => void stay().catch(() => undefined));
  warning.append(words, button);
  document.body.append(warning);
}

/** @param {Event} event */
function touched(event) {
  if (!event.isTrusted) return;
  if (warning || Date.now() - toldAt >= TOLD_EVERY_MS) void stay().catch(() => undefined);
}

for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, touched, { passive: true });
document.addEventListener("visibilitychange", () => { if (!document.hidden && Date.now() >= locksAt) void look().catch(() => undefined); });
setInterval(() => { if (Date.now() >= locksAt - WARN_MS) void look().catch(() => undefined); }, LOOKED_EVERY_MS);
