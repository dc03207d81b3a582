"""Write what this image holds as CycloneDX 1.6: the installed Python packages, and those of Debian."""

import json
import subprocess
import sys
from importlib.metadata import distributions


def python_packages() -> list[dict]:
    """List what is installed beside this Python, with the licence that each package states."""
    found = []
    for one in distributions():
        name, about = one.metadata["Name"].lower().replace("_", "-"), one.metadata
        stated = about.get("License-Expression") or (about.get("License") or "").strip().split("\n")[0][:100]
        classifiers = [line.split(" :: ")[-1] for line in about.get_all("Classifier") or [] if "License ::" in line]
        licence = stated or "; ".join(classifiers)
        entry = {"type": "library", "name": name, "version": one.version, "purl": f"pkg:pypi/{name}@{one.version}"}
        found.append(entry | ({"licenses": [{"license": {"name": licence}}]} if licence else {}))
    return sorted(found, key=lambda entry: entry["name"])


def debian_packages() -> list[dict]:
    """List what dpkg knows; the licences are in /usr/share/doc."""
    command = ["dpkg-query", "--show", "--showformat", "${Package} ${Version} ${Architecture}\n"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [
        {"type": "library", "name": name, "version": version, "purl": f"pkg:deb/debian/{name}@{version}?arch={arch}"}
        for name, version, arch in sorted(line.split() for line in lines)
    ]


if __name__ == "__main__":
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}
    bill["metadata"] = {"component": {"type": "application", "name": "ecg-lessons"}}
    bill["components"] = python_packages() + debian_packages()
    json.dump(bill, sys.stdout, indent=1, ensure_ascii=False)
