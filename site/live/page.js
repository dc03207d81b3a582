"use strict";
// What the live pages draw with.

// Dark or light: as chosen in the menu of the site, which stores it; else as the system is.
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
function dress() {
  let chosen = null;
  try { chosen = localStorage.getItem("mode"); } catch { /* a browser may keep nothing */ }
  const dark = chosen === "dark" || (chosen !== "light" && systemIsDark.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}
dress();
addEventListener("storage", dress); // chosen anew in another tab, or on the page around this frame
systemIsDark.addEventListener("change", dress);

const SVG = "http://www.w3.org/2000/svg";
function draw(name, attributes, parent, text) {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  if (text) one.textContent = text;
  parent.append(one);
  return one;
}
const get = (id) => document.getElementById(id);
const say = (words) => { get("say").textContent = words; };
const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}\u00a0%`; // on one line

function paper(box, width, height, across, down, top = 0) { // a line every millimetre, a bold one every five
  for (const [every, look] of [[1, "thin"], [5, "bold"]]) {
    let d = "";
    for (let x = 0; x <= width; x += every * across) d += `M${x} 0V${height}`;
    for (let y = top; y <= height; y += every * down) d += `M0 ${y}H${width}`;
    draw("path", { d, class: look }, box);
  }
}

function bars(list, rows) { // a name, a probability, and whether it is the one that counts
  list.innerHTML = rows.map(([name, share, counts]) => `<li class="${counts ? "counts" : ""}"><span>${name}</span>` +
    `<span class="bar" style="width:${100 * share}%"></span><span>${percent(share, 1)}</span></li>`).join("");
}
