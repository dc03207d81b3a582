"""What runs inside the sandbox: a student's cells, then the calls that the grader asks for; values go out as JSON.

It is started by its path and imports nothing of this package. It knows inputs, never what is expected: whatever a cell
does to this process, it can only spoil its own answers. Each line that goes out is one JSON object.
"""

import contextlib
import io
import json
import os
import re
import signal
import sys


class TimeUp(BaseException):
    """A cell or call takes too long; a BaseException, so that `except Exception` does not swallow it."""


def plain(value, depth=0):
    """Turn a value into what JSON can hold; arrays, frames and tensors become lists."""
    if depth > 8:
        raise ValueError("the value is nested too deeply")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, slice):
        return [plain(part, depth + 1) for part in (value.start, value.stop, value.step)]
    import numpy as np

    return np.asarray(value).tolist()


def given(value):
    """Turn an input of the grader into arguments: {"array": [...]} becomes an array."""
    import numpy as np

    if isinstance(value, dict) and set(value) == {"array"}:
        return np.array(value["array"])
    return [given(item) for item in value] if isinstance(value, list) else value


@contextlib.contextmanager
def within(seconds):
    """Raise `TimeUp` after some seconds of work; who waits instead has four times as long, as on a busy machine."""

    def late(number, _):
        most = seconds if number == signal.SIGPROF else 4 * seconds
        raise TimeUp(f"it {'worked' if number == signal.SIGPROF else 'took'} longer than {most:g} seconds")

    timers = ((signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, 4 * seconds))
    for timer, number, most in timers:
        signal.signal(number, late)
        signal.setitimer(timer, most)
    try:
        yield
    finally:
        for timer, *_ in timers:
            signal.setitimer(timer, 0)


def python(source):
    """Drop what only IPython understands: magics, shell lines and help; what is Python already stays as it is."""
    try:
        compile(source, "cell", "exec")
    except (SyntaxError, ValueError):
        source = re.sub(r"^(\s*)(?:[%!].*|\S+\?)$", r"\1pass", source, flags=re.MULTILINE)
        source = re.sub(r"^(\s*\w+\s*=\s*)[%!].*$", r"\1None", source, flags=re.MULTILINE)
    return source


class Nothing:
    """Stands for IPython's shell: a notebook may ask it for anything, and nothing happens."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *words, **more):
        """Do nothing."""
        return self


def figures():
    """Draw the open figures as PNG, at most two, and close them."""
    import base64

    plt = sys.modules.get("matplotlib.pyplot")
    drawn = []
    for number in plt.get_fignums()[:2] if plt else []:
        png = io.BytesIO()
        plt.figure(number).savefig(png, format="png", dpi=60)
        drawn.append(base64.b64encode(png.getvalue()).decode())
    if plt:
        plt.close("all")
    return drawn


def main(job):
    """Run the cells, then the calls, and tell of each."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout = sys.stderr = io.StringIO()

    def tell(**line):
        out.write(json.dumps(line) + "\n")
        out.flush()

    shell = Nothing()
    names = {"__name__": "__main__", "display": print, "get_ipython": lambda: shell, "input": lambda *words: ""}
    sys.modules["__main__"].__dict__.update(names)
    for number, source in enumerate(job["cells"]):
        if number in job["skip"]:
            continue
        tell(begins=number)
        sys.stdout = sys.stderr = printed = io.StringIO()
        error, drawn = None, []
        try:
            with within(job["seconds"]):
                exec(compile(python(source), f"cell {number + 1}", "exec"), names)
                drawn = figures()
        except MemoryError:  # what fills memory stays alive in its variables: begin anew without this cell
            os._exit(137)
        except BaseException as stumble:
            error = f"{type(stumble).__name__}: {stumble}"[:300].rstrip(": ")
        tell(cell=number, error=error, text=printed.getvalue()[:20_000], figures=drawn)
    for number, (function, arguments) in enumerate(job["calls"]):
        if number in job["skip_calls"]:
            continue
        tell(begins_call=number)
        try:
            with within(job["seconds"]):
                value = names[function] if arguments is None else names[function](*map(given, arguments))
                answer = {"value": plain(value)}
                json.dumps(answer)
        except KeyError as stumble:
            missing = function not in names
            answer = {"error": f"{function} is not defined" if missing else f"KeyError: {stumble}"[:300]}
        except BaseException as stumble:
            answer = {"error": f"{type(stumble).__name__}: {stumble}"[:300].rstrip(": ")}
        tell(call=number, **answer)
    tell(done=True)
    os._exit(0)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        main(json.load(file))
