"""A lesson author's slips: each is told with its place and its cure, and ends in exit code 2."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.commands import User
from tutor import paths

pytestmark = pytest.mark.e2e

LESSON = "10-pinniped-external-certificate"


@dataclass(frozen=True, slots=True)
class Slip:
    """A text of a lesson's file, what is written for it, and what is said of that place."""

    file: str
    right: str
    wrong: str
    says: tuple[str, ...] = ()
    lines_on: int = 0
    """How many lines after the wrong text the fault is found."""


CREATE = "steps/create-cluster.yaml"
SLIPS = {
    "a typo in a key": Slip(
        CREATE,
        "minutes: 3",
        "minuts: 3",
        ("unknown key `minuts`: did you mean `minutes`?",),
    ),
    "a value of the wrong type": Slip(
        CREATE,
        "minutes: 3",
        "minutes: soon",
        ("`minutes` should be a number, not the text 'soon'", "Write a number here."),
    ),
    "a name that CEL does not know": Slip(
        CREATE,
        "that: yaml(config.text)",
        "that: yaml(konfig.text)",
        ("unknown name `konfig`: did you mean `config`?", "Names given in this step: config,"),
    ),
    "an id used twice": Slip(
        CREATE,
        "- id: node-is-ready",
        "- id: config-maps-443 ",
        ("the id `config-maps-443` stands in `facts` twice",),
    ),
    "a step without its file": Slip(
        "lesson.yaml",
        "  - create-cluster\n",
        "  - create-clustr\n",
        ("there is no steps/create-clustr.yaml: did you mean `create-cluster",),
    ),
    "YAML that is none": Slip(
        CREATE, "title: Create the kind cluster", "title: [Create", lines_on=1
    ),
    "a tab for spaces": Slip(CREATE, "  Contour publishes", "\tContour"),
}


@pytest.mark.parametrize("name", SLIPS)
def test_slip_in_a_lesson_is_told_with_its_place_and_exit_code_2(name: str, tmp_path: Path) -> None:
    slip = SLIPS[name]
    shutil.copytree(paths.lessons_dir() / LESSON, tmp_path / LESSON)
    file = tmp_path / LESSON / slip.file
    before, found, after = file.read_text().partition(slip.right)
    assert found
    file.write_text(before + slip.wrong + after)
    line = before.count("\n") + 1 + slip.lines_on
    told = User(tmp_path / "home").tutor("check", LESSON, cwd=tmp_path)
    assert told.exit == 2, told.out
    said = told.out + told.err
    assert f"{LESSON}/{slip.file}:{line}:" in said
    assert all(each in said for each in slip.says), said
    assert "Traceback" not in said


def test_lesson_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = User(tmp_path / "home").tutor("check", str(tmp_path / "nowhere"))
    assert told.exit == 2
    assert "nowhere" in told.out + told.err


def test_lesson_of_another_name_is_told_with_the_nearest(tmp_path: Path) -> None:
    told = User(tmp_path / "home").tutor("demo", "piniped-external", "--headless")
    assert told.exit == 2
    assert "Did you mean pinniped-external-certificate?" in told.err
