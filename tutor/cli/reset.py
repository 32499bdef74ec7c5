"""`tutor reset`: a lesson from its beginning. What the learner wrote is kept beside it."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tutor import paths
from tutor.cli.choice import chosen
from tutor.cli.control import ask, ensure_running, is_running
from tutor.clock import SystemClock
from tutor.course.loader import load_course
from tutor.course.model import Lesson
from tutor.errors import TutorError
from tutor.session.journal import Journal
from tutor.session.lock import only_here


def reset(name: str) -> int:
    """Bring a lesson back to its beginning, and print what that took.

    Raises:
        TutorError: There is no such lesson, it is open, or its folder cannot be changed.
    """
    root = paths.home(os.environ)
    lesson = chosen(load_course(paths.lessons_dir()), name)
    if not paths.work_dir(root, lesson.id, "sandbox").parent.parent.is_dir():
        print(f"The lesson {lesson.id} was not begun; `tutor learn {lesson.id}` opens it.")
        return 0
    begin_anew(root, lesson, print)
    print(f"{lesson.id} begins anew: tutor learn {lesson.id}")
    return 0


Tell = Callable[[str], None]


def begin_anew(root: Path, lesson: Lesson, tell: Tell) -> None:
    """Forget how far the learner is in a lesson that was begun, and delete its clusters.

    What was deleted and what is kept goes to `tell`, in sentences.

    Raises:
        TutorError: The lesson is open, or its folder cannot be changed.
    """
    folder = paths.work_dir(root, lesson.id, "sandbox").parent.parent
    with only_here(folder, lesson.id, now=SystemClock().now()):
        for place in sorted(each for each in folder.iterdir() if each.is_dir()):
            if not place.name.endswith(_KEPT):
                _clear(root, lesson, place, tell)
        _forget(root, lesson)


_KEPT = ".before"


def _clear(root: Path, lesson: Lesson, place: Path, tell: Tell) -> None:
    """Delete what a lesson made in one environment, and put its files aside."""
    server = server_of(place / "work" / lesson.kubeconfig)
    if place.name == "sandbox" and lesson.has_cluster:
        _delete_cluster(root, server, tell)
    elif server:
        tell(f"The cluster at {server} is not the sandbox's: it stays as it is.")
    kept = place.with_name(place.name + _KEPT)
    try:
        shutil.rmtree(kept, ignore_errors=True)
        place.rename(kept)
    except OSError as error:
        raise TutorError(
            f"The folder {place} cannot be put aside: {error.strerror or error}.",
            next_action=f"Make {place.parent} writable, or set TUTOR_HOME to another folder.",
        ) from error
    tell(f"The files of the lesson on {place.name} are in {kept / 'work'} until the next reset.")


def _delete_cluster(root: Path, server: str, tell: Tell) -> None:
    if not server and not is_running(root):
        return
    ensure_running(root)
    clusters: list[Mapping[str, Any]] = ask(root, "status")["clusters"]
    gone = [each["name"] for each in clusters if each["server"] == server]
    for name in gone:
        ask(root, "delete-cluster", name=name)
        tell(f"Deleted the cluster {name} of the sandbox.")
    others = ", ".join(each["name"] for each in clusters if each["name"] not in gone)
    if others:
        tell(f"The sandbox has other clusters: {others}. `tutor sandbox reset` deletes all.")


def server_of(kubeconfig: Path) -> str:
    """The address of the first cluster in a kubeconfig; empty when it names none."""
    try:
        document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        return str(document["clusters"][0]["cluster"]["server"])
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
        return ""


def _forget(root: Path, lesson: Lesson) -> None:
    if not paths.progress_file(root).exists():
        return
    with Journal(paths.progress_file(root)) as journal:
        for progress in journal.all():
            if progress.lesson == lesson.id:
                journal.forget(lesson.id, progress.environment)
