"""The path of a field in a YAML document: `spec.ports[0].name`, `metadata.labels["a.b/c"]`."""

import re

FieldPath = tuple[str | int, ...]

_PART = re.compile(
    r"""(?P<dot>\.)?(?P<name>[A-Za-z_][\w-]*) | \[(?P<index>[0-9]{1,6})\] | \["(?P<key>[^"]+)"\]""",
    re.VERBOSE,
)


def parse_path(text: str) -> FieldPath:
    """The keys and positions of a path. Raises `ValueError` with a sentence when it is not one."""
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None or (match["name"] and bool(match["dot"]) != bool(parts)):
            raise ValueError(
                f"`{text}` is not the path of a field: write it like spec.ports[0].name "
                'or metadata.labels["a.b/c"]'
            )
        parts.append(int(match["index"]) if match["index"] else match["name"] or match["key"])
        at = match.end()
    if not parts:
        raise ValueError("an empty path names no field")
    return tuple(parts)
