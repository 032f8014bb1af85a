// After an answer was taken in place, the focus goes on to the next open question.
// @ts-check

document.addEventListener("htmx:afterSettle", () => {
  const next = document.querySelector("#unknown .keys .btn, #unknown .keys select");
  if (next instanceof HTMLElement) next.focus({ preventScroll: true });
});
