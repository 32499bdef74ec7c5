"""Stylesheets that were parsed before are not parsed again."""

from pathlib import Path

import pytest
from textual.css import stylesheet
from textual.css.parse import parse

from tutor.ui.stylesheet import KeptStylesheet

RED, BLUE = {"shade": "#ff0000"}, {"shade": "#0000ff"}
TEXT = "Label { color: $shade; &:focus { background: $shade; } }"


def opened(file: Path | None, text: str = TEXT, variables: dict[str, str] = RED) -> KeptStylesheet:
    sheet = KeptStylesheet(file, variables)
    sheet.add_source(text, ("label.py", "Label.DEFAULT_CSS"), is_default_css=True)
    return sheet


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    file = tmp_path / "cache" / "stylesheet"
    first = opened(file)
    first.parse()
    first.keep()
    return file


@pytest.fixture
def parsing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are parsed from here on."""
    parsed: list[str] = []

    def noted(scope: str, css: str, *more: object, **named: object) -> object:
        parsed.append(css)
        return parse(scope, css, *more, **named)  # pyright: ignore[reportArgumentType] -- as given

    monkeypatch.setattr(stylesheet, "parse", noted)
    return parsed


def test_rules_that_were_kept_are_as_they_were_parsed(kept: Path, parsing: list[str]) -> None:
    again = opened(kept)
    before = again.css
    assert not parsing
    assert before == opened(None).css
    assert "#FF0000" in before


def test_text_that_became_another_is_parsed_and_kept(kept: Path, parsing: list[str]) -> None:
    text = "Label { color: $shade 50%; }"
    other = opened(kept, text)
    other.parse()
    other.keep()
    assert parsing == [text]
    assert opened(kept, text).css == other.css
    assert parsing == [text]


def test_other_variables_parse_anew(kept: Path, parsing: list[str]) -> None:
    assert "#0000FF" in opened(kept, variables=BLUE).css
    assert parsing == [TEXT]


def test_variables_that_change_later_change_the_rules(kept: Path, parsing: list[str]) -> None:
    sheet = opened(kept)
    sheet.parse()
    sheet.set_variables(RED)
    sheet.reparse()
    assert not parsing
    sheet.set_variables(BLUE)
    sheet.reparse()
    assert "#0000FF" in sheet.css
    assert parsing == [TEXT]


def test_damaged_file_is_parsed_anew(kept: Path, parsing: list[str]) -> None:
    kept.write_bytes(kept.read_bytes()[:-1] + b"?")
    assert "#FF0000" in opened(kept).css
    assert parsing == [TEXT]


def test_folder_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    sheet = opened(tmp_path / "cache" / "stylesheet")
    sheet.parse()
    sheet.keep()
    assert "#FF0000" in sheet.css
