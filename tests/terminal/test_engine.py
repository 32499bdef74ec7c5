"""What every engine does with bytes: the same tests for each."""

import base64
from itertools import groupby

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.terminal.shown import numbered, row, rows
from tutor.terminal import engine as engines
from tutor.terminal.engine import Choice, engine, self_test
from tutor.terminal.screen import (
    CLIPBOARD_LIMIT,
    PLAIN,
    TRUE_COLOUR,
    Attribute,
    Bell,
    ClipboardSet,
    Colours,
    Engine,
    EngineError,
    Geometry,
    Run,
    Style,
    Titled,
)

PIECES = st.sampled_from(
    [
        *(b"\x1b[", b"\x1b]", b"\x1bP", b"\x07", b"\r\n", b"\x1b[?1049h", b"\x1b[?1049l", b"\x1bc"),
        *(
            "日本".encode(),
            "👨‍👩‍👧".encode(),
            b"e\xcc\x81",
            b"\x1b[38;2;1;2;3m",
            b"\x1b[999999999B",
        ),
        *(b"\x1b[3;4r", b"\x1b[5L", b"\x1b[5P", b"\x1b[2J", b"\x1b[?40h\x1b[?3h", b"\x1b[?2026h"),
        *(b"text of some length", b"\xff\xfe", b"\x1b]133;C\x07", b"\x1b]8;;http://a\x07"),
    ]
)


def test_self_test_of_each_engine_passes(choice: Choice) -> None:
    self_test(choice)


def test_engine_says_which_it_is(choice: Choice, terminal: Engine) -> None:
    assert terminal.name == choice


def test_engine_when_the_fast_one_fails_its_test_is_the_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(choice: Choice) -> None:
        raise EngineError(f"{choice} draws nonsense")

    monkeypatch.setattr(engines, "self_test", broken)
    engines.fallback.cache_clear()
    try:
        assert engine(Geometry()).name == "compatibility terminal"
        assert "terminal engine not usable" in caplog.text
    finally:
        engines.fallback.cache_clear()


def test_engine_when_its_library_is_missing_is_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(choice: Choice) -> None:
        raise ModuleNotFoundError(choice)

    monkeypatch.setattr(engines, "self_test", missing)
    engines.fallback.cache_clear()
    try:
        assert engines.usual() == "compatibility terminal"
        told = engines.fallback()
        assert told is not None
        assert told.why == "libghostty-vt is not installed."
        assert "make run" in told.next_action
    finally:
        engines.fallback.cache_clear()


@pytest.mark.parametrize(
    ("sequence", "style"),
    [
        ("1", Style(attributes=Attribute.BOLD)),
        ("2", Style(attributes=Attribute.FAINT)),
        ("3", Style(attributes=Attribute.ITALIC)),
        ("5", Style(attributes=Attribute.BLINK)),
        ("7", Style(attributes=Attribute.INVERSE)),
        ("8", Style(attributes=Attribute.HIDDEN)),
        ("9", Style(attributes=Attribute.STRIKE)),
        ("53", Style(attributes=Attribute.OVERLINE)),
        ("4", Style(underline=1)),
        ("21", Style(underline=2)),
        ("4:2", Style(underline=2)),
        ("4:3", Style(underline=3)),
        ("4:4", Style(underline=4)),
        ("4:5", Style(underline=5)),
        ("4;58;5;9", Style(underline=1, underline_colour=9)),
        ("4;58;2;1;2;3", Style(underline=1, underline_colour=TRUE_COLOUR | 0x010203)),
        ("31;42", Style(1, 2)),
        ("91;102", Style(9, 10)),
        ("38;5;200;48;5;255", Style(200, 255)),
        ("38;2;10;20;30;48;2;40;50;60", Style(TRUE_COLOUR | 0x0A141E, TRUE_COLOUR | 0x28323C)),
        ("38:2::10:20:30", Style(TRUE_COLOUR | 0x0A141E)),
        ("1;3;38;5;20;4", Style(20, attributes=Attribute.BOLD | Attribute.ITALIC, underline=1)),
    ],
)
def test_sgr_gives_its_style(terminal: Engine, sequence: str, style: Style) -> None:
    terminal.feed(f"\x1b[{sequence}mX\x1b[mY".encode())
    assert row(terminal) == [Run("X", style, 1), Run("Y" + " " * 18, PLAIN, 19)]


def test_wide_characters_take_two_columns(terminal: Engine) -> None:
    terminal.feed("a日本語b\x1b[31m👍\x1b[m!".encode())
    runs = [run for run in row(terminal) if run.text.strip()]
    assert [(run.text.strip(), run.columns) for run in runs[:4]] == [
        ("a", 1),
        ("日本語", 6),
        ("b", 1),
        ("👍", 2),
    ]
    assert runs[3].style.foreground == 1


def test_combining_marks_share_the_cell_of_their_letter(terminal: Engine) -> None:
    terminal.feed("e\u0301x".encode())
    first, *_ = row(terminal)
    assert first == Run("e\u0301", PLAIN, 1, cluster=True)
    assert terminal.frame().cursor.x == 2


def test_background_of_an_erased_line_is_kept(terminal: Engine) -> None:
    terminal.feed(b"ab\x1b[44m\x1b[K")
    assert sum(run.columns for run in row(terminal) if run.style.background == 4) == 18


def test_frame_after_a_change_has_only_the_changed_rows(terminal: Engine) -> None:
    terminal.feed(b"one\r\ntwo\r\nthree")
    assert set(terminal.frame().rows) == set(range(5))
    assert terminal.frame().rows == {}
    terminal.feed(b"!")
    assert set(terminal.frame().rows) == {2}


def test_cursor_has_place_shape_and_visibility(terminal: Engine) -> None:
    terminal.feed(b"\x1b[3;4H\x1b[4 q")
    cursor = terminal.frame().cursor
    assert (cursor.x, cursor.y, cursor.shape, cursor.visible) == (3, 2, "underline", True)
    terminal.feed(b"\x1b[6 q\x1b[?25l")
    cursor = terminal.frame().cursor
    assert (cursor.shape, cursor.visible) == ("bar", False)


def test_sequences_cut_anywhere_mean_the_same(choice: Choice) -> None:
    data = "\x1b[1;31mé日\x1b]8;;https://a.b/\x1b\\l\x1b]8;;\x07\x1b[2;3H\x1b[?25l".encode()
    whole = engine(Geometry(columns=20, lines=5), choice)
    whole.feed(data)
    wanted = whole.frame()
    for at in range(1, len(data)):
        cut = engine(Geometry(columns=20, lines=5), choice)
        cut.feed(data[:at])
        cut.feed(data[at:])
        frame = cut.frame()
        assert (frame.rows, frame.cursor) == (wanted.rows, wanted.cursor), at


def test_scrollback_can_be_looked_at_and_left(terminal: Engine) -> None:
    terminal.feed(numbered(30))
    frame = terminal.frame()
    assert (frame.scroll.total, frame.scroll.offset, frame.scroll.at_bottom) == (31, 26, True)
    terminal.scroll(-10)
    frame = terminal.frame()
    assert (frame.scroll.offset, frame.scroll.at_bottom) == (16, False)
    assert "".join(run.text for run in frame.rows[0]).rstrip() == "line 16"
    assert not frame.cursor.visible
    terminal.scroll_to(0)
    assert "".join(run.text for run in terminal.frame().rows[0]).rstrip() == "line 0"
    terminal.scroll_to(None)
    frame = terminal.frame()
    assert (frame.scroll.at_bottom, frame.cursor.visible) == (True, True)


def test_scrolled_back_view_stays_when_output_arrives(terminal: Engine) -> None:
    terminal.feed(numbered(30))
    terminal.scroll_to(10)
    terminal.frame()
    terminal.feed(numbered(20))
    assert rows(terminal)[0] == "line 10"


def test_scrollback_keeps_the_lines_it_was_given(choice: Choice) -> None:
    terminal = engine(Geometry(columns=40, lines=5, scrollback=10_000), choice)
    terminal.feed(numbered(12_000))
    assert 9_000 <= terminal.frame().scroll.total <= 12_001


def test_alternate_screen_has_no_history_and_gives_the_first_back(terminal: Engine) -> None:
    terminal.feed(numbered(10) + b"\x1b[?1049h\x1b[Hvim")
    assert terminal.modes().alternate_screen
    terminal.scroll(-5)
    assert (rows(terminal)[0], terminal.frame().scroll.total) == ("vim", 5)
    terminal.feed(b"\x1b[?1049l")
    assert rows(terminal)[:2] == ["line 6", "line 7"]


def test_resize_wraps_long_lines_anew_and_loses_nothing(terminal: Engine) -> None:
    terminal.feed(b"abcdefghijklmnopqrstuvwxyz\r\nend")
    terminal.resize(10, 5)
    assert terminal.text().splitlines() == ["abcdefghij", "klmnopqrst", "uvwxyz", "end"]
    terminal.resize(40, 5)
    assert terminal.text().splitlines() == ["abcdefghijklmnopqrstuvwxyz", "end"]
    assert terminal.size == (40, 5)


def test_text_is_the_screen_without_history(terminal: Engine) -> None:
    terminal.feed(numbered(10) + b"$ ")
    assert terminal.text() == "line 6\nline 7\nline 8\nline 9\n$"


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (b"\x1b[3;4H\x1b[6n", b"\x1b[3;4R"),
        (b"\x1b[5n", b"\x1b[0n"),
        (b"\x1b[18t", b"\x1b[8;5;20t"),
        (b"\x1b]10;?\x1b\\", b"rgb:"),
        (b"\x1b[?2026$p", b"\x1b[?2026;2$y"),
        (b"\x1b[>5u\x1b[?u", b"\x1b[?5u"),
        (b"\x1b[c", b"\x1b[?"),
    ],
)
def test_queries_are_answered(terminal: Engine, query: bytes, answer: bytes) -> None:
    terminal.feed(query)
    assert answer in terminal.replies()
    assert terminal.replies() == b""


def test_colours_asked_for_are_those_of_the_theme(terminal: Engine) -> None:
    terminal.set_colours(Colours(foreground=0x102030, background=0xFFEEDD))
    terminal.feed(b"\x1b]11;?\x07")
    assert b"rgb:ffff/eeee/dddd" in terminal.replies().lower()


@pytest.mark.parametrize("query", [b"\x1b]52;c;?\x07", b"\x1b]52;p;?\x1b\\"])
def test_clipboard_of_the_learner_is_never_told(terminal: Engine, query: bytes) -> None:
    terminal.feed(query)
    assert b"52;" not in terminal.replies().replace(b"\x1b]52;c;\x07", b"").replace(
        b"\x1b]52;p;\x07", b""
    )


@pytest.mark.parametrize(
    "asked",
    [
        b"\x1b]2;PLANTED\n\x07\x1b[21t",
        b"\x1b]1;PLANTED\n\x07\x1b[20t",
        b"\x1b]0;PLANTED\x1b\\\x1b[22t\x1b[21t\x1b[23t\x1b[21t",
        b"\x1bP$qPLANTED\n\x1b\\",
        b"\x1bP+qPLANTED\n\x1b\\",
        b"\x05",
    ],
)
def test_program_cannot_have_typed_what_it_chose(terminal: Engine, asked: bytes) -> None:
    """The replies go to the shell as if typed (CVE-2003-0063, CVE-2022-45872)."""
    terminal.feed(asked)
    replies = terminal.replies()
    assert b"PLANTED" not in replies
    assert b"\n" not in replies


@pytest.mark.parametrize(
    "asked",
    [b"\x1b[8;3;5t", b"\x1b[8;500;500t", b"\x1b[50t"],
)
def test_program_cannot_make_the_pane_another_size(terminal: Engine, asked: bytes) -> None:
    size = terminal.size
    terminal.feed(asked + b"\x1bcwell")
    assert terminal.size == size
    assert terminal.text().rstrip() == "well"


def test_number_of_any_length_is_survived(terminal: Engine) -> None:
    terminal.feed(b"\x1b[" + b"9" * 20_000 + b"m\x1b[1;" + b"9" * 20_000 + b"H")
    terminal.feed(b"\x1bcwell")
    assert terminal.text().rstrip() == "well"


def test_signals_are_told_once_and_in_order(terminal: Engine) -> None:
    terminal.feed("\x07\x1b]2;Türe\x07\x1b]52;c;aMOpbGxv\x07\x07".encode())
    assert list(terminal.signals()) == [Bell(), Titled("Türe"), ClipboardSet("héllo"), Bell()]
    assert list(terminal.signals()) == []


def test_clipboard_text_beyond_the_limit_is_ignored(terminal: Engine) -> None:
    text = base64.b64encode(b"x" * (CLIPBOARD_LIMIT + 1))
    terminal.feed(b"\x1b]52;c;" + text + b"\x07")
    assert list(terminal.signals()) == []


def test_flood_of_bells_is_not_kept_for_ever(terminal: Engine) -> None:
    terminal.feed(b"\x07" * 5000)
    assert len(terminal.signals()) <= 1000


def test_synchronized_output_holds_the_picture_until_it_is_complete(terminal: Engine) -> None:
    terminal.feed(b"before\x1b[?2026h\x1b[2J\x1b[Hhalf")
    assert terminal.frame().held
    terminal.feed(b" whole\x1b[?2026l")
    frame = terminal.frame()
    assert not frame.held
    assert "".join(run.text for run in frame.rows[0]).rstrip() == "half whole"


def test_synchronized_output_that_lasts_too_long_can_be_looked_through(terminal: Engine) -> None:
    terminal.feed(b"\x1b[?2026hhalf")
    frame = terminal.frame(through_hold=True)
    assert "".join(run.text for run in frame.rows[0]).rstrip() == "half"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=20)), max_size=40), st.data())
def test_engine_whatever_comes_stays_whole(
    choice: Choice, pieces: list[bytes], data: st.DataObject
) -> None:
    terminal = engine(Geometry(columns=20, lines=5, scrollback=20), choice)
    for piece in pieces:
        terminal.feed(piece)
        columns, lines = terminal.size
        x, y = data.draw(st.integers(0, columns - 1)), data.draw(st.integers(0, lines - 1))
        match data.draw(st.integers(0, 6)):
            case 0:
                terminal.resize(data.draw(st.integers(2, 40)), data.draw(st.integers(1, 12)))
            case 1:
                terminal.select(x, y, data.draw(st.sampled_from(["cell", "word", "line"])))
            case 2:
                terminal.extend(x, y)
                terminal.selected()
            case 3:
                terminal.search("e")
                terminal.search_next(1)
            case 4:
                terminal.scroll(data.draw(st.integers(-9, 9)))
            case 5:
                terminal.link(x, y)
                terminal.select_output(x, y)
            case _:
                terminal.mark()
                terminal.text_since_mark()
        frame = terminal.frame(through_hold=True)
        columns, lines = terminal.size
        for number, runs in frame.rows.items():
            assert 0 <= number < lines
            assert sum(run.columns for run in runs) <= columns
            assert all(run.columns in (1, 2) for run in runs if run.cluster)


def test_styles_of_a_busy_row_are_each_cells_own(terminal: Engine) -> None:
    terminal.feed(b"".join(b"\x1b[38;5;%dm%c" % (n, 97 + n) for n in range(16, 26)))
    found = [(run.text, run.style.foreground) for run in row(terminal)]
    assert [each for each, _ in groupby(found)] == [(chr(97 + n), n) for n in range(16, 26)]
