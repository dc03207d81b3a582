"""How far every network is from what this machine could do: ``make limits`` writes data/results/limits.json.

What a student waits for goes into data/results/waits.json: the cells of the lessons that take long.

Peaks are measured, not read from a data sheet: a matrix product and a convolution for arithmetic, negating a long
array for memory. A training step is counted as three times the arithmetic of judging; what draws pictures, makes
spectrograms or swaps electrodes is not counted, but its time is.
"""

import asyncio
import itertools
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

CLONE = Path(__file__).parents[1]
PLACE, PARTS = CLONE / "data" / "results", CLONE / "build" / "limits"
#: What is tried: all in float32, all in bfloat16, or convolutions alone.
PRECISIONS = ("float32", "mixed_bfloat16", "convolutions in bfloat16")
#: Networks that are like others in the table, or that learn in phases (crnn).
LIKE_OTHERS = ("crnn", "plain", "compact-devices", "alexnet", "vgg16", "inceptionv3")
#: Networks with more arithmetic for a batch are asked for one batch at a time, and for no epoch.
LARGE = 2e10
#: Seconds that a step is repeated for, at least.
ENOUGH = 2.0
#: A cell that takes more seconds is listed.
LONG = 10


def best(call, enough: float = ENOUGH, least: int = 3) -> float:
    """Give the shortest time of at least so many calls, in seconds, after a first one that does not count."""
    call()
    seconds, start = [], time.perf_counter()
    while time.perf_counter() - start < enough or len(seconds) < least:
        before = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - before)
    return min(seconds)


def peaks() -> dict[str, float]:
    """Measure GFLOP/s of the threads that TensorFlow was started with, and GB/s of memory."""
    import tensorflow as tf

    found = {}
    for precision in ("float32", "bfloat16"):
        square = tf.cast(tf.random.normal((2048, 2048)), precision)
        picture = tf.cast(tf.random.normal((16, 64, 64, 64)), precision)
        kernel = tf.cast(tf.random.normal((3, 3, 64, 64)), precision)
        product, convolved = tf.function(tf.matmul), tf.function(partial(tf.nn.conv2d, strides=1, padding="SAME"))
        seconds = best(partial(product, square, square)), best(partial(convolved, picture, kernel))
        found[f"matrix product, {precision}"] = 2 * 2048**3 / seconds[0] / 1e9
        found[f"convolution, {precision}"] = 2 * 9 * 64**2 * 16 * 64**2 / seconds[1] / 1e9
    long = tf.random.normal((2**26,))
    found["memory, GB/s"] = 2 * 4 * 2**26 / best(partial(tf.function(tf.negative), long)) / 1e9
    return {name: round(value, 1) for name, value in found.items()}


def cost(model, x) -> tuple[int, int]:
    """Count what judging one example `x` takes: operations, two for each product, and bytes read and written."""
    from unittest.mock import patch

    import keras
    import numpy as np

    call, operations, numbers = keras.layers.Layer.__call__, [], []

    def counted(layer, *args, **more):
        output = call(layer, *args, **more)
        cell = hasattr(layer, "state_size") and not hasattr(layer, "cell")
        if isinstance(layer, keras.Model) or hasattr(layer, "forward_layer") or cell:
            return output  # made of layers that are counted by themselves, or counted with the layer around it
        numbers.extend(np.prod(part.shape) for part in keras.tree.flatten((args, output)) if hasattr(part, "shape"))
        if hasattr(layer, "cell"):
            weights = sum(np.prod(weight.shape) for weight in layer.trainable_weights if len(weight.shape) > 1)
            operations.append(2 * weights * np.prod(args[0].shape[:2]))
        elif getattr(layer, "kernel", None) is not None:
            operations.append(2 * np.prod(layer.kernel.shape) * np.prod(output.shape[:-1]))
        return output

    with patch.object(keras.layers.Layer, "__call__", counted):
        model(x)
    return int(sum(operations)), int(4 * sum(numbers))


def step(learning, precision: str) -> dict:
    """Time training and judging one batch again and again, without anything that stands between batches."""
    import keras
    import numpy as np
    import tensorflow as tf

    from ecg_lessons import training
    from ecg_lessons.examples import rows

    alone = precision == PRECISIONS[2]
    keras.config.set_dtype_policy("float32" if alone else precision)
    model, size = learning.build(), learning.plan.batch_size
    for layer in model._flatten_layers(include_self=False) if alone else ():
        if type(layer).__name__ in ("Conv1D", "Conv2D"):
            layer.dtype_policy = keras.DTypePolicy("mixed_bfloat16")
    shown = learning.fresh(learning.train, np.random.default_rng(0)) if learning.fresh else learning.train
    few = np.arange(size) % len(shown)
    x, y = rows(shown.x, few), shown.y[few]
    flop, moved = cost(model, rows(x, [0]))
    inner = training.INNER if flop * size < LARGE else 1
    usual = "binary_crossentropy" if model.output_shape[-1] == 1 else "sparse_categorical_crossentropy"
    model.compile(learning.plan.optimizer_for(1000), learning.loss or usual, steps_per_execution=inner)
    batches = tf.data.Dataset.from_tensors((x, y)).repeat()
    model.fit(batches, steps_per_epoch=inner, shuffle=False, verbose=0)
    train, judge = iter(batches), tf.function(partial(model, training=False))
    batch = tf.nest.map_structure(tf.constant, x)
    seconds = best(lambda: model.train_function(train), least=min(inner, 3)) / size / inner
    return {
        "parameters": model.count_params(),
        "judging, MFLOP": flop / 1e6,
        "judging, MB": (moved + 4 * model.count_params() / size) / 1e6,
        "training, ms": 1e3 * seconds,
        "judging, ms": 1e3 * best(lambda: judge(batch)) / size,
        "training, GFLOP/s": 3 * flop / seconds / 1e9,
        "of it in products": in_products(lambda: model.train_function(train)),
    }


def in_products(call) -> float:
    """Give the share of TensorFlow's working time that goes into convolutions, products and their gradients."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf.xplane_pb2 import XSpace

    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            call()
        (trace,) = Path(folder).rglob("*.xplane.pb")
        space = XSpace.FromString(trace.read_bytes())
    spent = {True: 0, False: 0}
    for plane in space.planes:
        names = {number: event.name for number, event in plane.event_metadata.items()}
        for event in (event for line in plane.lines for event in line.events):
            operation = re.search(r"[^:]:(_?[A-Z][A-Za-z0-9]+)$", names[event.metadata_id])
            if operation and not operation[1].startswith(("Stateful", "Partitioned", "While")):
                spent[bool(re.search("Conv|MatMul|RNN", operation[1]))] += event.duration_ps
    return spent[True] / sum(spent.values())


def epoch(learning) -> dict:
    """Time the third of three epochs as a lesson trains, and its parts, in ms an example that it trains on."""
    import keras
    import numpy as np

    from ecg_lessons import training

    keras.config.set_dtype_policy(learning.plan.precision)
    plan, n = learning.plan.but(epochs=3, patience=0), len(learning.train)
    more = {name: getattr(learning, name) for name in ("loss", "metrics", "fresh")}
    with tempfile.TemporaryDirectory() as folder:
        run = training.fit(learning.build, learning.train, learning.validation, plan, folder, **more)
        model, whole = run.model, run.history["seconds"].iloc[-1]
        saving = best(lambda: model.save(Path(folder) / "again.keras"), 0)
    rng, held = np.random.default_rng(0), learning.validation
    model.evaluate(held.x, held.y, batch_size=256, verbose=0)
    parts = {"validation": best(lambda: model.evaluate(held.x, held.y, batch_size=256, verbose=0), 0), "saving": saving}
    if learning.fresh:
        parts["examples made anew"] = best(lambda: learning.fresh(learning.train, rng), 0)
    return {"examples": n, "epoch, ms": 1e3 * whole / n} | {name: 1e3 * value / n for name, value in parts.items()}


def learning_of(name: str, network: str):
    """Give what a network of a lesson learns from on the built-in cohort, and how."""
    import keras

    from ecg_lessons import lessons, splits
    from ecg_lessons.lesson import Asked, Learning

    lesson = lessons.get(name)
    plan, examples = lesson.plan(network), lesson.load("sample")
    if name == "patients":  # a training for each person: the first of them
        split = next(splits.leave_one_patient_out(examples, 1))
        sides = examples.take(split.train), examples.take(split.validation)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return Learning(lesson.network().build, *sides, plan, loss=loss)
    place = Path(tempfile.mkdtemp())  # some lessons write there what they learn
    asked = Asked(network, lesson.options(), plan, examples=examples, folder=place)
    return lesson.learn(replace(asked, split=lesson.split(examples, None, 1, asked)))


def measure(name: str, network: str) -> dict:
    """Measure a network of a lesson."""
    learning = learning_of(name, network)
    steps = {precision: step(learning, precision) for precision in PRECISIONS}
    small = 1e6 * steps["float32"]["judging, MFLOP"] * learning.plan.batch_size < LARGE
    return steps | ({"epoch": epoch(learning)} if small else {})


def waits() -> dict[str, dict]:
    """Time every lesson, alone on the machine, and its long cells: their section, and how each begins."""
    from ecg_lessons.course import notebooks

    found = {}
    for source in notebooks.sources(CLONE / "notebooks"):
        notebook, begun, section, cells = notebooks.read(source), [], "", []
        timed = notebooks.running(
            notebook, source.parents[1], lambda *_, begun=begun: begun.append(time.perf_counter())
        )
        asyncio.run(timed)
        begun.append(time.perf_counter())
        seconds = (after - before for before, after in itertools.pairwise(begun))
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                section = next(reversed(re.findall(r"^#+ (.+)", cell.source, re.MULTILINE)), section)
            elif (took := next(seconds)) > LONG:
                cells.append({"section": section, "begins": cell.source.splitlines()[0], "seconds": round(took, 1)})
        found[source.stem[:2]] = {"seconds": round(begun[-1] - begun[0], 1), "cells": cells}
        print(f"lesson {source.stem[:2]}: {found[source.stem[:2]]}", file=sys.stderr)
    return found


def processor() -> str:
    """Name the processor and its share of it."""
    told = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*:\s*(.+)", told.read_text(encoding="utf-8")) if told.exists() else None
    amx = "amx_bf16" in told.read_text(encoding="utf-8") if told.exists() else False
    return f"{named[1] if named else platform.processor()}, {os.cpu_count()} cores{', with AMX' if amx else ''}"


def part(words: list[str], **settings: str) -> dict:
    """Measure one thing in a process of its own; what was measured before an interruption is kept."""
    from ecg_lessons import files

    place = PARTS / ("-".join([*words, *settings.values()]) + ".json")
    if not place.exists():
        print(" ".join([*words, *settings.values()]), flush=True)
        done = subprocess.run([sys.executable, __file__, *words], env=os.environ | settings, stdout=subprocess.PIPE)
        if done.returncode:
            sys.exit(done.returncode)
        files.write(place, done.stdout)
    return json.loads(place.read_text(encoding="utf-8"))


def main() -> None:
    """Measure everything and store it."""
    from ecg_lessons import files, lessons, machine
    from ecg_lessons.study import stamp

    machine.setup()
    threads = sorted({1, os.cpu_count() or 1})
    found = {"machine": processor(), "measured": stamp(), "peaks": {}, "networks": {}}
    for number in threads:
        both = {f"TF_NUM_{kind}_THREADS": str(number) for kind in ("INTRAOP", "INTEROP")}
        found["peaks"][str(number)] = part(["peaks"], **both)
    for name in (name for name in lessons.titles() if name != "infarction"):  # whose networks are those of heartbeats
        for network in (network for network in lessons.get(name).networks if network not in LIKE_OTHERS):
            found["networks"].setdefault(name, {})[network] = part([name, network])
    files.write(PLACE / "limits.json", found)
    about = {"machine": found["machine"], "measured": found["measured"]}
    files.write(PLACE / "waits.json", about | {"lessons": part(["waits"])})
    shutil.rmtree(PARTS)


if __name__ == "__main__":
    if sys.argv[1:]:
        from ecg_lessons import machine

        machine.setup()
        alone = {"peaks": peaks, "waits": waits}.get(sys.argv[1])
        print(json.dumps(alone() if alone else measure(*sys.argv[1:])))
    else:
        main()
