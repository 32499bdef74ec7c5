"""How every engine selects, searches and knows links: the same tests for each."""

from tests.terminal.shown import numbered, row
from tutor.terminal.screen import Attribute, Engine, Search, Span

TEXT = b"kubectl get pods -n kube-system\r\nNAME   READY\r\ncoredns-abc 1/1\r\n"


def test_selection_of_cells_goes_over_lines(terminal: Engine) -> None:
    terminal.feed(b"first line\r\nsecond")
    terminal.select(6, 0)
    terminal.extend(2, 1)
    assert terminal.selected() == "line\nsec"
    assert list(terminal.frame().selection) == [Span(0, 6, 20), Span(1, 0, 3)]


def test_selection_made_backwards_is_the_same(terminal: Engine) -> None:
    terminal.feed(b"first line\r\nsecond")
    terminal.select(2, 1)
    terminal.extend(6, 0)
    assert terminal.selected() == "line\nsec"


def test_selection_of_words_takes_whole_ones(terminal: Engine) -> None:
    terminal.feed(b"one two-and three")
    terminal.select(5, 0, "word")
    assert terminal.selected() == "two-and"
    terminal.extend(13, 0)
    assert terminal.selected() == "two-and three"
    terminal.extend(1, 0)
    assert terminal.selected() == "one two-and"


def test_selection_of_a_line_takes_what_is_wrapped(terminal: Engine) -> None:
    terminal.feed(TEXT)
    terminal.select(3, 1, "line")
    assert terminal.selected() == "kubectl get pods -n kube-system"


def test_selection_stays_on_its_text_when_output_arrives(terminal: Engine) -> None:
    terminal.feed(b"first line\r\n")
    terminal.select(0, 0, "word")
    terminal.feed(numbered(20))
    assert terminal.selected() == "first"
    assert list(terminal.frame().selection) == []
    terminal.scroll_to(0)
    assert list(terminal.frame().selection) == [Span(0, 0, 5)]


def test_unselect_selects_nothing(terminal: Engine) -> None:
    terminal.feed(b"text")
    terminal.select(0, 0, "word")
    terminal.unselect()
    assert (terminal.selected(), list(terminal.frame().selection)) == ("", [])


def test_selection_begun_on_the_other_screen_is_not_extended(terminal: Engine) -> None:
    """A range from one screen to the other crashes one of the libraries."""
    terminal.feed(b"first\x1b[?1049h")
    terminal.feed(b"\x1b[?1049l")
    terminal.select(0, 0)
    terminal.feed(b"\x1b[?1049hother")
    terminal.extend(3, 0)
    terminal.resize(30, 8)
    terminal.selected()


def test_output_of_a_command_can_be_selected(terminal: Engine) -> None:
    terminal.feed(
        b"\x1b]133;A\x07$ \x1b]133;B\x07ls\r\n\x1b]133;C\x07one\r\ntwo\r\n"
        b"\x1b]133;D;3\x07\x1b]133;A\x07$ \x1b]133;B\x07"
    )
    assert terminal.select_output(0, 1)
    assert terminal.selected().rstrip("\n") == "one\ntwo"


def test_output_of_no_command_is_not_selected(terminal: Engine) -> None:
    terminal.feed(b"plain\r\n")
    terminal.unselect()
    if not terminal.select_output(0, 0):
        assert terminal.selected() == ""


def test_search_finds_in_the_history_and_brings_it_into_view(terminal: Engine) -> None:
    terminal.feed(b"Needle\r\n" + numbered(30) + b"a needle\r\n")
    assert terminal.search("needle") == Search(2, 0)
    assert terminal.search_next(1) == Search(2, 1)
    frame = terminal.frame()
    assert frame.current_hit in list(frame.hits)
    assert frame.scroll.at_bottom
    assert terminal.search_next(1) == Search(2, 2)
    frame = terminal.frame()
    assert (frame.scroll.offset, frame.current_hit) == (0, Span(0, 0, 6))
    assert terminal.search_next(-1) == Search(2, 1)


def test_search_of_what_is_not_there_finds_nothing(terminal: Engine) -> None:
    terminal.feed(TEXT)
    assert terminal.search("no such") == Search(0, 0)
    assert terminal.search_next(1) == Search(0, 0)
    assert list(terminal.frame().hits) == []


def test_search_for_nothing_ends_it(terminal: Engine) -> None:
    terminal.feed(TEXT)
    terminal.search("e")
    terminal.search("")
    frame = terminal.frame()
    assert (list(frame.hits), frame.current_hit) == ([], None)


def test_search_with_wide_characters_marks_the_right_columns(terminal: Engine) -> None:
    terminal.feed("日本 needle".encode())
    terminal.search("needle")
    assert list(terminal.frame().hits) == [Span(0, 5, 11)]


def test_link_of_a_cell_is_its_address(terminal: Engine) -> None:
    terminal.feed(b"\x1b]8;;https://kubernetes.io/docs\x1b\\docs\x1b]8;;\x1b\\ plain")
    assert terminal.link(0, 0) == terminal.link(3, 0) == "https://kubernetes.io/docs"
    assert terminal.link(4, 0) is None
    assert terminal.link(0, 3) is None
    assert row(terminal)[0].style.attributes & Attribute.LINK


def test_text_since_a_mark_is_what_was_typed_there(terminal: Engine) -> None:
    terminal.feed(numbered(4) + b"$ ")
    terminal.mark()
    assert terminal.text_since_mark().strip() == ""
    terminal.feed(b"echo a long command line that wraps\r\n")
    assert terminal.text_since_mark().strip() == "echo a long command line that wraps"
