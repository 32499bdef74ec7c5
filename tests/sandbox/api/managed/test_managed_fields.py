"""Sets of fields, held against sets of paths. Source: structured-merge-diff (`fieldpath`)."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox.api.managed import fields as sets
from tutor.sandbox.api.managed.elements import canonical, order, shown
from tutor.sandbox.api.managed.fields import Fields

Path = tuple[str, ...]

paths = st.frozensets(
    st.lists(st.sampled_from(["f:a", "f:b", 'k:{"n":1}']), min_size=1, max_size=3).map(tuple),
    max_size=6,
)


def made(members: Iterable[Path]) -> Fields:
    """A set in the form that is stored."""
    tree: dict[str, Any] = {}
    for path in members:
        level = tree
        for element in path:
            level = level.setdefault(element, {})
        level["."] = {}
    return _stored(tree)


def _stored(tree: dict[str, Any]) -> Fields:
    out: Fields = {}
    for element in sorted(tree, key=order):
        below = _stored(tree[element])
        out[element] = {} if list(below) == ["."] else below
    return out


@given(paths, paths)
def test_union_of_two_sets_has_the_members_of_both(left: frozenset[Path], right: frozenset[Path]):
    assert sets.union(made(left), made(right)) == made(left | right)


@given(paths, paths)
def test_difference_keeps_what_is_below_a_member_of_the_other(
    left: frozenset[Path], right: frozenset[Path]
):
    assert sets.difference(made(left), made(right)) == made(left - right)


@given(paths, paths)
def test_intersection_has_the_members_that_are_in_both(
    left: frozenset[Path], right: frozenset[Path]
):
    assert sets.intersection(made(left), made(right)) == made(left & right)


@given(paths, paths)
def test_deep_difference_drops_what_is_below_a_member_of_the_other(
    left: frozenset[Path], right: frozenset[Path]
):
    kept = {p for p in left if not any(p[: len(other)] == other for other in right)}

    assert sets.deep_difference(made(left), made(right)) == made(kept)


@given(paths, paths)
def test_sets_stay_in_the_server_order_through_unions(
    left: frozenset[Path], right: frozenset[Path]
):
    joined = sets.union(made(left), made(right))

    assert repr(joined) == repr(made(left | right))


@given(paths)
def test_has_knows_members_from_what_is_on_the_way_to_them(members: frozenset[Path]):
    found = made(members)

    assert all(sets.has(found, path) for path in members)
    assert all(sets.has(found, p[:1]) == (p[:1] in members) for p in members)


def test_matching_keeps_what_a_pattern_names():
    found = made([("f:spec",), ("f:spec", "f:x"), ("f:spec", "f:c", 'k:{"n":1}', "f:resources")])

    pattern: sets.Pattern = {"f:spec": {"f:c": {"*": {"f:resources": {}}}}}

    assert sets.matching(found, pattern) == made(
        [("f:spec",), ("f:spec", "f:c", 'k:{"n":1}', "f:resources")]
    )


def test_paths_name_the_members_of_a_level_before_deeper_ones():
    found = made([("f:data", "f:a"), ("f:spec",), ("f:list", 'k:{"name":"x","port":1}')])

    assert list(sets.paths(found)) == [".spec", ".data.a", '.list[name="x",port=1]']


def test_elements_are_in_order_by_number_and_not_by_digit():
    elements = ['k:{"p":443}', 'k:{"p":80}', "v:2", "v:10", "f:b", "f:a", 'v:"a"', "i:3"]

    assert sorted(elements, key=order) == [
        "f:a", "f:b", 'k:{"p":80}', 'k:{"p":443}', "v:2", "v:10", 'v:"a"', "i:3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "element"),
    [
        ('k:{"b": 1, "a":"x"}', 'k:{"a":"x","b":1}'),
        ('v: "x"', 'v:"x"'),
        ("i:07", "i:7"),
        ("f:any thing", "f:any thing"),
        ("z:later", ""),
    ],
)
def test_elements_that_others_wrote_get_their_one_spelling(written: str, element: str):
    assert canonical(written) == element


@pytest.mark.parametrize("written", ["x", "fx", "k:[]", "k:{", "v:", "i:x"])
def test_elements_that_are_none_are_refused(written: str):
    with pytest.raises(ValueError):  # noqa: PT011 - the JSON parser's own words, too
        canonical(written)


def test_elements_are_shown_as_conflicts_have_them():
    shows = [shown(e) for e in ("f:a", 'k:{"n":"x","p":1}', 'v:"x"', "v:true", "i:0")]

    assert shows == [".a", '[n="x",p=1]', '[="x"]', "[=true]", "[0]"]


def test_sets_that_others_wrote_are_read_without_what_is_unknown():
    written: Any = {"f:b": {"z:?": {}}, "f:a": {".": {}}, "z:?": {"f:c": {}}}

    assert repr(sets.read(written)) == repr({"f:a": {}, "f:b": {}})
    with pytest.raises(ValueError, match="expected an object"):
        sets.read({"f:a": 1})
