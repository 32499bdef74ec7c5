"""The schemas of a definition's versions, and what reading makes of stored objects.

Source: apiextensions-apiserver (`pkg/apiserver/customresource_handler.go`).
"""

from tutor.sandbox.api.customresources.definition import schema_of, versions_of
from tutor.sandbox.api.structural.structural import Structural, compile_schema
from tutor.sandbox.kinds import Object, thaw


class Schemas:
    """The schemas of one definition, each compiled when it is first needed."""

    def __init__(self, crd: Object) -> None:
        self._raw = {version["name"]: schema_of(version) for version in versions_of(crd)}
        self._compiled: dict[str, Structural] = {}

    def of(self, version: str) -> Structural:
        """The schema of a version; one that is not there any more knows no field."""
        found = self._compiled.get(version)
        if found is None:
            found = self._compiled[version] = compile_schema(self._raw.get(version))
        return found

    def converted(self, obj: Object, api_version: str) -> Object:
        """An object in another version: renamed, without the fields which that one lacks."""
        new = thaw(obj) | {"apiVersion": api_version}
        self._named(new).prune(new)
        return new

    def as_read(self, stored: Object) -> Object:
        """A stored object by the schema of its version as that is now; may be its argument.

        What the schema lost is gone, and what it gained has its default: those of the version in
        which it is stored, not of the one it is read in.
        """
        read = thaw(stored)
        schema = self._named(read)
        schema.prune(read)
        schema.default(read)
        return stored if read == stored else read

    def _named(self, obj: Object) -> Structural:
        return self.of(obj["apiVersion"].rpartition("/")[2])
