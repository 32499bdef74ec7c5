"""`x-kubernetes-validations`: judge values by the rules of their schema.

Source: apiextensions-apiserver (`pkg/apiserver/schema/cel/validation.go`). What rules cost is not
counted when they run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tutor.sandbox.api.status import FieldError, invalid
from tutor.sandbox.api.structural.cel.checking.declared import SELF_TYPE, declare
from tutor.sandbox.api.structural.cel.errors import EvaluationError, SyntaxFailure
from tutor.sandbox.api.structural.cel.values import differs, to_cel
from tutor.sandbox.api.structural.correlation import ABSENT, same, same_item
from tutor.sandbox.api.structural.schema import Rule, Schema, read_rule
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Object

_STRINGS = re.compile(r"""r?('''|\"\"\"|'|")(?:\\.|(?!\1).)*\1""", re.DOTALL)
_OLD_SELF = re.compile(r"(?<![\w.])oldSelf\b")
_STEP = re.compile(r"\.([^.\[\]]+)|\['((?:\\.|[^'\\])*)'\]")
_REASONS = {
    "FieldValueForbidden": ("Forbidden", False),
    "FieldValueRequired": ("Required value", False),
    "FieldValueDuplicate": ("Duplicate value", True),
    "FieldValueInvalid": ("Invalid value", True),
}
_MAX_MESSAGE = 5 * 1024
_TYPE_META = ("apiVersion", "kind")


class _Pair(NamedTuple):
    """A new value and the old one that it is compared with."""

    new: Any
    old: Any


class _Kept(NamedTuple):
    """Whether a value is what it was: its own pair, or that of the nearest value around it."""

    own: _Pair | None = None
    around: _Pair | None = None

    @property
    def unchanged(self) -> bool:
        pair = self.own or self.around
        return pair is not None and same(pair.new, pair.old)

    def at(self, old: Any, new: Any) -> "_Kept":
        if self.own is None:
            return self
        return _Kept(None if old is ABSENT else _Pair(new, old), self.own)


class _Bound:
    """A rule, compiled when it is first evaluated.

    With a schema it is checked first: rules of definitions that were let in need no check.
    """

    __slots__ = ("_message", "_program", "_schema", "path", "rule", "uses_old")

    def __init__(self, rule: Rule, schema: Schema | None = None) -> None:
        self.rule = rule
        self._schema = schema
        self.uses_old = uses_old_self(rule.rule)
        self.path = field_path(rule.field_path)
        self._program: Any = None
        self._message: Any = None

    def holds(self, self_value: Any, old: Any) -> bool:
        if self._program is None:
            self._check()
            self._program = self._compiled(self.rule.rule)
        return self._program.run(self_value, old, has_old=old is not None) is True

    def message(self, self_value: Any, old: Any) -> str:
        rule = self.rule
        if rule.message_expression:
            try:
                if self._message is None:
                    self._message = self._compiled(rule.message_expression)
                found = self._message.run(self_value, old, has_old=old is not None)
            except (EvaluationError, SyntaxFailure):
                # The real server logs this, and falls back to the rule's own words.
                found = ""
            text = found.strip() if isinstance(found, str) else ""
            if text and "\n" not in text and len(text) <= _MAX_MESSAGE:
                return text
        return rule.message.strip() or f"failed rule: {rule.rule.strip()}"

    def _check(self) -> None:
        schema = self._schema
        declared = declare(schema, SELF_TYPE, root=schema.embedded) if schema is not None else None
        if declared is None:
            return
        from tutor.sandbox.api.structural.cel.checking import rule  # noqa: PLC0415 (as below)

        optional = self.rule.optional_old_self
        told = rule.compile_rule(self.rule.rule, declared, optional_old=optional)
        if told.failure:
            raise SyntaxFailure(told.failure)
        if told.type != "bool":
            raise SyntaxFailure("cel expression must evaluate to a bool")

    def _compiled(self, text: str) -> Any:
        # The engine takes 15 MB, which clusters without rules need not pay.
        from tutor.sandbox.api.structural.cel import engine  # noqa: PLC0415

        optional = self.rule.optional_old_self and self.uses_old
        return engine.compile_expression(text.strip(), optional_old=optional)


def uses_old_self(text: str) -> bool:
    """Whether an expression looks at the old value."""
    return bool(_OLD_SELF.search(_STRINGS.sub("''", text)))


def field_path(json_path: str) -> str:
    """A rule's `fieldPath` as complaints have it: `.spec['a.b']` is `spec.a.b`."""
    return ".".join(name or key for name, key in _STEP.findall(json_path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The rules for one value, and those below it."""

    schema: Schema
    bound: tuple[_Bound, ...]
    converts: bool
    all_of: tuple["Level", ...]
    properties: Mapping[str, "Level"]
    additional: "Level | None"
    items: "Level | None"

    def judge(self, new: Any, old: Any = ABSENT) -> list[FieldError]:
        """Complaints of all rules about an object, or about a change from an old one."""
        kept = _Kept() if old is ABSENT else _Kept(_Pair(new, old))
        return list(_judge(self, new, None if old is ABSENT else old, "", kept))


def read_rules(validation: Object, schema: Schema, *, checks: bool = False) -> Level | None:
    """The rules that a JSONSchemaProps has for values of a schema; None when it has none.

    With `checks` nobody has looked yet whether they make sense.
    """
    checked_by = schema if checks else None
    bound = tuple(
        _Bound(read_rule(rule), checked_by)
        for rule in validation.get("x-kubernetes-validations") or ()
    )
    all_of = tuple(
        level
        for one in validation.get("allOf") or ()
        if (level := read_rules(one, schema, checks=checks))
    )
    given: dict[str, Object] = validation.get("properties") or {}
    properties = {
        name: level
        for name in sorted(given)
        if (sub := schema.properties.get(name))
        and (level := read_rules(given[name], sub, checks=checks))
    }
    extra, inner = validation.get("additionalProperties"), validation.get("items")
    additional = (
        read_rules(extra, schema.additional, checks=checks)
        if is_map(extra) and schema.additional
        else None
    )
    items = (
        read_rules(inner, schema.items, checks=checks) if is_map(inner) and schema.items else None
    )
    if not (bound or all_of or properties or additional or items):
        return None
    return Level(
        schema=schema,
        bound=bound,
        converts=differs(schema) if bound else False,
        all_of=all_of,
        properties=properties,
        additional=additional,
        items=items,
    )


def _judge(level: Level, new: Any, old: Any, path: str, kept: _Kept) -> Iterator[FieldError]:
    if new is None:
        return
    if level.bound:
        yield from _judge_here(level, new, old, path, kept)
    for one in level.all_of:
        yield from _judge(one, new, old, path, _Kept(None, kept.around))
    if is_list(new):
        if level.items is not None:
            yield from _judge_items(level, new, old, path, kept)
    elif is_map(new):
        yield from _judge_fields(level, new, old if is_map(old) else {}, path, kept)


def _judge_items(
    level: Level, new: list[Any], old: Any, path: str, kept: _Kept
) -> Iterator[FieldError]:
    assert level.items is not None  # noqa: S101 (the caller has looked)
    before = old if is_list(old) and level.schema.list_type == "map" else []
    for index, item in enumerate(new):
        was = same_item(item, before, level.schema.list_keys)
        at = f"{path}[{index}]"
        own = None if was is ABSENT else was
        yield from _judge(level.items, item, own, at, kept.at(was, item))


def _judge_fields(
    level: Level, new: Object, old: Object, path: str, kept: _Kept
) -> Iterator[FieldError]:
    if level.additional is not None:
        for key in sorted(new):
            inner = kept.at(old.get(key, ABSENT), new[key])
            yield from _judge(level.additional, new[key], old.get(key), f"{path}[{key}]", inner)
    for name, sub in level.properties.items():
        if name in new:
            inner = kept.at(old.get(name, ABSENT), new[name])
            if kept.around is None and name in _TYPE_META:
                inner = _Kept()
            at = f"{path}.{name}" if path else name
            yield from _judge(sub, new[name], old.get(name), at, inner)


def _judge_here(level: Level, new: Any, old: Any, path: str, kept: _Kept) -> Iterator[FieldError]:
    schema = level.schema
    at = path or "<nil>"
    value = to_cel(new, schema) if level.converts else new
    before = to_cel(old, schema) if level.converts and old is not None else old
    for bound in level.bound:
        rule = bound.rule
        if not rule.rule.strip() or (bound.uses_old and old is None and not rule.optional_old_self):
            continue
        shown = rule.message.strip() or rule.rule.strip()
        try:
            if bound.holds(value, before):
                continue
        except SyntaxFailure as error:
            yield invalid(at, schema.type, f"rule compile error: {error}")
            continue
        except EvaluationError as error:
            yield invalid(at, schema.type, _failure(str(error), shown))
            continue
        if kept.unchanged and not bound.uses_old:
            continue
        where = f"{path}.{bound.path}" if path and bound.path else bound.path or at
        yield _complaint(rule, where, new, schema.type, bound.message(value, before))


def _failure(error: str, shown: str) -> str:
    if error.startswith("no such overload"):
        return (
            f"'{error}': call arguments did not match a supported operator, function or macro "
            f"signature for rule: {shown}"
        )
    return f"{error} evaluating rule: {shown}"


def _complaint(rule: Rule, path: str, value: Any, type_: str, text: str) -> FieldError:
    reason = rule.reason or "FieldValueInvalid"
    words, shows = _REASONS.get(reason, _REASONS["FieldValueInvalid"])
    shows = shows and type_ not in {"object", "array"}
    return FieldError(
        path, words, reason, text if reason != "FieldValueDuplicate" else "", value, shows
    )
