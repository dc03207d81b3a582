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


#: A hundred million products and sums, one after the other: what a page's processor is measured by.
LOOP = "let sum = 0; for (let i = 0; i < 1e8; i++) sum = sum * 0.999 + i; window.sum = sum"


def cost(page, answer: str) -> float:
    """Give what an answer costs, in ms of a processor that needs 160 ms for `LOOP`: other machines are slower."""
    told = page.context.new_cdp_session(page)
    told.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent():
        metrics = told.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in metrics if one["name"] == "ThreadTime")

    def quickest(work, times):  # in processor time, and the quickest, since others may be at work, too
        costs = []
        for _ in range(times):
            before = spent()
            page.evaluate(f"{{ {work} }}")
            costs.append(spent() - before)
        return min(costs)

    return 160 * quickest(answer, 12) / quickest(LOOP, 3)
