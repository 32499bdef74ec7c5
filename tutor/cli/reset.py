"""`tutor reset`: a lesson from its beginning. What the learner wrote is kept beside it."""

import os
import shutil
from collections.abc import Iterable, Mapping
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
    """Forget how far the learner is in a lesson, and delete its clusters in the sandbox.

    Raises:
        TutorError: There is no such lesson, it is open, or its folder cannot be changed.
    """
    root = paths.home(os.environ)
    lesson = chosen(load_course(paths.lessons_dir()), name)
    folder = paths.work_dir(root, lesson.id, "sandbox").parent.parent
    if not folder.is_dir():
        print(f"The lesson {lesson.id} was not begun; `tutor learn {lesson.id}` opens it.")
        return 0
    with only_here(folder, lesson.id, now=SystemClock().now()):
        for place in sorted(each for each in folder.iterdir() if each.is_dir()):
            if not place.name.endswith(_KEPT):
                _clear(root, lesson, place)
        _forget(root, lesson)
    print(f"{lesson.id} begins anew: tutor learn {lesson.id}")
    return 0


_KEPT = ".before"


def _clear(root: Path, lesson: Lesson, place: Path) -> None:
    """Delete what a lesson made in one environment, and put its files aside."""
    server = server_of(place / "work" / lesson.kubeconfig)
    if place.name == "sandbox" and lesson.has_cluster:
        _delete_cluster(root, server)
    elif server:
        print(f"The cluster at {server} is not the sandbox's: it stays as it is.")
    kept = place.with_name(place.name + _KEPT)
    try:
        shutil.rmtree(kept, ignore_errors=True)
        place.rename(kept)
    except OSError as error:
        raise TutorError(
            f"The folder {place} cannot be put aside: {error.strerror or error}.",
            next_action=f"Make {place.parent} writable, or set TUTOR_HOME to another folder.",
        ) from error
    print(f"The files of the lesson on {place.name} are in {kept / 'work'} until the next reset.")


def _delete_cluster(root: Path, server: str) -> None:
    if not server and not is_running(root):
        return
    ensure_running(root)
    clusters: list[Mapping[str, Any]] = ask(root, "status")["clusters"]
    gone = [each["name"] for each in clusters if each["server"] == server]
    for name in gone:
        ask(root, "delete-cluster", name=name)
        print(f"Deleted the cluster {name} of the sandbox.")
    _name_others(each["name"] for each in clusters if each["name"] not in gone)


def _name_others(names: Iterable[str]) -> None:
    others = ", ".join(names)
    if others:
        print(f"The sandbox has other clusters: {others}. `tutor sandbox reset` deletes all.")


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
