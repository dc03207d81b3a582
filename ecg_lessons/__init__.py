"""ECG Lessons: the small package under the course."""

import os
import pkgutil
import platform

# Lessons of your own may stand in another folder: see `ecg_lessons.lessons`.
__path__ = pkgutil.extend_path(__path__, __name__)

from ecg_lessons import quiet

quiet.tensorflow()
# On a processor without AVX-512 TensorFlow left oneDNN off, and a step of `light` took 1.7 times as long.
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
