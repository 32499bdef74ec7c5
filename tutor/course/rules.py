"""What must hold in a lesson beyond the shape of its files. Pure: lessons in, faults out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from tutor.course.fieldpath import parse_path
from tutor.course.keynames import keys_have_actions
from tutor.course.model import (
    Answer,
    Choice,
    Course,
    Edit,
    Environment,
    Fact,
    File,
    Lesson,
    Look,
    Mistake,
    Run,
    Set,
    Step,
    Title,
    meant_for,
)
from tutor.course.places import Where
from tutor.errors import CourseError
from tutor.nearest import did_you_mean

Faults = Iterator[CourseError]
AnyBlock = Run | File | Edit | Look

HINTS_LEAST, HINTS_MOST = 2, 3


def broken_in_course(course: Course, title: Title) -> list[CourseError]:
    """Faults between the lessons of a course."""
    counts = Counter(lesson.id for lesson in course.lessons)
    faults = [
        (lesson.header.where / "id").error(
            f"two lessons have the id `{lesson.id}`",
            next_action="Give one of them another id.",
        )
        for lesson in course.lessons
        if counts[lesson.id] > 1
    ]
    if title.welcome and course.welcome is None:
        known = [lesson.id for lesson in course.lessons]
        faults.append(
            (title.where / "welcome").error(
                f"there is no lesson `{title.welcome}`{did_you_mean(title.welcome, known)}",
                next_action="Name one of the lessons, or take it out.",
            )
        )
    return faults


def broken_in(lesson: Lesson) -> list[CourseError]:
    """Faults of one lesson, in the order of its files."""
    return [fault for rule in LESSON_RULES for fault in rule(lesson)] + [
        fault for step in lesson.steps for rule in STEP_RULES for fault in rule(step, lesson)
    ]


def _steps_stand_once(lesson: Lesson) -> Faults:
    counts = Counter(lesson.header.order)
    for index, name in enumerate(lesson.header.order):
        if counts[name] > 1:
            yield (lesson.header.where / "steps" / index).error(
                f"the step `{name}` stands in the list twice"
            )


def _paths_stay_below(lesson: Lesson) -> Faults:
    header = lesson.header
    if header.kubeconfig is not None and not _is_below(header.kubeconfig):
        yield (header.where / "kubeconfig").error(_OUTSIDE.format(header.kubeconfig))
    for index, pattern in enumerate(header.grants.files):
        if not _is_below(pattern):
            yield (header.grants.where / "files" / index).error(_OUTSIDE.format(pattern))


def _cluster_has_a_kubeconfig(lesson: Lesson) -> Faults:
    grants = lesson.header.grants
    if not lesson.has_cluster and (grants.cluster or grants.namespaces):
        yield grants.where.error(
            "without `kubeconfig` the lesson has no cluster to look at",
            next_action="Add `kubeconfig` to lesson.yaml, or take `cluster` and `namespaces` out.",
        )


def _files_are_used(lesson: Lesson) -> Faults:
    if len(lesson.steps) < len(set(lesson.header.order)):
        return  # a step that could not be read may use them
    used = {
        block.source
        for step in lesson.steps
        for _, block in _blocks(step)
        if isinstance(block, File)
    }
    for name in lesson.files:
        if name not in used:
            yield CourseError(
                f"no `file` block uses files/{name}",
                file=lesson.folder / "files" / name,
                next_action="Delete it, or name it in a block's `from`.",
            )


def _ids_are_unique(step: Step, _lesson: Lesson) -> Faults:
    for key in ("facts", "mistakes", "ask"):
        items: Iterable[Fact | Mistake | Choice | Answer] = getattr(step, key)
        seen: set[str] = set()
        for item in items:
            if item.id in seen:
                yield (item.where / "id").error(f"the id `{item.id}` stands in `{key}` twice")
            seen.add(item.id)


def _environments_are_the_lessons(step: Step, lesson: Lesson) -> Faults:
    allowed = lesson.header.environments
    limited: list[Step | Fact | Mistake | AnyBlock] = [step, *step.facts, *step.mistakes]
    limited.extend(block for _, block in _blocks(step))
    for item in limited:
        for index, name in enumerate(item.only):
            # Without `only` an item has all environments; nothing is written then.
            if name not in allowed and "only" in item.where.value:
                yield (item.where / "only" / index).error(
                    f"the lesson is not for the environment `{name}`",
                    next_action="Add it to `environments` of lesson.yaml, or take it out here.",
                )


def _is_complete(step: Step, lesson: Lesson) -> Faults:
    if not step.debrief:
        yield step.where.error(
            "the key `debrief` is missing",
            next_action="Say what just happened and why it matters.",
        )
    for environment in lesson.header.environments:
        faults = list(_incomplete_on(environment, step)) if environment in step.only else []
        yield from faults
        if faults:
            return  # the other environments most often lack the same


def _incomplete_on(environment: Environment, step: Step) -> Faults:
    if not meant_for(environment, step.facts):
        yield (step.where / "facts").error(
            f"no fact tells in `{environment}` that the step is done",
            next_action="Write a fact, or limit the step with `only`.",
        )
    if all(isinstance(block, Look) for block in step.solved_by(environment)):
        yield (step.where / "solution").error(
            f"nothing solves the step in `{environment}`",
            next_action="Write `run`, `file` or `edit` blocks under `solution`.",
        )
    hints = meant_for(environment, step.hints)
    if not HINTS_LEAST <= len(hints) <= HINTS_MOST:
        yield (step.where / "hints").error(
            f"hints in `{environment}`: {len(hints)}, and a step has {HINTS_LEAST} or {HINTS_MOST}",
            next_action="Write hints from a nudge to the answer.",
        )
    elif any(line in hints[0].say for line in _telling_lines(step.solved_by(environment))):
        yield hints[0].where.error(
            "the first hint gives the solution away",
            next_action="Begin with a nudge; the command belongs in the last hint.",
        )


_SHORTEST_SOLUTION = 12
"""Characters. A shorter line (`EOF`, `fi`) may stand in a hint by chance."""


def _telling_lines(blocks: Iterable[AnyBlock]) -> Iterator[str]:
    for block in blocks:
        typed = block.run if isinstance(block, Run) else getattr(block, "edit", "")
        for line in typed.splitlines():
            words = line.strip().removesuffix("\\").strip()
            if len(words) >= _SHORTEST_SOLUTION and not words.startswith("#"):
                yield words


def _files_resolve(step: Step, lesson: Lesson) -> Faults:
    for where, block in _blocks(step):
        if isinstance(block, File):
            yield from _granted_file(block.file, where / "file", lesson)
            if block.source is not None and block.source not in lesson.files:
                near = did_you_mean(block.source, lesson.files)
                yield (where / "from").error(f"there is no files/{block.source}{near}")
        if isinstance(block, Edit):
            for change in block.changes:
                if change.source is not None:
                    yield from _granted_file(change.source, change.where / "from", lesson)
                yield from _path_reads(change)


def _path_reads(change: Set) -> Faults:
    try:
        parse_path(change.path)
    except ValueError as error:
        yield (change.where / "path").error(str(error))


def _granted_file(path: str, where: Where, lesson: Lesson) -> Faults:
    if not _is_below(path):
        yield where.error(_OUTSIDE.format(path))
    elif not any(fnmatchcase(path, pattern) for pattern in lesson.header.grants.files):
        yield where.error(
            f"the lesson has no grant for the file {path}",
            next_action=f"Add `{path}` to `grants: files:` of lesson.yaml.",
        )


def _questions_explain(step: Step, _lesson: Lesson) -> Faults:
    for question in step.ask:
        if isinstance(question, Answer):
            continue
        if not any(option.right for option in question.options):
            yield (question.where / "options").error(
                "no answer is the right one", next_action="Mark it with `right: true`."
            )
        for option in question.options:
            if not option.right and not option.why:
                yield option.where.error(
                    "a wrong answer without a `why`",
                    next_action="Say what somebody who chose it should know.",
                )


LESSON_RULES: tuple[Callable[[Lesson], Faults], ...] = (
    _steps_stand_once,
    _paths_stay_below,
    _cluster_has_a_kubeconfig,
    _files_are_used,
)
STEP_RULES: tuple[Callable[[Step, Lesson], Faults], ...] = (
    _ids_are_unique,
    _environments_are_the_lessons,
    _is_complete,
    _files_resolve,
    _questions_explain,
    keys_have_actions,
)

_OUTSIDE = "{} is not below the working folder"


def _is_below(path: str) -> bool:
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts and not path.startswith("~")


def _blocks(step: Step) -> Iterator[tuple[Where, AnyBlock]]:
    """Every block of a step, with its place."""
    solution = () if step.solution == "do" else step.solution
    made = [blocks for mistake in step.mistakes for blocks in (mistake.attempt, mistake.cure)]
    for blocks in [step.do, solution, step.reset, *made]:
        for block in blocks:
            yield block.where, block
