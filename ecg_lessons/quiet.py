"""Import TensorFlow without its greetings, whoever imports it: its C++ side prints before any log level counts."""

import contextlib
import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def stderr() -> Iterator[None]:
    """Let the standard error of the process, its C++ side too, go nowhere."""
    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


class _Finder(importlib.abc.MetaPathFinder):
    """Find TensorFlow as usual, once, and let it be executed in silence."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec and spec.loader:
            loud = spec.loader.exec_module

            def quiet(module):
                with stderr():
                    loud(module)

            spec.loader.exec_module = quiet
        return spec


def tensorflow() -> None:
    """Silence TensorFlow from now on, unless it is there already or a user has asked for its log."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules and not any(isinstance(one, _Finder) for one in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
