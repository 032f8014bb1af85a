// Big keys that fill the vital-sign fields: no keyboard slides up, nothing is typed that a tap can do.
// A field is left only when somebody leaves it: a reading that jumps on by itself lands in the wrong field.
// Hangs on window.ketaclinic: static files are renamed by their content, so scripts do not import one another.
// @ts-check

/** Fields in the order in which a nurse reads the monitor. */
const FIELD = "input[data-digits]";

/** @param {HTMLFormElement} form @returns {HTMLInputElement[]} */
function fieldsOf(form) {
  return [...form.querySelectorAll(FIELD)].filter((e) => e instanceof HTMLInputElement);
}

/** @param {HTMLInputElement} input @returns {string} why the value cannot be right, empty if it can */
function impossible(input) {
  const name = input.dataset.name;
  if (input.value === "") return "";
  if (!/^\d+$/.test(input.value)) return `${name} “${input.value}”: whole numbers only, no sign.`;
  const value = Number(input.value);
  if (value > Number(input.max)) return `${name} ${value} is too high to be right. Check the last digit.`;
  if (value < Number(input.min)) return `${name} ${value} is too low to be right. Is a digit missing?`;
  return "";
}

/** @param {HTMLInputElement} input @returns {string} what makes somebody ask whether it is really so */
function improbable(input) {
  if (input.value === "") return "";
  const value = Number(input.value);
  const said = `${input.dataset.name} ${value}`;
  if (value < Number(input.dataset.usualLow)) return `${said}: ${input.dataset.belowWhy}`;
  if (value > Number(input.dataset.usualHigh)) return `${said}: ${input.dataset.aboveWhy}`;
  return "";
}

/**
 * @param {HTMLInputElement[]} inputs @param {Element | null} typing the field somebody is still typing in
 * @returns {Map<HTMLInputElement, string>} the fields that cannot be right, each with its reason
 */
function faults(inputs, typing) {
  const found = new Map();
  for (const input of inputs) {
    const why = impossible(input);
    const unfinished = input === typing && /^\d+$/.test(input.value) && Number(input.value) <= Number(input.max);
    if (why && !unfinished) found.set(input, why);
  }
  const [upper, lower] = ["systolic", "diastolic"].map((name) => inputs.find((input) => input.name === name));
  if (!upper || !lower || found.has(upper) || found.has(lower)) return found;
  if (upper.value !== "" && lower.value !== "" && upper !== typing && Number(lower.value) >= Number(upper.value)) {
    found.set(upper, `Blood pressure ${upper.value}/${lower.value}: the lower number must be below the upper one.`);
    found.set(lower, "");
  } else if ((upper.value === "") !== (lower.value === "") && typing === null) {
    found.set(upper.value === "" ? upper : lower, "Blood pressure: both numbers are needed.");
  }
  return found;
}

/** Mark the fields that cannot be right and say why. @param {HTMLFormElement} form @param {Element | null} typing */
function mark(form, typing) {
  const inputs = fieldsOf(form);
  const found = faults(inputs, typing);
  for (const input of inputs) {
    input.classList.toggle("wrong", found.has(input));
    if (found.has(input)) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  const said = form.querySelector("[data-wrong]");
  const lines = [...found.values()].filter((line) => line !== "");
  if (said && said.textContent !== lines.join("")) {
    said.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  }
  return found;
}

/** Show or put away the question whether it is really so. @param {HTMLFormElement} form @param {string[]} lines */
function ask(form, lines) {
  const box = form.querySelector("[data-asks]");
  const list = form.querySelector("[data-asks-lines]");
  if (!(box instanceof HTMLElement) || !list) return;
  box.hidden = lines.length === 0;
  form.classList.toggle("asking", lines.length > 0);
  list.replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
}

/** @param {HTMLFormElement} form @returns {string} the readings as they stand, to know what was confirmed */
function readings(form) {
  return fieldsOf(form).map((input) => input.value).join("|");
}

/**
 * Say whether the pad may be saved: nothing impossible, and what is improbable was confirmed as it stands.
 * @param {HTMLFormElement} form @returns {boolean}
 */
function mayBeSaved(form) {
  const [first] = mark(form, null).keys();
  if (first) {
    ask(form, []);
    first.focus({ preventScroll: true });
    return false;
  }
  const doubtful = fieldsOf(form).filter((input) => improbable(input) !== "");
  if (doubtful.length > 0 && form.dataset.sure !== readings(form)) {
    doubtful[0]?.focus({ preventScroll: true });
    ask(form, doubtful.map(improbable));
    form.querySelector("[data-asks]")?.scrollIntoView({ block: "nearest" });
    return false;
  }
  delete form.dataset.sure;
  ask(form, []);
  return true;
}

/** Wire the keys of one pad. @param {HTMLFormElement} form */
function keypad(form) {
  const inputs = fieldsOf(form);
  const hint = form.querySelector("[data-hint]");
  let active = inputs[0];

  const say = (/** @type {string} */ words) => { if (hint) hint.textContent = words; };
  const changed = () => { say(""); ask(form, []); mark(form, document.activeElement); };
  const next = () => {
    const following = active && inputs[inputs.indexOf(active) + 1];
    if (following) following.focus({ preventScroll: true });
    else say("This is the last number.");
  };

  for (const input of inputs) {
    input.inputMode = "none";
    input.removeAttribute("maxlength"); // cut off without a word, 1200 would be saved as 120
    input.addEventListener("focus", () => { active = input; say(""); });
    input.addEventListener("blur", (event) => {
      // On the way to "Save" nothing may move: the button would slip away under the finger. Saving looks itself.
      if (!(event.relatedTarget instanceof HTMLButtonElement && event.relatedTarget.type === "submit")) mark(form, document.activeElement);
    });
    input.addEventListener("input", changed);
  }
  for (const key of form.querySelectorAll("button[data-key]")) {
    if (!(key instanceof HTMLButtonElement)) continue;
    key.addEventListener("pointerdown", (event) => event.preventDefault());
    key.addEventListener("click", () => {
      if (!active) return;
      const press = key.dataset.key ?? "";
      if (document.activeElement !== active) active.focus({ preventScroll: true });
      if (press === "next") return next();
      if (press === "delete") active.value = active.value.slice(0, -1);
      else if (active.value.length >= Number(active.dataset.digits)) {
        return say(`${active.dataset.name} is full: tap “Next field” first.`);
      } else active.value += press;
      active.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
  form.querySelector("[data-sure]")?.addEventListener("click", () => {
    form.dataset.sure = readings(form);
    form.requestSubmit();
  });
  form.querySelector("[data-correct]")?.addEventListener("click", () => {
    ask(form, []);
    inputs.find((input) => improbable(input) !== "")?.focus({ preventScroll: true });
  });
  // A level that is held can be let go by a second tap: nothing chosen means "not looked at".
  for (const radio of form.querySelectorAll("input[type=radio]")) {
    if (!(radio instanceof HTMLInputElement)) continue;
    let held = radio.checked;
    radio.closest("label")?.addEventListener("pointerdown", () => { held = radio.checked; });
    radio.addEventListener("click", () => { if (held) radio.checked = false; held = radio.checked; });
  }
}

Object.assign((window.ketaclinic ??= {}), { keypad, mayBeSaved });
