"use strict";
// Ten electrodes, twelve leads, and the network of lesson 1.

const LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];
const WIRES = ["RA", "LA", "LL", "RL", "V1", "V2", "V3", "V4", "V5", "V6"];
const PLACES = { RA: [34, 168], LA: [266, 168], RL: [112, 304], LL: [188, 304], V1: [124, 128], V2: [154, 128], V3: [176, 147],
  V4: [197, 168], V5: [224, 172], V6: [244, 150] };

// Physics: potentials at the places from the leads, and leads from the potentials at the wires. Wilson's terminal is 0.
function potentials() {
  const at = {};
  const row = (parts) => LEADS.map((lead) => parts[lead] || 0);
  at.RA = row({ I: -1 / 3, II: -1 / 3 });
  at.LA = row({ I: 2 / 3, II: -1 / 3 });
  at.LL = row({ I: -1 / 3, II: 2 / 3 });
  at.RL = at.LL; // both legs are one to the heart
  for (let k = 1; k <= 6; k++) at["V" + k] = row({ ["V" + k]: 1 });
  return at;
}
const plus = (a, b, by = 1) => a.map((x, i) => x + by * b[i]);
const times = (a, by) => a.map((x) => by * x);

function matrixOf(place) { // place[wire] is where the wire sits: 12 x 12
  const at = potentials();
  const w = Object.fromEntries(WIRES.map((wire) => [wire, at[place[wire]]]));
  const wilson = times(plus(plus(w.RA, w.LA), w.LL), 1 / 3);
  const against = (one, a, b) => plus(one, times(plus(a, b), 0.5), -1);
  return [
    plus(w.LA, w.RA, -1), plus(w.LL, w.RA, -1), plus(w.LL, w.LA, -1),
    against(w.RA, w.LA, w.LL), against(w.LA, w.RA, w.LL), against(w.LL, w.RA, w.LA),
    ...[1, 2, 3, 4, 5, 6].map((k) => plus(w["V" + k], wilson, -1)),
  ].map(simplest);
}

// The six limb leads carry two: a row that is one lead, or its negative, is written so.
const BASIS = [[1, 0], [0, 1], [-1, 1], [-0.5, -0.5], [1, -0.5], [-0.5, 1]];
function simplest(row) {
  const near = (x, y) => Math.abs(x - y) < 1e-9;
  if (row.slice(6).some((x) => !near(x, 0))) return row;
  for (const sign of [1, -1]) {
    const k = BASIS.findIndex(([a, b]) => near(row[0], sign * a) && near(row[1], sign * b));
    if (k >= 0) return LEADS.map((_, i) => (i === k ? sign : 0));
  }
  return row;
}

function apply(matrix, beat) { // beat: 12 arrays; exact for all leads, since I and II make the six
  return matrix.map((row) => beat[0].map((_, t) => row.reduce((sum, weight, lead) => sum + (weight ? weight * beat[lead][t] : 0), 0)));
}

// The network: convolutions, then Bayes' rule over the exchanges.
const STAGES = DATA.network.stages.map(filters), LAST = decode(DATA.network.last).values;

function looksRight(beat) { // beat: 12 arrays in mV, already divided by its size
  let x = { height: 1, width: beat[0].length, channels: 12, values: new Float64Array(beat[0].length * 12) };
  beat.forEach((lead, k) => lead.forEach((value, t) => { x.values[t * 12 + k] = value; }));
  for (const stage of STAGES) x = largest(relu(convolve(stage, x)));
  return x.values.reduce((sum, value, i) => sum + value * LAST[i], 0);
}

function probabilities(beat) { // in mV
  const all = beat.flat(), mean = all.reduce((a, b) => a + b, 0) / all.length;
  const size = Math.sqrt(all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length) + 1e-3;
  const scaled = beat.map((lead) => lead.map((value) => value / size));
  const maps = [null, ...DATA.swaps];
  return softmax(maps.map((map, k) => looksRight(map ? apply(map, scaled) : scaled) + Math.log(DATA.prior[k])));
}

// The page
// "V1-V6 reversed" reads as if V1 and V6 had traded places.
const STATES = DATA.states.map((state) => state.replace(/^(V\d)-(V\d) reversed$/, "$1 to $2 in reverse order"));
const right = () => Object.fromEntries(WIRES.map((wire) => [wire, wire])), beatOf = (person) => person.beat.map((lead) => times(lead, 1 / 1000));
let place = right(), held = null;

function exchange(a, b) {
  [place[a], place[b]] = [place[b], place[a]];
  show(`${a} and ${b} exchanged.`);
}

function pick(wire) { // by a click, a tap, or a key: the first is held, the second takes its place
  const other = held;
  held = other ? null : wire;
  if (other && other !== wire) return exchange(other, wire);
  say(held ? `${wire} is chosen: now choose another.` : "");
  mark();
}

function strip(parent, name, values, changed) {
  const box = draw("svg", { class: "paper strip" + (changed ? " changed" : ""), viewBox: "0 0 160 150", role: "img",
    "aria-label": `Lead ${name}${changed ? ", changed" : ""}: from ${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)} mV` }, parent);
  paper(box, 160, 150, 8, 4, 15); // 0.8 s are 160 units: 0.04 s are 8; 0.1 mV is 4
  const d = values.map((value, t) => `${t ? "L" : "M"}${(t * 0.8).toFixed(1)} ${(95 - 40 * value).toFixed(1)}`).join("");
  draw("path", { d, class: "trace" }, box);
  draw("text", { x: 4, y: 15 }, box, name);
}

function mark() { // each wire at its place, and which is held
  for (const wire of WIRES) {
    const [x, y] = PLACES[place[wire]];
    const one = get("wire-" + wire);
    one.setAttribute("transform", `translate(${x} ${y})`);
    one.setAttribute("aria-label", `Wire ${wire}, at the place of ${place[wire]}`);
    one.classList.toggle("held", held === wire);
    one.setAttribute("aria-pressed", held === wire);
  }
}

function show(words) { // with what was done; the network's verdict is added
  const began = performance.now();
  mark();
  const matrix = matrixOf(place), now = apply(matrix, beatOf(DATA.people[get("person").value]));
  const moved = matrix.map((row, i) => row.some((weight, j) => Math.abs(weight - (i === j)) > 1e-9));
  get("strips").replaceChildren();
  // in the columns of a page: I aVR V1 V4, II aVL V2 V5, III aVF V3 V6; in order of the leads on a narrow screen
  const order = matchMedia("(max-width: 420px)").matches ? LEADS.map((_, i) => i) : [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11];
  for (const i of order) strip(get("strips"), LEADS[i], now[i], moved[i]);

  const number = (x) => (Math.abs(x) < 1e-9 ? "0" : Number.isInteger(Math.round(x * 1e6) / 1e6) ? String(Math.round(x)) : x.toFixed(2)).replace("-", "−");
  const head = "<thead><tr><th scope='col'>now</th>" + LEADS.map((lead) => `<th scope="col">${lead}</th>`).join("") + "</tr></thead>";
  get("matrix").innerHTML = head + "<tbody>" + matrix.map((row, i) => `<tr class="${moved[i] ? "moved" : ""}"><th scope="row">${LEADS[i]}</th>` +
    row.map((x) => `<td class="${Math.abs(x) < 1e-9 ? "zero" : moved[i] ? "full" : ""}">${number(x)}</td>`).join("") + "</tr>").join("") + "</tbody>";

  const likeliest = probabilities(now).map((value, k) => [STATES[k], value]).sort((a, b) => b[1] - a[1]);
  bars(get("verdict"), likeliest.slice(0, 5));
  if (words) say(`${words} The network says ${likeliest[0][0]}: ${percent(likeliest[0][1])}.`);
  window.lastMilliseconds = performance.now() - began;
  if (document.body.classList.contains("inside")) parent.postMessage(document.documentElement.scrollHeight, "*");
}

function draggable(one, wire) {
  let from = null, dragged; // where the hand came down, and whether it has gone on from there
  const at = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(get("torso").getScreenCTM().inverse());
  one.addEventListener("pointerdown", (event) => {
    if (event.button) return; // the main button only
    one.setPointerCapture(event.pointerId);
    event.preventDefault();
    one.focus();
    [from, dragged] = [at(event), false];
  });
  one.addEventListener("pointermove", (event) => {
    if (!from) return;
    const { x, y } = at(event);
    dragged ||= Math.hypot(x - from.x, y - from.y) > 5; // a finger trembles
    if (dragged) one.setAttribute("transform", `translate(${x} ${y})`);
  });
  one.addEventListener("pointerup", (event) => {
    if (!from) return;
    from = null;
    if (!dragged) return pick(wire);
    held = null;
    const { x, y } = at(event), far = (name) => Math.hypot(PLACES[place[name]][0] - x, PLACES[place[name]][1] - y);
    const near = WIRES.filter((name) => name !== wire).sort((a, b) => far(a) - far(b))[0];
    if (far(near) < 20) return exchange(wire, near);
    say("");
    mark();
  });
  one.addEventListener("pointercancel", () => { from = null; mark(); });
}

function limits() { // what the network has learnt; and what it says of something else
  const p = probabilities(apply(matrixOf({ ...right(), RA: "V1", V1: "RA" }), beatOf(DATA.people[0]))), top = p.indexOf(Math.max(...p));
  get("limits").textContent = `The network has learnt these exchanges: ${STATES.slice(1).join(", ")}. Anything else it has never seen, ` +
    `and it may still be sure: exchange RA and V1 (${DATA.people[0].name.split(",")[0]}), and it says “${STATES[top]}”, ${percent(p[top], 1)}.`;
}

function start() {
  document.body.classList.toggle("inside", location.search === "?inside"); // within the landing page
  DATA.people.forEach((person, k) => {
    const same = DATA.people.filter((one) => one.name === person.name);
    const which = same.length > 1 ? ` (${["first", "second", "third"][same.indexOf(person)]} recording),` : ",";
    get("person").add(new Option(person.name.replace(",", which), k)); // before the diagnosis: a narrow list cuts the end
  });
  for (const name of WIRES) {
    const [x, y] = PLACES[name], spot = draw("g", { class: "place", transform: `translate(${x} ${y})` }, get("places"));
    draw("circle", { r: 15 }, spot);
  }
  for (const wire of WIRES) {
    const one = draw("g", { id: "wire-" + wire, class: "wire " + (wire[0] === "V" ? "chest" : "limb"), tabindex: 0, role: "button" }, get("wires"));
    draw("circle", { r: 12.5 }, one);
    draw("text", { y: 4 }, one, wire);
    one.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { held = null; say(""); mark(); }
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      pick(wire);
    });
    draggable(one, wire);
  }
  get("person").addEventListener("change", () => show(`This is ${get("person").selectedOptions[0].text}.`));
  get("undo").addEventListener("click", () => { place = right(); held = null; show("All wires are right."); });
  limits();
  show();
}
start();
