"""Add up what the wheels of an image's lock take unpacked, without downloading them.

A wheel is a zip, and the list at its end says how long each file is: that end is all that is fetched.
`python tests/docker/wheels.py gpu` lists them.
"""

import io
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).parents[2]
GLIBC = [f"manylinux_2_{minor}_x86_64" for minor in range(40, 4, -1)] + ["manylinux2014_x86_64", "manylinux2010_x86_64"]
TAGS = [*cpython_tags((3, 12), platforms=GLIBC), *compatible_tags((3, 12), "cp312", GLIBC)]
TRIES = 5


def locked(kind: str) -> list[dict]:
    """Name the wheel of each package that Linux and Python 3.12 take, with its address and packed length."""
    lock = ROOT / "docker" / f"{kind}.lock"
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "pylock.toml"
        words = "pip compile --quiet --no-deps --no-header --format pylock.toml --python-version 3.12"
        where = ["--python-platform", "x86_64-manylinux_2_40", "-o", told, lock]
        subprocess.run([ROOT / ".venv/bin/uv", *words.split(), *where], check=True)
        packages = tomllib.loads(told.read_text(encoding="utf-8"))["packages"]
    hashes, found = lock.read_text(encoding="utf-8"), []
    for package in packages:
        files = [(parse_wheel_filename(one["url"].rpartition("/")[2])[3], one) for one in package["wheels"]]
        wheel = next(one for tag in TAGS for tags, one in files if tag in tags)
        assert f"sha256:{wheel['hashes']['sha256']}" in hashes, f"{package['name']} is not the file of the lock"
        found.append(wheel | {"name": package["name"]})
    return found


def _end(wheel: dict, count: int) -> bytes:
    # The last bytes of a wheel; names of hosts fail to resolve now and then.
    wanted = {"Range": f"bytes={max(0, wheel['size'] - count)}-"}
    for left in range(TRIES - 1, -1, -1):
        try:
            with urllib.request.urlopen(urllib.request.Request(wheel["url"], headers=wanted), timeout=60) as answer:
                if answer.status != 206:
                    raise SystemExit(f"The index gives no parts of a file, so {wheel['name']} cannot be measured.")
                return answer.read()
        except OSError:
            if not left:
                raise
            time.sleep(2)


def files_of(wheel: dict) -> dict[str, int]:
    """Give the bytes of each file of a wheel, unpacked."""
    for count in (1 << 18, 1 << 23):
        try:
            with zipfile.ZipFile(io.BytesIO(_end(wheel, count))) as archive:
                return {one.filename: one.file_size for one in archive.infolist()}
        except zipfile.BadZipFile:  # its list is longer
            continue
    raise SystemExit(f"The list at the end of {wheel['name']} is longer than {count} bytes.")


def contents(kind: str) -> dict[str, dict[str, int]]:
    """Give the files of all wheels of a lock, by package."""
    wheels = locked(kind)
    with ThreadPoolExecutor(4) as pool:
        return dict(zip([one["name"] for one in wheels], pool.map(files_of, wheels), strict=True))


if __name__ == "__main__":
    by_size = sorted(((sum(files.values()), name) for name, files in contents(sys.argv[1]).items()), reverse=True)
    for size, name in by_size:
        print(f"{size / 1e6:9.1f} MB  {name}")
    print(f"{sum(size for size, _ in by_size) / 1e6:9.1f} MB  together")
