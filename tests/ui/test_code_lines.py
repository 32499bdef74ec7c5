"""Commands where there is little room: backslashes stay with their words, and more of them fit."""

from textual.content import Content

from tutor.ui.blocks import BlockText
from tutor.ui.code_lines import glued, moved, unglued
from tutor.ui.widgets.block import BlockCard
from tutor.ui.widgets.sheet import hung

URL = "https://example.test/quickstart/v1/contour.yaml"
APPLY = f"kubectl apply \\\n    --filename {URL} \\\n    --kubeconfig cluster.yaml"


class Card(BlockCard):
    """A card that is in no app."""

    def tag(self, word: str, does: str, style: str = "") -> Content:
        del does, style
        return Content(word)


def card(command: str, width: int) -> list[str]:
    lines = Card("do-1", BlockText(note="", commands=(command,))).lines(width)
    return [line.plain.rstrip() for line in lines]


def test_backslash_is_never_alone_on_a_line() -> None:
    for width in range(24, 90):
        shown = card(APPLY, width)
        assert [line for line in shown if line.strip(" \\") == ""] == []
        assert all(len(line) <= width for line in shown)


def test_backslash_goes_to_the_next_line_with_the_word_before_it() -> None:
    lines = Content(glued("--from one two three \\")).wrap(21)
    assert [unglued(line).plain for line in lines] == ["--from one two", "three \\"]


def test_lines_of_a_command_move_left_together_where_that_saves_a_line() -> None:
    lines = APPLY.splitlines()
    assert moved(lines, len(lines[1])) == 0
    assert moved(lines, len(lines[1]) - 2) == 2
    assert card(APPLY, 2 + len(lines[1]) - 2)[1:] == [
        f"    --filename {URL} \\",
        "    --kubeconfig cluster.yaml",
    ]


def test_text_in_a_command_stays_where_it_is() -> None:
    lines = ["cat << EOF > a.yaml", "spec:", "    key: a-value-that-is-too-long", "EOF"]
    assert moved(lines, 30) == 0


def test_only_the_first_line_makes_room_for_what_stands_at_its_end() -> None:
    lines = hung(Content("$ "), Content("wget https://example.test/a"), 26, Content("[run]"))
    assert [line.plain for line in lines] == [
        "$ wget               [run]",
        "  https://example.test/a",
    ]


def test_copy_stands_before_run_unless_the_line_would_break() -> None:
    assert card("ls", 30) == ["$ ls" + " " * 14 + "[copy] [run]"]
    assert card(APPLY, 80)[0].endswith(" [copy] [run]")
    long = [line[-6:] for line in card("echo 34567890 \\\n    --name x", 24)]
    assert long == [" [run]", "[copy]"]
    assert card("echo 34567890", 24) == ["$ echo 34567890    [run]", " " * 18 + "[copy]"]
