"""The owners of new objects: the short way comes to what the long one comes to."""

import pytest

from tutor.sandbox.api.managed import entries, ownership
from tutor.sandbox.api.managed.fields import Fields
from tutor.sandbox.api.managed.ownership import Typed
from tutor.sandbox.api.managed.resets import writable
from tutor.sandbox.api.managed.shape import Shape, shape_of
from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.decode import decode
from tutor.sandbox.schema.resources import builtin_kinds
from tutor.sandbox.schema.table import node_of

NOW = "2026-01-01T00:00:00Z"
SYSTEM = {"name": "a", "namespace": "b", "uid": "c", "generation": 1, "creationTimestamp": NOW}
POD = {
    "containers": [
        {"name": "c", "image": "i", "ports": [{"containerPort": 1, "protocol": "TCP"}], "env": []},
        {"name": "d", "image": "i", "env": [{"name": "E", "value": "1"}, {"name": "E"}]},
    ],
    "nodeSelector": {"x": "y"},
}
WORDS = {
    "labels": {"l": "1", "a/b": ""},
    "annotations": {"n": "2"},
    "finalizers": ["x/y", "a/b"],
    "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "n", "uid": "u"}],
}


class Versions:
    """The versions of a built-in kind that has one."""

    def __init__(self, group: str, version: str, kind: str) -> None:
        found = next(
            each
            for each in builtin_kinds()
            if (each.group, each.version, each.kind) == (group, version, kind)
        )
        self.kind = found
        self.current = found.api_version
        node = node_of(group, version, kind)
        assert node is not None
        self.shape: Shape = shape_of(node)

    def convert(self, obj: Object, version: str) -> Typed | None:
        assert version == self.current
        return Typed(obj, self.shape)

    def writable(self, fields: Fields, version: str) -> Fields:
        assert version == self.current
        return writable(fields, self.kind, "")


@pytest.mark.parametrize("words", [{}, WORDS])
@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (("", "v1", "ConfigMap"), {}),
        (
            ("", "v1", "ConfigMap"),
            {"data": {"a": "1", "b": ""}, "binaryData": {}, "immutable": True},
        ),
        (("", "v1", "Namespace"), {"spec": {"finalizers": ["kubernetes"]}, "status": {}}),
        (("", "v1", "Pod"), {"spec": POD, "status": {"phase": "Pending"}}),
        (("", "v1", "Event"), {"involvedObject": {"name": "x"}, "count": 1}),
        (("apps", "v1", "Deployment"), {"spec": {"replicas": 0, "template": {"spec": POD}}}),
    ],
)
def test_owners_of_a_new_object_are_those_of_all_that_differs_from_an_empty_one(
    kind: tuple[str, str, str], more: Object, words: Object
) -> None:
    versions = Versions(*kind)
    empty = decode(*kind, {}).object
    new = decode(*kind, {"metadata": SYSTEM | words} | more).object
    me = entries.updater("m", versions.current)
    shortly = Typed(ownership.ownable(empty), versions.shape)
    made = ownership.created(versions, shortly, new, me, NOW)
    at_length = ownership.updated(versions, Typed(empty, versions.shape), new, {}, me, NOW)
    assert entries.write(made) == entries.write(at_length)
    assert list(map(str, entries.write(made))) == list(map(str, entries.write(at_length)))
    assert bool(made) == bool(words or more)
