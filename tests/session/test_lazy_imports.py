"""What is imported when: the first screen must not wait for what a later look needs."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("kubernetes", "cryptography", "OpenSSL", "cel_expr_python", "bcrypt", "textual", "aiohttp")


@pytest.mark.parametrize(
    "module",
    [
        "tutor.course.loader",
        "tutor.probes.binding",
        "tutor.probes.watch",
        "tutor.probes.cluster",
        "tutor.probes.dial",
        "tutor.session.session",
    ],
)
def test_room_is_imported_without_what_it_needs_later(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"
