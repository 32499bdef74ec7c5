"""What the parts of a yq expression do to nodes.

A scalar that an operator makes is plain; one that comes from a file keeps its style.
Source: the behaviour of mikefarah's yq v4.44.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from itertools import product

import yaml

Nodes = list[yaml.Node]
Step = Callable[[Nodes], Nodes]
CORE = "tag:yaml.org,2002:"


class ExpressionError(Exception):
    """An expression is wrong or does not fit the data; the text says how."""


def scalar(value: str, tag: str) -> yaml.ScalarNode:
    """A new scalar; `tag` is short, as in `!!str`."""
    return yaml.ScalarNode(tag.replace("!!", CORE), value)


def short_tag(node: yaml.Node) -> str:
    """`!!str`, `!!map` and so on."""
    return str(node.tag).replace(CORE, "!!")


def is_nothing(node: yaml.Node) -> bool:
    """Whether a node is null."""
    return isinstance(node, yaml.ScalarNode) and short_tag(node) == "!!null"


def is_true(node: yaml.Node) -> bool:
    """Whether a node counts as true: all but null and false."""
    false = short_tag(node) == "!!bool" and str(node.value).lower() == "false"
    return not is_nothing(node) and not false


def pairs(node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    """A mapping's keys and values, those of `<<` included."""
    found: list[tuple[yaml.Node, yaml.Node]] = []
    for key_node, value in node.value:
        if short_tag(key_node) == "!!merge" and isinstance(value, yaml.MappingNode):
            found += pairs(value)
        else:
            found.append((key_node, value))
    return found


def items(node: yaml.SequenceNode) -> Nodes:
    """A sequence's elements."""
    elements: Nodes = node.value
    return elements


def identity(nodes: Nodes) -> Nodes:
    """`.`."""
    return nodes


def constant(value: str, tag: str) -> Step:
    """A literal, once for each node."""
    return lambda nodes: [scalar(value, tag) for _ in nodes]


def piped(first: Step, second: Step) -> Step:
    """`a | b`, and the links of a path."""
    return lambda nodes: second(first(nodes))


def both(first: Step, second: Step) -> Step:
    """`a, b`."""
    return lambda nodes: [*first(nodes), *second(nodes)]


def key(name: str) -> Step:
    """`.name`; `*` in it stands for anything."""

    def step(nodes: Nodes) -> Nodes:
        return [found for node in nodes for found in _lookup(node, name)]

    return step


def _lookup(node: yaml.Node, name: str) -> Nodes:
    if isinstance(node, yaml.MappingNode):
        known = pairs(node)
        if "*" in name:
            return [value for key_node, value in known if _fits(str(key_node.value), name)]
        return [value for key_node, value in known if key_node.value == name][-1:] or [_nothing()]
    if isinstance(node, yaml.SequenceNode):
        if name == "*":
            return items(node)
        try:
            return _element(node, int(name))
        except ValueError:
            raise ExpressionError(
                f"cannot index array with '{name}' "
                f'(strconv.ParseInt: parsing "{name}": invalid syntax)'
            ) from None
    return [_nothing()] if is_nothing(node) else []


def _nothing() -> yaml.ScalarNode:
    return scalar("null", "!!null")


def _fits(text: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def index(number: int) -> Step:
    """`[0]`, from the end when negative."""

    def step(nodes: Nodes) -> Nodes:
        found: Nodes = []
        for node in nodes:
            is_list = isinstance(node, yaml.SequenceNode)
            found += _element(node, number) if is_list else _lookup(node, str(number))
        return found

    return step


def _element(node: yaml.SequenceNode, number: int) -> Nodes:
    elements = items(node)
    if number < -len(elements):
        raise ExpressionError(f"index [{number}] out of range, array size is {len(elements)}")
    return [elements[number]] if number < len(elements) else [_nothing()]


def each(nodes: Nodes) -> Nodes:
    """`[]`: the elements of sequences and the values of mappings."""
    found: Nodes = []
    for node in nodes:
        if isinstance(node, yaml.SequenceNode):
            found += items(node)
        elif isinstance(node, yaml.MappingNode):
            found += [value for _, value in pairs(node)]
    return found


def descend(nodes: Nodes) -> Nodes:
    """`..`: every node and all below it."""
    return [deeper for node in nodes for deeper in [node, *descend(each([node]))]]


def keys(nodes: Nodes) -> Nodes:
    """`keys`."""
    found: Nodes = []
    for node in nodes:
        if isinstance(node, yaml.MappingNode):
            listed: Nodes = [key_node for key_node, _ in pairs(node)]
        elif isinstance(node, yaml.SequenceNode):
            listed = [scalar(str(number), "!!int") for number in range(len(items(node)))]
        else:
            raise ExpressionError(
                f"Cannot get keys of {short_tag(node)}, keys only works for maps and arrays"
            )
        found.append(_list(listed))
    return found


def _list(elements: Nodes) -> yaml.SequenceNode:
    return yaml.SequenceNode(f"{CORE}seq", elements, flow_style=False)


def length(nodes: Nodes) -> Nodes:
    """`length`: of a collection its size, of a scalar its characters, of null 0."""
    return [scalar(str(_length(node)), "!!int") for node in nodes]


def _length(node: yaml.Node) -> int:
    if isinstance(node, yaml.MappingNode):
        return len(pairs(node))
    return 0 if is_nothing(node) else len(node.value)


def negate(nodes: Nodes) -> Nodes:
    """`not`."""
    return [_truth(not is_true(node)) for node in nodes]


def _truth(value: bool) -> yaml.ScalarNode:
    return scalar("true" if value else "false", "!!bool")


def type_tag(nodes: Nodes) -> Nodes:
    """`type` and `tag`."""
    return [scalar(short_tag(node), "!!str") for node in nodes]


def encode_base64(nodes: Nodes) -> Nodes:
    """`@base64`."""
    return [
        scalar(binascii.b2a_base64(_text(node).encode(), newline=False).decode(), "!!str")
        for node in nodes
    ]


def decode_base64(nodes: Nodes) -> Nodes:
    """`@base64d`; missing padding is forgiven."""
    found: Nodes = []
    for node in nodes:
        text = _text(node).strip()
        try:
            decoded = binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
        except ValueError as error:
            raise ExpressionError(f"cannot decode base64: {error}") from None
        found.append(scalar(decoded.decode("utf-8", "replace"), "!!str"))
    return found


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise ExpressionError(f"cannot take {short_tag(node)} for text: give a path to a scalar")
    return str(node.value)


def select(condition: Step) -> Step:
    """`select(…)`: the nodes for which one of the results is true."""
    return lambda nodes: [node for node in nodes if any(map(is_true, condition([node])))]


def mapped(inner: Step) -> Step:
    """`map(…)`: a sequence of the results for each element."""
    return lambda nodes: [_list(inner(each([node]))) for node in nodes]


def has(wanted: Step) -> Step:
    """`has("key")`, and `has(0)` for sequences."""

    def test(node: yaml.Node, name: yaml.Node) -> bool:
        if isinstance(node, yaml.MappingNode):
            return any(key_node.value == name.value for key_node, _ in pairs(node))
        is_list = isinstance(node, yaml.SequenceNode)
        return is_list and str(name.value).isdigit() and int(name.value) < len(node.value)

    return lambda nodes: [_truth(test(node, name)) for node in nodes for name in wanted([node])]


def compared(first: Step, second: Step, *, equal: bool) -> Step:
    """`==` and `!=`; `*` in the right text stands for anything."""
    return _pairwise(first, second, lambda one, other: _same(one, other) is equal)


def both_true(first: Step, second: Step) -> Step:
    """`and`."""
    return _pairwise(first, second, lambda one, other: is_true(one) and is_true(other))


def either_true(first: Step, second: Step) -> Step:
    """`or`."""
    return _pairwise(first, second, lambda one, other: is_true(one) or is_true(other))


def _pairwise(first: Step, second: Step, test: Callable[[yaml.Node, yaml.Node], bool]) -> Step:
    def step(nodes: Nodes) -> Nodes:
        return [
            _truth(test(one, other))
            for node in nodes
            for one, other in product(first([node]), second([node]))
        ]

    return step


def _same(one: yaml.Node, other: yaml.Node) -> bool:
    if is_nothing(one) or is_nothing(other):
        return is_nothing(one) and is_nothing(other)
    if isinstance(one, yaml.ScalarNode) and isinstance(other, yaml.ScalarNode):
        return _fits(str(one.value), str(other.value))
    if isinstance(one, yaml.MappingNode) and isinstance(other, yaml.MappingNode):
        ours, theirs = (
            {str(name.value): value for name, value in pairs(node)} for node in (one, other)
        )
        return ours.keys() == theirs.keys() and all(
            _same(ours[name], theirs[name]) for name in ours
        )
    if isinstance(one, yaml.SequenceNode) and isinstance(other, yaml.SequenceNode):
        couples = zip(items(one), items(other), strict=False)
        return len(one.value) == len(other.value) and all(_same(*couple) for couple in couples)
    return False


def alternative(first: Step, second: Step) -> Step:
    """`a // b`: the true results of one, or else those of the other."""

    def step(nodes: Nodes) -> Nodes:
        found: Nodes = []
        for node in nodes:
            good = [result for result in first([node]) if is_true(result)]
            found += good or second([node])
        return found

    return step
