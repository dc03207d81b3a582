"""ECG Lessons: the small package under the course."""

import pkgutil

# Lessons of your own may stand in another folder: see `ecg_lessons.lessons`.
__path__ = pkgutil.extend_path(__path__, __name__)

from ecg_lessons import quiet

quiet.tensorflow()
