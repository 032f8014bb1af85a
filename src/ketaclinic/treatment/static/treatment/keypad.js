// Big keys that fill the vital-sign fields: no keyboard slides up, nothing is typed that a tap can do.
// Hangs on window.ketaclinic: static files are renamed by their content, so scripts do not import one another.
// @ts-check

/** Fields in the order in which a nurse reads the monitor. */
const FIELD = "input[data-digits]";

/** @param {HTMLInputElement} input @returns {boolean} whether no further digit can belong to the value */
function complete(input) {
  const value = input.value;
  const most = Number(input.max);
  return value.length >= Number(input.dataset.digits) || (value !== "" && Number(value) * 10 > most);
}

/** @param {HTMLInputElement} input @returns {string} what is wrong with the value, empty if nothing */
function wrong(input) {
  if (input.value === "") return "";
  const value = Number(input.value);
  if (!Number.isInteger(value)) return `${input.dataset.name}: whole numbers only.`;
  if (value > Number(input.max)) return `${input.dataset.name} ${value} is too high to be right. Check the last digit.`;
  if (value < Number(input.min)) return `${input.dataset.name} ${value} is too low to be right. Is a digit missing?`;
  return "";
}

/** Wire the keys of one pad. @param {HTMLFormElement} form */
function keypad(form) {
  /** @type {HTMLInputElement[]} */
  const inputs = [...form.querySelectorAll(FIELD)].filter((e) => e instanceof HTMLInputElement);
  const said = form.querySelector("[data-wrong]");
  let active = inputs[0];

  const check = () => {
    const found = inputs.map((input) => {
      const problem = input === document.activeElement && !complete(input) ? "" : wrong(input);
      input.classList.toggle("wrong", problem !== "");
      return problem;
    });
    if (said) said.textContent = found.find((problem) => problem !== "") ?? "";
  };
  const next = () => {
    const following = inputs[inputs.indexOf(active) + 1] ?? inputs[0];
    following?.focus({ preventScroll: true });
  };

  for (const input of inputs) {
    input.inputMode = "none";
    input.addEventListener("focus", () => { active = input; check(); });
    input.addEventListener("blur", check);
    input.addEventListener("input", () => {
      input.value = input.value.replace(/\D/g, "");
      if (complete(input) && wrong(input) === "" && input.value !== "") next();
      check();
    });
  }
  for (const key of form.querySelectorAll("button[data-key]")) {
    if (!(key instanceof HTMLButtonElement)) continue;
    key.addEventListener("pointerdown", (event) => event.preventDefault());
    key.addEventListener("click", () => {
      if (!active) return;
      const press = key.dataset.key ?? "";
      if (document.activeElement !== active) active.focus({ preventScroll: true });
      if (press === "next") next();
      else if (press === "delete") active.value = active.value.slice(0, -1);
      else if (!complete(active)) {
        active.value += press;
        active.dispatchEvent(new Event("input", { bubbles: true }));
      }
      check();
    });
  }
  // A level that is held can be let go by a second tap: nothing chosen means "not looked at".
  for (const radio of form.querySelectorAll("input[type=radio]")) {
    if (!(radio instanceof HTMLInputElement)) continue;
    let held = radio.checked;
    radio.closest("label")?.addEventListener("pointerdown", () => { held = radio.checked; });
    radio.addEventListener("click", () => { if (held) radio.checked = false; held = radio.checked; });
  }
}

Object.assign((window.ketaclinic ??= {}), { keypad });
