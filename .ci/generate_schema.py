"""Write the types of Kubernetes' built-in API as data, from its Go sources.

usage: generate_schema.py API APIMACHINERY APIEXTENSIONS KUBE_AGGREGATOR

The arguments are the folders of the Go modules k8s.io/api, k8s.io/apimachinery,
k8s.io/apiextensions-apiserver and k8s.io/kube-aggregator, all of one release. One file a package is
written to tutor/sandbox/schema/data; only what a served kind can reach is kept, and no description.
The format is described in tutor/sandbox/schema/table.py.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from go_source import Declared, Field, Package, read_package

DATA = Path(__file__).resolve().parents[1] / "tutor" / "sandbox" / "schema" / "data"

# Package key to (module, folder), the versions that a 1.36 server serves unless told otherwise.
PACKAGES = {
    "core/v1": ("k8s.io/api", "core/v1"),
    "admissionregistration/v1": ("k8s.io/api", "admissionregistration/v1"),
    "apps/v1": ("k8s.io/api", "apps/v1"),
    "authentication/v1": ("k8s.io/api", "authentication/v1"),
    "authorization/v1": ("k8s.io/api", "authorization/v1"),
    "autoscaling/v1": ("k8s.io/api", "autoscaling/v1"),
    "autoscaling/v2": ("k8s.io/api", "autoscaling/v2"),
    "batch/v1": ("k8s.io/api", "batch/v1"),
    "certificates/v1": ("k8s.io/api", "certificates/v1"),
    "coordination/v1": ("k8s.io/api", "coordination/v1"),
    "discovery/v1": ("k8s.io/api", "discovery/v1"),
    "events/v1": ("k8s.io/api", "events/v1"),
    "flowcontrol/v1": ("k8s.io/api", "flowcontrol/v1"),
    "networking/v1": ("k8s.io/api", "networking/v1"),
    "node/v1": ("k8s.io/api", "node/v1"),
    "policy/v1": ("k8s.io/api", "policy/v1"),
    "rbac/v1": ("k8s.io/api", "rbac/v1"),
    "resource/v1": ("k8s.io/api", "resource/v1"),
    "scheduling/v1": ("k8s.io/api", "scheduling/v1"),
    "storage/v1": ("k8s.io/api", "storage/v1"),
    "apiextensions/v1": ("k8s.io/apiextensions-apiserver", "pkg/apis/apiextensions/v1"),
    "apiregistration/v1": ("k8s.io/kube-aggregator", "pkg/apis/apiregistration/v1"),
    "meta/v1": ("k8s.io/apimachinery", "pkg/apis/meta/v1"),
    "intstr": ("k8s.io/apimachinery", "pkg/util/intstr"),
    "resource": ("k8s.io/apimachinery", "pkg/api/resource"),
    "runtime": ("k8s.io/apimachinery", "pkg/runtime"),
    "types": ("k8s.io/apimachinery", "pkg/types"),
}
KEYS = {f"{module}/{folder}": key for key, (module, folder) in PACKAGES.items()}

# Types whose JSON form is code of their own in Go.
CODECS = {
    "meta/v1.Time": "time",
    "meta/v1.MicroTime": "microtime",
    "meta/v1.FieldsV1": "raw",
    "runtime.RawExtension": "raw",
    "resource.Quantity": "quantity",
    "intstr.IntOrString": "int-or-string",
    "apiextensions/v1.JSON": "json",
    "apiextensions/v1.JSONSchemaPropsOrBool": "schema-or-bool",
    "apiextensions/v1.JSONSchemaPropsOrArray": "schema-or-list",
    "apiextensions/v1.JSONSchemaPropsOrStringArray": "schema-or-strings",
}

# What every group version accepts or answers with, besides its own kinds.
META_KINDS = (
    "APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "CreateOptions", "DeleteOptions",
    "List", "PartialObjectMetadata", "PartialObjectMetadataList", "PatchOptions", "Status",
    "UpdateOptions", "WatchEvent",
)  # fmt: skip
SCALARS = {"string", "bool", "int32", "int64", "float64", "byte"}
PROTO_WIRE = {"bool": "varint", "int32": "varint", "int64": "varint", "double": "fixed64"}
WIRE = {"bool": "varint", "int32": "varint", "int64": "varint", "float64": "fixed64"}


@dataclass
class Sources:
    """All packages, and which of their types have been asked for."""

    packages: dict[str, Package]
    wanted: dict[tuple[str, str], Any]

    def want(self, key: str, name: str) -> None:
        """Describe a type and all it refers to, once."""
        if (key, name) in self.wanted:
            return
        self.wanted[key, name] = {}
        self.wanted[key, name] = self._describe(key, self.packages[key].types[name])

    def reference(self, key: str, declared: Declared, expression: str) -> str:
        """A Go type expression with the packages of its names spelled as our keys."""

        def name(found: re.Match[str]) -> str:
            alias, _, plain = found[0].rpartition(".")
            if not alias and plain in SCALARS | {"map"}:
                return plain
            other = KEYS[declared.imports[alias]] if alias else key
            target = self.packages[other].types[plain]
            if target.alias:
                return self.reference(other, target, target.underlying)
            self.want(other, plain)
            return plain if other == key else f"{other}.{plain}"

        return re.sub(r"[\w.]+", name, expression)

    def _describe(self, key: str, declared: Declared) -> dict[str, Any]:
        described: dict[str, Any] = {}
        if codec := CODECS.get(f"{key}.{declared.name}"):
            described["codec"] = codec
            if codec.startswith("schema-or"):
                self.want(key, "JSONSchemaProps")
        elif declared.fields is None:
            described["type"] = self.reference(key, declared, declared.underlying)
            if "protobuf.nullable" in declared.markers:
                described["message"] = True
            if "enum" in declared.markers:
                described["enum"] = sorted(set(self._values(key, declared.name)))
        else:
            described["fields"] = [
                field for f in declared.fields if (field := self._field(key, declared, f))
            ]
        if structure := declared.markers.get("structType"):
            described["map_type"] = structure[0]
        return described

    def _values(self, key: str, name: str) -> Iterator[str]:
        """The values of the constants of a type."""
        package = self.packages[key]
        yield from (value for kind, value in package.constants.values() if kind == name)
        for kind, path, constant in package.borrowed.values():
            if kind == name:
                yield self.packages[KEYS[path]].constants[constant][1]

    def _field(self, key: str, declared: Declared, field: Field) -> dict[str, Any] | None:
        json_name, _, options = field.tags.get("json", "").partition(",")
        if json_name == "-" or not field.tags:
            return None
        described: dict[str, Any] = {"name": json_name}
        if not json_name:
            if "inline" not in options:
                raise ValueError(f"{key}.{declared.name}: {field.type} is neither named nor inline")
            described = {"inline": field.type.rsplit(".", 1)[-1]}
        described["type"] = self.reference(key, declared, field.type)
        if json_name:
            described |= _presence(field, options)
        if "protobuf" in field.tags:
            described["proto"] = self._proto(key, declared, field, described["type"])
        described |= _merging(field)
        if default := field.markers.get("default"):
            described["default"] = self._default(key, default[0])
        return described

    def _proto(self, key: str, declared: Declared, field: Field, reference: str) -> int:
        """The field's number, which tag and `generated.proto` must agree on.

        The tags' own wire types are wrong here and there, so only the Go type is believed.
        """
        number = int(field.tags["protobuf"].split(",")[1])
        kind = self.packages[key].messages[declared.name][number]
        if PROTO_WIRE.get(kind, "bytes") != self._wire(key, reference):
            raise ValueError(f"{key}.{declared.name}: {reference} goes as {kind}")
        return number

    def _wire(self, key: str, reference: str) -> str:
        bare = reference.removeprefix("[]").removeprefix("*")
        package, _, name = bare.rpartition(".")
        declared = self.packages.get(package or key, Package()).types.get(name)
        if declared and declared.fields is None:
            return self._wire(package or key, declared.underlying)
        return WIRE.get(bare, "bytes")

    def _default(self, key: str, text: str) -> Any:
        if constant := re.match(r"ref\((\w+)\)", text):
            return self.packages[key].constants[constant[1]][1]
        return json.loads(text)


def _presence(field: Field, options: str) -> dict[str, Any]:
    described: dict[str, Any] = {}
    if "omitempty" in options:
        described["omit"] = "empty"
    if "omitzero" in options:
        described["omit"] = "zero"
    optional = "optional" in field.markers or "omitempty" in options
    if "required" in field.markers or not optional:
        described["required"] = True
    return described


def _merging(field: Field) -> dict[str, Any]:
    described: dict[str, Any] = {}
    if strategy := field.tags.get("patchStrategy"):
        described["patch_strategy"] = strategy.split(",")
    if merge_key := field.tags.get("patchMergeKey"):
        described["merge_key"] = merge_key
    if list_type := field.markers.get("listType"):
        described["list_type"] = list_type[0]
    if list_keys := field.markers.get("listMapKey"):
        described["list_keys"] = list_keys
    if map_type := field.markers.get("mapType") or field.markers.get("structType"):
        described["map_type"] = map_type[0]
    return described


def main() -> None:
    """Read the modules named on the command line and write the data files."""
    names = ("k8s.io/api", "k8s.io/apimachinery", "k8s.io/apiextensions-apiserver")
    modules = dict(zip((*names, "k8s.io/kube-aggregator"), map(Path, sys.argv[1:]), strict=True))
    packages = {k: read_package(modules[m] / folder) for k, (m, folder) in PACKAGES.items()}
    sources = Sources(packages, {})
    for key, package in packages.items():
        for name in META_KINDS if key == "meta/v1" else package.registered:
            if name in package.types:
                sources.want(key, name)
    DATA.mkdir(exist_ok=True)
    index = {}
    for key, package in packages.items():
        types = {name: t for (k, name), t in sources.wanted.items() if k == key}
        _write(key, types)
        index[key] = _summary(key, package, types)
    _write_lines(DATA / "packages.json", index)


def _summary(key: str, package: Package, types: dict[str, Any]) -> dict[str, Any]:
    """What is known of a package without reading its types: group, version, model name, kinds."""
    markers = [package.markers, *(package.types[name].markers for name in types)]
    model = next(
        (m["k8s:openapi-model-package"][0] for m in markers if "k8s:openapi-model-package" in m), ""
    )
    kinds = META_KINDS if key == "meta/v1" else set(package.registered) & set(types)
    return {
        "group": package.group,
        "version": key.partition("/")[2],
        "model": model,
        "kinds": sorted(kinds),
    }


def _write(key: str, types: dict[str, Any]) -> None:
    path = DATA / (key.replace("/", ".") + ".json")
    _write_lines(path, dict(sorted(types.items())))
    print(f"{path.name}: {len(types)} types, {path.stat().st_size} bytes")


def _write_lines(path: Path, entries: dict[str, Any]) -> None:
    """One entry a line, so that the next release can be read as a difference."""
    lines = (
        f"{json.dumps(name)}:{json.dumps(entry, separators=(',', ':'), ensure_ascii=False)}"
        for name, entry in entries.items()
    )
    path.write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
