"""Strategic merge patch: lists merged by key, and the directives that steer it.

Directives: `$patch: delete|replace` in objects and list items, `$retainKeys`,
`$setElementOrder/FIELD`, `$deleteFromPrimitiveList/FIELD`. The order of merged lists, and every
complaint, follow Kubernetes' apimachinery (`pkg/util/strategicpatch`).
"""

from collections.abc import Callable, Iterable
from typing import Any

from tutor.sandbox.api.node import Node
from tutor.sandbox.api.patch.goprint import go_print, go_type
from tutor.sandbox.api.status import ApiError, bad_request, go_quote, refused, unexplained
from tutor.sandbox.api.values import fresh, is_list, is_map
from tutor.sandbox.kinds import Object

_PATCH = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"
_BAD_RETAIN = "invalid patch format of retainKeys"
_ABSENT = object()


def apply(document: Object, patch: Object, node: Node) -> Object:
    """Apply a strategic merge patch to a copy of a document.

    What steers the patch is taken out of it, in place, as complaints about the result show it.

    Raises:
        ApiError: 400 for a patch of the wrong form, 422 for lists of lists, else 500 without a
            reason, as the real server answers.
    """
    return _merge_map(fresh(document), patch, node)


def _merge_map(original: Object, patch: Object, node: Node | None) -> Object:
    if _PATCH in patch:
        return _directed(patch)
    _retain_keys(original, patch)
    _merge_ordered_lists(original, patch, node)
    for key, value in patch.items():
        if key.startswith(_DELETE):
            _delete_from_list(original, key, value)
        elif value is None:
            original.pop(key, None)
        else:
            _merge_field(original, key, value, node)
    return original


def _directed(patch: Object) -> Object:
    directive = patch[_PATCH]
    if directive == "replace":
        del patch[_PATCH]
        return patch
    if directive == "delete":
        return {}
    raise _unknown_directive(directive, patch)


def _unknown_directive(directive: Any, patch: Object) -> ApiError:
    return unexplained(f"unknown patch type: {go_print(directive)} in map: {go_print(patch)}")


def _merge_field(original: Object, key: str, value: Any, node: Node | None) -> None:
    current = original.get(key, _ABSENT)
    inner = node.child(key) if node else None
    if is_map(current) and is_map(value):
        whole = inner is not None and "replace" in inner.patch_strategy
        original[key] = value if whole else _merge_map(current, value, inner)
    elif is_list(current) and is_list(value):
        original[key] = _merge_list(current, value, inner)
    else:
        # Null fields go where nothing was merged with them; scalars of one type take the value
        # as it is.
        kept, found = _without_directives(_without_nulls(value))
        if found:
            original[key] = kept
        else:
            original.pop(key, None)


def _without_nulls(value: Any) -> Any:
    if is_map(value):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if is_list(value):
        return [_without_nulls(inner) for inner in value]
    return value


def _without_directives(value: Any) -> tuple[Any, bool]:
    """The value to store, and whether there is one: an object with `$patch` is none."""
    if is_map(value):
        if _PATCH in value:
            return None, False
        fields = ((key, *_without_directives(inner)) for key, inner in value.items())
        return {key: inner for key, inner, found in fields if found}, True
    if is_list(value):
        items = map(_without_directives, value)
        return [inner for inner, found in items if found], True
    return value, True


def _retain_keys(original: Object, patch: Object) -> None:
    if _RETAIN not in patch:
        return
    retained = patch.pop(_RETAIN)
    if not is_list(retained):
        raise bad_request(_BAD_RETAIN)
    for key, value in patch.items():
        if value is None or key.startswith((_DELETE, _ORDER)):
            continue
        if key not in retained:
            raise bad_request(_BAD_RETAIN)
    for key in [key for key in original if key not in retained]:
        del original[key]


def _delete_from_list(original: Object, directive: str, values: Any) -> None:
    current = original.get(directive.removeprefix(_DELETE))
    if not is_list(current) or not is_list(values):
        return
    _same_kind(current, values)
    current[:] = [item for item in current if item not in values]


def _merge_ordered_lists(original: Object, patch: Object, node: Node | None) -> None:
    """Merge each list that has a `$setElementOrder`, and take both out of the patch."""
    for directive in [key for key in patch if key.startswith(_ORDER)]:
        order = _as_list(patch.pop(directive))
        field = directive.removeprefix(_ORDER)
        inner = node.child(field) if node else None
        if inner is None:
            struct = node.type_name if node else ""
            what = f"for the json field {go_quote(field)}"
            raise unexplained(f"unable to find api field in struct {struct} {what}")
        key = inner.merge_key
        current = _as_list(original[field]) if field in original else None
        given = _as_list(patch[field]) if field in patch else None
        _check_order(given or [], order, key)
        if given is None:
            merged = current
        elif current is None:
            merged = _without_directives(given)[0]
        else:
            merged = _merge_list(list(current), given, inner)
        if merged is None:
            continue
        if not current and not given:
            raise unexplained("no elements in any of the given slices")
        _same_kind(current or [], given or [])
        original[field] = _in_order(merged, order, current or [], key)
        patch.pop(field, None)


def _as_list(value: Any) -> list[Any]:
    if not is_list(value):
        raise unexplained(f"expected a []interface {{}}, but received a {go_type(value)}")
    return value


def _check_order(given: list[Any], order: list[Any], key: str) -> None:
    """The patch's items must stand in the order list, in the same order; deletions need not."""
    if not given or not order:
        return
    rest = [item for item in given if not (is_map(item) and _PATCH in item)]
    position = 0
    for entry in order:
        if position < len(rest) and _same_item(rest[position], entry, key):
            position += 1
    if position < len(rest):
        raise unexplained(
            f"The order in patch list:\n{go_print(given)}\n doesn't match $setElementOrder list:\n"
            f"{go_print(order)}\n"
        )


def _same_item(left: Any, right: Any, key: str) -> bool:
    return _key_of(left, key) == _key_of(right, key) if key else left == right


def _key_of(item: Any, key: str) -> Any:
    """The value of the merge key; items of lists that merge by key must have one."""
    if not is_map(item):
        raise unexplained(f"expected a map[string]interface {{}}, but received a {go_type(item)}")
    if key not in item:
        raise unexplained(f"map: {go_print(item)} does not contain declared merge key: {key}")
    return item[key]


def _same_kind(*lists: list[Any]) -> None:
    items = [item for one in lists for item in one]
    if items and is_list(items[0]):
        raise refused()
    if any(go_type(item) != go_type(items[0]) for item in items):
        shown = " ".join(map(go_print, lists))
        raise unexplained(f"list element types are not identical: [{shown}]")


def _merge_list(current: list[Any], patch: list[Any], node: Node | None) -> list[Any]:
    if node is None or "merge" not in node.patch_strategy:
        return patch
    if not current and not patch:
        return current
    _same_kind(current, patch)
    if not is_map((current or patch)[0]):
        merged = [*current, *patch]
        unique = [item for index, item in enumerate(merged) if item not in merged[:index]]
        return _in_order(unique, patch, current, "")
    key = node.merge_key
    if not key:
        raise unexplained("cannot merge lists without merge key for struct")
    kept, given = _obey_items(current, patch, key)
    merged = list(kept)
    for item in given:
        value = _key_of(item, key)
        at = next((n for n, other in enumerate(merged) if other.get(key, _ABSENT) == value), None)
        if at is None:
            merged.append(item)
        else:
            merged[at] = _merge_map(merged[at], item, node.element)
    return _in_order(merged, given, kept, key)


def _obey_items(current: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Carry out the items that are directives; returns what is left of the list and the patch."""
    given: list[Any] = []
    replace = False
    for item in patch:
        match item.get(_PATCH, _ABSENT):
            case directive if directive is _ABSENT:
                given.append(item)
            case "delete":
                value = _key_of(item, key)
                current = [other for other in current if other.get(key, _ABSENT) != value]
            case "replace":
                replace = True
            case "merge":
                raise unexplained("merging lists cannot yet be specified in the patch")
            case directive:
                raise _unknown_directive(directive, item)
    return ([], given) if replace else (current, given)


def _in_order(items: list[Any], order: list[Any], live: list[Any], key: str) -> list[Any]:
    """Order a merged list: what the patch names in its order, the rest in the live order.

    The two are interleaved: an item that only the server has comes before the first named item
    that stood behind it in the live list.
    """
    name: Callable[[Any], Any] = (lambda item: _key_of(item, key)) if key else (lambda item: item)
    ordered, lived = _names(order, name), _names(live, name)
    named = [item for item in items if name(item) in ordered]
    others = [item for item in items if name(item) not in ordered]
    named.sort(key=lambda item: ordered.index(name(item)))
    others.sort(key=lambda item: lived.index(name(item)) if name(item) in lived else -1)
    merged: list[Any] = []
    while others and named:
        left, right = name(others[0]), name(named[0])
        first = left in lived and right in lived and lived.index(left) < lived.index(right)
        merged.append(others.pop(0) if first else named.pop(0))
    return [*merged, *others, *named]


def _names(items: Iterable[Any], name: Callable[[Any], Any]) -> list[Any]:
    return [name(item) for item in items]
