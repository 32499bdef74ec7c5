"""Where things are: the learner's state, and the data that comes with the program.

Pure functions of an environment mapping; the only room besides `settings` that knows variables.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_MAX_SOCKET_PATH = 100
"""Below the 104 (macOS) and 108 (Linux) bytes that a Unix socket's address may have."""


def home(environ: Mapping[str, str]) -> Path:
    """The folder that holds all state: `TUTOR_HOME`, else the platform's user data folder."""
    chosen = environ.get("TUTOR_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    user = Path(environ.get("HOME") or Path.home())
    if sys.platform == "darwin":
        return user / "Library" / "Application Support" / "tutor"
    data = environ.get("XDG_DATA_HOME")
    return (Path(data) if data else user / ".local" / "share") / "tutor"


def sandbox_dir(root: Path) -> Path:
    """The sandbox's part of the home folder."""
    return root / "sandbox"


def socket_path(root: Path) -> Path:
    """The sandbox's control socket.

    A home folder with a long name has its socket in a private folder of the system's temporary one.
    """
    path = sandbox_dir(root) / "socket"
    if len(str(path).encode()) <= _MAX_SOCKET_PATH:
        return path
    from hashlib import sha256  # noqa: PLC0415 - loads a library, for this alone

    digest = sha256(str(root).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tutor-{digest}" / "socket"


def logs_dir(root: Path) -> Path:
    """Where logs are written."""
    return root / "logs"


def progress_file(root: Path) -> Path:
    """The journal of what the learner has done."""
    return root / "progress.db"


def course_file(root: Path) -> Path:
    """The course as it was last read; it may be deleted at any time."""
    return root / "cache" / "course"


def stylesheet_file(root: Path) -> Path:
    """The stylesheets as they were last parsed; it may be deleted at any time."""
    return root / "cache" / "stylesheet"


def settings_file(root: Path) -> Path:
    """The learner's settings."""
    return root / "settings.yaml"


def work_dir(root: Path, lesson: str, environment: str) -> Path:
    """The working folder of a lesson in an environment."""
    return root / "lessons" / lesson / environment.replace(":", "-") / "work"


def _packaged(name: str) -> Path:
    inside = Path(__file__).parent / "_data" / name
    return inside if inside.is_dir() else Path(__file__).parent.parent / name


def lessons_dir() -> Path:
    """The lessons that came with the program, from the wheel or the checkout."""
    return _packaged("lessons")
