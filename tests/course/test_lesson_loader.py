import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tutor.course.loader import load_course, load_lesson, read_course, read_lesson
from tutor.course.model import ENVIRONMENTS, Course, File, Run
from tutor.errors import CourseError

LESSONS = Path(__file__).parent / "data" / "lessons"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def only_fault(folder: Path) -> CourseError:
    _, faults = read_lesson(folder)
    assert len(faults) == 1, [str(fault) for fault in faults]
    return faults[0]


def spot(fault: CourseError) -> str:
    return f"{fault.file.name}:{fault.line}:{fault.column}"


def test_lesson_when_right_is_read_whole() -> None:
    course = load_course(LESSONS)
    lesson = course.lesson("first-secret")
    step = lesson.step("make-secret")
    assert course.title == "Lessons for tests"
    assert [each.id for each in lesson.steps] == ["make-secret", "read-it-back"]
    assert [type(block) for block in step.solved_by("sandbox")] == [File, Run]
    assert step.facts[1].settle == timedelta(0)
    assert step.only == ENVIRONMENTS
    assert lesson.text("word.txt") == "hello\n"
    assert step.facts[0].given == {"word": {"file": {"path": "word.txt"}}}


def test_place_of_a_character_when_text_is_folded_is_its_place_in_the_file() -> None:
    fact = load_lesson(LESSONS / "10-first-secret").step("make-secret").facts[1]
    place = (fact.where / "that").inside(fact.that.index("b64d"))
    assert (place.line, place.column) == (29, 7)


STEP = "steps/make-secret.yaml"

# ruff: noqa: E501 - one fault a row
BROKEN: list[tuple[str, str, str, str, str]] = [
    # file, old text, new text, where the fault is, what it says
    (STEP, "minutes: 3", "minuts: 3", "make-secret.yaml:3:1", "did you mean `minutes`?"),
    (STEP, "minutes: 3", "minutes: many", "make-secret.yaml:3:10", "a number, not the text"),
    (STEP, "minutes: 3", 'minutes: "3"', "make-secret.yaml:3:10", "a number, not the text"),
    (STEP, "minutes: 3", "minutes: 0", "make-secret.yaml:3:10", "greater than or equal to 0.5"),
    (STEP, "minutes: 3", "minutes: 0.7", "make-secret.yaml:3:10", "a multiple of 0.5"),
    (STEP, "title: Make a Secret", "title: 12", "make-secret.yaml:2:8", "text, not the number 12"),
    (STEP, "title: Make a Secret", "", "make-secret.yaml:1:1", "the key `title` is missing"),
    (STEP, "title: Make a Secret", "title:", "make-secret.yaml:2:7", "text, not nothing"),
    (STEP, "skip: allowed", "skip: alowed", "make-secret.yaml:54:7", "did you mean `allowed`?"),
    (STEP, "  - file: word.txt", "  - fil: word.txt", "make-secret.yaml:10:5", "exactly one of"),
    (STEP, "  - run: |\n", "  - runs: |\n", "make-secret.yaml:12:5", "exactly one of run, file"),
    (STEP, "    from: word.txt", "    form: word.txt", "make-secret.yaml:11:5", "`from`?"),
    (STEP, "from: word.txt", "from: wrd.txt", "make-secret.yaml:11:11", "did you mean `word.txt`"),
    (STEP, "file: word.txt", "file: ../word.txt", "make-secret.yaml:10:11", "not below"),
    (STEP, "file: word.txt", "file: /etc/hosts", "make-secret.yaml:10:11", "not below"),
    (STEP, "file: word.txt", "file: word.md", "make-secret.yaml:10:11", "no grant for the file"),
    (STEP, "id: secret-has-the-word", "id: word-file", "make-secret.yaml:23:9", "twice"),
    (STEP, "  - id: literal-name", "  - id: Literal", "make-secret.yaml:33:9", "cannot be the text"),
    (STEP, "solution: do", "solution:\n  - look: ls", "make-secret.yaml:43:3", "nothing solves"),
    (STEP, "debrief: |", "say2: |", "make-secret.yaml:52:1", "unknown key `say2`"),
    (STEP, "why: Base64", "because: Base64", "make-secret.yaml:51:9", "unknown key `because`"),
    (STEP, "right: true", "right: yes", "make-secret.yaml:49:16", "true or false, not the text"),
    (STEP, "  - say: The kind is `generic`, and `--from-file` reads a file.\n", "", "make-secret.yaml:40:3", "hints in `sandbox`: 1"),
    (STEP, "lists the three kinds", "kubectl create secret generic greeting", "make-secret.yaml:40:5", "gives the solution"),
    (STEP, "Make one called", "Press [F5](key:runs) for", "make-secret.yaml:5:47", "did you mean `run`?"),
    (STEP, "lists the three kinds", "[F5](key:)", "make-secret.yaml:40:51", "no action is called ``"),
    (STEP, "are the values stored", "does [F5](key:runs) act", "make-secret.yaml:46:33", "mean `run`?"),
    (STEP, "id: make-secret", "id: make-a-secret", "make-secret.yaml:1:5", "its file is make-secret"),
    ("lesson.yaml", "  - read-it-back", "  - read-back", "lesson.yaml:21:5", "`read-it-back`?"),
    ("lesson.yaml", "  - read-it-back", "  - read-it-back\n  - read-it-back", "lesson.yaml:21:5", "twice"),
    ("lesson.yaml", "format: 1", "format: 2", "lesson.yaml:1:9", "format 1 of lessons, not 2"),
    ("lesson.yaml", "id: first-secret", "id: second-secret", "lesson.yaml:2:5", "10-first-secret"),
    ("lesson.yaml", "[sandbox, kind,", "[sandbx, kind,", "lesson.yaml:13:16", "`sandbox`?"),
    ("lesson.yaml", "demo.kubeconfig.yaml", "~/.kube/config", "lesson.yaml:14:13", "not below"),
    ("lesson.yaml", "kubeconfig: demo.kubeconfig.yaml", "", "lesson.yaml:16:3", "no cluster to look at"),
    ("lesson.yaml", '"*.txt"', '"../*"', "lesson.yaml:17:11", "not below"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "where", "says"), BROKEN)
def test_fault_in_one_place_is_reported_there(
    lesson_folder: Path, file: str, old: str, new: str, where: str, says: str
) -> None:
    edit(lesson_folder / file, old, new)
    _, faults = read_lesson(lesson_folder)
    told = {spot(fault): fault for fault in faults}
    assert where in told, [str(fault) for fault in faults]
    assert says in str(told[where])
    assert told[where].next_action


def test_several_faults_when_in_several_files_are_all_reported(lesson_folder: Path) -> None:
    edit(lesson_folder / STEP, "minutes: 3", "minuts: 3")
    edit(lesson_folder / STEP, "skip: allowed", "skip: maybe")
    edit(lesson_folder / "steps/read-it-back.yaml", "title: Read it back", "tilte: Read it back")
    _, faults = read_lesson(lesson_folder)
    assert {spot(fault) for fault in faults} == {
        "make-secret.yaml:3:1",
        "make-secret.yaml:1:1",
        "make-secret.yaml:54:7",
        "read-it-back.yaml:2:1",
        "read-it-back.yaml:1:1",
    }


def test_step_limited_to_an_environment_the_lesson_lacks_is_a_fault(lesson_folder: Path) -> None:
    edit(lesson_folder / "lesson.yaml", "[sandbox, kind, context]", "[sandbox]")
    edit(lesson_folder / STEP, "skip: allowed", "only: [sandbox, kind]")
    fault = only_fault(lesson_folder)
    assert spot(fault) == "make-secret.yaml:54:17"


def test_file_that_no_block_uses_is_a_fault(lesson_folder: Path) -> None:
    (lesson_folder / "files" / "other.txt").write_text("x", encoding="utf-8")
    assert "no `file` block uses files/other.txt" in str(only_fault(lesson_folder))


def test_file_that_does_not_belong_is_a_fault(lesson_folder: Path) -> None:
    (lesson_folder / "notes.md").write_text("x", encoding="utf-8")
    assert "notes.md does not belong here" in str(only_fault(lesson_folder))


def test_step_file_that_is_not_listed_is_a_fault(lesson_folder: Path) -> None:
    text = (lesson_folder / STEP).read_text(encoding="utf-8")
    spare = lesson_folder / "steps" / "spare.yaml"
    spare.write_text(text.replace("id: make-secret", "id: spare", 1), encoding="utf-8")
    assert "the step `spare` is not in the `steps` list" in str(only_fault(lesson_folder))


def test_link_in_a_lesson_is_a_fault(lesson_folder: Path) -> None:
    (lesson_folder / "files" / "name.txt").symlink_to("/etc/hostname")
    assert "name.txt does not belong here" in str(only_fault(lesson_folder))


def test_lesson_without_its_header_is_a_fault(lesson_folder: Path) -> None:
    (lesson_folder / "lesson.yaml").unlink()
    lesson, faults = read_lesson(lesson_folder)
    assert lesson is None
    assert [fault.message for fault in faults] == ["the file is missing"]


def test_header_that_never_ends_is_a_fault(lesson_folder: Path) -> None:
    (lesson_folder / "lesson.yaml").unlink()
    os.mkfifo(lesson_folder / "lesson.yaml")
    assert "it is no regular file" in str(only_fault(lesson_folder))


def test_course_with_one_id_twice_is_a_fault(lesson_folder: Path) -> None:
    lesson_folder.rename(lesson_folder.parent / "20-first-secret")
    other = LESSONS / "10-first-secret"
    target = lesson_folder.parent / "10-first-secret"
    for file in other.rglob("*"):
        if file.is_file():
            copy = target / file.relative_to(other)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    _, faults = read_course(lesson_folder.parent)
    assert [fault.message for fault in faults] == ["two lessons have the id `first-secret`"] * 2


def test_folder_that_is_not_there_is_a_fault_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="cannot be read: No such file") as caught:
        load_course(tmp_path / "nowhere")
    assert "Check the path" in caught.value.next_action


def test_welcome_is_a_lesson_that_is_not_the_first_one(tmp_path: Path) -> None:
    course = _course(tmp_path, "welcome: hello")
    assert course.welcome == course.lesson("hello")
    assert course.first == course.lesson("first-secret")
    assert _course(tmp_path, "").first == course.lesson("hello")


def test_welcome_that_is_no_lesson_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="no lesson `hallo`: did you mean `hello`"):
        _course(tmp_path, "welcome: hallo")


def _course(folder: Path, more: str) -> Course:
    """The course of these tests, with another lesson before its own."""
    shutil.copytree(LESSONS, folder, dirs_exist_ok=True)
    shutil.copytree(LESSONS / "10-first-secret", folder / "05-hello", dirs_exist_ok=True)
    edit(folder / "05-hello" / "lesson.yaml", "id: first-secret", "id: hello")
    (folder / "course.yaml").write_text(f"title: Two lessons\n{more}\n", encoding="utf-8")
    return load_course(folder)
