"""A question of the lesson: to choose from, or to type. A wrong answer is told why."""

from typing import NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static

from tutor.course.model import Answer, Option, Question
from tutor.ui.keys import bind
from tutor.ui.widgets.prose import Prose
from tutor.value import filled


class Outcome(NamedTuple):
    """What an answer is worth, and what to say."""

    sign: str
    text: str


def judged(question: Question, answer: str, *, is_done: bool) -> Outcome:
    """What to say to an answer. A prediction is not told before the step is done."""
    if isinstance(question, Answer):
        is_right = answer.strip().casefold() in {each.casefold() for each in question.accept}
        return Outcome("✓", "Right.") if is_right else Outcome("✗", question.why)
    option = next((each for each in question.options if each.answer == answer), None)
    if option is None:
        return Outcome("✗", "This answer is not offered any more; choose again.")
    if question.kind == "predict" and not is_done:
        return Outcome("◦", "That is your prediction. The step will tell.")
    if option.right:
        return Outcome("✓", f"Right. {option.why}".rstrip())
    return Outcome("✗", option.why)


class Choice(Static, can_focus=True):
    """One answer to choose."""

    BINDINGS = [  # noqa: RUF012 - as the library has it
        bind("question.pick", "enter,space", "pick", "Give this answer"),
        Binding("down,j", "step(1)", "Next answer", show=False),
        Binding("up,k", "step(-1)", "Answer before", show=False),
    ]

    @filled
    class Picked(Message):
        """The learner chose it."""

        choice: "Choice"

        @property
        def control(self) -> "Choice":
            return self.choice

    def __init__(self, option: Option, letter: str) -> None:
        super().__init__(markup=False)
        self.option = option
        self.letter = letter

    def mark(self, sign: str) -> None:
        """Show what this answer is worth; empty when it was not chosen."""
        self.update(f"{sign or ' '} {self.letter}  {self.option.answer}")

    def on_click(self) -> None:
        self.action_pick()

    def action_pick(self) -> None:
        """Answer."""
        self.post_message(self.Picked(self))

    def action_step(self, by: int) -> None:
        """Go to a neighbour."""
        if by > 0:
            self.screen.focus_next(Choice)
        else:
            self.screen.focus_previous(Choice)


class Quiz(Vertical):
    """One question. It can be answered again; the last answer is kept."""

    HELP = "A question. Enter or a click answers it; it may be answered again."

    DEFAULT_CSS = """
    Quiz {
        height: auto;
        max-width: 98;
        margin: 0 0 1 0;
        padding: 0 1;
        border-left: outer $secondary;
        & > .title { color: $secondary; text-style: bold; }
        & > Choice {
            height: auto;
            padding: 0 1;
            &:hover { background: $panel; }
            &:focus { background: $panel; text-style: bold; }
        }
        & > Input { height: 1; border: none; padding: 0 1; background: $panel; }
        & > .outcome { margin: 0 0 0 1; }
        &.-right > .outcome { color: $success; }
        &.-wrong > .outcome { color: $warning; }
    }
    """

    answer: reactive[str] = reactive("")
    is_done: reactive[bool] = reactive(False)
    """Whether the step is done, which tells predictions."""

    @filled
    class Answered(Message):
        """The learner answered."""

        quiz: "Quiz"
        question: str
        """Its id."""
        answer: str

        @property
        def control(self) -> "Quiz":
            return self.quiz

    def __init__(self, question: Question) -> None:
        super().__init__(id=f"question-{question.id}")
        self.question = question

    def compose(self) -> ComposeResult:
        title = "? predict, before you try" if self.question.kind == "predict" else "? a question"
        yield Static(title, classes="title", markup=False)
        yield Prose(self.question.question)
        if isinstance(self.question, Answer):
            box = Input(placeholder="type your answer, then Enter")
            box.cursor_blink = False
            yield box
        else:
            for letter, option in zip("abcdefghijkl", self.question.options, strict=False):
                yield Choice(option, letter)
        yield Prose("", classes="outcome")

    def on_mount(self) -> None:
        self._draw()

    def watch_answer(self) -> None:
        self._draw()

    def watch_is_done(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if not self.children:
            return
        outcome = judged(self.question, self.answer, is_done=self.is_done) if self.answer else None
        for choice in self.query(Choice):
            is_chosen = outcome is not None and choice.option.answer == self.answer
            choice.mark(outcome.sign if outcome and is_chosen else "")
        words = self.query_one(".outcome", Prose)
        words.display = outcome is not None
        words.update(f"{outcome.sign} {outcome.text}" if outcome else "")
        self.set_class(outcome is not None and outcome.sign == "✓", "-right")
        self.set_class(outcome is not None and outcome.sign == "✗", "-wrong")

    def on_choice_picked(self, event: Choice.Picked) -> None:
        event.stop()
        self.post_message(self.Answered(self, self.question.id, event.choice.option.answer))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.post_message(self.Answered(self, self.question.id, event.value))
