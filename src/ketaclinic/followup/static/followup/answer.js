// One question at a time on a telephone, and a count of what is answered. Without this script the whole form shows.
const form = document.querySelector("[data-scale]");

if (form) {
  const questions = [...form.querySelectorAll("[data-question]")];
  const progress = form.querySelector("[data-progress]");
  const steps = form.querySelector("[data-steps]");
  const save = form.querySelector("[data-save]");
  const back = form.querySelector("[data-back]");
  const next = form.querySelector("[data-next]");
  const small = window.matchMedia("(max-width: 40rem)");
  const again = document.querySelector("#missing");
  let current = 0;

  const answered = () => questions.filter((q) => q.querySelector("input:checked")).length;

  const show = (focus) => {
    const one = small.matches && !again && !form.querySelector("[name=reason]");
    questions.forEach((q, n) => { q.hidden = one && n !== current; });
    steps.hidden = !one;
    save.hidden = one && current < questions.length - 1;
    next.hidden = current === questions.length - 1;
    back.disabled = current === 0;
    progress.textContent = `${answered()} of ${questions.length} answered`;
    if (focus && one) {
      const target = questions[current].querySelector("input:checked") || questions[current].querySelector("input");
      target.focus({ preventScroll: true });
      questions[current].scrollIntoView({ block: "nearest" });
    }
  };

  next.addEventListener("click", () => { current = Math.min(current + 1, questions.length - 1); show(true); });
  back.addEventListener("click", () => { current = Math.max(current - 1, 0); show(true); });
  form.addEventListener("change", () => show(false));
  small.addEventListener("change", () => show(false));
  show(false);
}
