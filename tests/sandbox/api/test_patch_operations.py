"""JSON Patch and merge patch."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox.api.patch import operations
from tutor.sandbox.api.patch.merge import merge
from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.depth import MAX_DEPTH, depth_of

DOCUMENT: Object = {"data": {"a": "1", "b/c": "2"}, "list": [1, 2, 3]}


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        (
            {"op": "add", "path": "/data/c", "value": "3"},
            {"data": {"a": "1", "b/c": "2", "c": "3"}},
        ),
        ({"op": "add", "path": "/list/-", "value": 4}, {"list": [1, 2, 3, 4]}),
        ({"op": "add", "path": "/list/0", "value": 0}, {"list": [0, 1, 2, 3]}),
        ({"op": "add", "path": "/list/3", "value": 4}, {"list": [1, 2, 3, 4]}),
        ({"op": "add", "path": "/list/-1", "value": 4}, {"list": [1, 2, 3, 4]}),
        ({"op": "remove", "path": "/data/b~1c"}, {"data": {"a": "1"}}),
        ({"op": "remove", "path": "/list/-1"}, {"list": [1, 2]}),
        ({"op": "replace", "path": "/list/1", "value": 9}, {"list": [1, 9, 3]}),
        (
            {"op": "replace", "path": "/data/new", "value": "x"},
            {"data": {"a": "1", "b/c": "2", "new": "x"}},
        ),
        ({"op": "move", "from": "/data/a", "path": "/data/z"}, {"data": {"b/c": "2", "z": "1"}}),
        (
            {"op": "copy", "from": "/list", "path": "/data/l"},
            {"data": {"a": "1", "b/c": "2", "l": [1, 2, 3]}},
        ),
        ({"op": "test", "path": "/data/a", "value": "1"}, {}),
        ({"op": "test", "path": "/data/none", "value": None}, {}),
        ({"op": "test", "path": "", "value": DOCUMENT}, {}),
        (
            {"op": "replace", "path": "", "value": {"data": {}, "list": []}},
            {"data": {}, "list": []},
        ),
    ],
)
def test_operation_when_it_fits_changes_a_copy(
    operation: dict[str, Any], changed: dict[str, Any]
) -> None:
    before = {"data": {"a": "1", "b/c": "2"}, "list": [1, 2, 3]}
    assert operations.apply(DOCUMENT, [operation]) == DOCUMENT | changed
    assert before == DOCUMENT


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/data/zzz"},
        {"op": "remove", "path": "/list/3"},
        {"op": "replace", "path": "/nosuch/mode", "value": "x"},
        {"op": "replace", "path": "/list/9", "value": 1},
        {"op": "add", "path": "/list/5", "value": 1},
        {"op": "add", "path": "/list/x", "value": 1},
        {"op": "add", "path": "/data/a/b", "value": 1},
        {"op": "add", "path": "", "value": {}},
        {"op": "add", "value": 1},
        {"op": "test", "path": "/data/a", "value": "2"},
        {"op": "test", "path": "/list/0", "value": True},
        {"op": "move", "from": "/data/none", "path": "/data/z"},
        {"op": "explode", "path": "/data"},
        {"op": "replace", "path": "", "value": []},
    ],
)
def test_operation_when_it_does_not_fit_is_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(operations.NotApplicable):
        operations.apply(DOCUMENT, [operation])


MERGES: list[tuple[Object, Object, Object]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ({"a": 1}, {"a": {"b": None, "c": [None, {"d": None}]}}, {"a": {"c": [None, {}]}}),
    ({"a": {"b": 1}}, {"a": [None]}, {"a": [None]}),
]


@pytest.mark.parametrize(("document", "patch", "merged"), MERGES)
def test_merge_patch_when_applied_merges(document: Object, patch: Object, merged: Object) -> None:
    assert merge(document, patch) == merged


SCALARS = st.none() | st.integers(0, 2) | st.text("ab", max_size=1)
OBJECTS = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        SCALARS, lambda inner: st.dictionaries(st.sampled_from("abc"), inner), max_leaves=8
    ),
)


@given(OBJECTS, OBJECTS)
def test_merge_patch_when_applied_twice_changes_nothing_the_second_time(
    document: Object, patch: Object
) -> None:
    once = merge(document, patch)
    assert merge(once, patch) == once


@pytest.mark.parametrize("root", [None, 1, "x", True])
@pytest.mark.parametrize("kind", ["add", "remove", "replace", "test", "move", "copy"])
def test_operation_inside_what_is_no_document_any_more_does_not_fit(root: Any, kind: str) -> None:
    gone = {"op": "replace", "path": "", "value": root}
    then = {"op": kind, "path": "/a/b", "from": "/a", "value": 1}
    with pytest.raises(operations.NotApplicable):
        operations.apply(DOCUMENT, [gone, then])


def test_index_of_thousands_of_digits_does_not_fit() -> None:
    with pytest.raises(operations.NotApplicable):
        operations.apply(DOCUMENT, [{"op": "remove", "path": f"/list/{'9' * 5_000}"}])


def test_copies_of_copies_end_where_the_server_ends_them() -> None:
    doubling = [
        {"op": "copy", "from": "/data", "path": f"/data/{number}"} for number in range(10_000)
    ]
    with pytest.raises(operations.NotApplicable, match="accumulated size"):
        operations.apply({"data": {"a": ["x" * 1_000]}}, doubling)


def test_values_put_inside_each_other_end_at_the_greatest_depth() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH // 2):
        deep = {"a": deep}
    path = "/a" * (MAX_DEPTH // 2)
    fits = [{"op": "add", "path": "/a", "value": deep}]
    assert operations.apply({}, fits)["a"] == deep
    with pytest.raises(operations.NotApplicable, match="max depth"):
        operations.apply({}, [*fits, {"op": "add", "path": f"{path}/a", "value": deep}])


@pytest.mark.parametrize(
    ("value", "depth"), [(1, 0), ([], 1), ({"a": {"b": 1}}, 2), ([[1], {"a": [[2]]}], 4)]
)
def test_depth_of_a_value_counts_what_is_inside_each_other(value: Any, depth: int) -> None:
    assert depth_of(value) == depth
