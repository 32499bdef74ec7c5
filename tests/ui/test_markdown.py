"""Markdown as it is set out."""

from tutor.ui.markdown import passages
from tutor.ui.widgets.sheet import set_out


def lines(text: str, width: int = 30) -> list[str]:
    return [line.plain.rstrip() for line in set_out(passages(text), width, str.upper)]


def test_paragraphs_are_wrapped_and_parted() -> None:
    assert lines("One paragraph that is longer\nthan a line.\n\nAnother one.") == [
        "One paragraph that is longer",
        "than a line.",
        "",
        "Another one.",
    ]


def test_key_of_an_action_is_the_one_that_it_has_now() -> None:
    text = "Press **[F5](key:run)**, or [the key](key:unknown)."
    assert lines(text) == ["Press RUN, or the key."]
    [passage] = passages(text)
    assert [(each.key, each.url) for each in passage.words if each.key or each.url] == [
        ("run", ""),
        ("", "key:unknown"),
    ]


def test_lists_hang_under_their_text_and_stand_close() -> None:
    text = (
        "Before:\n\n- first item that is longer than a line\n- second\n  - inner\n\n1. one\n2. two"
    )
    assert lines(text) == [
        "Before:",
        "",
        "• first item that is longer",
        "  than a line",
        "• second",
        "  ◦ inner",
        "",
        "1. one",
        "2. two",
    ]


def test_quotation_has_a_bar_also_between_its_paragraphs() -> None:
    assert lines("> One.\n>\n> Two.\n\nAfter.") == ["▌ One.", "▌", "▌ Two.", "", "After."]


def test_code_is_not_wrapped_and_coloured() -> None:
    text = "```yaml\nkey: value\nother: a text that is longer than a line\n```"
    assert lines(text) == [" key: value", " other: a text that is longer…"]
    styles = {words.style for passage in passages(text) for words in passage.words}
    assert len(styles) > 1


def test_table_has_columns() -> None:
    text = "| name | what |\n|---|---|\n| a | one |\n| longer | two |"
    assert lines(text) == ["name    what", "a       one", "longer  two"]


def test_inline_marks_become_styles_and_links() -> None:
    words = passages("a `code` **bold** *slanted* [site](https://a.test)")[0].words
    assert [(each.text, each.style, each.url) for each in words if each.text.strip()] == [
        ("a ", "", ""),
        ("code", "$accent", ""),
        ("bold", "bold", ""),
        ("slanted", "italic", ""),
        ("site", "underline $primary", "https://a.test"),
    ]
