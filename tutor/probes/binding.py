"""A step's facts to something that can be judged, or faults at their lines."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from tutor.course.interpret import Node, interpret
from tutor.course.model import Environment, Fact, Grants, Mistake, Step, meant_for
from tutor.course.places import TREE_CHECK, Where
from tutor.errors import CourseError
from tutor.nearest import did_you_mean
from tutor.probes.base import Topic
from tutor.probes.catalogue import SOURCES
from tutor.probes.expression import Expression, ExpressionError, Language, Wanted
from tutor.probes.grants import refusal
from tutor.probes.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundGiven:
    """A name of a step and where its value comes from."""

    name: str
    source: Source[Any]
    spec: Node
    topics: tuple[Topic, ...]
    inputs: Mapping[str, Expression]
    """Those arguments that are expressions."""

    @property
    def needs(self) -> frozenset[str]:
        """The names its arguments use."""
        return frozenset[str]().union(*(each.names for each in self.inputs.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundFact:
    """A fact that can be judged."""

    fact: Fact
    that: Expression
    saw: Expression | None
    names: frozenset[str]
    """All names that its verdict depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundMistake:
    """A mistake that can be recognised."""

    mistake: Mistake
    when: Expression
    names: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundStep:
    """A step whose facts and mistakes can be judged."""

    step: Step
    language: Language
    givens: tuple[BoundGiven, ...]
    """Each after those whose values it needs."""
    facts: tuple[BoundFact, ...]
    mistakes: tuple[BoundMistake, ...]


def bind(step: Step, *, grants: Grants, environment: Environment) -> BoundStep:
    """Give a step's facts a meaning. Raises the first `CourseError`."""
    bound, faults = try_bind(step, grants=grants, environment=environment)
    if faults or bound is None:
        raise faults[0]
    return bound


def try_bind(
    step: Step, *, grants: Grants, environment: Environment
) -> tuple[BoundStep | None, list[CourseError]]:
    """The step bound, and all its faults; None when there is a fault."""
    binder = _Binder(step, grants, environment)
    bound = binder.bind()
    return (None if binder.faults else bound), binder.faults


@dataclass(frozen=True, slots=True)
class _Declared:
    """A name as it is written in the lesson."""

    where: Where
    source: str
    arguments: Any


class _Binder:
    def __init__(self, step: Step, grants: Grants, environment: Environment) -> None:
        self.faults: list[CourseError] = []
        self._grants = grants
        self._step = step
        self._facts = meant_for(environment, step.facts)
        self._mistakes = meant_for(environment, step.mistakes)
        self._declared: dict[str, _Declared] = {}
        for owner in (step, *self._facts, *self._mistakes):
            self._declare(owner)
        self._language = Language(self._declared)

    def bind(self) -> BoundStep:
        """Everything that can be bound; what cannot is among the faults."""
        given = [self._given(name, each) for name, each in self._declared.items()]
        givens = self._in_order([each for each in given if each is not None])
        reach = _reach(givens)
        facts = [self._fact(fact, reach) for fact in self._facts]
        mistakes = [self._mistake(mistake, reach) for mistake in self._mistakes]
        return BoundStep(
            step=self._step,
            language=self._language,
            givens=givens,
            facts=tuple(each for each in facts if each is not None),
            mistakes=tuple(each for each in mistakes if each is not None),
        )

    def _declare(self, owner: Step | Fact | Mistake) -> None:
        where = owner.where / "given"
        for name, sources in owner.given.items():
            here = where / name
            declared = self._one_source(here, name, sources)
            if declared is None:
                continue
            known = self._declared.setdefault(name, declared)
            if (known.source, known.arguments) != (declared.source, declared.arguments):
                self._fault(
                    here, f"`{name}` is given twice in this step, and not the same", key=True
                )

    def _one_source(self, here: Where, name: str, sources: Mapping[str, Any]) -> _Declared | None:
        if not _NAME.fullmatch(name) or name in _RESERVED:
            self._fault(
                here, f"`{name}` cannot be a name: letters and digits, not a word of CEL", key=True
            )
            return None
        if len(sources) != 1:
            self._fault(here, f"`{name}` needs exactly one source: {', '.join(SOURCES)}")
            return None
        (source, arguments), *_ = sources.items()
        if source not in SOURCES:
            near = did_you_mean(source, SOURCES)
            self._fault(here / source, f"unknown source `{source}`{near}", key=True)
            return None
        return _Declared(here / source, source, arguments)

    def _given(self, name: str, declared: _Declared) -> BoundGiven | None:
        source = SOURCES[declared.source]
        spec = cast("Node | None", interpret(source.spec, declared.where, self.faults))
        if spec is None:
            return None
        topics = source.watches(spec)
        for topic in topics:
            if why := refusal(topic, self._grants):
                self._fault(
                    declared.where,
                    f"the lesson has {why}",
                    next_action="Add the grant to lesson.yaml, or look at something else.",
                )
        inputs: dict[str, Expression] = {}
        for field in source.expressions:
            text: str | None = getattr(spec, field)
            if text is not None:
                alias = source.spec.model_fields[field].alias or field
                if expression := self._compile(text, declared.where / alias, "any"):
                    inputs[field] = expression
        return BoundGiven(name=name, source=source, spec=spec, topics=topics, inputs=inputs)

    def _in_order(self, givens: list[BoundGiven]) -> tuple[BoundGiven, ...]:
        """Each given after those it needs. A circle is a fault."""
        waiting = {each.name: each for each in givens}
        ordered: list[BoundGiven] = []
        while waiting:
            ready = [each for each in waiting.values() if not each.needs & waiting.keys()]
            if not ready:
                circle = ", ".join(sorted(waiting))
                self._fault(self._declared[min(waiting)].where, f"these need each other: {circle}")
                break
            ordered.extend(waiting.pop(each.name) for each in ready)
        return tuple(ordered)

    def _fact(self, fact: Fact, reach: Mapping[str, frozenset[str]]) -> BoundFact | None:
        that = self._compile(fact.that, fact.where / "that", "bool")
        saw = self._compile(fact.saw, fact.where / "saw", "string") if fact.saw else None
        if that is None or (fact.saw and saw is None):
            return None
        names = _closure(that.names, reach)
        if not names:
            self._fault(fact.where / "that", f"the fact `{fact.id}` looks at nothing that is given")
        if not fact.edge and self._asks_for_a_command(names):
            self._fault(
                fact.where,
                f"the fact `{fact.id}` is about a command, which happens once",
                next_action="Add `edge: true`, so that it stays true when the lesson is resumed.",
            )
        seen = names | (_closure(saw.names, reach) if saw else frozenset[str]())
        return BoundFact(fact=fact, that=that, saw=saw, names=seen)

    def _asks_for_a_command(self, names: frozenset[str]) -> bool:
        return any(self._declared[name].source == "shell" for name in names)

    def _mistake(
        self, mistake: Mistake, reach: Mapping[str, frozenset[str]]
    ) -> BoundMistake | None:
        when = self._compile(mistake.when, mistake.where / "when", "bool")
        if when is None:
            return None
        return BoundMistake(mistake=mistake, when=when, names=_closure(when.names, reach))

    def _compile(self, text: str, where: Where, wanted: Wanted) -> Expression | None:
        try:
            return self._language.compile(text, wanted=wanted)
        except ExpressionError as error:
            for fault in error.faults:
                known = ", ".join(self._declared) or "none"
                self.faults.append(
                    where.error(
                        fault.message,
                        offset=fault.offset,
                        next_action=f"Names given in this step: {known}.",
                    )
                )
            return None

    def _fault(
        self, where: Where, message: str, *, key: bool = False, next_action: str = TREE_CHECK
    ) -> None:
        self.faults.append(where.error(message, key=key, next_action=next_action))


def _reach(givens: tuple[BoundGiven, ...]) -> dict[str, frozenset[str]]:
    """Each name with all the names that its value depends on."""
    reach: dict[str, frozenset[str]] = {}
    for each in givens:
        reach[each.name] = frozenset({each.name}).union(*(reach[name] for name in each.needs))
    return reach


def _closure(names: frozenset[str], reach: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*(reach.get(name, frozenset({name})) for name in names))


def topics_of(bound: BoundStep) -> Iterator[Topic]:
    """Everything a step looks at, each once."""
    yield from dict.fromkeys(topic for given in bound.givens for topic in given.topics)


_NAME = re.compile(r"[a-z][A-Za-z0-9_]*")
_RESERVED = frozenset({
    "as", "bool", "break", "bytes", "const", "continue", "double", "duration", "dyn", "else",
    "false", "for", "function", "if", "import", "in", "int", "let", "list", "loop", "map",
    "namespace", "null", "null_type", "package", "return", "string", "timestamp", "true", "type",
    "uint", "var", "void", "while",
})  # fmt: skip
"""Source: cel-spec, langdef, *Syntax* (reserved words), and the names of types."""
