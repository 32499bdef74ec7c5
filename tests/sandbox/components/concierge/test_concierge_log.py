"""Source: pinniped.md 3.9 (format, levels)."""

import json

import pytest
from concierge_world import Lines

from tutor.sandbox.components.concierge.log import HANDLE_KEY


def test_line_has_its_keys_in_order():
    lines = Lines()
    lines.log.named("x-controller").failed(HANDLE_KEY, "it failed", error="why", more=1)
    assert lines.lines == [
        (
            '{"level":"error","timestamp":"2023-08-09T18:30:00.000000Z","logger":"x-controller",'
            f'"caller":"{HANDLE_KEY}","message":"it failed","more":1,"error":"why"}}'
        )
    ]


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("", ["always", "failed", "warning"]),
        ("info", ["always", "failed", "warning", "info"]),
        ("debug", ["always", "failed", "warning", "info", "debug"]),
        ("trace", ["always", "failed", "warning", "info", "debug", "trace"]),
        ("all", ["always", "failed", "warning", "info", "debug", "trace"]),
    ],
)
def test_level_says_which_lines_are_written(level: str, shown: list[str]):
    lines = Lines(level)
    for name in ("always", "failed", "warning", "info", "debug", "trace"):
        getattr(lines.log, name)("at", name)
    assert [json.loads(line)["message"] for line in lines.lines] == shown


def test_warning_is_marked():
    lines = Lines()
    log = lines.log
    log.warning("at", message="odd")
    assert json.loads(lines.lines[0])["warning"] is True
