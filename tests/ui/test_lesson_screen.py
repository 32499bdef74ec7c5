"""What a learner can do and see in a lesson."""

import shutil
from pathlib import Path

import pytest

from tests.ui.lesson_world import LESSONS, SECRETS, playing, secret
from tutor.errors import ProgressError
from tutor.probes.base import Absent
from tutor.ui.backstage import NAMESPACES
from tutor.ui.screens.finished import FinishedScreen
from tutor.ui.screens.question import QuestionScreen
from tutor.ui.theme import DARK
from tutor.ui.widgets.block import BlockCard
from tutor.ui.widgets.quiz import Choice
from tutor.ui.widgets.steps import StepList
from tutor.ui.widgets.terminal import Terminal

pytestmark = pytest.mark.timeout(90)


async def test_step_is_shown_before_anything_is_started(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.sees("Make a Secret", "A Secret holds named values", "sandbox … starting")
        await play.sees("The file holds a word", "0 of 2 hold")
        assert play.app.theme_variables["primary"].lower() == str(DARK.primary)


async def test_facts_move_by_themselves_and_say_what_was_seen(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.sees("there is no file word.txt", "see it yourself: cat word.txt")
        (play.world.folder / "word.txt").write_text("hello\n", encoding="utf-8")
        await play.sees("✓ The file holds a word", "1 of 2 hold")
        play.world.cluster.put(SECRETS, secret("other\n"))
        await play.sees("the Secret holds other")
        play.world.cluster.put(SECRETS, secret("hello\n"))
        await play.sees("2 of 2 hold · F9 goes on", "Done: what just happened")


async def test_run_key_writes_the_file_and_types_the_command(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("f5")
        await play.until((play.world.folder / "word.txt").exists)
        await play.sees("✓ [write]")
        await play.press("f5")
        await play.sees("$ kubectl create secret generic greeting", "secret/greeting created")
        await play.sees("✓ [run]")
        assert isinstance(play.focused(), Terminal)


async def test_run_key_pressed_ahead_types_one_after_the_other(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("f5", "f5")
        await play.sees("✓ [write]", "✓ [run]")


async def test_run_key_pressed_twice_at_once_does_the_next_thing(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        play.screen.action_run()
        play.screen.action_run()
        await play.sees("✓ [write]", "✓ [run]")


async def test_run_key_does_a_step_again_whose_facts_do_not_hold_any_more(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("f5", "f5")
        await play.sees("✓ [write]", "✓ [run]")
        await play.solve_first()
        await play.prompt()
        await play.press("f5")
        await play.sees("All of this step has been typed.")
        (play.world.folder / "word.txt").unlink()
        await play.sees("✗ The file holds a word", "hold · F5 does it again · F9 goes on")
        await play.press("f5")
        await play.sees("✓ The file holds a word")


async def test_command_typed_by_hand_marks_its_block(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.type(
            "kubectl create secret generic greeting --namespace demo --from-file=word=word.txt"
        )
        await play.sees("✓ [run]")


async def test_run_key_leaves_alone_what_the_learner_runs(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("f5")
        await play.sees("✓ [write]")
        await play.type("cat")
        await play.sees("Shell · cat")
        await play.press("f5")
        await play.sees("`cat` still runs in the shell.")
        await play.press("ctrl+c")
        await play.prompt()


async def test_next_says_what_is_missing_and_opens_when_facts_hold(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("f9")
        await play.sees("Not yet: The file holds a word")
        assert play.screen.scene.step.id == "make-secret"
        await play.solve_first()
        await play.press("f9")
        await play.until(lambda: play.screen.scene.step.id == "read-it-back")
        await play.sees("Read the value with kubectl", "step 2 of 2")


async def test_known_mistake_is_told_and_goes_when_it_is_mended(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        play.world.cluster.put(SECRETS, secret("word.txt"))
        await play.sees("A known wrong turn", "That is the name of the file")
        play.world.cluster.put(SECRETS, secret("hello\n"))
        await play.sees_not("A known wrong turn")


async def test_help_goes_from_hints_to_the_solution_to_leaving_out(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.sees("hint 1 of 2")
        await play.press("f2")
        await play.sees("Hint 1 of 2", "lists the three kinds")
        await play.press("f2")
        await play.sees("Hint 2 of 2", "F2 solution")
        await play.press("f2")
        await play.sees("The solution")
        await play.press("f2")
        await play.until(lambda: isinstance(play.app.screen, QuestionScreen))
        await play.sees("Leave out “Make a Secret”?")
        await play.press("y")
        await play.until(lambda: play.screen.scene.step.id == "read-it-back")
        await play.sees("» ", "Make a Secret")


async def test_wrong_answer_is_told_why_and_can_be_mended(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.solve_first()
        await play.until(lambda: len(play.screen.query(Choice)) == 2)
        play.screen.query(Choice).last().focus()
        await play.press("enter")
        await play.sees("Base64 is a spelling, not a lock")
        await play.press("up", "enter")
        await play.sees("✓ Right.")
        answers = play.screen.scene.record.answers
        assert answers == {"encoding": "As base64"}


async def test_progress_is_there_again_in_another_app(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("f2")
        await play.sees("Hint 1 of 2")
        await play.solve_first()
        await play.press("f9")
        await play.until(lambda: play.screen.scene.step.id == "read-it-back")
    async with playing(tmp_path) as play:
        await play.sees("Read it back", "step 2 of 2")
        await play.open()
        await play.press("f3", "up", "enter")
        await play.sees("Make a Secret · ✓ done", "Hint 1 of 2")


async def test_leaving_asks_only_when_something_runs(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.type("cat")
        await play.sees("Shell · cat")
        await play.press("f10")
        await play.sees("Leave tutor?", "`cat` still runs")
        await play.press("escape", "ctrl+c")
        await play.prompt()
        await play.press("f10")
        await play.until(lambda: not play.app.is_running)
    assert play.app.return_value is None


async def test_step_that_is_not_open_says_which_comes_first(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("f3")
        assert isinstance(play.focused(), StepList)
        await play.press("down", "enter")
        await play.sees("The step 'Read it back' is not open yet.", "Do 'Make a Secret' first.")


async def test_cluster_that_goes_is_told(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.sees("sandbox ● answers")
        play.world.cluster.say(NAMESPACES, Absent("there is no cluster"))
        await play.sees("sandbox ○ no cluster yet")
        assert "The cluster is gone" not in play.text()


async def test_step_that_needs_a_cluster_says_which_one_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = tmp_path / "lessons"
    shutil.copytree(LESSONS, lessons)
    step = lessons / "10-first-secret" / "steps" / "make-secret.yaml"
    text = step.read_text(encoding="utf-8")
    makes = "do:\n  - run: kind create cluster --kubeconfig demo.kubeconfig.yaml\n"
    step.write_text(text.replace("do:\n", makes, 1), encoding="utf-8")
    monkeypatch.setattr("tests.ui.lesson_world.LESSONS", lessons)
    async with playing(tmp_path) as play:
        await play.open()
        await play.solve_first()
        await play.press("f9")
        await play.until(lambda: play.screen.scene.step.id == "read-it-back")
        play.world.cluster.say(NAMESPACES, Absent("there is no cluster"))
        await play.sees("sandbox ✗ the cluster is gone", "◆ The cluster is gone")
        await play.sees("Step 1, “Make a Secret”, makes one. F3 leads there.")


async def test_lesson_that_is_open_elsewhere_ends_the_app_with_the_reason(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        play.desk.failure = ProgressError("It is open elsewhere.", next_action="Go on there.")
        play.desk.gate.set()
        await play.until(lambda: not play.app.is_running)
    assert play.app.return_value is play.desk.failure


async def test_last_step_ends_with_what_one_can_do_now(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.solve_first()
        await play.press("f9")
        await play.until(lambda: play.screen.scene.step.id == "read-it-back")
        for _ in range(3):
            await play.press("f2")
            await play.pilot.pause()
        await play.sees("The solution")
        play.screen.action_skip()
        await play.sees("Leave out")
        await play.press("y")
        await play.until(lambda: play.screen.scene.is_finished)
        await play.press("f2")
        await play.sees("This step is done.", "F9 ends it.")
        await play.press("f9")
        await play.until(lambda: isinstance(play.app.screen, FinishedScreen))
        await play.sees("You have finished", "1 steps done, 1 left out", "where a Secret keeps")
        await play.sees_not("This step is done.")


async def test_block_is_done_by_enter_and_copied_by_c(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("f6", "tab")
        assert isinstance(play.focused(), BlockCard)
        await play.press("c")
        assert play.app.clipboard == "hello\n"
        await play.press("enter")
        await play.until((play.world.folder / "word.txt").exists)


async def test_what_is_said_of_a_step_goes_when_more_of_it_is_done(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("f9")
        await play.sees("Not yet: The file holds a word")
        (play.world.folder / "word.txt").write_text("hello\n", encoding="utf-8")
        await play.sees_not("Not yet: The file holds a word")
        await play.press("f9")
        await play.sees("Not yet: The Secret holds")
        play.world.cluster.put(SECRETS, secret("hello\n"))
        await play.sees_not("Not yet:")


async def test_key_bar_says_that_it_types_only_while_it_does(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        play.screen.action_see("word-file")
        await play.sees("cat: word.txt:")
        await play.prompt()
        await play.sees_not("F5 runs")
