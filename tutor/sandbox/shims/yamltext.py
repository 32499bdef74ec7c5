"""YAML as the Kubernetes tools read and write it: go-yaml's types, quoting, folding and errors.

PyYAML's C parser is libyaml, which go-yaml is a port of, so its error texts are the same. This
module imports PyYAML: import it only where YAML is at hand.
Source: gopkg.in/yaml.v2 and v3 (`resolve`, `stringv`, `fail`), sigs.k8s.io/yaml.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_yaml: Any = yaml  # its functions have no types
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_A_STRING = re.compile(
    r"""(?x)
    ~ | null | Null | NULL | << |
    y | Y | yes | Yes | YES | n | N | no | No | NO |
    true | True | TRUE | false | False | FALSE | on | On | ON | off | Off | OFF |
    [-+]?(0b[01_]+ | 0o[0-7_]+ | 0x[0-9a-fA-F_]+ | [0-9][0-9_]*) |
    [-+]?(\.[0-9]+ | [0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? |
    [-+]?\.(inf | Inf | INF) | \.(nan | NaN | NAN) |
    [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)? |
    [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\ \t].*)?
    """
)


class YamlError(ValueError):
    """The text is not YAML; the message is go-yaml's."""


class _Loader(_PARSER):
    """Timestamps stay text, because everything ends as JSON."""


_ODD_BREAKS = "\r\x85\u2028\u2029"  # only escapes keep them as they are
_TEXT_TO_GO = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _TEXT_TO_GO]
    for first, resolvers in _PARSER.yaml_implicit_resolvers.items()
}
_Loader.add_constructor("tag:yaml.org,2002:merge", _PARSER.construct_yaml_str)


class _V3Loader(_Loader):
    """yaml.v3, for which yes, no, on and off are text, and so is a time of day."""


_V3_PATTERNS = {
    "tag:yaml.org,2002:bool": re.compile("(true|True|TRUE|false|False|FALSE)$"),
    "tag:yaml.org,2002:int": re.compile(r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$"),
    "tag:yaml.org,2002:float": re.compile(
        r"([-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
    ),
}
_V3Loader.yaml_implicit_resolvers = {
    first: [(tag, _V3_PATTERNS.get(tag, pattern)) for tag, pattern in resolvers]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.SafeDumper):
    """Strings are quoted and broken as go-yaml does; nothing is aliased."""

    def ignore_aliases(self, data: object) -> bool:
        """Every object is written out, however often it occurs."""
        del data
        return True


def _represent_text(dumper: Any, text: str) -> yaml.ScalarNode:
    style = '"' if text == "" or looks_like_another_type(text) else None
    if any(char in text for char in _ODD_BREAKS):
        style = '"'
    elif "\n" in text:
        style = "|"
    node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
    return node


def _represent_nothing(dumper: Any, _nothing: None) -> yaml.ScalarNode:
    node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:null", "null")
    return node


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(type(None), _represent_nothing)


def looks_like_another_type(text: str) -> bool:
    """Whether the bare text would be read as a number, truth value, null or time."""
    return _NOT_A_STRING.fullmatch(text) is not None


def load(text: str, *, v3: bool = False) -> Any:
    """Read the first document; an empty text is None.

    `v3` selects yaml.v3's truth values and its way to count the line of an error; otherwise it is
    yaml.v2.

    Raises:
        YamlError: with go-yaml's sentence.
    """
    try:
        loader: Any = (_V3Loader if v3 else _Loader)(text)
        return loader.get_data() if loader.check_data() else None
    except yaml.YAMLError as error:
        raise YamlError(error_text(error, text, v3=v3)) from None


def compose(text: str, *, v3: bool = False) -> yaml.Node | None:
    """Read the first document into nodes, which know their lines.

    Raises:
        YamlError: with go-yaml's sentence.
    """
    try:
        loader: Any = (_V3Loader if v3 else _Loader)(text)
        node: yaml.Node | None = loader.get_node() if loader.check_node() else None
    except yaml.YAMLError as error:
        raise YamlError(error_text(error, text, v3=v3)) from None
    return node


def compose_all(text: str) -> list[yaml.Node | None]:
    """Read all documents into nodes, as yaml.v3 does; an empty one is None.

    Raises:
        YamlError: with go-yaml's sentence.
    """
    loader: Any = _V3Loader(text)
    documents: list[yaml.Node | None] = []
    try:
        while loader.check_node():
            documents.append(loader.get_node())
    except yaml.YAMLError as error:
        raise YamlError(error_text(error, text, v3=True)) from None
    return documents or [None]


def error_text(error: yaml.YAMLError, text: str, *, v3: bool) -> str:
    """go-yaml's sentence for a parser's error over `text`."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return "yaml: control characters are not allowed"
    problem = error.problem or ""
    if problem.startswith("found undefined alias"):
        return f"yaml: unknown anchor '{_alias_at(text, error.problem_mark)}' referenced"
    marks = [error.problem_mark, error.context_mark]
    lines = [mark.line for mark in (reversed(marks) if v3 else marks) if mark is not None]
    line = next((line for line in lines if line), 0)
    if line and isinstance(error, _yaml.scanner.ScannerError):
        line += 1
    return f"yaml: line {line}: {problem}" if line else f"yaml: {problem}"


def _alias_at(text: str, mark: yaml.error.Mark | None) -> str:
    found = re.compile(r"\*([^\s,\[\]{}]+)").match(text, mark.index) if mark else None
    return found.group(1) if found else ""


def dump(value: object) -> str:
    """Write one document in block style, keys sorted, long plain text folded after column 80."""
    written: str = _yaml.dump(
        value,
        Dumper=_Dumper,
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=True,
        width=80,
    )
    return written
