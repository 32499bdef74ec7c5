"""Odd values: scalars that parsers and validators trip over, and JSON made of them."""

import json
from random import Random
from typing import Any

WORDS = (
    "a", "b-1", "fuzz", "x.y", "default", "kube-system", "app", "true", "null", "~", "0", "-1",
    "1e9", "100m", "5Gi", "1.5", "0x1F", "10.96.0.77", "2001:db8::1", "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.123456Z", "YWJj", "dGVz%A", "apps/v1", "v1", "Always", "ClusterIP", "TCP",
    "Exact", "http", "8080", "user:alice", "system:masters", "*", "**", "80/tcp", "example.org",
)  # fmt: skip
ODD_WORDS = (
    "", " ", "\n", "\x00", "\x7f", "é", "日本語", "\u202e", "🙂",
    "a" * 64, "a" * 254, "b" * 5_000, "../../etc/passwd", "%00", "%2e%2e%2f", "{{.}}", "${x}",
    "<script>", "'; DROP TABLE current; --", "self.x == 1", "(" * 200, "a" * 30 + "!", "[",
    "^(a+)+$",
    "9" * 400, "1e400", "-0", "NaN", "Infinity", "0.1e-999999999", "1Ei1", "9223372036854775808",
)  # fmt: skip
NUMBERS = (
    0, 1, 2, 3, 80, 443, 8080, 65_535, 65_536, -1, 2**31 - 1, 2**31, -(2**31) - 1, 2**53 + 1,
    2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 0.5, -0.0, 1e-300, 1e300,
)  # fmt: skip
KEYS = (
    "metadata", "spec", "status", "data", "name", "namespace", "labels", "annotations", "kind",
    "apiVersion", "items", "finalizers", "ownerReferences", "managedFields", "replicas", "$patch",
    "$setElementOrder/x", "$retainKeys", "", ".", "a/b", "x" * 300, "é", "__proto__", "f:metadata",
)  # fmt: skip


def word(chance: Random) -> str:
    """A string: mostly one that means something somewhere."""
    return chance.choice(WORDS if chance.random() < 0.7 else ODD_WORDS)


def scalar(chance: Random) -> Any:
    """A JSON scalar."""
    kind = chance.random()
    if kind < 0.5:
        return word(chance)
    if kind < 0.8:
        return chance.choice(NUMBERS)
    return chance.choice((None, True, False))


def anything(chance: Random, depth: int = 3) -> Any:
    """Some JSON."""
    kind = chance.random()
    if depth == 0 or kind < 0.5:
        return scalar(chance)
    if kind < 0.75:
        return [anything(chance, depth - 1) for _ in range(chance.randrange(4))]
    return {chance.choice(KEYS): anything(chance, depth - 1) for _ in range(chance.randrange(4))}


def mutated(value: Any, chance: Random) -> Any:
    """The value with one place of it changed: replaced, removed, doubled or renamed."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        return _mutated_map({**value}, chance)
    if isinstance(value, list) and value and chance.random() < 0.85:
        items: list[Any] = [*value]
        place = chance.randrange(len(items))
        items[place] = mutated(items[place], chance)
        return items * 2 if chance.random() < 0.1 else items
    return anything(chance)


def _mutated_map(value: dict[str, Any], chance: Random) -> dict[str, Any]:
    key = chance.choice(sorted(value))
    kind = chance.random()
    if kind < 0.1:
        del value[key]
    elif kind < 0.2:
        value[chance.choice(KEYS)] = value.pop(key)
    elif kind < 0.3:
        value[chance.choice(KEYS)] = anything(chance)
    else:
        value[key] = mutated(value[key], chance)
    return value


def broken_text(text: bytes, chance: Random) -> bytes:
    """A document with its bytes damaged, or one that no reader likes."""
    kind = chance.randrange(8)
    place = chance.randrange(len(text) + 1)
    if kind == 0:
        return text[:place]
    if kind == 1:
        return text[:place] + bytes([chance.randrange(256)]) + text[place:]
    if kind == 2:
        return text[:place] + text[place + 1 :]
    if kind == 3:
        return chance.randbytes(chance.randrange(300))
    if kind == 4:
        return b"[" * chance.choice((10, 1_000, 100_000))
    if kind == 5:
        return b'{"a":' * chance.choice((10, 1_000, 50_000)) + b"1"
    if kind == 6:
        return b"a: &a [x, x]\n" + b"".join(
            b"b%d: &b%d [*%s, *%s]\n" % (n, n, *(2 * (b"b%d" % (n - 1) if n else b"a",)))
            for n in range(chance.choice((3, 30)))
        )
    return json.dumps(chance.choice(NUMBERS)).encode()
