"""How results are printed: scalars raw, collections as YAML or JSON.

Source: the behaviour of mikefarah's yq v4.44, whose YAML is that of go-yaml v3.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from tutor.sandbox.shims import gotext, yamltext
from tutor.sandbox.shims.yq.operators import CORE, items, pairs, short_tag

_yaml: Any = yaml  # its functions have no types
_NO_LIMIT = float("inf")
_TEXT = f"{CORE}str"
_OLD_TRUTHS = ("y", "yes", "on", "n", "no", "off")


class _Dumper(yaml.SafeDumper):
    """Sequences stand further in than their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent one level, also for a sequence in a mapping."""
        del indentless
        super().increase_indent(flow, indentless=False)


_Dumper.yaml_implicit_resolvers = {}


def as_yaml(node: yaml.Node, *, indent: int, pretty: bool, raw: bool) -> str:
    """One result as YAML, with its line end."""
    copied = _copy(node, pretty=pretty)
    if isinstance(node, yaml.ScalarNode) and raw:
        return f"{node.value}\n"
    text: str = _yaml.serialize(
        copied, Dumper=_Dumper, allow_unicode=True, width=_NO_LIMIT, indent=indent
    )
    return text.removesuffix("...\n")


def as_json(node: yaml.Node, *, indent: int, raw: bool) -> str:
    """One result as JSON, with its line end."""
    if isinstance(node, yaml.ScalarNode) and raw:
        return f"{node.value}\n"
    compact = (",", ":") if not indent else (",", ": ")
    text = json.dumps(plain(node), ensure_ascii=False, indent=indent or None, separators=compact)
    return f"{text}\n"


def plain(node: yaml.Node) -> Any:
    """A node as JSON data."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): plain(value) for key, value in pairs(node)}
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in items(node)]
    text, tag = str(node.value), short_tag(node)
    if tag == "!!null":
        return None
    if tag == "!!bool":
        return text.lower() == "true"
    if tag == "!!int":
        return gotext.parse_int(text.replace("_", ""), bits=4096, signed=True)
    return float(text.replace("_", "")) if tag == "!!float" and "." in text[1:] else text


def _copy(node: yaml.Node, *, pretty: bool) -> yaml.Node:
    """The node without sharing, which would print as anchors; `pretty` takes its styles away."""
    if isinstance(node, yaml.MappingNode):
        content = [
            (_copy(key, pretty=pretty), _copy(value, pretty=pretty)) for key, value in pairs(node)
        ]
        flow = bool(node.flow_style) and (not pretty or not content)
        return yaml.MappingNode(node.tag, content, flow_style=flow or not content)
    if isinstance(node, yaml.SequenceNode):
        listed = [_copy(item, pretty=pretty) for item in items(node)]
        flow = bool(node.flow_style) and not pretty
        return yaml.SequenceNode(node.tag, listed, flow_style=flow or not listed)
    text = str(node.value)
    style: str | None = node.style if isinstance(node, yaml.ScalarNode) else None
    if pretty and style:
        style = _needed_style(text)
    # The style says it all: a tag of the core is never written.
    tag = _TEXT if str(node.tag).startswith(CORE) else str(node.tag)
    return yaml.ScalarNode(tag, text, style=style)


def _needed_style(text: str) -> str | None:
    if "\n" in text:
        return "|"
    ambiguous = yamltext.looks_like_another_type(text) and text.lower() not in _OLD_TRUTHS
    return '"' if text == "" or ambiguous else None
