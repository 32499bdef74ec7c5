"""What the first picture of a lesson waits for: its modules, and nothing that comes behind it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEHIND = (
    *("argparse", "pydantic", "yaml", "markdown_it", "_hashlib", "kubernetes", "cryptography"),
    *("aiohttp", "tutor.cli.arguments"),
    *("tutor.cli.run", "tutor.cli.ground", "tutor.probes.grants", "tutor.session.session"),
    *("tutor.ui.palette", "tutor.ui.screens.settings", "tutor.ui.screens.finished"),
    *("tutor.ui.screens.question", "tutor.terminal.shell"),
)


def test_first_picture_is_imported_without_what_comes_behind_it() -> None:
    code = (
        "import sys, tutor.cli.commands, tutor.cli.app, tutor.ui.app;"
        f"print([each for each in {BEHIND!r} if each in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"
