"""Go's type declarations behind the built-in API, read from the packaged data when first asked for.

A *package key* names a Go package: `core/v1`, `meta/v1`, `intstr`. Each has one file under `data/`:
an object of type name to declaration, one a line. A declaration is one of

    {"fields": [...]}          a struct
    {"type": "[]string"}       a named type; with "enum" (its values), "message" (a message of its
                               own in protobuf, where other lists are repeated fields)
    {"codec": "quantity"}      a type whose JSON form is code of its own

and a field is {"name" or "inline", "type", "proto", "omit", "required", "default", and what patches
and appliers need}. Types are written as in Go, names of other packages with their key before them:
`map[string]resource.Quantity`, `*meta/v1.Time`. `data/packages.json` says which group, version and
kinds each package holds. `.ci/generate_schema.py` writes all of it from Kubernetes 1.36.

Source: k8s.io/{api,apimachinery,apiextensions-apiserver,kube-aggregator} v0.36, read as data.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Shape = Literal["struct", "map", "list", "pointer", "scalar", "codec"]

_DATA = Path(__file__).parent / "data"
_OPTIONS = frozenset(
    {"CreateOptions", "DeleteOptions", "PatchOptions", "UpdateOptions", "WatchEvent"}
)
ZEROS: dict[str, Any] = {"string": "", "bool": False, "int32": 0, "int64": 0, "float64": 0}
"""What Go's scalars are before anything is put into them."""
_SCALARS = frozenset({"string", "bool", "int32", "int64", "float64", "byte"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A Go type. Structs are named here, not spelled out, since some contain themselves."""

    shape: Shape
    go: str
    """As reflection prints it: `v1.PodSpec`, `[]v1.Container`, `v1.PullPolicy`, `*int32`."""
    name: str
    """The struct's name, the scalar (`string`, `int32`, …) or the codec; empty otherwise."""
    package: str = ""
    """Of structs and codecs."""
    element: "Type | None" = None
    """Of lists, maps (the value) and pointers."""
    enum: tuple[str, ...] = ()
    is_message: bool = False
    """True for named lists that are a protobuf message of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a struct. `inline` has the embedded struct's name instead of a JSON name."""

    name: str
    inline: str
    type: Type
    omit: Literal["", "empty", "zero"]
    required: bool
    proto: int
    """The field number, 0 for what protobuf does not carry."""
    default: Any
    patch_strategy: frozenset[str]
    merge_key: str
    list_type: Literal["", "atomic", "set", "map"]
    list_keys: tuple[str, ...]
    map_type: Literal["", "atomic", "granular"]
    """Overrides what the struct itself is declared to be."""


def absent(field: Field) -> Any:
    """What a field is when it is left out, as far as documents and appliers are told; else None."""
    if field.default is not None:
        return field.default
    if field.type.shape == "struct":
        return {}
    is_written_when_empty = field.type.shape == "scalar" and not field.omit
    return ZEROS[field.type.name] if is_written_when_empty else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package without its types."""

    group: str
    version: str
    model: str
    """What OpenAPI puts before the names of its types: `io.k8s.api.core.v1`."""
    kinds: frozenset[str]


@cache
def packages() -> dict[str, Package]:
    """Every package by key."""
    return {
        key: Package(
            group=package["group"],
            version=package["version"],
            model=package["model"],
            kinds=frozenset(package["kinds"]),
        )
        for key, package in _read("packages").items()
    }


def find(group: str, version: str, kind: str) -> Type | None:
    """The type of a kind, or None when no built-in group has it in that version.

    Options and watch events are found in every group version, as they are accepted in each.
    """
    key = _package_of().get((group, version))
    if key is not None and kind in packages()[key].kinds:
        return resolve(key, kind)
    if kind in _OPTIONS or ((group, version) == ("", "v1") and kind in packages()["meta/v1"].kinds):
        return resolve("meta/v1", kind)
    return None


@cache
def resolve(package: str, expression: str) -> Type:
    """The type that an expression means inside a package."""
    if expression.startswith("*"):
        element = resolve(package, expression[1:])
        return Type(shape="pointer", go=f"*{element.go}", name="", element=element)
    if expression.startswith("[]"):
        element = resolve(package, expression[2:])
        return Type(shape="list", go=f"[]{element.go}", name="", element=element)
    if expression.startswith("map["):
        key, _, value = expression[4:].partition("]")
        element = resolve(package, value)
        go = f"map[{resolve(package, key).go}]{element.go}"
        return Type(shape="map", go=go, name="", element=element)
    if expression in _SCALARS:
        go = "uint8" if expression == "byte" else expression
        return Type(shape="scalar", go=go, name=expression)
    return _named(package, expression)


def declaration(package: str, name: str) -> dict[str, Any]:
    """A declaration as the data has it."""
    return _read(package.replace("/", "."))[name]


@cache
def fields_of(package: str, name: str) -> tuple[Field, ...]:
    """The fields of a struct in Go's order, embedded structs as one field each."""
    return tuple(
        Field(
            name=f.get("name", ""),
            inline=f.get("inline", ""),
            type=resolve(package, f["type"]),
            omit=f.get("omit", ""),
            required=f.get("required", False),
            proto=f.get("proto", 0),
            default=f.get("default"),
            patch_strategy=frozenset(f.get("patch_strategy", ())),
            merge_key=f.get("merge_key", ""),
            list_type=f.get("list_type", ""),
            list_keys=tuple(f.get("list_keys", ())),
            map_type=f.get("map_type", ""),
        )
        for f in declaration(package, name)["fields"]
    )


def json_fields(type_: Type) -> list[tuple[Field, tuple[str, ...]]]:
    """A struct's fields as JSON has them, each with the embedded structs that lead to it."""
    found: list[tuple[Field, tuple[str, ...]]] = []
    for field in fields_of(type_.package, type_.name):
        if field.inline:
            found.extend((f, (field.inline, *via)) for f, via in json_fields(bare(field.type)))
        else:
            found.append((field, ()))
    return found


@cache
def data_digest() -> str:
    """A digest of all the data, which is another whenever any type is."""
    digest = hashlib.sha512()
    for path in sorted(_DATA.glob("*.json")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def bare(type_: Type) -> Type:
    """What a pointer points to; any other type itself."""
    while type_.shape == "pointer" and type_.element:
        type_ = type_.element
    return type_


def is_bytes(type_: Type) -> bool:
    """True for `[]byte`, which JSON writes as base64 text."""
    return type_.shape == "list" and type_.element is not None and type_.element.name == "byte"


def is_atomic(type_: Type) -> bool:
    """True for structs that are declared to have one owner as a whole."""
    return type_.shape == "struct" and (
        declaration(type_.package, type_.name).get("map_type") == "atomic"
    )


def _named(package: str, expression: str) -> Type:
    key, _, name = expression.rpartition(".")
    key = key or package
    declared = declaration(key, name)
    go = f"{key.rpartition('/')[2]}.{name}"
    if codec := declared.get("codec"):
        return Type(shape="codec", go=go, name=codec, package=key)
    if "fields" in declared:
        return Type(shape="struct", go=go, name=name, package=key)
    under = resolve(key, declared["type"])
    return Type(
        shape=under.shape,
        go=go,
        name=under.name,
        package=under.package,
        element=under.element,
        enum=tuple(declared.get("enum", ())),
        is_message=declared.get("message", False),
    )


@cache
def _package_of() -> dict[tuple[str, str], str]:
    return {(p.group, p.version): key for key, p in packages().items() if p.kinds}


@cache
def _read(name: str) -> dict[str, Any]:
    return json.loads((_DATA / f"{name}.json").read_bytes())
