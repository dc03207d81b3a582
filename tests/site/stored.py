"""What the live pages have stored, in Python's hands: constants, arrays, and networks with the weights of a page."""

import base64
import json
import re

import keras
import numpy as np

from .conftest import CLONE

LIVE = CLONE / "site" / "live"


def constant(page: str, name: str = "DATA"):
    text = (LIVE / f"{page}.{name.lower()}.js").read_text(encoding="utf-8")
    return json.loads(re.sub(rf"^const {name} = |;\s*$", "", text))


def numbers(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


def array(part: dict) -> np.ndarray:
    if "bytes" in part:
        return numbers(part["bytes"], "i1").reshape(part["shape"]) * array(part["worth"])
    return numbers(part["data"], "<f2").astype("f4").reshape(part["shape"])


def unfold(parts, stages) -> None:
    """Give layers the page's weights: what is folded into a scale and an offset is unfolded."""
    stages, stage = iter(stages), None
    for layer in parts:
        if isinstance(layer, keras.layers.Conv1D | keras.layers.Conv2D):
            stage = next(stages)
            layer.set_weights([array(stage["kernel"])])
        elif isinstance(layer, keras.layers.BatchNormalization):
            stage = stage or next(stages)
            scale, offset = array(stage["scale"]), array(stage["offset"])
            layer.set_weights([scale, offset, np.zeros_like(scale), np.full_like(scale, 1 - layer.epsilon)])


#: What a network of a page does, for a network that never changes: sums of products in long arrays that come anew.
LOOP = """let x = new Float64Array(1 << 17).fill(0.5);
for (let n = 0; n < 60; n++) {
  const y = new Float64Array(x.length), ends = x.length - 258;
  for (const k of [0, 1, 2, 128, 129, 130, 256, 257, 258]) for (let i = 0; i < ends; i++) y[i] += 0.1 * x[i + k];
  x = y;
}
window.sum = x[0];"""


def cost(page, answer: str) -> float:
    """Give what an answer costs, in costs of `LOOP`: other machines are slower, and busy ones, too."""
    told = page.context.new_cdp_session(page)
    told.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent():
        metrics = told.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in metrics if one["name"] == "ThreadTime")

    def once(work):
        before = spent()
        page.evaluate(f"{{ {work} }}")
        return spent() - before

    # In processor time, in turns and the least: what others do to caches and memory befalls both.
    pairs = [(once(answer), once(LOOP)) for _ in range(8)]
    return min(one for one, _ in pairs) / min(other for _, other in pairs)
