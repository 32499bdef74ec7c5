"""Pictures of the app: the real program, its real shell, a sandbox of its own.

    python .ci/assets.py

Writes every screen in every size and look to `build/pictures/SCREEN-SIZE-LOOK.svg`, the recording
of the first two minutes to `build/pictures`, and what the documents show of all that to `assets`.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from animation import animated
from recording import recorded
from textual.pilot import Pilot

from tutor import paths
from tutor.cli.app import LocalDesk
from tutor.cli.choice import environment_of
from tutor.cli.cluster import stop
from tutor.course.loader import load_course
from tutor.settings import Settings
from tutor.ui.app import TutorApp
from tutor.ui.ports import Visit
from tutor.ui.screens.course import CourseScreen
from tutor.ui.screens.finished import FinishedScreen
from tutor.ui.screens.lesson import LessonScreen
from tutor.ui.screens.welcome import WelcomeScreen
from tutor.ui.theme import DARK, LIGHT

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "build" / "pictures"
LIMIT_S = 120.0
SETTLED_S = 0.4
"""After which a screen that is resized looks as it will."""

SIZES = ((80, 24), (120, 40), (200, 60))
LOOKS = {
    "with colours": {"dark": DARK.name, "light": LIGHT.name},
    "without colour": {"no-colour": DARK.name},
}
"""For each run: what its looks are called, and their themes."""

SHOWN = {
    "first-minutes": "first-minutes",
    "mistake-120x40-dark": "mistake",
    **{name: name for name in ("lesson-80x24-dark", "lesson-120x40-light", "shells-200x60-dark")},
    **{name: name for name in ("map-begun-80x24-dark", "finished-120x40-dark")},
}
"""What the documents show, and what it is called there."""

Scene = Callable[["Stage"], Awaitable[None]]


class Stage:
    """The app, and hands on it."""

    def __init__(self, app: TutorApp, pilot: Pilot, themes: Mapping[str, str]) -> None:
        self.app = app
        self.pilot = pilot
        self._themes = themes

    async def take(self, name: str) -> None:
        """Take the screen in all sizes and looks."""
        self.app.clear_notifications()
        for look, theme in self._themes.items():
            self.app.theme = theme
            for size in SIZES:
                await self.pilot.resize_terminal(*size)
                await self.pilot.pause(SETTLED_S)
                text = self.app.export_screenshot(title="tutor")
                path = PICTURES / f"{name}-{size[0]}x{size[1]}-{look}.svg"
                path.write_text(text, encoding="utf-8")
        self.app.theme = next(iter(self._themes.values()))
        await self.pilot.resize_terminal(*SIZES[1])

    @property
    def lesson(self) -> LessonScreen:
        """The screen of the lesson, which may be below another."""
        return next(each for each in self.app.screen_stack if isinstance(each, LessonScreen))

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
        for _ in range(steps):
            await self.type_step()
            await self.until(lambda: self.lesson.scene.is_done)
            await self.go_on()

    async def go_on(self) -> None:
        """Turn to the next step."""
        here = self.lesson.scene.step.id
        await self.pilot.press("f9")
        await self.until(lambda: self.lesson.scene.step.id != here)
        await self.until(lambda: self.lesson.scene.findings is not None)


WRONG_HASH = """kubectl create secret generic pinny \\
    --namespace local-user-authenticator \\
    --from-literal=groups=group-for-mtls \\
    --from-literal=passwordHash=$(htpasswd -nbBC 10 x password123) \\
    --kubeconfig kind-with-contour.kubeconfig.yaml"""


async def first_start(stage: Stage) -> None:
    """The welcome, and the map of all lessons."""
    await stage.until(lambda: isinstance(stage.app.screen, WelcomeScreen))
    await stage.take("welcome")
    await stage.pilot.press("escape")
    await stage.until(lambda: isinstance(stage.app.screen, CourseScreen))
    await stage.take("map")


async def lesson(stage: Stage) -> None:
    """In the middle of a lesson: facts, a wrong turn, and all that opens over it."""
    press = stage.pilot.press
    await stage.play(2)
    await press("f5")
    await stage.at_prompt()
    await stage.take("lesson")
    await stage.type_step()
    await stage.until(lambda: stage.lesson.scene.is_done)
    await stage.take("step-done")
    await stage.go_on()
    await stage.play(1)
    await stage.lesson.back.runner.run((WRONG_HASH,))
    await stage.until(lambda: bool(stage.lesson.scene.mistakes()))
    await stage.take("mistake")
    await press("f2", "f2")
    await stage.take("hint")
    for keys, name in OVER_IT.items():
        await press(*keys)
        await stage.take(name)
        await press("escape", "escape")
    await press("ctrl+g", "c")
    await stage.until(lambda: len(stage.lesson.back.shells.all) > 1)
    await stage.at_prompt()
    await stage.take("shells")
    await press("ctrl+g", "m")
    await stage.until(lambda: isinstance(stage.app.screen, CourseScreen))
    await stage.take("map-begun")


OVER_IT = {
    ("f1",): "help",
    ("f3",): "steps",
    ("f8",): "facts",
    ("ctrl+g", "p"): "palette",
    ("ctrl+g", "e"): "settings",
    ("ctrl+g", "k"): "keys",
}


async def presented(stage: Stage) -> None:
    """Before an audience, to the end."""
    await stage.at_prompt()
    await stage.take("presenter")
    await stage.play(len(stage.lesson.scene.outline) - 1)
    await stage.type_step()
    await stage.until(lambda: stage.lesson.scene.is_finished)
    await stage.pilot.press("f9")
    await stage.until(lambda: isinstance(stage.app.screen, FinishedScreen))
    await stage.take("finished")


async def act(scene: Scene, home: Path, themes: Mapping[str, str]) -> None:
    """Take the pictures of one run."""
    course = load_course(paths.lessons_dir())
    # The last one: the first shows how lessons work.
    told = course.lessons[-1]
    visit = Visit(lesson=told, environment=environment_of(told, "sandbox"), on="sandbox")
    pace = "instant" if scene is presented else "watchable"
    desk = LocalDesk(home, Settings(shell="/bin/bash", pace=pace), course)
    app = TutorApp(
        desk,
        None if scene is first_start else visit,
        # Before an audience, edits are made by themselves.
        shows_at=50 if scene is presented else 0,
    )
    async with app.run_test(size=SIZES[1], notifications=True) as pilot:
        await scene(Stage(app, pilot, themes))


def take_all() -> None:
    """Take every picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for look, themes in LOOKS.items():
        os.environ.pop("NO_COLOR", None)
        os.environ["COLORTERM"] = "truecolor"
        if look == "without colour":
            os.environ["NO_COLOR"] = "1"
        for scene in (first_start, lesson, presented):
            with tempfile.TemporaryDirectory(prefix="tutor-") as folder:
                # A learner's own folder, with the prompt that everybody knows.
                os.environ["HOME"] = folder
                (Path(folder) / ".bashrc").write_text("PS1='$ '\n", encoding="utf-8")
                home = Path(folder) / ".local" / "share" / "tutor"
                try:
                    asyncio.run(act(scene, home, themes))
                finally:
                    stop(home)


def main() -> None:
    """Make all of them, and keep what is shown."""
    take_all()
    cast = PICTURES / "first-minutes.cast"
    cast.write_text(recorded(), encoding="utf-8")
    (PICTURES / "first-minutes.svg").write_text(
        animated(cast.read_text(encoding="utf-8")), encoding="utf-8"
    )
    for name, target in SHOWN.items():
        shutil.copyfile(PICTURES / f"{name}.svg", ROOT / "assets" / f"{target}.svg")
        print(f"assets/{target}.svg")
    print(f"{len(list(PICTURES.glob('*.svg')))} pictures in {PICTURES.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
