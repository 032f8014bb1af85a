// A page whose parts ask the server by themselves says so when they get no answer: what it shows may be old by now.
// @ts-check

const polled = () => document.querySelectorAll("[hx-trigger^='every ']");
const box = document.getElementById("lost");
const LATE_MS = 5_000;
let answeredAt = Date.now();
let lost = false;

/** @param {Element} element @returns {number} how often it asks, in ms */
function period(element) {
  return 1000 * Number.parseFloat((element.getAttribute("hx-trigger") ?? "").slice("every ".length));
}

function show() {
  const periods = [...polled()].map(period).filter((ms) => ms > 0);
  if (!(box instanceof HTMLElement) || periods.length === 0) return;
  const overdue = Date.now() - answeredAt > Math.min(...periods) + LATE_MS;
  if (box.hidden !== (lost || overdue)) return;
  box.hidden = !(lost || overdue);
  const since = box.querySelector("[data-since]");
  if (since) since.textContent = new Date(answeredAt).toLocaleTimeString("en-GB");
}

document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, xhr } = /** @type {CustomEvent} */ (event).detail;
  if (!(elt instanceof Element) || !elt.matches("[hx-trigger^='every ']")) return;
  lost = xhr.status === 0 || xhr.status >= 500;
  if (!lost) answeredAt = Date.now();
  show();
});

setInterval(show, 1_000);
