"""Strict decoding of YAML into kind's Go types, as far as its error messages go.

Source: gopkg.in/yaml.v3 (decode.go, with known fields only), kind v0.20.0's v1alpha4 types.
"""

from __future__ import annotations

from typing import Any

import yaml

from tutor.sandbox.shims import gotext

_TEXTS = "[]string"
_PATCHES = "[]v1alpha4.PatchJSON6902"
_STRUCTS: dict[str, dict[str, str]] = {
    "encoding.typeMeta": {"kind": "string", "apiVersion": "string"},
    "v1alpha4.Cluster": {
        "kind": "string",
        "apiVersion": "string",
        "name": "string",
        "nodes": "[]v1alpha4.Node",
        "networking": "v1alpha4.Networking",
        "featureGates": "map[string]bool",
        "runtimeConfig": "map[string]string",
        "kubeadmConfigPatches": _TEXTS,
        "kubeadmConfigPatchesJSON6902": _PATCHES,
        "containerdConfigPatches": _TEXTS,
        "containerdConfigPatchesJSON6902": _TEXTS,
    },
    "v1alpha4.Node": {
        "role": "v1alpha4.NodeRole",
        "image": "string",
        "labels": "map[string]string",
        "extraMounts": "[]v1alpha4.Mount",
        "extraPortMappings": "[]v1alpha4.PortMapping",
        "kubeadmConfigPatches": _TEXTS,
        "kubeadmConfigPatchesJSON6902": _PATCHES,
    },
    "v1alpha4.Networking": {
        "ipFamily": "v1alpha4.ClusterIPFamily",
        "apiServerPort": "int32",
        "apiServerAddress": "string",
        "podSubnet": "string",
        "serviceSubnet": "string",
        "disableDefaultCNI": "bool",
        "kubeProxyMode": "v1alpha4.ProxyMode",
        "dnsSearch": _TEXTS,
    },
    "v1alpha4.PatchJSON6902": {
        "group": "string",
        "version": "string",
        "kind": "string",
        "patch": "string",
    },
    "v1alpha4.Mount": {
        "containerPath": "string",
        "hostPath": "string",
        "readOnly": "bool",
        "selinuxRelabel": "bool",
        "propagation": "v1alpha4.MountPropagation",
    },
    "v1alpha4.PortMapping": {
        "containerPort": "int32",
        "hostPort": "int32",
        "listenAddress": "string",
        "protocol": "v1alpha4.PortMappingProtocol",
    },
}
# Types with a decoder of their own, which goes through a type of this name.
_ALIASES = {
    "v1alpha4.Mount": "v1alpha4.MountAlias",
    "v1alpha4.PortMapping": "v1alpha4.PortMappingAlias",
}
_LENIENT = "encoding.typeMeta"
_LONGEST = 10
_ANY_BITS = 4096


def problems(node: yaml.Node | None, go_type: str) -> list[str]:
    """Why this node does not fit a Go type: one line each, without the line of the error itself."""
    found: list[str] = []
    if node is not None:
        _fit(node, go_type, found)
    return found


def told(lines: list[str]) -> str:
    """yaml.v3's error for such lines."""
    return "yaml: unmarshal errors:\n" + "\n".join(f"  {line}" for line in lines)


def value(node: yaml.Node | None) -> Any:
    """The node as plain data: scalars as text, except integers and truth values."""
    if isinstance(node, yaml.MappingNode):
        return {scalar(value(key)): value(item) for key, item in _pairs(node)}
    if isinstance(node, yaml.SequenceNode):
        return [value(item) for item in node.value]
    if node is None or _short_tag(node) == "!!null":
        return None
    text = str(node.value)
    if _short_tag(node) == "!!int":
        return gotext.parse_int(text.replace("_", ""), bits=_ANY_BITS, signed=True)
    return text.lower() == "true" if _short_tag(node) == "!!bool" else text


def scalar(found: object) -> str:
    """A value in a field that Go holds as a string."""
    if isinstance(found, bool):
        return "true" if found else "false"
    return "" if found is None or isinstance(found, (dict, list)) else str(found)


def _pairs(node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
    return pairs


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _short_tag(node: yaml.Node) -> str:
    return str(node.tag).replace("tag:yaml.org,2002:", "!!")


def _fit(node: yaml.Node, go_type: str, found: list[str]) -> None:
    if isinstance(node, yaml.ScalarNode) and _short_tag(node) == "!!null":
        return
    if go_type in _STRUCTS:
        _fit_struct(node, go_type, found)
    elif go_type.startswith("[]"):
        if not isinstance(node, yaml.SequenceNode):
            found.append(_mismatch(node, go_type))
            return
        for item in node.value:
            _fit(item, go_type[2:], found)
    elif go_type.startswith("map[string]"):
        if not isinstance(node, yaml.MappingNode):
            found.append(_mismatch(node, go_type))
            return
        _repeated(node, found)
        for _, item in _pairs(node):
            _fit(item, go_type.removeprefix("map[string]"), found)
    elif not isinstance(node, yaml.ScalarNode) or not _fits_scalar(node, go_type):
        found.append(_mismatch(node, go_type))


def _fit_struct(node: yaml.Node, go_type: str, found: list[str]) -> None:
    name = _ALIASES.get(go_type, go_type)
    if not isinstance(node, yaml.MappingNode):
        found.append(_mismatch(node, name))
        return
    _repeated(node, found)
    for key, item in _pairs(node):
        field = _STRUCTS[go_type].get(str(key.value))
        if field:
            _fit(item, field, found)
        elif go_type != _LENIENT:
            found.append(f"line {_line(key)}: field {key.value} not found in type {name}")


def _repeated(node: yaml.MappingNode, found: list[str]) -> None:
    first: dict[str, int] = {}
    for key, _ in _pairs(node):
        name = str(key.value)
        if name in first:
            quoted = gotext.quote(name)
            before = first[name]
            found.append(
                f"line {_line(key)}: mapping key {quoted} already defined at line {before}"
            )
        first.setdefault(name, _line(key))


def _fits_scalar(node: yaml.ScalarNode, go_type: str) -> bool:
    tag = _short_tag(node)
    if go_type == "bool":
        # yaml.v3 still takes the old words where a bool is wanted.
        old = ("yes", "no", "on", "off")
        return tag == "!!bool" or (node.style is None and str(node.value).lower() in old)
    if go_type == "int32":
        return tag == "!!int" and abs(int(value(node))) < 2**31
    return True


def _mismatch(node: yaml.Node, go_type: str) -> str:
    tag = _short_tag(node)
    shown = ""
    if isinstance(node, yaml.ScalarNode):
        text = str(node.value)
        shown = f" `{text[:7]}...`" if len(text) > _LONGEST else f" `{text}`"
    return f"line {_line(node)}: cannot unmarshal {tag}{shown} into {go_type}"
