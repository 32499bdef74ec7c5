"""Readers for the composed types: structs, lists, maps, and schemas that may be something else.

A reader takes a value as JSON has it and returns a new one as the server would write it again. It
is made from the declarations when its type is first met, since a lesson meets few of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from tutor.sandbox.schema import declarations
from tutor.sandbox.schema.body import Repeated
from tutor.sandbox.schema.declarations import ZEROS, Field, Type, bare
from tutor.sandbox.schema.errors import DecodeError
from tutor.sandbox.schema.reading import At, Reader, Reading, Step
from tutor.sandbox.schema.scalars import CODEC_ZEROS, CODECS, read_bytes, scalar

# What is stored as protobuf comes back without its empty lists; these are stored as JSON.
_STORED_AS_JSON = frozenset({"apiextensions/v1", "apiregistration/v1"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _FieldPlan:
    index: int
    """The place of the field in what the server writes."""
    step: Step
    read: Reader
    plain: type | None
    """The class of values that need no reading."""
    drops_empty: bool
    """True when the server leaves an empty value out."""
    empty_is_null: bool


class StructPlan:
    """How to read one struct."""

    __slots__ = ("_always", "_fields", "_folded", "_go", "_names", "_type")

    def __init__(self, type_: Type) -> None:
        self._type = type_
        self._go = type_.go
        self._fields: dict[str, _FieldPlan] = {}
        self._folded: dict[str, _FieldPlan] = {}
        self._names: list[str] = []
        self._always: list[tuple[int, Callable[[], Any]]] = []

    def read(self, value: Any, at: At | None, reading: Reading) -> dict[str, Any]:
        """The struct as the server writes it: fields in Go's order, empty ones as it has them."""
        if not self._fields:
            self._prepare()
        if not isinstance(value, dict):
            if value is not None:
                reading.mismatch(value, self._go, at)
            value = {}
        members = cast("dict[str, Any]", value)
        found: dict[int, Any] = {}
        if reading.is_lenient or members.__class__ is not dict:
            self._read_odd(members, at, reading, found)
        else:
            self._read_members(members.items(), at, reading, found)
        for index, zero in self._always:
            if index not in found:
                found[index] = zero()
        names = self._names
        return {names[index]: found[index] for index in sorted(found)}

    def _read_members(
        self,
        members: Iterable[tuple[str, Any]],
        at: At | None,
        reading: Reading,
        found: dict[int, Any],
    ) -> None:
        fields = self._fields
        for name, item in members:
            field = fields.get(name)
            if field is None:
                reading.unknown(at, name)
                continue
            if item is None:
                found.pop(field.index, None)
                continue
            if item.__class__ is not field.plain:
                item = field.read(item, (at, field.step), reading)  # noqa: PLW2901 (read, then kept)
            if item or not field.drops_empty:
                found[field.index] = None if field.empty_is_null and not item else item
            else:
                found.pop(field.index, None)

    def _read_odd(
        self,
        members: dict[str, Any],
        at: At | None,
        reading: Reading,
        found: dict[int, Any],
    ) -> None:
        """Read an object with repeated members, or one that Go reads without strictness."""
        pairs = members.members if isinstance(members, Repeated) else list(members.items())
        if reading.is_lenient:
            known = ((self._fields.get(n) or self._folded.get(n.lower()), v) for n, v in pairs)
            kept = ((field.step.name, item) for field, item in known if field)
            self._read_members(kept, at, reading, found)
            return
        seen: set[str] = set()
        for name, item in pairs:
            if name in seen and name in self._fields:
                reading.duplicate(at, name)
            seen.add(name)
            self._read_members(((name, item),), at, reading, found)

    def _prepare(self) -> None:
        for index, (field, via) in enumerate(declarations.json_fields(self._type)):
            plan = self._plan(index, field, via)
            self._names.append(field.name)
            self._fields[field.name] = plan
            self._folded.setdefault(field.name.lower(), plan)
            if zero := _zero_when_absent(field):
                self._always.append((index, zero))

    def _plan(self, index: int, field: Field, via: tuple[str, ...]) -> _FieldPlan:
        shape = field.type.shape
        is_collection = shape in ("list", "map")
        drops_empty = field.omit == "empty" and (is_collection or shape == "scalar")
        return _FieldPlan(
            index=index,
            step=Step(name=field.name, struct=self._type.name, via=via),
            read=reader_of(field.type),
            plain={"string": str, "bool": bool}.get(bare(field.type).name),
            drops_empty=drops_empty or field.omit == "zero",
            empty_is_null=(
                is_collection
                and not drops_empty
                and self._type.package not in _STORED_AS_JSON
                and not declarations.is_bytes(field.type)
            ),
        )


@cache
def reader_of(type_: Type) -> Reader:
    """The reader of a type."""
    match type_.shape:
        case "struct":
            return StructPlan(type_).read
        case "scalar":
            return scalar(type_.name, type_.go)
        case "codec":
            return CODECS.get(type_.name) or _schema_or(type_)
        case _ if declarations.is_bytes(type_):
            return read_bytes
        case _:
            assert type_.element is not None  # noqa: S101 (lists, maps and pointers have one)
            return _collection(type_, type_.element)


class _Later:
    """The reader of a type that may contain the one that is being made: made when it is needed."""

    __slots__ = ("_made", "_type")

    def __init__(self, type_: Type) -> None:
        self._type = type_
        self._made: Reader | None = None

    def get(self) -> Reader:
        """The reader."""
        if self._made is None:
            self._made = reader_of(self._type)
        return self._made


def _collection(type_: Type, element: Type) -> Reader:
    if type_.shape == "pointer":
        return reader_of(element)
    if type_.shape == "list":
        return _list(type_.go, element)
    return _map(type_.go, element)


def _list(go: str, element: Type) -> Reader:
    plain = str if element.name == "string" and element.shape == "scalar" else None
    reader = _Later(element)

    def read(value: Any, at: At | None, reading: Reading) -> Any:
        if value.__class__ is not list:
            if value is not None:
                reading.mismatch(value, go, at)
            return None
        items = cast("list[Any]", value)
        if plain and all(item.__class__ is plain for item in items):
            return list(items)
        read_item = reader.get()
        return [read_item(item, (at, index), reading) for index, item in enumerate(items)]

    return read


def _map(go: str, element: Type) -> Reader:
    plain = str if element.name == "string" and element.shape == "scalar" else None
    # Storage knows no null among a map's values.
    reader = _Later(element)
    empty: Any = "" if declarations.is_bytes(element) else [] if element.shape == "list" else None

    def read(value: Any, at: At | None, reading: Reading) -> Any:
        if not isinstance(value, dict):
            if value is not None:
                reading.mismatch(value, go, at)
            return None
        members = cast("dict[str, Any]", value)
        if isinstance(members, Repeated):
            return _read_repeated(members, reader.get(), at, reading)
        if plain and all(item.__class__ is plain for item in members.values()):
            return {name: members[name] for name in sorted(members)}
        read_item = reader.get()
        done = {name: read_item(item, (at, name), reading) for name, item in members.items()}
        return {name: empty if done[name] is None else done[name] for name in sorted(done)}

    return read


def _read_repeated(
    members: Repeated, read_item: Reader, at: At | None, reading: Reading
) -> dict[str, Any]:
    done: dict[str, Any] = {}
    for name, item in members.members:
        if name in done:
            reading.duplicate(at, name)
        done[name] = read_item(item, (at, name), reading)
    return {name: done[name] for name in sorted(done)}


def _zero_when_absent(field: Field) -> Callable[[], Any] | None:
    """What the server writes for a field that is not there; None when it writes nothing."""
    if field.omit == "zero":
        return None
    type_ = field.type
    if field.omit == "empty" and type_.shape not in ("struct", "codec"):
        return None
    if type_.shape == "struct":
        read = reader_of(type_)
        return lambda: read(None, None, Reading())
    if type_.shape == "scalar":
        value = ZEROS[type_.name]
        return lambda: value
    return CODEC_ZEROS.get(type_.name, lambda: None)


def _schema_or(type_: Type) -> Reader:
    """A reader for the places of a JSON schema that hold a schema or something simpler."""
    schema = Type(
        shape="struct", go="v1.JSONSchemaProps", name="JSONSchemaProps", package=type_.package
    )
    schemas = Type(shape="list", go="[]v1.JSONSchemaProps", name="", element=schema)
    strings = declarations.resolve(type_.package, "[]string")

    def read(value: Any, at: At | None, _reading: Reading) -> Any:
        if isinstance(value, dict):
            return _lenient(schema, value, at)
        if type_.name == "schema-or-bool":
            if isinstance(value, bool):
                return value
            raise DecodeError("boolean or JSON schema expected")
        if isinstance(value, list) and value:
            return _lenient(schemas if type_.name == "schema-or-list" else strings, value, at)
        return None

    return read


def _lenient(type_: Type, value: Any, at: At | None) -> Any:
    """Read with Go's plain decoder, whose type errors end the whole reading."""
    reading = Reading(is_lenient=True)
    done = reader_of(type_)(value, at, reading)
    reading.finish()
    return done
