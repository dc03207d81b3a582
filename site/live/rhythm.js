"use strict";
// Strips run across the paper; the network of lesson 2 names the rhythm, and shows by which seconds.

const RATE = 300, SECONDS = 30, STEP = 4; // Hz, s, and what a difference of 1 is worth in µV
const MOST = 0.2; // of a probability: a fall by this much has the full colour, in every strip
const NAMES = { N: "normal rhythm", A: "atrial fibrillation", O: "another rhythm", "~": "noise" };

function signalOf({ data }) { // in µV
  let at = 0;
  return Float64Array.from(new Int8Array(bytesOf(data)), (difference) => (at += STEP * difference));
}

// The spectrogram: windows of 64 samples, a new one every 16; their mean off, their ends tapered, the power of 33 frequencies
const WINDOW = 64, HOP = 16, FREQUENCIES = WINDOW / 2 + 1, FLOOR = 0.01;
const TAPER = Array.from({ length: WINDOW }, (_, n) => {
  const edge = Math.min(n, WINDOW - n) / (WINDOW / 8);
  return edge < 1 ? (1 - Math.cos(Math.PI * edge)) / 2 : 1;
});
const WAVES = { height: 1, width: 1, channels: WINDOW, many: 2 * FREQUENCIES, offset: new Float64Array(2 * FREQUENCIES),
  weights: Float64Array.from({ length: 2 * FREQUENCIES * WINDOW }, (_, i) => {
    const n = i % WINDOW, half = Math.floor(i / WINDOW) % 2, f = Math.floor(i / WINDOW / 2); // cosine, sine, cosine ...
    const sides = f % (WINDOW / 2) ? 2 : 1, power = RATE * TAPER.reduce((sum, value) => sum + value ** 2, 0);
    return TAPER[n] * Math.sqrt(sides / power) * Math.cos(2 * Math.PI * (f * n / WINDOW - half / 4));
  }) };

function spectrogram(signal, count) {
  const windows = { height: 1, width: count, channels: WINDOW, values: new Float64Array(count * WINDOW) };
  for (let t = 0; t < count; t++) {
    const window = signal.subarray(t * HOP, t * HOP + WINDOW), mean = window.reduce((a, b) => a + b, 0) / WINDOW;
    window.forEach((value, n) => { windows.values[t * WINDOW + n] = value - mean; });
  }
  const waves = convolve(WAVES, windows).values;
  const values = Float64Array.from({ length: count * FREQUENCIES }, (_, i) => Math.log(waves[2 * i] ** 2 + waves[2 * i + 1] ** 2 + FLOOR));
  return { height: 1, width: count, channels: FREQUENCIES, values };
}

// The network: convolutions, a GRU that reads in both directions, mean and largest over time
const [FIRST, ...STAGES] = DATA.network.stages, SCALE = decode(FIRST.scale).values, OFFSET = decode(FIRST.offset).values;
const CONVOLUTIONS = STAGES.map(filters), CLASS = filters(DATA.network.class);
const CELLS = DATA.network.recurrence.map(({ read, remembered }) => ({ read: filters(read), remembered: filters(remembered) }));
const sigmoid = (value) => 1 / (1 + Math.exp(-value));

function recur({ read, remembered }, x, backwards) { // gates z and r, and the new state, stand one behind the other
  const units = remembered.channels, given = convolve(read, x).values, values = new Float64Array(x.width * units);
  let state = new Float64Array(units);
  for (let k = 0; k < x.width; k++) {
    const t = backwards ? x.width - 1 - k : k, now = given.subarray(t * 3 * units, (t + 1) * 3 * units), past = dense(remembered, state);
    state = state.map((old, u) => {
      const z = sigmoid(now[u] + past[u]), r = sigmoid(now[units + u] + past[units + u]);
      return z * old + (1 - z) * Math.tanh(now[2 * units + u] + r * past[2 * units + u]);
    });
    values.set(state, t * units);
  }
  return { ...x, channels: units, values };
}

function overTime({ width, channels, values }) {
  const sums = new Float64Array(channels), most = new Float64Array(channels).fill(-Infinity);
  values.forEach((value, i) => { sums[i % channels] += value; most[i % channels] = Math.max(most[i % channels], value); });
  return [[...sums].map((sum) => sum / width), [...most]];
}

function probabilities(signal) {
  // Silence follows, as in training; no more of it than the last step can see, and an odd number of windows, as there.
  const count = Math.floor((signal.length - WINDOW) / HOP) + 1, more = (count + 72) | 1;
  const longer = new Float64Array((more - 1) * HOP + WINDOW);
  longer.set(signal);
  let x = each(spectrogram(longer, more), (value, i) => value * SCALE[i % FREQUENCIES] + OFFSET[i % FREQUENCIES]);
  CONVOLUTIONS.forEach((layer, k) => { x = relu(convolve(layer, k && k % 2 === 0 ? largest(x) : x, k ? 1 : 2)); });
  const half = (steps) => (steps + 1) >> 1, width = half(half(half(count)));
  x = { ...x, width, values: x.values.subarray(0, width * x.channels) };
  const parts = [recur(CELLS[0], x, false), recur(CELLS[1], x, true), x].map(overTime);
  return softmax(dense(CLASS, Float64Array.from([0, 1].flatMap((k) => parts.flatMap((part) => part[k])))));
}
const likeliest = (p) => p.indexOf(Math.max(...p));

function without(signal, start, seconds = 2) { // the same, with a straight line for some seconds
  const copy = signal.slice(), from = start * RATE, many = seconds * RATE, first = copy[from], last = copy[from + many - 1];
  for (let n = 0; n < many; n++) copy[from + n] = first + (last - first) * n / (many - 1);
  return copy;
}

// The page: 25 mm are a second, 10 mm are 1 mV
const SPEED = 25, GAIN = 10, HEIGHT = 30, BASE = 18, SEEN = 6;
let strip = 0, signal, at = SEEN, playing = 0, looking;
let guesses = {}, verdicts = {};

function trace(box, from, to) {
  let d = "";
  for (let n = from * RATE; n < Math.min(to * RATE, signal.length); n++) {
    d += `${d ? "L" : "M"}${((n / RATE - from) * SPEED).toFixed(2)} ${(BASE - GAIN * signal[n] / 1000).toFixed(1)}`;
  }
  draw("path", { d, class: "trace" }, box);
}

function put(time) { // the paper under the window so that its right edge is now
  at = time;
  get("moving").setAttribute("transform", `translate(${-SPEED * (time - SEEN)} 0)`);
  get("time").value = time;
  get("time").setAttribute("aria-valuetext", `${time.toFixed(0)} of ${SECONDS} seconds`);
}

function play(on) {
  cancelAnimationFrame(playing);
  playing = 0;
  get("play").textContent = on ? "Pause" : "Play";
  if (!on) return;
  const began = performance.now() - 1000 * (at < SECONDS ? at : SEEN);
  const step = (now) => {
    put(Math.min((now - began) / 1000, SECONDS));
    if (at < SECONDS) playing = requestAnimationFrame(step); else play(false);
  };
  playing = requestAnimationFrame(step);
}

function choose(k) {
  strip = k;
  looking = null;
  signal = signalOf(STRIPS[k]);
  get("strip").value = k;
  play(false);
  get("moving").replaceChildren();
  paper(get("moving"), SPEED * SECONDS, HEIGHT, 1, 1);
  trace(get("moving"), 0, SECONDS);
  put(SEEN);
  say("");
  tell();
}

function next() { // the next that is not guessed yet; after the last, all are new again
  const ahead = STRIPS.map((_, k) => (strip + 1 + k) % STRIPS.length).find((k) => guesses[k] === undefined);
  if (ahead === undefined) guesses = {};
  choose(ahead ?? 0);
  get("play").focus();
}

function guess(k) {
  const began = performance.now();
  guesses[strip] ??= k;
  verdicts[strip] = probabilities(signal);
  tell();
  window.lastMilliseconds = performance.now() - began;
}

function tell() { // after the guess: the verdict, the truth, and where the network looks
  const said = guesses[strip], told = said !== undefined;
  [...get("guesses").children].forEach((button, k) => { button.disabled = told; button.setAttribute("aria-pressed", said === k); });
  get("answer").hidden = !told;
  if (!told) return;
  const p = verdicts[strip], top = likeliest(p), { truth } = STRIPS[strip], name = (k) => `${DATA.classes[k]}, ${NAMES[DATA.classes[k]]}`;
  bars(get("verdict"), p.map((share, k) => [`${DATA.classes[k]}&ensp;${NAMES[DATA.classes[k]]}`, share, k === top]));
  const done = Object.keys(guesses), right = (of) => done.filter((k) => of(k) === STRIPS[k].truth).length;
  const all = done.length === STRIPS.length, score = `you ${right((k) => guesses[k])}, the network ${right((k) => likeliest(verdicts[k]))}`;
  say(`It is ${name(truth)}. You are ${said === truth ? "right" : "wrong"}, and the network is ${top === truth ? "right" : "wrong"}. ` +
    (all ? `All ${done.length} done: ${score}. Begin again?` : `So far, of ${done.length}: ${score}.`));
  get("next").textContent = all ? "Begin again" : "Next strip";
  look(top, p[top]);
}

function look(top, before) { // two seconds after the other are erased, and the network asked again, between two pictures of the page
  const own = looking = Symbol(), falls = []; // a later look ends this one
  get("whole").replaceChildren();
  const rows = [0, 10, 20].map((from) => {
    const row = draw("svg", { class: "paper", viewBox: `0 0 ${10 * SPEED} ${HEIGHT}`, role: "img", "aria-label": `Seconds ${from} to ${from + 10}` }, get("whole"));
    paper(row, 10 * SPEED, HEIGHT, 1, 1);
    return row;
  });
  const shades = Array.from({ length: SECONDS }, (_, second) =>
    draw("rect", { class: "shade", x: (second % 10) * SPEED, y: 0, width: SPEED, height: HEIGHT, opacity: 0 }, rows[Math.floor(second / 10)]));
  rows.forEach((row, k) => trace(row, 10 * k, 10 * k + 10));
  get("looks").textContent = "The network is asked again and again ...";
  const ask = () => {
    if (own !== looking) return;
    falls.push(before - probabilities(without(signal, falls.length))[top]);
    const weights = Array.from({ length: falls.length + 1 }, (_, second) => { // of a second: the mean of the two that erase it
      const both = falls.slice(Math.max(second - 1, 0), second + 1);
      return both.reduce((a, b) => a + b, 0) / both.length;
    });
    const share = (second) => Math.min(Math.max(weights[second] / MOST, 0), 1);
    shades.slice(0, weights.length).forEach((shade, second) => shade.setAttribute("opacity", 0.6 * share(second)));
    if (falls.length < SECONDS - 1) return void setTimeout(ask);
    const first = falls.indexOf(Math.max(...falls)), points = Math.round(100 * falls[first]);
    get("looks").textContent = points < 1 ? `No two seconds matter alone: ${DATA.classes[top]} stays at ${percent(before)}.` :
      `Most in seconds ${first} to ${first + 2}: without them, ${DATA.classes[top]} falls from ${percent(before)} to ${percent(before - falls[first])}.`;
    get("whole").dataset.done = strip;
  };
  setTimeout(ask);
}

function start() {
  STRIPS.forEach((_, k) => get("strip").add(new Option(`Strip ${k + 1}`, k)));
  DATA.classes.forEach((symbol, k) => {
    const button = document.createElement("button");
    button.type = "button";
    button.innerHTML = `<b>${symbol}</b> ${NAMES[symbol]}`;
    button.addEventListener("click", () => guess(k));
    get("guesses").append(button);
  });
  get("right").textContent = `Of 100 simulated strips that it never met, it names ${Math.round(100 * DATA.right)} right.`;
  get("strip").addEventListener("change", () => choose(Number(get("strip").value)));
  get("next").addEventListener("click", next);
  get("play").addEventListener("click", () => play(!playing));
  get("time").addEventListener("input", () => { play(false); put(Number(get("time").value)); });
  choose(0);
}
start();
