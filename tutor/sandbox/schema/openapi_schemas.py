"""OpenAPI schemas of built-in types, made from the declarations.

No descriptions: the sentences of Kubernetes' own documents are not ours to repeat. Clients need
names, types, defaults, enums and the merge rules, and get those.

Source: k8s.io/kube-openapi, pkg/generators, whose rules these are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from tutor.sandbox.kinds import GroupVersion, Object
from tutor.sandbox.schema import declarations
from tutor.sandbox.schema.declarations import Field, Type, bare, packages

Form = Literal["v3", "v3-custom", "v2"]
"""`v3` is for documents of built-in groups, which kubectl reads three times with each `apply`:
without empty defaults, and without wrapping references for their sake. `v3-custom` is for documents
of custom resources, which have both, though not for items. `v2` has no defaults at all."""

_PREFIX = {
    "v3": "#/components/schemas/",
    "v3-custom": "#/components/schemas/",
    "v2": "#/definitions/",
}
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_SCALARS: dict[str, Object] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "float64": {"type": "number", "format": "double"},
}
_CODECS: dict[str, Object] = {
    "time": {"type": "string", "format": "date-time"},
    "microtime": {"type": "string", "format": "date-time"},
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "int-or-string": {
        "oneOf": [{"type": "integer"}, {"type": "string"}],
        "format": "int-or-string",
    },
    "raw": {"type": "object"},
}
_CODECS_V2: dict[str, Object] = _CODECS | {
    "quantity": {"type": "string"},
    "int-or-string": {"type": "string", "format": "int-or-string"},
}


def model_name(type_: Type) -> str:
    """What OpenAPI calls a struct or codec type: `io.k8s.api.core.v1.Pod`."""
    return f"{packages()[type_.package].model}.{type_.go.rpartition('.')[2]}"


def kind_extension(version: GroupVersion, kind: str) -> Object:
    """One group, version and kind as documents spell it."""
    return {"group": version.group, "kind": kind, "version": version.version}


@dataclass(slots=True)
class Components:
    """The schemas that one document needs, each with all that it refers to."""

    form: Form
    version: GroupVersion
    """The group version that shared kinds such as `DeleteOptions` are shown in."""
    schemas: dict[str, Object] = field(default_factory=dict[str, Object])

    @property
    def prefix(self) -> str:
        """What stands before a schema's name in a reference."""
        return _PREFIX[self.form]

    def add(self, group: str, version: str, kind: str) -> str:
        """Make sure that a kind is there; the answer is a reference to it."""
        type_ = declarations.find(group, version, kind)
        if type_ is None:
            raise LookupError(f"{kind} in {GroupVersion(group, version)} is not built in")
        return self.reference(type_)

    def meta(self, name: str) -> Object:
        """A property that is `ObjectMeta` or `ListMeta`."""
        return self._referring(declarations.resolve("meta/v1", name), is_alone=False)

    def add_patch(self) -> str:
        """Make sure that the body of a PATCH is there; it is no type of its own."""
        self.schemas.setdefault(f"{_META}.Patch", {"type": "object"})
        return f"{self.prefix}{_META}.Patch"

    def reference(self, type_: Type) -> str:
        """A reference to a struct or codec type."""
        name = model_name(type_)
        if name not in self.schemas:
            self.schemas[name] = {}
            self.schemas[name] = self._schema(type_)
        return f"{self.prefix}{name}"

    def _schema(self, type_: Type) -> Object:
        if type_.shape == "codec":
            return dict((_CODECS_V2 if self.form == "v2" else _CODECS).get(type_.name, {}))
        fields = [f for f, _ in declarations.json_fields(type_)]
        schema: Object = {"type": "object"}
        if required := [f.name for f in fields if f.required]:
            schema["required"] = required
        if fields:
            schema["properties"] = {
                f.name: self._property(f) for f in sorted(fields, key=lambda f: f.name)
            }
        if kinds := list(self._kinds(type_)):
            schema["x-kubernetes-group-version-kind"] = kinds
        if declarations.is_atomic(type_):
            schema["x-kubernetes-map-type"] = "atomic"
        return schema

    def _kinds(self, type_: Type) -> Iterable[Object]:
        package = packages()[type_.package]
        if type_.name not in package.kinds:
            return
        if type_.package != "meta/v1":
            yield kind_extension(GroupVersion(package.group, package.version), type_.name)
        elif type_.name in ("DeleteOptions", "WatchEvent"):
            yield kind_extension(self.version, type_.name)
        else:
            yield kind_extension(GroupVersion("", "v1"), type_.name)

    def _property(self, field_: Field) -> Object:
        rules = _rules(field_)
        if self.form == "v3":
            own = self._of(field_.type, default=field_.default, is_alone=not rules)
        else:
            own = self._of(field_.type, default=declarations.absent(field_), is_alone=False)
        return own | rules

    def _of(self, type_: Type, *, default: Any = None, is_alone: bool) -> Object:
        type_ = bare(type_)
        if type_.shape in ("struct", "codec"):
            schema = self._referring(type_, is_alone=is_alone and default is None)
        elif declarations.is_bytes(type_):
            schema: Object = {"type": "string", "format": "byte"}
        elif type_.element is not None:
            inner = self._of(type_.element, is_alone=True)
            is_list = type_.shape == "list"
            schema = {
                "type": "array" if is_list else "object",
                "items" if is_list else "additionalProperties": inner,
            }
        else:
            schema = dict(_SCALARS[type_.name])
            if type_.enum:
                schema["enum"] = list(type_.enum)
        if default is not None and self.form != "v2":
            schema["default"] = default
        return schema

    def _referring(self, type_: Type, *, is_alone: bool) -> Object:
        # Beside a reference nothing else counts, so v3 wraps those that have a default or rules.
        reference = {"$ref": self.reference(type_)}
        return reference if is_alone or self.form == "v2" else {"allOf": [reference]}


def _rules(field_: Field) -> Object:
    """How values of a field are merged."""
    rules: Object = {}
    if field_.list_type:
        rules["x-kubernetes-list-type"] = field_.list_type
    if field_.list_keys:
        rules["x-kubernetes-list-map-keys"] = list(field_.list_keys)
    if field_.merge_key:
        rules["x-kubernetes-patch-merge-key"] = field_.merge_key
    if field_.patch_strategy:
        rules["x-kubernetes-patch-strategy"] = ",".join(sorted(field_.patch_strategy))
    if field_.map_type:
        rules["x-kubernetes-map-type"] = field_.map_type
    return rules
