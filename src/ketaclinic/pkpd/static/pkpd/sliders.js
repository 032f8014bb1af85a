// Says beside each slider where it stands; the page works without.
const say = (slider) => {
  const unit = slider.parentElement.querySelector(".unit");
  unit.dataset.word ??= unit.textContent;
  unit.textContent = `${slider.value} ${unit.dataset.word}`;
};
const sayAll = () => document.querySelectorAll('.explore input[type="range"]').forEach(say);
document.addEventListener("input", (event) => { if (event.target.matches('.explore input[type="range"]')) say(event.target); });
document.addEventListener("htmx:afterSettle", sayAll);
sayAll();
