"""Pictures of the app for the README: the real program, its real shell, a sandbox of its own.

    python .ci/assets.py [NAME...]

Writes `assets/NAME.svg`; without names, all of them.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from textual.pilot import Pilot

from tutor import paths
from tutor.cli.app import LocalDesk
from tutor.cli.choice import chosen, environment_of
from tutor.cli.cluster import stop
from tutor.course.loader import load_course
from tutor.settings import Settings
from tutor.ui.app import TutorApp
from tutor.ui.ports import Visit
from tutor.ui.screens.course import CourseScreen
from tutor.ui.screens.lesson import LessonScreen

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 60.0

Scene = Callable[["Stage"], Awaitable[None]]


class Stage:
    """The app, and hands on it."""

    def __init__(self, app: TutorApp, pilot: Pilot) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def lesson(self) -> LessonScreen:
        """The screen of the lesson, which may be below another."""
        return next(each for each in self.app.screen_stack if isinstance(each, LessonScreen))

    def is_at(self, step: str) -> bool:
        """Whether that is the current step."""
        return self.lesson.scene.step.id == step

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait for something."""
        async with asyncio.timeout(LIMIT_S):
            while not happened():
                await self.pilot.pause(0.05)

    async def at_prompt(self) -> None:
        """Wait until nothing runs in the shell."""

        def quiet() -> bool:
            runner = self.lesson.back.runner
            return bool(runner.shell and runner.shell.at_prompt and not runner.is_typing)

        await self.until(quiet)

    async def type_step(self) -> None:
        """Have all blocks of the step typed."""
        while self.lesson.back.log.upcoming():
            await self.at_prompt()
            await self.pilot.press("f5")
            await self.at_prompt()

    async def play(self, steps: int) -> None:
        """Do so many steps as the lesson says."""
        ids = [step.id for step in self.lesson.scene.outline]
        for following in ids[1 : steps + 1]:
            await self.type_step()
            await self.until(lambda: self.lesson.scene.is_done)
            await self.pilot.press("f9")
            await self.until(partial(self.is_at, following))
            await self.until(lambda: self.lesson.scene.findings is not None)


async def lesson(stage: Stage) -> None:
    """In the middle of a step: one fact holds, one does not."""
    await stage.play(2)
    await stage.pilot.press("f5")
    await stage.at_prompt()
    await stage.pilot.pause(0.5)


async def help_(stage: Stage) -> None:
    """The keys."""
    await stage.at_prompt()
    await stage.pilot.press("f1")
    await stage.pilot.pause(0.2)


async def mistake(stage: Stage) -> None:
    """A known wrong turn, told."""
    await stage.play(4)
    await stage.lesson.back.runner.run((WRONG_HASH,))
    await stage.until(lambda: bool(stage.lesson.scene.mistakes()))
    await stage.pilot.pause(0.5)


async def palette(stage: Stage) -> None:
    """Everything there is to do."""
    await stage.at_prompt()
    await stage.pilot.press("ctrl+g", "p")
    await stage.pilot.pause(0.5)


async def settings(stage: Stage) -> None:
    """What can be chosen."""
    await stage.at_prompt()
    await stage.pilot.press("ctrl+g", "e")
    await stage.pilot.pause(0.3)


async def map_(stage: Stage) -> None:
    """All lessons, some steps done."""
    await stage.play(3)
    await stage.pilot.press("ctrl+g", "m")
    await stage.until(lambda: isinstance(stage.app.screen, CourseScreen))
    await stage.pilot.pause(0.5)


async def finished(stage: Stage) -> None:
    """The end of the lesson."""
    await stage.play(len(stage.lesson.scene.outline) - 1)
    await stage.type_step()
    await stage.until(lambda: stage.lesson.scene.is_finished)
    await stage.pilot.press("f9")
    await stage.pilot.pause(0.5)


WRONG_HASH = """kubectl create secret generic pinny \\
    --namespace local-user-authenticator \\
    --from-literal=groups=group-for-mtls \\
    --from-literal=passwordHash=$(htpasswd -nbBC 10 x password123) \\
    --kubeconfig kind-with-contour.kubeconfig.yaml"""

LARGE, SMALL, HUGE = (120, 40), (80, 24), (200, 60)

PICTURES: dict[str, tuple[tuple[int, int], str, Scene]] = {
    "lesson-120x40": (LARGE, "tutor", lesson),
    "lesson-80x24": (SMALL, "tutor", lesson),
    "lesson-200x60": (HUGE, "tutor", lesson),
    "lesson-light": (LARGE, "tutor-light", lesson),
    "mistake": (LARGE, "tutor", mistake),
    "map": (LARGE, "tutor", map_),
    "help": (LARGE, "tutor", help_),
    "palette": (LARGE, "tutor", palette),
    "settings": (LARGE, "tutor", settings),
    "finished": (LARGE, "tutor", finished),
}


async def picture(name: str) -> None:
    """Make one of them."""
    size, theme, scene = PICTURES[name]
    # Before an audience, edits are made by themselves.
    shows_at = 50 if scene is finished else 0
    with tempfile.TemporaryDirectory(prefix="tutor-") as folder:
        # A learner's own folder, with the prompt that everybody knows.
        os.environ["HOME"] = folder
        (Path(folder) / ".bashrc").write_text("PS1='$ '\n", encoding="utf-8")
        home = Path(folder) / ".local" / "share" / "tutor"
        try:
            course = load_course(paths.lessons_dir())
            first = chosen(course, "")
            visit = Visit(lesson=first, environment=environment_of(first, "sandbox"), on="sandbox")
            desk = LocalDesk(home, Settings(shell="/bin/bash"), course)
            app = TutorApp(desk, visit, theme=theme, shows_at=shows_at)
            async with app.run_test(size=size, notifications=True) as pilot:
                stage = Stage(app, pilot)
                await scene(stage)
                text = app.export_screenshot(title="tutor")
                (ROOT / "assets" / f"{name}.svg").write_text(text, encoding="utf-8")
        finally:
            stop(home)


def main() -> None:
    """Make what is asked for."""
    for name in sys.argv[1:] or PICTURES:
        asyncio.run(picture(name))
        print(f"assets/{name}.svg")


if __name__ == "__main__":
    main()
