"""The declarations of Kubernetes' CEL functions, with what carries them out.

Types of Kubernetes' own are `dyn` to the engine. Source: apiserver (`pkg/cel/library`,
`pkg/cel/environment/base.go`), cel-go (`ext`).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from cel_expr_python import cel

from tutor.sandbox.api.structural.cel import listing, opaque, texts, times
from tutor.sandbox.api.structural.regex import go_regex

_BOOL, _INT, _DOUBLE = cel.Type.BOOL, cel.Type.INT, cel.Type.DOUBLE
_STRING, _DYN = cel.Type.STRING, cel.Type.DYN
_LIST = cel.Type.List(cel.Type.DYN)
_STRINGS = cel.Type.List(cel.Type.STRING)

Implementation = Callable[..., Any]
Signature = tuple[cel.Type, Sequence[cel.Type], Implementation]


def _function(name: str, *signatures: Signature, member: bool = True) -> cel.FunctionDecl:
    overloads = [
        cel.Overload(f"{name}_{number}_{'m' if member else 'g'}", result, list(takes), member, does)
        for number, (result, takes, does) in enumerate(signatures)
    ]
    return cel.FunctionDecl(name, overloads)


def _both(name: str, global_: Signature, *members: Signature) -> cel.FunctionDecl:
    """A function that there is as such, and as a member of something else."""
    result, takes, does = global_
    overloads = [cel.Overload(f"{name}_global", result, list(takes), False, does)]
    for number, (kind, of, implementation) in enumerate(members):
        overloads.append(cel.Overload(f"{name}_{number}", kind, list(of), True, implementation))
    return cel.FunctionDecl(name, overloads)


def _holds(read: Callable[..., Any]) -> Callable[..., bool]:
    def tell(*args: Any) -> bool:
        try:
            read(*args)
        except ValueError:
            return False
        return True

    return tell


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [match[0] for match in go_regex(pattern).finditer(text)]
    return found if limit < 0 else found[:limit]


def _find(text: str, pattern: str) -> str:
    match = go_regex(pattern).search(text)
    return match[0] if match else ""


def functions() -> list[cel.FunctionDecl]:
    """Every function that Kubernetes adds to CEL's own, as the engine wants them declared."""
    return [
        *_text_functions(),
        *_list_functions(),
        *_quantity_functions(),
        *_network_functions(),
        *_format_functions(),
        *_own_functions(),
        _function("jsonpatch.escapeKey", (_STRING, [_STRING], _escaped), member=False),
    ]


def _escaped(key: str) -> str:
    """A key as it stands in the path of a patch."""
    return key.replace("~", "~0").replace("/", "~1")


def _own_functions() -> list[cel.FunctionDecl]:
    """What expressions that were made ready for the engine call."""
    return [
        _function("kubernetes.time", (cel.Type.TIMESTAMP, [_DYN], times.read_time), member=False),
        _function("kubernetes.span", (cel.Type.DURATION, [_DYN], times.read_span), member=False),
        _function("kubernetes.timeText", (_STRING, [_DYN], times.time_text), member=False),
        _function("kubernetes.spanText", (_STRING, [_DYN], times.span_text), member=False),
        _function("kubernetes.addressText", (_STRING, [_DYN], opaque.shown), member=False),
        _function("kubernetes.milliseconds", (_INT, [_DYN], times.milliseconds), member=False),
        _function(
            "cel.@mapInsert",
            (_DYN, [_DYN, _DYN, _DYN], listing.with_entry),
            (_DYN, [_DYN, _DYN], listing.with_entries),
            member=False,
        ),
        _function("@sortByAssociatedKeys", (_LIST, [_LIST, _LIST], listing.sorted_by)),
    ]


def _text_functions() -> list[cel.FunctionDecl]:
    text = _STRING
    return [
        _function("charAt", (text, [text, _INT], texts.char_at)),
        _function("lowerAscii", (text, [text], texts.lower_ascii)),
        _function("upperAscii", (text, [text], texts.upper_ascii)),
        _function("trim", (text, [text], texts.trim)),
        _function("format", (text, [text, _LIST], texts.format_text)),
        _function("strings.quote", (text, [text], texts.quote), member=False),
        _function(
            "replace",
            (text, [text, text, text], texts.replace),
            (text, [text, text, text, _INT], texts.replace),
        ),
        _function(
            "split",
            (_STRINGS, [text, text], texts.split),
            (_STRINGS, [text, text, _INT], texts.split),
        ),
        _function(
            "substring",
            (text, [text, _INT], texts.substring),
            (text, [text, _INT, _INT], texts.substring),
        ),
        _function(
            "join",
            (text, [_LIST], texts.join),
            (text, [_LIST, text], texts.join),
        ),
        _function("find", (text, [text, text], _find)),
        _function(
            "findAll",
            (_STRINGS, [text, text], _find_all),
            (_STRINGS, [text, text, _INT], _find_all),
        ),
    ]


def _list_functions() -> list[cel.FunctionDecl]:
    text = _STRING
    return [
        _function(
            "indexOf",
            (_INT, [_LIST, _DYN], listing.index_of),
            (_INT, [text, text], texts.index_of),
            (_INT, [text, text, _INT], texts.index_of),
        ),
        _function(
            "lastIndexOf",
            (_INT, [_LIST, _DYN], listing.last_index_of),
            (_INT, [text, text], texts.last_index_of),
            (_INT, [text, text, _INT], texts.last_index_of),
        ),
        _function(
            "reverse",
            (_LIST, [_LIST], listing.reverse),
            (text, [text], texts.reverse),
        ),
        _function("isSorted", (_BOOL, [_LIST], listing.is_sorted)),
        _function("sum", (_DYN, [_LIST], listing.total)),
        _function("min", (_DYN, [_LIST], listing.least)),
        _function("max", (_DYN, [_LIST], listing.greatest)),
        _function("sort", (_LIST, [_LIST], sorted)),
        _function("distinct", (_LIST, [_LIST], listing.distinct)),
        _function("slice", (_LIST, [_LIST, _INT, _INT], listing.part)),
        _function(
            "flatten",
            (_LIST, [_LIST], listing.flatten),
            (_LIST, [_LIST, _INT], listing.flatten),
        ),
        _function("lists.range", (_LIST, [_INT], listing.count_to), member=False),
        _function("sets.contains", (_BOOL, [_LIST, _LIST], listing.contains), member=False),
        _function("sets.equivalent", (_BOOL, [_LIST, _LIST], listing.equivalent), member=False),
        _function("sets.intersects", (_BOOL, [_LIST, _LIST], listing.intersects), member=False),
    ]


def _quantity_functions() -> list[cel.FunctionDecl]:
    two = [_DYN, _DYN]
    return [
        _function("quantity", (_DYN, [_STRING], opaque.quantity), member=False),
        _function("isQuantity", (_BOOL, [_STRING], _holds(opaque.quantity)), member=False),
        _function("sign", (_INT, [_DYN], opaque.sign), member=False),
        _function("isInteger", (_BOOL, [_DYN], opaque.is_integer)),
        _function("asInteger", (_INT, [_DYN], opaque.as_integer)),
        _function("asApproximateFloat", (_DOUBLE, [_DYN], opaque.as_float)),
        _function("add", (_DYN, two, opaque.add)),
        _function("sub", (_DYN, two, opaque.sub)),
        _function("compareTo", (_INT, two, opaque.compare)),
        _function("isGreaterThan", (_BOOL, two, opaque.is_greater)),
        _function("isLessThan", (_BOOL, two, opaque.is_less)),
        _function(
            "semver",
            (_DYN, [_STRING], opaque.semver),
            (_DYN, [_STRING, _BOOL], opaque.semver),
            member=False,
        ),
        _function(
            "isSemver",
            (_BOOL, [_STRING], _holds(opaque.semver)),
            (_BOOL, [_STRING, _BOOL], _holds(opaque.semver)),
            member=False,
        ),
        *(
            _function(name, (_INT, [_DYN], partial(opaque.semver_part, index=at)))
            for at, name in enumerate(("major", "minor", "patch"), 1)
        ),
    ]


def _network_functions() -> list[cel.FunctionDecl]:
    parts = {
        "getScheme": "scheme",
        "getHost": "host",
        "getHostname": "hostname",
        "getPort": "port",
        "getEscapedPath": "escaped_path",
    }
    tells = {
        "isUnspecified": "unspecified",
        "isLoopback": "loopback",
        "isLinkLocalMulticast": "link_local_multicast",
        "isLinkLocalUnicast": "link_local",
        "isGlobalUnicast": "global",
    }
    return [
        _function("url", (_DYN, [_STRING], opaque.url), member=False),
        _function("isURL", (_BOOL, [_STRING], _holds(opaque.url)), member=False),
        _function("getQuery", (_DYN, [_DYN], opaque.url_query)),
        *(
            _function(name, (_STRING, [_DYN], partial(opaque.url_part, part=part)))
            for name, part in parts.items()
        ),
        _both("ip", (_DYN, [_STRING], opaque.ip), (_DYN, [_DYN], opaque.ip)),
        _function("isIP", (_BOOL, [_STRING], _holds(opaque.ip)), member=False),
        _function("ip.isCanonical", (_BOOL, [_STRING], opaque.is_canonical_ip), member=False),
        _function("family", (_INT, [_DYN], opaque.ip_family)),
        *(_function(name, (_BOOL, [_DYN], opaque.ip_is(what))) for name, what in tells.items()),
        _function("cidr", (_DYN, [_STRING], opaque.cidr), member=False),
        _function("isCIDR", (_BOOL, [_STRING], _holds(opaque.cidr)), member=False),
        _function("containsIP", (_BOOL, [_DYN, _DYN], opaque.contains_ip)),
        _function("containsCIDR", (_BOOL, [_DYN, _DYN], opaque.contains_cidr)),
        _function("masked", (_DYN, [_DYN], opaque.masked)),
        _function("prefixLength", (_INT, [_DYN], opaque.prefix_length)),
    ]


def _format_functions() -> list[cel.FunctionDecl]:
    return [
        _function("format.named", (_DYN, [_STRING], opaque.find_format), member=False),
        _function("validate", (_STRINGS, [_DYN, _STRING], opaque.validate)),
        *(
            _function(
                f"format.{name}", (_DYN, [], partial(opaque.format_named, name)), member=False
            )
            for name in opaque.FORMATS
        ),
    ]
