"""The JSON Schemas of `lesson.yaml` and of a step's file, from the models and the sources.

Source: JSON Schema, draft 2020-12.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

from pydantic.json_schema import GenerateJsonSchema

from tutor.course.forms import Form, form_of
from tutor.course.interpret import Node
from tutor.course.model import Header, Step
from tutor.probes.catalogue import SOURCES
from tutor.probes.source import EXPRESSION

DIALECT = GenerateJsonSchema.schema_dialect

Schema = dict[str, Any]


def schema_of(kind: Literal["lesson", "step"]) -> Schema:
    """The schema that an editor completes and checks a file with."""
    schema = _own_schema(form_of(Header if kind == "lesson" else Step))
    definitions: Schema = schema.pop("$defs", {})
    if kind == "step":
        definitions["Given"] = _given(definitions)
        for holder in (schema, definitions["Fact"], definitions["Mistake"]):
            holder["properties"]["given"] = {"$ref": "#/$defs/Given"}
    return {
        "$schema": DIALECT,
        **schema,
        "$defs": dict(sorted(definitions.items())),
    }


def _given(definitions: Schema) -> Schema:
    """Name to exactly one source."""
    sources: Schema = {}
    for name, source in SOURCES.items():
        spec = _own_schema(source.spec)
        for inner, schema in spec.pop("$defs", {}).items():
            definitions[inner] = schema
        module = inspect.getmodule(source.spec)
        spec["description"] = (inspect.getdoc(module) or "").partition("\n\n")[0]
        sources[name] = spec
    return {
        "type": "object",
        "description": "Names that expressions can use, and where each takes its value from.",
        "additionalProperties": {
            "type": "object",
            "properties": sources,
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        },
    }


def _own_schema(model: type[Node]) -> Schema:
    schema = model.model_json_schema(by_alias=True)
    schemas = {model.__name__: schema, **schema.get("$defs", {})}
    for each in _models(model):
        described = schemas.get(each.__name__)
        if described is not None:
            _describe(each, described)
    return schema


def _models(model: type[Node]) -> Iterator[type[Node]]:
    """A model and those it is made of."""
    yield model
    for info in model.model_fields.values():
        for part in _parts(info.annotation):
            if isinstance(part, type) and issubclass(part, Node):
                yield from _models(part)


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _parts(inner)


def _describe(model: type[Node], schema: Schema) -> None:
    """Give the properties the texts that stand below their fields."""
    texts = _field_texts(model)
    for name, info in model.model_fields.items():
        described = schema.get("properties", {}).get(info.alias or name)
        if described is not None:
            described.pop("title", None)
            told = ["An expression." if EXPRESSION in info.metadata else "", texts.get(name, "")]
            if text := " ".join(filter(None, told)):
                described["description"] = text


def _field_texts(model: type[Node]) -> dict[str, str]:
    body = ast.parse(
        textwrap.dedent(inspect.getsource(model.part if issubclass(model, Form) else model))
    ).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    texts: dict[str, str] = {}
    for field, text in pairwise(statements):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                texts[name] = inspect.cleandoc(words)
            case _:
                pass
    return texts
