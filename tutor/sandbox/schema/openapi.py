"""The OpenAPI documents of a server: one a group version, an index, and version 2 for all of it.

A document is made when first asked for and kept as bytes: those of built-in groups for good, those
of custom groups until what they serve has changed. Hashes are always the same for the same types:
those of built-in groups come from the data, so that the index needs no document to be made.

Source: kube-apiserver 1.36, `/openapi/v3`, `/openapi/v2`; recorded documents.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from tutor.sandbox.kinds import GroupVersion, Kind, Object
from tutor.sandbox.schema.declarations import data_digest, resolve
from tutor.sandbox.schema.encode import encode
from tutor.sandbox.schema.openapi_custom import CustomType, add_custom
from tutor.sandbox.schema.openapi_general import general_documents
from tutor.sandbox.schema.openapi_paths import References, base_path, paths_of, resources_path
from tutor.sandbox.schema.openapi_schemas import Components
from tutor.sandbox.schema.openapi_v2 import v2_json, v2_protobuf
from tutor.sandbox.schema.resources import builtin_kinds

_REVISION = 6
"""Of what this code makes of the data: raise it when documents change and the data does not."""

Customs = Mapping[GroupVersion, Sequence[CustomType]]
"""Every custom group version that is served, with its kinds."""


class Published:
    """The documents of what is served now. `customs` is asked each time."""

    def __init__(self, customs: Callable[[], Customs]) -> None:
        self._customs = customs
        self._made: dict[GroupVersion, tuple[tuple[CustomType, ...], tuple[bytes, str]]] = {}
        self._v2: tuple[Customs, bytes] | None = None

    def index(self) -> Mapping[str, str]:
        """Path (`api/v1`, `apis/apps/v1`) to the hash of its document, sorted by path."""
        versions = [*builtin_versions(), *self._customs()]
        hashes = {path_of(version): self._hash(version) for version in versions}
        return dict(sorted({**hashes, **_general_hashes()}.items()))

    def v3(self, path: str) -> tuple[bytes, str] | None:
        """The document at a path and its hash; None when there is none."""
        match path.split("/"):
            case ["api", "v1"]:
                return self._document(GroupVersion("", "v1"))
            case ["apis", group, version]:
                return self._document(GroupVersion(group, version))
            case _:
                return _general_bytes(path)

    def v2(self) -> bytes:
        """The version 2 document in protobuf form. Making it takes a tenth of a second."""
        customs = {version: tuple(types) for version, types in self._customs().items()}
        if self._v2 is None or self._v2[0] != customs:
            self._v2 = (customs, v2_protobuf([t for types in customs.values() for t in types]))
        return self._v2[1]

    def v2_json(self) -> bytes:
        """The version 2 document as JSON, made each time: hardly anybody asks for it."""
        return v2_json([t for types in self._customs().values() for t in types])

    def _hash(self, version: GroupVersion) -> str:
        if version in builtin_versions():
            return _builtin_hash(version)
        document = self._document(version)
        return document[1] if document else ""

    def _document(self, version: GroupVersion) -> tuple[bytes, str] | None:
        if version in builtin_versions():
            return _builtin_bytes(version), _builtin_hash(version)
        types = tuple(self._customs().get(version, ()))
        if not types:
            return None
        made = self._made.get(version)
        if made is None or made[0] != types:
            made = (types, _hashed(custom_document(version, types)))
            self._made[version] = made
        return made[1]


def path_of(version: GroupVersion) -> str:
    """Where a group version's document is below `/openapi/v3/`."""
    return base_path(version).removeprefix("/")


@cache
def builtin_versions() -> frozenset[GroupVersion]:
    """The group versions that have a document of their own without any definition."""
    return frozenset(kind.group_version for kind in builtin_kinds())


def builtin_document(version: GroupVersion) -> Object:
    """The v3 document of a built-in group version."""
    components = Components("v3", version)
    kinds = [kind for kind in builtin_kinds() if kind.group_version == version]
    for kind in kinds:
        _add(components, kind)
    paths = [path for kind in kinds for path in paths_of(kind)]
    listed = components.reference(resolve("meta/v1", "APIResourceList"))
    paths.append(resources_path(version, listed))
    return _assembled({"title": "Kubernetes", "version": "unversioned"}, paths, components)


def custom_document(version: GroupVersion, types: Iterable[CustomType]) -> Object:
    """The v3 document of a group version that definitions serve."""
    components = Components("v3-custom", version)
    paths: list[tuple[str, Object]] = []
    for custom in types:
        kind = custom.kind
        reference, list_reference = add_custom(components, custom)
        scale = components.add("autoscaling", "v1", "Scale") if kind.subresource("scale") else ""
        references = References(
            kind=reference,
            list_kind=list_reference,
            delete_options=components.add("", "v1", "DeleteOptions"),
            status=components.add("", "v1", "Status"),
            patch=components.add_patch(),
            subresources={"status": reference, "scale": scale},
        )
        paths.extend(paths_of(kind, references))
    return _assembled({"title": "Kubernetes CRD Swagger", "version": "v0.1.0"}, paths, components)


def _add(components: Components, kind: Kind) -> None:
    """Describe a built-in kind, and what the paths below its objects exchange."""
    components.add(*kind.group_version, kind.kind)
    for sub in kind.subresources:
        if not sub.kind.endswith("Options") and sub.name != "log":
            group = sub.group if sub.version else kind.group
            components.add(group, sub.version or kind.version, sub.kind)


def _assembled(info: Object, paths: Iterable[tuple[str, Object]], components: Components) -> Object:
    return {
        "openapi": "3.0.0",
        "info": info,
        "paths": dict(sorted(paths)),
        "components": {"schemas": dict(sorted(components.schemas.items()))},
    }


@cache
def _builtin_bytes(version: GroupVersion) -> bytes:
    return encode(builtin_document(version))


@cache
def _builtin_hash(version: GroupVersion) -> str:
    return _digest(f"{_REVISION} {data_digest()} {path_of(version)}".encode())


@cache
def _general_hashes() -> Mapping[str, str]:
    return {path: _general_hash(path) for path in general_documents()}


def _general_hash(path: str) -> str:
    return _digest(f"{_REVISION} {data_digest()} {path}".encode())


def _general_bytes(path: str) -> tuple[bytes, str] | None:
    found = general_documents().get(path)
    return (encode(found), _general_hash(path)) if found else None


def _hashed(document: Object) -> tuple[bytes, str]:
    body = encode(document)
    return body, _digest(body)


def _digest(data: bytes) -> str:
    return hashlib.sha512(data).hexdigest().upper()
