"use strict";
// Shows the cases that have one of the ticked outcomes and contain every word of the search, anywhere in them.
const cases = [...document.querySelectorAll("details.case")];
const texts = new Map(cases.map(one => [one, one.textContent.toLowerCase()]));
const ticks = [...document.querySelectorAll(".tools input[type=checkbox]")];
const search = document.getElementById("search");
function show() {
  const ticked = new Set(ticks.filter(tick => tick.checked).map(tick => tick.value));
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const one of cases) {
    const text = texts.get(one);
    one.hidden = !ticked.has(one.dataset.outcome) || !words.every(word => text.includes(word));
    shown += one.hidden ? 0 : 1;
  }
  for (const area of document.querySelectorAll("section")) {
    area.hidden = !area.querySelector("details.case:not([hidden])");
  }
  document.getElementById("shown").textContent = `${shown} of ${cases.length} shown`;
}
search.addEventListener("input", show);
for (const tick of ticks) tick.addEventListener("change", show);
show();
