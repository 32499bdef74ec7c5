"""A command line to what it does, and how a failure ends."""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

from tutor import __version__, paths
from tutor.errors import TutorError

OUR_BUG = 70
INTERRUPTED = 130
_MANY = {errno.EMFILE, errno.ENFILE}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, *_MANY}
_ROOM = "Free space or mend permissions there, or set TUTOR_HOME to another folder."
_OPEN = "Raise the limit of open files (`ulimit -n 1024`), and try again."


def run(words: Sequence[str]) -> int:
    """Parse and run."""
    action = _chosen(words)
    try:
        _check_home()
        return action()
    except TutorError as error:
        return _told(error)
    except ExceptionGroup as group:
        curable, others = group.split(_is_curable)
        return _told(_first(curable)) if curable and not others else _bug()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _told(error) if _is_curable(error) else _bug()
    except Exception:  # noqa: BLE001 - the last stop: the log has the traceback, the user a sentence
        return _bug()


def _chosen(words: Sequence[str]) -> Callable[[], int]:
    """What to do. The usual ways to open a lesson need no parser, which takes time to load."""
    match words:
        case []:
            return partial(_open, "")
        case ["learn", lesson] if not lesson.startswith("-"):
            return partial(_open, lesson)
        case _:
            from tutor.cli.arguments import parse

            return parse(words)


def _open(lesson: str) -> int:
    from tutor.cli.app import open_app

    return open_app(lesson, step="", on="sandbox")


def _check_home() -> None:
    home = paths.home(os.environ)
    try:
        str(home).encode()
    except UnicodeEncodeError as error:
        raise TutorError(
            f"The name of the home folder, {os.fsencode(home)!r}, is not UTF-8 text.",
            next_action="Set TUTOR_HOME to another folder.",
        ) from error


def _is_curable(error: BaseException) -> bool:
    """Whether the user can do something: of our own kind, no room, or a file in the home folder."""
    if not isinstance(error, OSError):
        return isinstance(error, TutorError)
    named = error.filename if isinstance(error.filename, str) else ""
    return error.errno in _FULL or Path(named).is_relative_to(paths.home(os.environ))


def _told(error: Exception) -> int:
    print(f"tutor: {_in_words(error)}", file=sys.stderr)
    return 2


def _in_words(error: Exception) -> Exception:
    if not isinstance(error, OSError):
        return error
    return TutorError(
        f"{error.filename or paths.home(os.environ)} cannot be used: {error.strerror}.",
        next_action=_OPEN if error.errno in _MANY else _ROOM,
    )


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """The first failure of what task groups put together."""
    found = group.exceptions[0]
    if isinstance(found, ExceptionGroup):
        return _first(cast("ExceptionGroup[Exception]", found))
    return found


def _bug() -> int:
    log = paths.logs_dir(paths.home(os.environ)) / "crash.log"
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(f"{datetime.now(UTC).isoformat()} tutor {__version__}\n")  # noqa: TID251
            traceback.print_exc(file=file)
    except OSError:
        traceback.print_exc()
        print(f"tutor: this is a bug in tutor, and {log} cannot be written.", file=sys.stderr)
        return OUR_BUG
    print(
        f"tutor: this is a bug in tutor; the details are in {log}.\n"
        "Your progress is saved: start tutor again to go on.",
        file=sys.stderr,
    )
    return OUR_BUG
