"""`x-kubernetes-validations`: judge values by the rules of their schema.

Source: apiextensions-apiserver (`pkg/apiserver/schema/cel/validation.go`). What rules cost is not
counted when they run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tutor.sandbox.api.status import FieldError, invalid
from tutor.sandbox.api.structural.cel.checking.declared import SELF_TYPE, Declared, declare
from tutor.sandbox.api.structural.cel.errors import EvaluationError, SyntaxFailure
from tutor.sandbox.api.structural.cel.values import differs, mismatch, to_cel
from tutor.sandbox.api.structural.correlation import ABSENT, aligned, is_kept, same_item
from tutor.sandbox.api.structural.field_paths import FieldPathError, read_field_path
from tutor.sandbox.api.structural.schema import Rule, Schema, read_rule
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Object

_STRINGS = re.compile(r"""r?('''|\"\"\"|'|")(?:\\.|(?!\1).)*\1""", re.DOTALL)
_OLD_SELF = re.compile(r"(?<![\w.])oldSelf\b")
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
    schema: Schema


class _Kept(NamedTuple):
    """Whether a value is what it was: its own pair, or that of the nearest value around it."""

    own: _Pair | None = None
    around: _Pair | None = None

    @property
    def unchanged(self) -> bool:
        pair = self.own or self.around
        return pair is not None and is_kept(*pair)

    def at(self, old: Any, new: Any, schema: Schema) -> "_Kept":
        if self.own is None:
            return self
        return _Kept(None if old is ABSENT else _Pair(new, old, schema), self.own)


class _Bound:
    """A rule, compiled when it is first evaluated.

    With `checks` it is checked then, too: rules of definitions that were let in need no check.
    """

    __slots__ = ("_checks", "_message", "_program", "_root", "_schema", "path", "rule", "uses_old")

    def __init__(self, rule: Rule, schema: Schema, *, root: bool, checks: bool) -> None:
        self.rule = rule
        self.uses_old = uses_old_self(rule.rule)
        self.path = _field_path(rule.field_path, schema)
        self._schema = schema
        self._root = root
        self._checks = checks
        self._program: Any = None
        self._message: Any = None

    def holds(self, self_value: Any, old: Any) -> bool:
        if self._program is None:
            if self._checks:
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
        # The engine takes 15 MB, which clusters without rules need not pay.
        from tutor.sandbox.api.structural.cel.checking.rule import (  # noqa: PLC0415
            compile_rule,
        )

        declared = self._declared()
        if declared is None:
            return
        optional = self.rule.optional_old_self
        told = compile_rule(self.rule.rule, declared, optional_old=optional)
        if told.failure:
            raise SyntaxFailure(told.failure)
        if told.type != "bool":
            raise SyntaxFailure("cel expression must evaluate to a bool")

    def _compiled(self, text: str) -> Any:
        # As above.
        from tutor.sandbox.api.structural.cel import engine  # noqa: PLC0415
        from tutor.sandbox.api.structural.cel.checking import runnable  # noqa: PLC0415

        declared = self._declared()
        if declared is None:
            raise SyntaxFailure("internal error: no CEL declarations for this schema")
        optional = self.rule.optional_old_self
        return engine.load(runnable.prepare(text, declared, optional_old=optional))

    def _declared(self) -> Declared | None:
        return declare(self._schema, SELF_TYPE, root=self._root or self._schema.embedded)


def uses_old_self(text: str) -> bool:
    """Whether an expression looks at the old value."""
    return bool(_OLD_SELF.search(_STRINGS.sub("''", text)))


def _field_path(text: str, schema: Schema) -> str:
    """A rule's `fieldPath` as complaints have it: `.spec['a.b']` is `spec.a.b`."""
    try:
        return read_field_path(text, schema).text
    except FieldPathError:
        return ""


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
        kept = _Kept() if old is ABSENT else _Kept(_Pair(new, old, self.schema))
        return list(_judge(self, new, None if old is ABSENT else old, "", kept))


def read_rules(
    validation: Object, schema: Schema, *, root: bool = False, checks: bool = False
) -> Level | None:
    """The rules that a JSONSchemaProps has for values of a schema; None when it has none.

    The type and name of a resource, at its `root`, are known to them.
    With `checks` nobody has looked yet whether they make sense.
    """
    bound = tuple(
        _Bound(read_rule(rule), schema, root=root, checks=checks)
        for rule in validation.get("x-kubernetes-validations") or ()
    )
    all_of = tuple(
        level
        for one in validation.get("allOf") or ()
        if (level := read_rules(one, schema, root=root, checks=checks))
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
        yield from _judge(level.items, item, own, at, kept.at(was, item, level.items.schema))


def _judge_fields(
    level: Level, new: Object, old: Object, path: str, kept: _Kept
) -> Iterator[FieldError]:
    if level.additional is not None:
        for key in sorted(new):
            inner = kept.at(old.get(key, ABSENT), new[key], level.additional.schema)
            yield from _judge(level.additional, new[key], old.get(key), f"{path}[{key}]", inner)
    for name, sub in level.properties.items():
        if name in new:
            inner = kept.at(old.get(name, ABSENT), new[name], sub.schema)
            if kept.around is None and name in _TYPE_META:
                inner = _Kept()
            at = f"{path}.{name}" if path else name
            yield from _judge(sub, new[name], old.get(name), at, inner)


def _judge_here(level: Level, new: Any, old: Any, path: str, kept: _Kept) -> Iterator[FieldError]:
    schema = level.schema
    at = path or "<nil>"
    value = to_cel(new, schema) if level.converts else new
    if schema.keyed and old is not None and any(bound.uses_old for bound in level.bound):
        old = aligned(old, new, schema)
    before = to_cel(old, schema) if level.converts and old is not None else old
    for bound in level.bound:
        rule = bound.rule
        if not rule.rule.strip() or (bound.uses_old and old is None and not rule.optional_old_self):
            continue
        shown = rule.message.strip() or rule.rule.strip()
        try:
            if why := mismatch(new, schema):
                raise EvaluationError(why)
            if bound.holds(value, before):
                continue
            if bound.uses_old and old is not None and (why := mismatch(old, schema)):
                raise EvaluationError(why)
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
