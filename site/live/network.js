"use strict";
// The layers of the networks of the live pages, in full. Keras gives the same numbers.
// A map of features is { height, width, channels, values }, channels last; what runs over time is one row, of height 1.

function bytesOf(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
}

function decode({ shape, data, bytes, worth }) { // 16-bit floats; or whole numbers, and what 1 is worth in each column
  if (bytes) {
    const each = decode(worth).values;
    return { shape, values: Float64Array.from(new Int8Array(bytesOf(bytes)), (value, i) => value * each[i % each.length]) };
  }
  const values = Float64Array.from(new Uint16Array(bytesOf(data)), (h) => {
    const exponent = (h >> 10) & 31, fraction = h & 1023, sign = h & 32768 ? -1 : 1;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
  });
  return { shape, values };
}

// A convolution or a dense layer, ready for use: the numbers of one filter stand together, batch normalisation is in them.
function filters({ kernel, scale, offset }) {
  const { shape, values } = decode(kernel), [many, channels, width = 1, height = 1] = [...shape].reverse();
  const factor = scale ? decode(scale).values : new Float64Array(many).fill(1), size = values.length / many;
  const weights = new Float64Array(values.length);
  for (let f = 0; f < many; f++) for (let i = 0; i < size; i++) weights[f * size + i] = factor[f] * values[i * many + f];
  return { height, width, channels, many, weights, offset: decode(offset).values };
}

// Convolve as Keras does with "same". Two filters at four neighbouring places at once: each number that is read serves
// two or four times, which is three times as fast.
function convolve({ height, width, channels, many, weights, offset }, x, stride = 1) {
  const down = Math.ceil(x.height / stride), across = Math.ceil(x.width / stride);
  const before = (length, count, size) => Math.max((count - 1) * stride + size - length, 0) >> 1;
  const top = before(x.height, down, height), left = before(x.width, across, width);
  const line = ((across + 3) * stride + width) * channels, padded = new Float64Array(line * ((down - 1) * stride + height));
  for (let y = 0; y < x.height; y++) {
    padded.set(x.values.subarray(y * x.width * channels, (y + 1) * x.width * channels), (y + top) * line + left * channels);
  }
  const row = width * channels, whole = height * row, next = stride * channels;
  const values = new Float64Array(down * across * many), out = new Float64Array((across + 3) * many);
  for (let y = 0; y < down; y++) {
    for (let f = 0; f < many; f += 2) {
      for (let t = 0; t < across; t += 4) {
        let a = offset[f], b = a, c = a, d = a, e = offset[f + 1], g = e, h = e, i = e;
        for (let dy = 0; dy < height; dy++) {
          let at = (y * stride + dy) * line + t * next, k = f * whole + dy * row;
          for (const end = k + row; k < end; k++, at++) {
            const w = weights[k], v = weights[k + whole];
            const p = padded[at], q = padded[at + next], r = padded[at + 2 * next], s = padded[at + 3 * next];
            a += w * p; b += w * q; c += w * r; d += w * s;
            e += v * p; g += v * q; h += v * r; i += v * s;
          }
        }
        const to = t * many + f; // up to three places too many, which are not kept
        out[to] = a; out[to + many] = b; out[to + 2 * many] = c; out[to + 3 * many] = d;
        out[to + 1] = e; out[to + many + 1] = g; out[to + 2 * many + 1] = h; out[to + 3 * many + 1] = i;
      }
    }
    values.set(out.subarray(0, across * many), y * across * many);
  }
  return { height: down, width: across, channels: many, values };
}

function each(x, change) { // in place: new memory would cost more than the change itself
  for (let i = 0; i < x.values.length; i++) x.values[i] = change(x.values[i], i);
  return x;
}
const relu = (x) => each(x, (value) => Math.max(0, value));
const elu = (x) => each(x, (value) => (value > 0 ? value : Math.exp(value) - 1));
const add = (x, y) => each(x, (value, i) => value + y.values[i]);

function pool(x, tall, wide, join) { // join the numbers of each field, such as by Math.max; what fills no field is left out
  const height = Math.floor(x.height / tall), width = Math.floor(x.width / wide), n = x.channels;
  const values = new Float64Array(height * width * n);
  for (let y = 0; y < height; y++) for (let t = 0; t < width; t++) for (let c = 0; c < n; c++) {
    let joined;
    for (let dy = 0; dy < tall; dy++) for (let dt = 0; dt < wide; dt++) {
      const value = x.values[((y * tall + dy) * x.width + t * wide + dt) * n + c];
      joined = dy || dt ? join(joined, value) : value;
    }
    values[(y * width + t) * n + c] = joined;
  }
  return { height, width, channels: n, values };
}
const largest = (x) => pool(x, 1, 2, Math.max);

const dense = (layer, values) => convolve(layer, { height: 1, width: 1, channels: values.length, values }).values;

function softmax(scores) {
  const top = Math.max(...scores), raised = Array.from(scores, (score) => Math.exp(score - top)), sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((value) => value / sum);
}
