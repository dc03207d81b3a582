"""What pyproject.toml cannot say: the wheel carries lessons, results and drawings, which lie beside the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CARRIED = {
    "notebooks": ("*.ipynb", "*.md"),
    "data/results": ("*.json",),
    "images": ("*.png",),
    "experiments/models": ("*.toml",),
    "experiments/jobs": ("*.toml",),
}


class BuildWithLessons(build_py):
    """Copy into ``ecg_lessons/carried`` what `ecg_lessons.files.carried` looks for there."""

    def run(self):
        """Build the package; an editable one finds everything in the clone."""
        super().run()
        if self.editable_mode:
            return
        for folder, kinds in CARRIED.items():
            to = Path(self.build_lib) / "ecg_lessons" / "carried" / folder
            to.mkdir(parents=True, exist_ok=True)
            for path in (path for kind in kinds for path in Path(folder).glob(kind)):
                shutil.copyfile(path, to / path.name)


setup(cmdclass={"build_py": BuildWithLessons})
