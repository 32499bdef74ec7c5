"""How names, label keys and label values must look, and what the server says of those that do not.

Each function returns the complaints about one value, none when it is good.
Wording: Kubernetes' apimachinery (`api/validate/content`, `util/validation`).
"""

import re

_LABEL_1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_1123 = rf"{_LABEL_1123}(\.{_LABEL_1123})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"

_is_label_1123 = re.compile(_LABEL_1123).fullmatch
_is_subdomain_1123 = re.compile(_SUBDOMAIN_1123).fullmatch
_is_label_1035 = re.compile(_LABEL_1035).fullmatch
_is_qualified = re.compile(_QUALIFIED).fullmatch
_is_label_value = re.compile(_LABEL_VALUE).fullmatch

_LABEL_MAX = 63
_SUBDOMAIN_MAX = 253
_C_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
_is_c_identifier = re.compile(_C_IDENTIFIER).fullmatch
_CHARACTERS = "must be no more than 253 characters"
_BYTES = "must be no more than 253 bytes"
_EDGES = "must start and end with an alphanumeric character"


def _breaks(message: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{pattern}')"


def dns1123_label(value: str) -> list[str]:
    """A single DNS label, digits first allowed: namespaces."""
    found = ["must be no more than 63 characters"] if len(value) > _LABEL_MAX else []
    if not _is_label_1123(value):
        if _is_subdomain_1123(value):
            found.append("must not contain dots")
        else:
            rule = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters"
            found.append(_breaks(f"{rule} or '-', and {_EDGES}", _LABEL_1123, "my-name", "123-abc"))
    return found


def dns1123_subdomain(value: str) -> list[str]:
    """DNS labels joined by dots: the names of most kinds."""
    found = [_CHARACTERS] if len(value) > _SUBDOMAIN_MAX else []
    if not _is_subdomain_1123(value):
        rule = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters"
        found.append(_breaks(f"{rule}, '-' or '.', and {_EDGES}", _SUBDOMAIN_1123, "example.com"))
    return found


def dns1035_label(value: str) -> list[str]:
    """A single DNS label that begins with a letter."""
    found = ["must be no more than 63 characters"] if len(value) > _LABEL_MAX else []
    if not _is_label_1035(value):
        rule = (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
            "start with an alphabetic character, and end with an alphanumeric character"
        )
        found.append(_breaks(rule, _LABEL_1035, "my-name", "abc-123"))
    return found


def c_identifier(value: str) -> list[str]:
    """A name as programs have it."""
    if _is_c_identifier(value):
        return []
    rule = (
        "a valid C identifier must start with alphabetic character or '_', followed by a string of"
        " alphanumeric characters or '_'"
    )
    return [_breaks(rule, _C_IDENTIFIER, "my_name", "MY_NAME", "MyName")]


def long_name(value: str) -> list[str]:
    """A subdomain, as generated rules judge it: they count bytes."""
    return [text.replace(_CHARACTERS, _BYTES) for text in dns1123_subdomain(value)]


def label_key(value: str) -> list[str]:
    """The key of a label or annotation: `name` or `prefix/name`."""
    rule = f"must consist of alphanumeric characters, '-', '_' or '.', and {_EDGES}"
    broken = _breaks(rule, _QUALIFIED, "MyName", "my.name", "123-abc")
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {broken} {optional}"]
    found: list[str] = []
    if slash and not prefix:
        found.append("prefix part must be non-empty")
    elif slash:
        found.extend(f"prefix part {text}" for text in long_name(prefix))
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > _LABEL_MAX:
        found.append("name part must be no more than 63 bytes")
    if not _is_qualified(name):
        found.append(f"name part {broken}")
    return found


def label_value(value: str) -> list[str]:
    """The value of a label."""
    found = ["must be no more than 63 bytes"] if len(value) > _LABEL_MAX else []
    if not _is_label_value(value):
        rule = (
            "a valid label must be an empty string or consist of alphanumeric characters, "
            f"'-', '_' or '.', and {_EDGES}"
        )
        found.append(_breaks(rule, _LABEL_VALUE, "MyValue", "my_value", "12345"))
    return found
