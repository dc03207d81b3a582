"""ECG Lessons: the small package under the course."""

import os
import pkgutil
import platform

# Lessons of your own may stand in another folder: see `ecg_lessons.lessons`.
__path__ = pkgutil.extend_path(__path__, __name__)

from ecg_lessons import quiet

quiet.tensorflow()
# TensorFlow leaves oneDNN off where a processor has no AVX-512. There, a step of `light` took 1.7 times as long, and no
# network of the lessons gained by that.
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
