"use strict";
// A curve becomes a picture, the picture nine crops, and the light network of lesson 3 reads each.

const SIZE = 128, POINTS = 512, MARGIN = 0.05, PEN = 1.5, CROP = 96, STARTS = [0, 16, 32];
const NAMES = { N: "normal beat", "/": "paced beat", L: "left bundle branch block", R: "right bundle branch block",
  V: "early, from a ventricle", A: "early, from the atria", "!": "flutter waves", E: "escape, from a ventricle" };
const PLACES = ["top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom", "bottom right"];

// From the drawing to the crops, as ecg_lessons/signals does
function stretched(curve) { // to the full height, from 0 to 1
  const low = Math.min(...curve), high = Math.max(...curve);
  return curve.map((value) => (high > low ? (value - low) / (high - low) : 0.5));
}

function picture(curve) { // in each column, ink from the highest to the lowest point of the pen; 1 on a ground of 0
  const x = { height: SIZE, width: SIZE, channels: 1, values: new Float64Array(SIZE * SIZE) }, step = POINTS / SIZE;
  for (let column = 0; column < SIZE; column++) {
    const rows = []; // up to where the next column begins
    for (let k = 0; k <= step; k++) rows.push(SIZE * (1 - MARGIN - (1 - 2 * MARGIN) * curve[Math.min(column * step + k, POINTS - 1)]));
    const top = Math.min(...rows) - PEN / 2, bottom = Math.max(...rows) + PEN / 2, ink = (edge, y) => Math.min(Math.max(edge - y, 0), 1);
    for (let y = 0; y < SIZE; y++) x.values[y * SIZE + column] = ink(bottom, y) - ink(top, y);
  }
  return x;
}

function enlarged(x, start) { // 96 rows from a start on become 128; the result lies on its side
  const values = new Float64Array(SIZE * SIZE);
  for (let row = 0; row < SIZE; row++) {
    const at = Math.min(Math.max((row + 0.5) * CROP / SIZE - 0.5, 0), CROP - 1), above = Math.floor(at), share = at - above;
    const here = (start + above) * SIZE, below = (start + Math.min(above + 1, CROP - 1)) * SIZE;
    for (let t = 0; t < SIZE; t++) values[t * SIZE + row] = (1 - share) * x.values[here + t] + share * x.values[below + t];
  }
  return { ...x, values };
}
function nineCrops(x) { // twice on its side is upright again
  return STARTS.map((top) => enlarged(x, top)).flatMap((rows) => STARTS.map((left) => enlarged(rows, left)));
}

// The network
const STAGES = DATA.network.stages.map(filters), CLASS = filters(DATA.network.class);

function read(crop) {
  let x = elu(convolve(STAGES[0], crop, 4));
  for (const k of [1, 3]) {
    x = elu(convolve(STAGES[k], x, 2));
    x = add(x, elu(convolve(STAGES[k + 1], x)));
  }
  const means = each(pool(x, 4, 2, (a, b) => a + b), (sum) => sum / 8);
  return softmax(dense(CLASS, means.values));
}
const mean = (verdicts) => DATA.classes.map((_, k) => verdicts.reduce((sum, one) => sum + one[k], 0) / verdicts.length);
const likeliest = (p) => p.indexOf(Math.max(...p));

// The page
let drawn = new Array(POINTS).fill(0.5), before = "Your drawing.";
const turns = DATA.classes.map(() => 0);

function show() {
  const began = performance.now();
  const crops = nineCrops(picture(stretched(drawn))), verdicts = crops.map(read), p = mean(verdicts), top = likeliest(p);
  bars(get("verdict"), p.map((share, k) => [`${DATA.classes[k]}&ensp;${NAMES[DATA.classes[k]]}`, share, k === top]));
  crops.forEach((crop, k) => {
    const said = likeliest(verdicts[k]), words = `${DATA.classes[said]}&ensp;${percent(verdicts[k][said])}`;
    const canvas = get("crop-" + k), pixels = new ImageData(SIZE, SIZE);
    crop.values.forEach((ink, i) => { pixels.data[4 * i + 3] = 255 * ink; });
    canvas.getContext("2d").putImageData(pixels, 0, 0);
    canvas.setAttribute("aria-label", `Crop from the ${PLACES[k]}`);
    canvas.closest("figure").classList.toggle("other", said !== top);
    canvas.closest("figure").querySelector("figcaption").innerHTML = words;
  });
  const alike = verdicts.filter((one) => likeliest(one) === top).length;
  say(`${before} The network says ${DATA.classes[top]}, ${NAMES[DATA.classes[top]]}: ${percent(p[top])}. So do ${alike} of the nine crops.`);
  get("board-words").textContent = before;
  window.lastMilliseconds = performance.now() - began;
}

function trace() { // the line on the board, with the margins of the picture
  const d = drawn.map((value, t) => `${t ? "L" : "M"}${t} ${(POINTS * (1 - MARGIN - (1 - 2 * MARGIN) * value)).toFixed(1)}`);
  get("drawn").setAttribute("d", d.join(""));
}

function take(k) { // the next simulated beat of a class
  const all = DATA.examples.filter((one) => one.truth === k), turn = turns[k]++ % all.length;
  drawn = [...decode(all[turn].curve).values];
  before = `A simulated beat: ${DATA.classes[k]}, ${NAMES[DATA.classes[k]]} (${turn + 1} of ${all.length}).`;
  trace();
  show();
}

function pen(board) { // a stroke gives every column that it passes a new height
  let last = null;
  const at = (event) => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(board.getScreenCTM().inverse());
    const within = (value, most) => Math.min(Math.max(value, 0), most);
    return [Math.round(within(x, POINTS - 1)), within((1 - MARGIN - y / POINTS) / (1 - 2 * MARGIN), 1)];
  };
  const to = (event) => {
    const [x, value] = at(event), [x0, value0] = last ?? [x, value], way = Math.abs(x - x0);
    for (let k = 0; k <= way; k++) drawn[x0 + Math.sign(x - x0) * k] = way ? value0 + (value - value0) * k / way : value;
    last = [x, value];
    trace();
  };
  board.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return; // the main button or the first finger only
    board.setPointerCapture(event.pointerId);
    event.preventDefault();
    to(event);
  });
  board.addEventListener("pointermove", (event) => { // older Safari, and pages without HTTPS, do not have all the steps between
    if (last && event.isPrimary) (event.getCoalescedEvents?.() ?? [event]).forEach(to);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    board.addEventListener(end, (event) => {
      if (!last || !event.isPrimary) return;
      last = null;
      before = "Your drawing.";
      show();
    });
  }
}

function start() {
  DATA.classes.forEach((symbol, k) => {
    const button = document.createElement("button");
    button.type = "button";
    button.innerHTML = `<b>${symbol}</b> ${NAMES[symbol]}`;
    button.addEventListener("click", () => take(k));
    get("kinds").append(button);
  });
  const empty = document.createElement("button");
  empty.type = "button";
  empty.textContent = "Empty paper";
  empty.addEventListener("click", () => { drawn.fill(0.5); before = "A flat line."; trace(); show(); });
  get("kinds").append(empty);
  get("crops").innerHTML = PLACES.map((_, k) => `<figure><div><canvas id="crop-${k}" width="${SIZE}" height="${SIZE}" role="img"></canvas></div>
    <figcaption></figcaption></figure>`).join("");
  get("right").innerHTML += `<thead><tr>${DATA.classes.map((symbol) => `<th scope="col">${symbol}</th>`).join("")}</tr></thead>` +
    `<tbody><tr>${DATA.right.map((share) => `<td>${Math.round(100 * share)}</td>`).join("")}</tr></tbody>`;
  pen(get("board"));
  take(0);
}
start();
