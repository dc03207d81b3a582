"""A class in a real browser: a student works on a lesson and an assignment, the lecturer grades, the student reads.

Screenshots go to build/class/walk. Kernels run in the project's own .venv, which has the lessons.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hubs import NOTEBOOK, PROXY, ROOT, Hub

pytest.importorskip("jupyterhub", reason="the hub is not installed: run 'make class-test'")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: run 'make class-test'")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PYTHON = ROOT / ".venv" / "bin" / "python"
SHOTS = ROOT / "build" / "class" / "walk"
LESSON = "01_inversion_detection.ipynb"
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium")
#: Fills the release in with the reference solution, in the Python that has the package.
SOLVE = """
import sys, nbformat
sys.path[:0] = [sys.argv[1]]
from make_submissions import solved
from ecg_lessons.grading import assignments
nbformat.write(solved(assignments.called("1"), "Student Zero"), sys.argv[2])
"""


def course(*words: str) -> str:
    """Run the course's own command or Python, as a lecturer in a terminal."""
    done = subprocess.run([PYTHON, *map(str, words)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    if not Path(PROXY).exists():
        pytest.skip("configurable-http-proxy is not installed: run 'make class-test'")
    if shutil.which("bwrap") is None:
        pytest.skip("there is no bubblewrap, in which notebooks are graded")
    folder = tmp_path_factory.mktemp("walk")
    kernel = folder / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    words = [str(PYTHON), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": words, "display_name": "Python 3", "language": "python"}))
    lessons = folder / "homes" / "student00" / "ecg-lessons" / "notebooks"  # as the image's start lays them out
    lessons.mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / LESSON, lessons)
    kept = ["PATH", "LANG", "JUPYTER_PATH", "ECG_LESSONS_SOURCE"]
    env = {"JUPYTER_PATH": str(folder / "jupyter"), "ECG_LESSONS_SOURCE": "sample"}
    made = Hub(folder, f"--Spawner.env_keep={kept!r}", **env)
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, browser, hub: Hub, name: str, password: str):
        self.home = f"http://127.0.0.1:{hub.port}"
        self.page = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True).new_page()
        self.page.set_default_timeout(60_000)
        self.page.goto(f"{self.home}/hub/login")
        self.page.fill("#username_input", name)
        self.page.fill("#password_input", password)
        self.page.click("#login_submit")
        self.page.wait_for_url(re.compile(r"/hub/(spawn|home)|/user/"))

    def shot(self, name: str) -> None:
        """Keep what is seen."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")

    def assignments(self) -> None:
        """Open the page of assignments."""
        self.page.goto(f"{self.home}/services/assignments/")
        self.page.wait_for_selector("h1")

    def ran(self, least: int) -> None:
        """Wait until so many cells have run and none runs."""
        self.page.wait_for_function(
            """least => {
                const told = [...document.querySelectorAll('.jp-Notebook .jp-InputPrompt')].map(x => x.innerText);
                return !told.some(x => x.includes('*')) && told.filter(x => /\\d/.test(x)).length >= least;
            }""",
            arg=least,
            timeout=240_000,
        )


def mark_by_hand(teacher: Person, marks: Path) -> None:
    """Give full points and a word for what no program marks, on the page of `ecg-lessons mark`."""
    words = [PYTHON, "-u", "-m", "ecg_lessons", "mark", marks, "--assignment", "1", "--no-browser"]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = ""
        while "(Ctrl-C" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line.strip() + " "
        teacher.page.goto("".join(said[said.index("http://") : said.index("(Ctrl-C")].split()))
        page = teacher.page
        for option in page.locator("#question option").all():
            chosen = option.get_attribute("value")
            page.select_option("#question", chosen)
            page.wait_for_function("chosen => question.id === chosen", arg=chosen)  # a key before means the one before
            page.click("#who")
            page.keyboard.press("f")
            page.fill("#words", "Clear, and well said.")
            page.keyboard.press("Tab")
            page.wait_for_selector("#students button:has-text('●')")
            page.wait_for_selector("#kept:has-text('kept')")
        teacher.shot("7-mark")
    finally:
        process.terminate()
        process.wait(30)


def open_lesson(student: Person) -> None:
    """Start a server, and run the first cells of lesson 1 in it."""
    page = student.page
    page.goto(f"{student.home}/hub/spawn")
    student.shot("1-cpu-or-gpu")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/user/student00/lab"))
    for name in ("ecg-lessons", "notebooks", LESSON):
        page.locator(".jp-DirListing-item", has_text=name).dblclick()
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.click("text=Edit")
    page.get_by_role("menuitem", name="Clear Outputs of All Cells").click()
    page.locator(".jp-Notebook .jp-Cell").first.click()
    for _ in range(6):
        page.keyboard.press("Shift+Enter")
    student.ran(2)
    assert not page.locator(".jp-Notebook [data-mime-type='application/vnd.jupyter.error']").count()
    student.shot("2-lesson-1")


def solve(student: Person, tmp_path: Path) -> None:
    """Fetch the assignment and solve it: what is typed comes from a file here."""
    page = student.page
    student.assignments()
    student.shot("3-assignments")
    with page.expect_download() as told:
        page.click(f"text={NOTEBOOK.name}")
    assert Path(told.value.path()).read_bytes() == NOTEBOOK.read_bytes()
    solution = tmp_path / NOTEBOOK.name
    course("-c", SOLVE, ROOT / "tests" / "assignments", solution)
    page.goto(f"{student.home}/user/student00/lab/workspaces/walk")
    with page.expect_file_chooser() as chooser:
        page.click("[data-command='filebrowser:upload'], [title^='Upload Files'], [aria-label^='Upload Files']")
    chooser.value.set_files(solution)


def hand_in(student: Person) -> None:
    """Check the notebook and hand it in, on its own page."""
    page = student.page
    page.locator(".jp-DirListing-item", has_text=NOTEBOOK.name).dblclick()
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.click("text=Run >> nth=0")
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_selector("text=tests that you see pass", timeout=240_000)
    student.shot("4-checked")
    assert page.locator("text=You can hand it in.").count()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.insert_text(f"!{{sys.executable}} -m ecg_lessons hand-in {NOTEBOOK.name}")
    page.keyboard.press("Control+s")
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector("text=Handed in for assignment 01 as student00")
    student.shot("5-handed-in")
    student.assignments()
    page.wait_for_selector("text=handed in:")
    assert not page.locator("text=handed in: not yet >> nth=0").locator("xpath=..", has_text=NOTEBOOK.name).count()


def grade(teacher: Person, tmp_path: Path) -> Path:
    """Collect what was handed in, and grade it, by the program and by hand."""
    teacher.assignments()
    teacher.shot("6-lecturer")
    with teacher.page.expect_download() as told:
        teacher.page.click("text=collect 1")
    handed_in = tmp_path / told.value.suggested_filename
    told.value.save_as(handed_in)
    marks = tmp_path / "marks"
    words = ["-m", "ecg_lessons", "grade", handed_in, "--assignment", "1", "--to", marks]
    assert "student00" in course(*words)
    mark_by_hand(teacher, marks)
    course(*words)
    return marks


def test_a_class_from_login_to_feedback(hub, browser, tmp_path):
    student = Person(browser, hub, "student00", "code-of-student00")
    open_lesson(student)
    solve(student, tmp_path)
    hand_in(student)
    teacher = Person(browser, hub, "teacher", "chalk-and-board")
    marks = grade(teacher, tmp_path)

    teacher.assignments()
    teacher.page.set_input_files(
        "input[name=pages] >> nth=0", list((marks / NOTEBOOK.stem / "feedback").glob("*.html"))
    )
    teacher.page.click("text=Return feedback >> nth=0")
    teacher.page.wait_for_url(re.compile(r"/services/assignments/$"))
    student.assignments()
    page = student.page
    page.click("text=feedback")
    page.wait_for_selector("text=Clear, and well said.")
    student.shot("8-feedback")
    assert "student00: 100 points" in page.inner_text("body")
