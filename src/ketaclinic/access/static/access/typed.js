// What somebody had typed when the screen locked comes back when they open the same page again, for them only.
// It waits in this tab, sealed for that person, and is taken out once. Readings of the vitals pad do not come back:
// they were true when they were taken. Nothing is sent by itself.
// @ts-check

const { Seal } = window.ketaclinic;
const seal = new Seal(document.body.dataset.seal ?? "");
document.body.removeAttribute("data-seal");
const NAME = `ketaclinic.typed.${document.body.dataset.person}.${window.location.pathname}${window.location.search}`;
const LEFT_OUT = "[type=hidden], [type=password], [type=file], [type=submit], [autocomplete=one-time-code], #pad *";

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */

/** @param {Element} field @returns {field is Field} */
const isField = (field) => field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement;
/** @param {Field} field */
const isTick = (field) => field.type === "checkbox" || field.type === "radio";

/** @param {Field} field @returns {boolean} whether it holds something else than when the page came */
function changed(field) {
  if (field instanceof HTMLSelectElement) return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return isTick(field) && field instanceof HTMLInputElement ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
}

/** @returns {Field[]} */
const fields = () => [...document.querySelectorAll("main form")].flatMap((form) => [.../** @type {HTMLFormElement} */ (form).elements].filter(isField)).filter((field) => field.name !== "" && !field.matches(LEFT_OUT));

/** @param {Field} field @returns {string} what tells it from the others of the page */
const label = (field) => `${field.form?.getAttribute("action") ?? ""} ${field.name}${isTick(field) ? `=${field.value}` : ""}`;

/** Keep what differs from the page as it came. */
async function keepTyped() {
  const kept = fields().filter(changed).map((field) => [label(field), isTick(field) ? /** @type {HTMLInputElement} */ (field).checked : field.value]);
  if (kept.length === 0 || !seal.key) return;
  sessionStorage.setItem(NAME, await seal.close(JSON.stringify({ at: new Date().toISOString(), kept })));
}

async function bringBack() {
  const sealed = sessionStorage.getItem(NAME);
  if (sealed === null || !seal.key) return;
  sessionStorage.removeItem(NAME);
  const { at, kept } = JSON.parse(await seal.open(sealed));
  const waiting = new Map(/** @type {[string, string | boolean][]} */ (kept));
  /** @type {Field | null} */
  let first = null;
  for (const field of fields()) {
    const value = waiting.get(label(field));
    if (value === undefined) continue;
    waiting.delete(label(field));
    if (typeof value === "boolean") /** @type {HTMLInputElement} */ (field).checked = value;
    else field.value = value;
    for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
    first ??= field;
  }
  if (first?.form) tell(first.form, at);
}

/** @param {HTMLFormElement} form @param {string} at */
function tell(form, at) {
  const time = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const words = `What you had typed at ${time}, before the screen locked, is back. It has not been sent.`;
  const box = Object.assign(document.createElement("p"), { className: "alert low", textContent: words });
  box.setAttribute("role", "status");
  form.prepend(box);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.matches("[data-locks]") || form.dataset.kept) return;
  event.preventDefault();
  form.dataset.kept = "yes";
  void keepTyped().catch(() => undefined).then(() => form.submit());
});
Object.assign(window.ketaclinic, { keepTyped });
void bringBack().catch(() => undefined);
