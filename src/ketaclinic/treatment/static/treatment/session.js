// The session screen: keypad, entries that survive a lost connection, minutes that count down, an optional sound.
// Without this file the screen still works through its plain forms.
// @ts-check

// @ts-ignore keypad.js, outbox.js and prove.js were loaded before this file
const { keypad, mayBeSaved, Outbox, prove } = window.ketaclinic;

const SCREEN = "screen";
const REFRESH_MS = 5_000;
const RESEND_MS = 10_000;

/** @returns {HTMLElement} the part of the page that is replaced after an entry */
function screen() {
  const found = document.getElementById(SCREEN);
  if (!found) throw new Error("session screen without #screen");
  return found;
}

let skew = Date.parse(screen().dataset.now ?? "") - Date.now();
/** @returns {number} the server's time in milliseconds */
const now = () => Date.now() + (Number.isFinite(skew) ? skew : 0);

const outbox = new Outbox({
  name: `ketaclinic.unsent.${screen().dataset.session ?? ""}`,
  staff: screen().dataset.staff ?? "",
  secret: screen().dataset.seal ?? "",
  now,
});
screen().removeAttribute("data-seal");

/** Replace the screen by the server's newest version, without moving focus or scroll. */
async function refresh() {
  const answer = await fetch(screen().dataset.live ?? window.location.pathname, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(SCREEN);
  if (!fresh) return;
  fresh.removeAttribute("data-seal");
  const focused = document.activeElement?.id;
  keepTyped(screen(), fresh);
  screen().replaceWith(fresh);
  skew = Date.parse(fresh.dataset.now ?? "") - Date.now();
  // @ts-ignore htmx is a script of its own
  window.htmx?.process(fresh);
  prepare();
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

/** What somebody has typed or chosen and not yet sent goes on to the new screen. @param {HTMLElement} old @param {HTMLElement} fresh */
function keepTyped(old, fresh) {
  for (const field of old.querySelectorAll("input[id], select[id]")) {
    const twin = fresh.querySelector(`#${CSS.escape(field.id)}`);
    if (field instanceof HTMLInputElement && twin instanceof HTMLInputElement) {
      if (field.type === "radio" || field.type === "checkbox") {
        if (field.checked !== field.defaultChecked) twin.checked = field.checked;
      } else if (field.value !== field.defaultValue) twin.value = field.value;
    } else if (field instanceof HTMLSelectElement && twin instanceof HTMLSelectElement) {
      if (field.selectedIndex > 0) twin.value = field.value;
    }
  }
}

/** @param {HTMLFormElement} form @param {string[]} lines @param {string} todo */
function showRefusal(form, lines, todo) {
  let box = form.querySelector("[data-refusal]");
  if (!(box instanceof HTMLElement)) {
    box = document.createElement("div");
    box.setAttribute("data-refusal", "");
    form.prepend(box);
  }
  box.className = "refused";
  box.setAttribute("role", "alert");
  const title = document.createElement("b");
  title.textContent = "Not saved. What you entered is still here.";
  const list = document.createElement("ul");
  list.append(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
  const what = document.createElement("p");
  what.textContent = todo;
  box.replaceChildren(title, list, what);
  box.scrollIntoView({ block: "nearest" });
}

/** @param {SubmitEvent} event */
async function submitted(event) {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.matches("form[data-entry]")) return;
  event.preventDefault();
  if (form.dataset.busy) return;
  form.querySelector("[data-refusal]")?.remove(); // it spoke of what was sent before
  if (form.id === "pad" && !mayBeSaved(form)) return;
  form.dataset.busy = "yes";
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form, event.submitter)) body.append(name, String(value));
  try {
    const result = await outbox.record(form.action, body, form.dataset.entry ?? "Entry");
    if (result.state === "refused") {
      showRefusal(form, result.because, result.todo);
    } else {
      form.reset();
      if (result.state === "saved") await refresh();
      if (result.state === "held") void proveAndSend(result);
    }
  } finally {
    delete form.dataset.busy;
    show();
  }
}

/** Show what is not sent yet: at the top, and among the entries. */
function show() {
  const waiting = outbox.entries();
  const strangers = outbox.strangers();
  const top = document.getElementById("unsent");
  if (top) {
    top.hidden = waiting.length + strangers === 0;
    const count = top.querySelector("[data-count]");
    if (count) count.textContent = String(waiting.length + strangers);
    const whose = top.querySelector("[data-strangers]");
    if (whose) whose.textContent = strangers > 0 ? ` · ${strangers} of somebody else, sent when they sign in here` : "";
  }
  const list = document.getElementById("unsent-lines");
  const sample = document.getElementById("unsent-line");
  if (!list || !(sample instanceof HTMLTemplateElement)) return;
  list.hidden = waiting.length === 0;
  list.replaceChildren(
    ...waiting.map((entry) => {
      const line = /** @type {DocumentFragment} */ (sample.content.cloneNode(true));
      const at = new Date(entry.at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: screen().dataset.zone });
      const set = (/** @type {string} */ name, /** @type {string} */ text) => {
        const part = line.querySelector(`[data-${name}]`);
        if (part) part.textContent = text;
      };
      set("when", at);
      set("what", entry.words);
      set("why", entry.because ?? (putOff ? "waits until you confirm that it is you" : "will be sent again by itself"));
      const drop = line.querySelector("[data-drop]");
      if (drop instanceof HTMLElement) {
        drop.hidden = entry.because === undefined;
        drop.addEventListener("click", () => { outbox.drop(entry.key); show(); });
      }
      return line;
    }),
  );
}

/** Let every `data-due` element say how many minutes are left by the server's clock. */
function count() {
  for (const element of document.querySelectorAll("[data-due]")) {
    if (!(element instanceof HTMLElement)) continue;
    const left = Math.floor((Date.parse(element.dataset.due ?? "") - now()) / 60_000);
    if (!Number.isFinite(left)) continue;
    const number = element.querySelector("[data-minutes]");
    if (number && left > 0) number.textContent = String(left);
    if (left <= 0 && element.dataset.rung !== "yes") {
      element.dataset.rung = "yes";
      ring();
      void refresh().catch(() => undefined);
    }
  }
}

/** One short, quiet tone, only where somebody switched it on. */
function ring() {
  if (localStorage.getItem("ketaclinic.sound") !== "on" || !("AudioContext" in window)) return;
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = 660;
  volume.gain.setValueAtTime(0.15, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.5);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.5);
}

/** The button says at which time an entry is saved. */
function clock() {
  const time = new Date(now()).toLocaleTimeString("en-GB", { hour: "numeric", minute: "2-digit", timeZone: document.getElementById(SCREEN)?.dataset.zone });
  for (const element of document.querySelectorAll("[data-clock]")) element.textContent = time.replace(/^0/, "");
}

function soundSwitch() {
  const button = document.getElementById("sound");
  if (!(button instanceof HTMLButtonElement)) return;
  const say = () => button.setAttribute("aria-pressed", String(localStorage.getItem("ketaclinic.sound") === "on"));
  button.hidden = false;
  button.addEventListener("click", () => {
    localStorage.setItem("ketaclinic.sound", localStorage.getItem("ketaclinic.sound") === "on" ? "off" : "on");
    say();
    ring();
  });
  say();
}

/** @type {number | null} where this script left the picture, to know whether somebody has moved it since */
let leftAt = null;
/** @type {number | null} where somebody has moved the picture to */
let lookingAt = null;

/** On a narrow screen the picture opens at its newest moment, unless somebody looks at an earlier one. */
function showNewest() {
  const box = document.querySelector("#live-trace [data-newest]");
  if (!(box instanceof HTMLElement)) return;
  box.scrollLeft = lookingAt ?? (Number(box.dataset.newest) / 100) * box.scrollWidth - 0.8 * box.clientWidth;
  if (lookingAt === null) leftAt = box.scrollLeft;
}

document.addEventListener("scroll", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLElement) || !box.matches("#live-trace [data-newest]") || leftAt === null) return;
  lookingAt = Math.abs(box.scrollLeft - leftAt) > 8 ? box.scrollLeft : null;
}, { capture: true, passive: true });

function prepare() {
  showNewest();
  const pad = document.getElementById("pad");
  if (pad instanceof HTMLFormElement) keypad(pad);
  show();
}

/** What the server holds back stays in the outbox until the person has proved that it is they. @param {{ address: string, title: string }} held */
async function proveAndSend(held) {
  if (await prove(held.address, held.title)) await resend();
  else putOff = true;
}

/** Whether somebody has closed the panel: it is not shown again by itself. */
let putOff = false;

async function resend() {
  const sent = await outbox.resend();
  show();
  if (outbox.held && !putOff) void proveAndSend(outbox.held);
  if (sent > 0) await refresh();
}

document.addEventListener("submit", (event) => void submitted(/** @type {SubmitEvent} */ (event)));
document.addEventListener("htmx:oobAfterSwap", () => showNewest());
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const detail = /** @type {CustomEvent} */ (event).detail;
  const target = /** @type {HTMLElement} */ (detail.target);
  if (target.contains(document.activeElement) || target.querySelector("details[open], [data-refusal]")) detail.shouldSwap = false;
});
window.addEventListener("online", () => void resend());
let locking = false;
document.addEventListener("ketaclinic:locking", () => { locking = true; });
window.addEventListener("beforeunload", (event) => { if (!locking && outbox.entries().length > 0) event.preventDefault(); });
setInterval(() => void resend().catch(() => undefined), RESEND_MS);
setInterval(() => { count(); clock(); }, REFRESH_MS);
soundSwitch();
prepare();
void outbox.open().then(resend).catch(() => undefined);
// What is opened by a button comes into view, also at the foot of the screen.
document.addEventListener("toggle", (event) => { if (event.target instanceof HTMLDetailsElement && event.target.open) event.target.scrollIntoView({ block: "nearest" }); }, true);
