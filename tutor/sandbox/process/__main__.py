"""`python -m tutor.sandbox.process`: run the sandbox of a home folder, or start it and return."""

import argparse
import gc
import os
import resource
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, cast

from tutor import paths

_E = TypeVar("_E", bound=Exception)
_WAIT_S = 20.0
_STEP_S = 0.01
_ALREADY = 3
_MAX_OPEN = 8_192
_COLLECT_AFTER = (10_000, 20, 20)
"""A stored object is some twenty dicts and lists, none of them in a circle: Python's own pace of
looking for circles costs a twentieth of each write."""


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tutor.sandbox.process")
    parser.add_argument("--home", type=Path, default=paths.home(os.environ))
    parser.add_argument("--pace", choices=("watchable", "real", "instant"), default="watchable")
    parser.add_argument("--detach", action="store_true", help="return once it answers")
    chosen = parser.parse_args()
    if chosen.detach:
        return detach(chosen.home, chosen.pace)
    return serve(chosen.home, chosen.pace)


def serve(root: Path, pace: str) -> int:
    """Run in this process."""
    import asyncio  # noqa: PLC0415 - heavy, and not needed to detach
    import logging  # noqa: PLC0415

    from tutor.errors import TutorError  # noqa: PLC0415
    from tutor.logs import configure  # noqa: PLC0415
    from tutor.sandbox.catalogue import components  # noqa: PLC0415
    from tutor.sandbox.pace import PACES, PaceName  # noqa: PLC0415
    from tutor.sandbox.process.daemon import AlreadyRuns, only_one, run  # noqa: PLC0415

    chosen: PaceName = next(name for name in PACES if name == pace)
    gc.set_threshold(*_COLLECT_AFTER)
    _allow_connections()
    code = 2
    try:
        configure(paths.logs_dir(root) / "sandbox.log")
        with only_one(paths.sandbox_dir(root)):
            asyncio.run(run(root, components(), chosen))
    except* AlreadyRuns as errors:
        said, code = str(_first(errors)), _ALREADY
    except* TutorError as errors:
        said = str(_first(errors))
    except* OSError as errors:
        logging.getLogger(__name__).exception("it did not start, or ended")
        error = _first(errors)
        said = f"{error.filename2 or error.filename or root}: {error.strerror or error}."
    else:
        return 0
    print(said, file=sys.stderr)  # noqa: T201
    return code


def _allow_connections() -> None:
    """Raise the limit of open files, which is 256 for most users of macOS, as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MAX_OPEN if hard == resource.RLIM_INFINITY else min(hard, _MAX_OPEN)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _first(errors: ExceptionGroup[_E]) -> _E:
    """One of what a group holds, however deep."""
    found = errors.exceptions[0]
    while isinstance(found, ExceptionGroup):
        found = cast("ExceptionGroup[_E]", found).exceptions[0]
    return found


def detach(root: Path, pace: str) -> int:
    """Start the process unless one answers already, and wait until it does."""
    path = paths.socket_path(root)
    if answers(path):
        return 0
    command = [sys.executable, "-m", "tutor.sandbox.process", "--home", str(root), "--pace", pace]
    errors = paths.logs_dir(root) / "sandbox.err"
    try:
        errors.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        errors.unlink(missing_ok=True)  # it may be a link, to what is none of ours
        stderr = errors.open("w")
    except OSError as error:
        print(f"{errors} cannot be written: {error.strerror or error}.", file=sys.stderr)  # noqa: T201
        return 2
    with stderr:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
            start_new_session=True,
            cwd="/",
        )
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        if answers(path):
            return 0
        # Whoever was started at the same moment, and was first, answers in a moment.
        if child.poll() not in (None, _ALREADY) and not answers(path):
            break
        time.sleep(_STEP_S)
    print(f"The sandbox did not start. {_why(errors)}", file=sys.stderr)  # noqa: T201
    return 2


def _why(errors: Path) -> str:
    """What a process that ended had to say, where there was room for it."""
    try:
        said = errors.read_text().strip()
        if not said:
            errors.write_text("\n")
    except OSError as error:
        return f"{errors} cannot be written: {error.strerror or error}."
    if "Traceback" in said:
        return f"This is a bug in tutor; the details are in {errors}."
    return said or f"It did not answer within {_WAIT_S:.0f} s, or was ended by somebody."


def answers(path: Path) -> bool:
    """Whether a process listens on the socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
