"""What a lesson says: courses, lessons, steps, facts, mistakes, hints and blocks.

A fact's `given` and `that` are not interpreted here: `where` keeps their place for messages, and
the probes give them a meaning.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol, TypeVar, get_args

from tutor.course.limits import Duration, Key, Limits, Slug, Text
from tutor.course.part import Part

Environment = Literal["sandbox", "kind", "context"]
ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)

FORMAT = 1
"""The version of the lesson format that this program reads."""

Only = Annotated[tuple[Environment, ...], Limits(min_length=1)]
"""The environments that something is for."""


class Limited(Protocol):
    """Something that may be for some environments only."""

    @property
    def only(self) -> tuple[Environment, ...]:
        """The environments it is for."""
        ...


L = TypeVar("L", bound=Limited)


def meant_for(environment: Environment, items: Iterable[L]) -> tuple[L, ...]:
    """Those of the items that count in this environment."""
    return tuple(item for item in items if environment in item.only)


class Run(Part):
    """Commands for the learner's shell, shown as they will be typed."""

    run: Text
    note: str = ""
    """Markdown above the commands."""
    only: Only = ENVIRONMENTS


class File(Part):
    """A file below the working folder, written whole."""

    file: Text
    """Its path below the working folder."""
    content: str | None = None
    source: Annotated[Text | None, Key("from")] = None
    """A file of the lesson's `files/` folder that has the content."""
    note: str = ""
    only: Only = ENVIRONMENTS


class Set(Part):
    """One change to a YAML document."""

    opaque: ClassVar[frozenset[str]] = frozenset({"to"})

    path: Text
    """For example `spec.tls.secretName`, `spec.ports[0].name`, `metadata.labels["a.b/c"]`."""
    to: Any = None
    """The value itself."""
    source: Annotated[Text | None, Key("from")] = None
    """A file below the working folder whose text, without the newline at its end, is the value."""
    remove: bool = False


class Edit(Part):
    """A command that opens an editor, and what is changed there when the lesson plays itself."""

    edit: Text
    """The command, such as `kubectl edit …`."""
    changes: Annotated[tuple[Set, ...], Limits(min_length=1), Key("set")]
    note: str = ""
    only: Only = ENVIRONMENTS


class Look(Part):
    """A read-only command that shows something worth seeing."""

    look: Text
    note: str = ""
    only: Only = ENVIRONMENTS


Block = Run | File | Edit | Look

Given = dict[str, dict[str, Any]]
"""Name to `{source: its arguments}`."""

NO_GIVEN: Given = {}


class Fact(Part):
    """Something that has to hold before the step is done."""

    opaque: ClassVar[frozenset[str]] = frozenset({"given"})

    id: Slug
    label: Text
    given: Given = NO_GIVEN
    that: Text
    saw: str | None = None
    """An expression for the text of what was seen; None for a text made from `that`."""
    show: Text
    """A read-only command that shows the same to the learner."""
    settle: Duration = timedelta(0)
    """How long it must hold."""
    edge: bool = False
    """It happened: once seen true it stays true."""
    only: Only = ENVIRONMENTS


class Mistake(Part):
    """A wrong turn that the lesson knows, and what it says then."""

    opaque: ClassVar[frozenset[str]] = frozenset({"given"})

    id: Slug
    given: Given = NO_GIVEN
    when: Text
    say: Text
    attempt: Annotated[tuple[Block, ...], Limits(min_length=1), Key("try")]
    """Blocks that make this mistake."""
    cure: tuple[Block, ...] = ()
    """What `say` advises to do before the solution, where the solution alone does not help."""
    settle: Duration = timedelta(seconds=1)
    """How long it must last before it is told: a command that runs passes through odd states."""
    only: Only = ENVIRONMENTS


class Hint(Part):
    """One rung of the ladder."""

    say: Text
    only: Only = ENVIRONMENTS


class Option(Part):
    """One answer to choose."""

    answer: Text
    right: bool = False
    why: str = ""
    """Why it is right or wrong; a wrong one has to say it."""


class Choice(Part):
    """A question with answers to choose from; `predict` is asked before the step is done."""

    id: Slug
    kind: Literal["choice", "predict"]
    question: Text
    options: Annotated[tuple[Option, ...], Limits(min_length=2)]


class Answer(Part):
    """A question that is answered by typing."""

    id: Slug
    kind: Literal["text"]
    question: Text
    accept: Annotated[tuple[Text, ...], Limits(min_length=1)]
    """Right answers; capitals and blanks around them do not count."""
    why: Text
    """What to tell somebody who answered something else."""


Question = Choice | Answer


class Step(Part):
    """One thing to do, and the facts that tell that it is done."""

    opaque: ClassVar[frozenset[str]] = frozenset({"given"})

    id: Slug
    title: Text
    minutes: Annotated[float, Limits(ge=0.5, le=60, multiple_of=0.5)]
    say: Text
    do: tuple[Block, ...] = ()
    given: Given = NO_GIVEN
    """What several facts of this step look at."""
    facts: tuple[Fact, ...]
    mistakes: tuple[Mistake, ...] = ()
    hints: tuple[Hint, ...] = ()
    solution: Literal["do"] | tuple[Block, ...]
    """What is typed to solve it; `do` for the blocks of `do`."""
    ask: tuple[Question, ...] = ()
    debrief: str = ""
    only: Only = ENVIRONMENTS
    skip: Literal["allowed", "with-solution", "never"] = "with-solution"
    reset: tuple[Block, ...] = ()
    """What brings an environment without snapshots back to where the step began."""

    def solved_by(self, environment: Environment) -> tuple[Run | File | Edit | Look, ...]:
        """The blocks that solve the step."""
        blocks = self.do if self.solution == "do" else self.solution
        return meant_for(environment, blocks)


class Tool(Part):
    """A command that the lesson's steps use."""

    name: Text
    version: str = ""
    """The oldest that will do; empty for any."""
    only: Only = ENVIRONMENTS


class Grants(Part):
    """What a lesson may touch."""

    cluster: bool = False
    """Objects of the whole cluster and of every namespace."""
    namespaces: tuple[Text, ...] = ()
    files: tuple[Text, ...] = ()
    """Patterns of paths below the working folder, such as `*.yaml`."""
    hosts: tuple[Text, ...] = ()
    """Names or addresses to connect to, such as `localhost`, `127.0.0.1:443`, `$TUTOR_INGRESS`."""
    commands: tuple[Text, ...] = ()
    """Command lines that a probe may run, whole and exact."""


class Header(Part):
    """What `lesson.yaml` says."""

    format: Annotated[int, Limits(ge=1)]
    id: Slug
    title: Text
    summary: Text
    objectives: Annotated[tuple[Text, ...], Limits(min_length=1)]
    requirements: tuple[Text, ...] = ()
    """What a learner should know or have, in words."""
    tools: tuple[Tool, ...] = ()
    environments: Only
    kubeconfig: Text | None = None
    """The kubeconfig that the probes use: a path below the working folder.

    Left out: the lesson has no cluster, and none is started for it.
    """
    grants: Grants
    order: Annotated[tuple[Slug, ...], Limits(min_length=1), Key("steps")]
    """The ids of the steps, first to last."""


class Title(Part):
    """What `course.yaml` says."""

    title: Text
    summary: str = ""
    welcome: Slug | None = None
    """The id of the lesson that shows how lessons work: offered at the very first start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A lesson and its steps, in order."""

    folder: Path
    header: Header
    steps: tuple[Step, ...]
    files: tuple[str, ...] = ()
    """Paths below the lesson's `files/`."""

    @property
    def id(self) -> str:
        """The lesson's stable name."""
        return self.header.id

    def steps_on(self, environment: Environment) -> tuple[Step, ...]:
        """The steps of this environment, in order."""
        return meant_for(environment, self.steps)

    def minutes_on(self, environment: Environment, *, without: Collection[str] = ()) -> int:
        """How long the steps of this environment take, in whole minutes, but for some."""
        steps = self.steps_on(environment)
        return ceil(sum(step.minutes for step in steps if step.id not in without))

    def step(self, step_id: str) -> Step:
        """The step of that id. Raises `KeyError` when there is none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    @property
    def has_cluster(self) -> bool:
        """Whether it needs one."""
        return self.header.kubeconfig is not None

    @property
    def kubeconfig(self) -> str:
        """Where its kubeconfig is, below the working folder; without a cluster nothing is there."""
        return self.header.kubeconfig or "no-cluster.kubeconfig.yaml"

    def text(self, path: str) -> str:
        """A file of the lesson's `files/` folder."""
        return (self.folder / "files" / path).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """All lessons of one folder, in order."""

    folder: Path
    title: str
    summary: str = ""
    lessons: tuple[Lesson, ...] = ()
    welcome: Lesson | None = None
    """The lesson that shows how lessons work; one of them all."""

    @property
    def first(self) -> Lesson | None:
        """The first lesson about the matter itself; None when there is no lesson at all."""
        others = [lesson for lesson in self.lessons if lesson != self.welcome]
        return next(iter(others or self.lessons), None)

    def lesson(self, lesson_id: str) -> Lesson:
        """The lesson of that id. Raises `KeyError` when there is none."""
        for lesson in self.lessons:
            if lesson.id == lesson_id:
                return lesson
        raise KeyError(lesson_id)
