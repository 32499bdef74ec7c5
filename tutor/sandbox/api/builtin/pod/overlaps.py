"""Files of one volume that would lie inside each other. Source: `api/pod/warnings.go`."""

from typing import NamedTuple

from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.kinds import Object


class _File(NamedTuple):
    path: str
    source: str

    def __str__(self) -> str:
        return f'"{self.path}" ({self.source})' if self.source else f'"{self.path}"'


_NAMED = {"configMap": ("ConfigMap", "name"), "secret": ("Secret", "secretName")}


def warnings(spec: Object) -> list[str]:
    """One warning for each pair of overlapping files."""
    said: list[str] = []
    for volume in items(spec, "volumes"):
        name = text(volume, "name")
        for field, (shown, key) in _NAMED.items():
            source = part(volume, field)
            files = [_File(text(item, "path"), "") for item in items(source, "items")]
            said += _said(name, f'{shown} "{text(source, key)}"', files)
        files = [_File(text(f, "path"), "") for f in items(volume, "downwardAPI", "items")]
        said += _said(name, "DownwardAPI", files)
        if volume.get("projected") is not None:
            said += _projected(name, volume["projected"])
    return said


def _projected(name: str, projected: Object) -> list[str]:
    said: list[str] = []
    files: list[_File] = []
    for source in items(projected, "sources"):
        if not any(value is not None for value in source.values()):
            said.append(f'volume "{name}" (Projected) has no sources provided')
            continue
        files += _files(source)
    return said + _said(name, "Projected", files)


def _files(source: Object) -> list[_File]:
    for field, shown in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if listed := items(source, field, "items"):
            origin = f'{shown} "{text(source[field], "name")}"'
            return [_File(text(item, "path"), origin) for item in listed]
    if listed := items(source, "downwardAPI", "items"):
        return [_File(text(item, "path"), "DownwardAPI") for item in listed]
    if (token := source.get("serviceAccountToken")) is not None:
        return [_File(text(token, "path"), "ServiceAccountToken")]
    return []


def _said(name: str, source: str, files: list[_File]) -> list[str]:
    said: list[str] = []
    seen: list[_File] = []
    for given in files:
        file = given._replace(path=given.path.rstrip("/"))
        said += [
            f'volume "{name}" ({source}): overlapping paths: {file} with {other}'
            for other in seen
            if _overlap(file.path, other.path)
        ]
        seen.append(file)
    return said


def _overlap(one: str, other: str) -> bool:
    inside = f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
    return bool(one) and bool(other) and inside
