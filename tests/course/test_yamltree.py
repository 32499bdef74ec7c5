import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.course.loader import read_lesson
from tutor.course.places import Where
from tutor.course.yamltree import parse
from tutor.errors import CourseError

FILE = Path("step.yaml")


def test_plain_words_are_read_by_the_rules_of_yaml_1_2() -> None:
    text = "a: on\nb: no\nc: true\nd: 12\ne: 1.5\nf: 2026-01-02\ng: ~\nh: 0x1f\ni: '12'\nj: v1.27\n"
    assert parse(text, FILE).root == {
        "a": "on",
        "b": "no",
        "c": True,
        "d": 12,
        "e": 1.5,
        "f": "2026-01-02",
        "g": None,
        "h": "0x1f",
        "i": "12",
        "j": "v1.27",
    }


BAD: list[tuple[str, tuple[int, int], str]] = [
    ("a: 1\nb: 2\na: 3\n", (3, 1), "the key `a` stands here twice: first in line 1"),
    ("a:\n\t- b\n", (2, 1), "a tab where YAML wants blanks"),
    ("a: x: y\n", (1, 5), "put the text in quotes"),
    ("a: [1, 2\nb: 3\n", (2, 2), "which begins in line 1"),
    ("a: &x 1\n", (1, 4), "anchors are not used"),
    ("a: *x\n", (1, 4), "aliases are not used"),
    ("a: !!python/name:os.system x\n", (1, 4), "tags such as"),
    ("a: 1\n---\nb: 2\n", (2, 1), "a second document"),
    ("? [a, b]\n: 1\n", (1, 3), "a key has to be one word"),
    ("a: \x07\n", (1, 4), "a character that YAML does not allow (code 0x7)"),
    ('a: "x\\e]0;y\\a"\n', (1, 4), "the character U+001B is not shown"),
    ("a: |\n  kubectl get x \u202e\n", (1, 4), "the character U+202E is not shown"),
    ("", (1, 1), "the file is empty"),
    ("# nothing\n", (1, 1), "the file is empty"),
    ("[" * 100_000, (1, 41), "more than 40 levels of nesting"),
    ("a: '" + "x" * 1_000_001 + "'", (1, 1), "more than 1,000,000 characters"),
]


@pytest.mark.parametrize(("text", "place", "says"), BAD, ids=[says for _, _, says in BAD])
def test_bad_yaml_is_reported_at_its_place(text: str, place: tuple[int, int], says: str) -> None:
    with pytest.raises(CourseError) as caught:
        parse(text, FILE)
    assert (caught.value.line, caught.value.column) == place
    assert says in caught.value.message


def test_bytes_that_are_not_utf_8_are_reported_at_their_place(lesson_folder: Path) -> None:
    file = lesson_folder / "lesson.yaml"
    file.write_bytes(file.read_bytes().replace(b"summary", b"summ\xe4ry", 1))
    _, faults = read_lesson(lesson_folder)
    assert [(fault.line, fault.column, fault.message) for fault in faults] == [
        (4, 5, "the byte 0xe4 is not UTF-8")
    ]


QUOTED = [
    "a: größe == 1\n",
    "a: >-\n  größe\n  == 1\n",
    "a: |\n  größe == 1\n",
    "a: >2-  # folded\n\n     größe\n\n    == 1\n",
    'a: "größe == 1"\n',
    "a: 'größe == 1'\n",
    "a:\n    größe\n    == 1\n",
]


@pytest.mark.parametrize("text", QUOTED)
def test_character_of_a_text_is_found_however_it_is_written(text: str) -> None:
    where = Where(parse(text, FILE)) / "a"
    place = where.inside(where.value.index("=="))
    line = text.splitlines()[place.line - 1]
    assert line[place.column - 1 :].startswith("==")


def test_character_after_escapes_is_found() -> None:
    text = "a: \"x \\\"y\\\" \\n == 1\"\nb: 'it''s == 1'\n"
    document = parse(text, FILE)
    for key in ("a", "b"):
        where = Where(document) / key
        place = where.inside(where.value.index("=="))
        assert text.splitlines()[place.line - 1][place.column - 1 :].startswith("==")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(CourseError):
        assert parse(text, FILE).spans[()].start >= 0
