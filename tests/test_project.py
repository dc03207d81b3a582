"""The files around the package agree with each other and with what the package does."""

import ast
import json
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import typer
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ecg_lessons import cli
from ecg_lessons.data.catalog import DATASETS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: What tells people what to type: the README and the two pages behind it.
PAGES = ("README.md", "COMMANDS.md", "CONTRIBUTING.md")
README = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in PAGES)
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def requirements(lines) -> dict[str, Requirement]:
    return {canonicalize_name(one.name): one for one in map(Requirement, lines)}


def tracked() -> list[Path]:
    """List the files that git tracks, or would."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git clone: which files belong to the project is not known")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def texts():
    for path in tracked():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a picture
            continue


def commands(language="sh") -> list[str]:
    blocks = re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_the_lock_holds_what_the_project_asks_for():
    locked = requirements(re.findall(r"^([\w.\[\]-]+==[^\s\\;]+)", LOCK, re.MULTILINE))
    extras = PROJECT["optional-dependencies"]
    asked = requirements(PROJECT["dependencies"] + extras["dev"])
    for extra in asked.pop("ecg-lessons").extras:  # dev takes other extras in
        asked |= requirements(extras[extra])
    assert set(asked) <= set(locked)
    for name, requirement in asked.items():
        version = next(iter(locked[name].specifier)).version
        assert requirement.specifier.contains(version), f"{name} {version}"


def test_every_package_of_the_lock_has_hashes_and_no_address_stands_in_it():
    entries = re.split(r"\n(?=\S)", "\n".join(line for line in LOCK.splitlines() if not line.startswith("#")))
    assert len(entries) > 100
    assert [entry[:40] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert not re.search(r"://|index-url|find-links|file:", LOCK)


def test_conda_asks_for_the_same_packages_in_the_same_ranges():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    pip = entries.pop()["pip"]
    assert pip.pop() == "--editable .[dev]"
    python = entries.pop(0)
    assert entries.pop(0) == "pip"
    assert set(python.removeprefix("python ").split(",")) == set(PROJECT["requires-python"].split(","))
    assert requirements(entries + pip) == requirements(PROJECT["dependencies"])


def test_what_is_imported_is_asked_for():
    """A package that only another one asks for may be gone with its next version."""
    imported = set()
    for path in (ROOT / "ecg_lessons").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {one.name.partition(".")[0] for one in node.names}
    imported -= {"ecg_lessons", "jax", *sys.stdlib_module_names}  # JAX is a backend, for those who have it
    asked = requirements(sum(PROJECT["optional-dependencies"].values(), PROJECT["dependencies"]))
    of = packages_distributions()
    assert [
        name for name in sorted(imported) if not set(map(canonicalize_name, of.get(name, [name]))) & set(asked)
    ] == []


def test_no_file_names_a_place_of_one_machine():
    place = re.compile(r"(?<![\w.~}:/-])/(?:home|root|Users|work|workspaces)/\w")
    assert [f"{path.relative_to(ROOT)}: {place.search(text)[0]}" for path, text in texts() if place.search(text)] == []


def test_no_file_stored_is_large_or_a_recording():
    large = [path.name for path in tracked() if path.stat().st_size > 500_000]
    assert large == []
    assert [path.name for path in tracked() if path.suffix in {".dat", ".hea", ".atr", ".mat", ".keras"}] == []


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A folder with the runs that the README trains, as far as they tell their lesson."""
    for lesson, way, name in re.findall(r"^ecg-lessons train (\S+) .*--(out|name) (\S+)", README, re.MULTILINE):
        folder = tmp_path / (name if way == "out" else f"runs/{lesson}-{name}")
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"lesson": lesson}))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("ecg-lessons")])
def test_commands_of_the_readme_are_understood(line, begun):
    command, words = typer.main.get_command(cli.app), shlex.split(line, comments=True)[1:]
    while hasattr(command, "get_command"):
        command = command.get_command(None, words.pop(0))
    assert command.make_context(line, words).args == []


def test_targets_of_the_readme_are_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE)) <= targets
    assert targets >= {"help", "course", "lab", "test", "lint", "notebooks", "results", "lock", "clean"}


@pytest.mark.parametrize(
    ("words", "does"),
    [
        ("course", "ecg-lessons course  --to build/course"),
        ("course LESSON=1", "ecg-lessons course 1 --to build/course"),
        ("results", "ecg-lessons results inversion"),
        ("results LESSON=rhythm", "ecg-lessons results rhythm"),
    ],
)
def test_make_means_a_lesson_where_one_is_named(words, does, monkeypatch):
    for name in ("LESSON", "MAKEFLAGS", "MAKELEVEL"):  # those of the make that runs the tests
        monkeypatch.delenv(name, raising=False)
    told = subprocess.run(["make", "-n", *words.split()], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1].rstrip().endswith(does)


def test_links_between_files_lead_somewhere():
    lost = []
    for path, text in texts():
        if path.suffix == ".md" and path.parent.name != "site":  # its links are of the built site, and tested there
            links = re.findall(r'\]\(([^)#\s]+)|src="([^"]+)"', text)
            lost += [
                f"{path.relative_to(ROOT)}: {link}"
                for link in (one or other for one, other in links)
                if "://" not in link and not (path.parent / link).exists()
            ]
    assert lost == []


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_the_page_on_data_says_what_the_catalogue_says(dataset):
    page = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    section = page.split(f"## {dataset.title}\n")[1].split("\n## ")[0]
    assert f"- Fetch: `ecg-lessons fetch {dataset.name}` (" in section
    address = f"https://physionet.org/content/{dataset.name}/{dataset.version}/"
    assert f"- Version: {dataset.version}, <{address}>" in section
    assert f"- Licence: [{dataset.licence}]({dataset.licence_url})" in section
    assert f"- Cite: {dataset.citation}\n" in section


def test_the_page_on_data_names_no_other_dataset():
    page = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"- Fetch: `ecg-lessons fetch (\S+)`", page) == list(DATASETS)


def test_the_citation_is_complete_and_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "license"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["version"]
    assert all(author["name"] for author in citation["authors"])
    assert " AND ".join(citation["license"]).casefold() == PROJECT["license"].casefold()


def test_hooks_run_what_is_installed():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]
    assert all(hook["entry"].startswith(".venv/bin/") for hook in hooks["repos"][0]["hooks"])


def test_the_readme_is_short_and_its_numbers_are_those_that_are_stored():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    stored = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "data/results").glob("*.json")
    }
    inversion, patients, heart, mi = (stored[name] for name in ("inversion", "patients", "heartbeat", "infarction"))
    beats, networks = stored["beat_images"]["protocols"], inversion["networks"]
    own = inversion["original, its own protocol"]["balanced_accuracy"]
    ours = stored["rhythm"]["networks"]["compact-signal"]["augmented"]["mean_f1"]["value"]
    rows = [
        (
            sum(own) / 3,
            *(networks[name]["ptb-xl"]["balanced_accuracy"]["value"] for name in ("original", "hypotheses")),
        ),
        (stored["rhythm"]["claimed"]["five folds"]["crnn"]["mean_f1"], ours),
        (
            stored["beat_images"]["claimed"]["accuracy"],
            *(beats[p]["networks"]["light"]["accuracy"]["value"] for p in ("random beats", "by patient, all beats")),
        ),
        (
            *(patients["original"][p]["F1 frequent"]["value"] for p in ("whole records", "people after minute 10")),
            patients["summary"]["arms"]["whole 10"]["F1 frequent"]["value"],
        ),
        (
            heart["claimed"]["macro F1"]["none"]["cnet"],
            *(
                heart["protocols"][f"{p}, published plan"]["cnet"]["none"]["macro_f1"]["value"]
                for p in ("random beats", "DS1 to DS2")
            ),
        ),
        (
            mi["claimed"]["macro F1"]["scratch"]["cnet"],
            *(mi["protocols"][p]["cnet, scratch, 100%"]["macro_f1"]["value"] for p in ("random beats", "by patient")),
        ),
    ]
    lines = re.findall(r"^\| \[[1-6] · .*$", text, re.MULTILINE)
    for line, numbers in zip(lines, rows, strict=True):
        told = line.split("|")[-2]
        assert re.findall(r"\d+\.\d", told) == [f"{100 * number:.1f}" for number in numbers], line
