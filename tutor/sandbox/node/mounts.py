"""Files that volumes put into a container, read from the objects they come from."""

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.kinds import GroupResource, Object

SECRETS = GroupResource("", "secrets")
CONFIG_MAPS = GroupResource("", "configmaps")

Find = Callable[[GroupResource, str, str], Object | None]


class Mounts:
    """Reads files as containers of one node see them. `host` maps paths of the node to files."""

    def __init__(self, find: Find, host: Mapping[str, str]) -> None:
        self._find = find
        self._host = host

    def missing(self, pod: Object) -> str | None:
        """The event text for the first volume whose source is not there, None when all are."""
        namespace = pod["metadata"]["namespace"]
        for volume in pod["spec"].get("volumes") or ():
            for resource, name, optional in _sources(volume):
                if optional or self._find(resource, namespace, name) is not None:
                    continue
                word = "secret" if resource == SECRETS else "configmap"
                return (
                    f'MountVolume.SetUp failed for volume "{volume["name"]}" : '
                    f'{word} "{name}" not found'
                )
        return None

    def read(self, pod: Object, container: Object, path: str) -> bytes:
        """A file in a container; raises FileNotFoundError."""
        wanted = PurePosixPath(path)
        mounts = items(container, "volumeMounts")
        for mount in sorted(mounts, key=lambda m: -len(m["mountPath"])):
            root = PurePosixPath(mount["mountPath"])
            if wanted == root or root in wanted.parents:
                inside = str(wanted.relative_to(root)) if wanted != root else ""
                inside = mount.get("subPath") or inside
                return self._from_volume(pod, _volume(pod, mount["name"]), inside, path)
        raise FileNotFoundError(path)

    def _from_volume(self, pod: Object, volume: Object, inside: str, path: str) -> bytes:
        if "hostPath" in volume:
            base = PurePosixPath(volume["hostPath"]["path"])
            full = str(base / inside) if inside else str(base)
            if full in self._host:
                return self._host[full].encode()
            raise FileNotFoundError(path)
        namespace = pod["metadata"]["namespace"]
        for field, name_field, resource in (
            ("secret", "secretName", SECRETS),
            ("configMap", "name", CONFIG_MAPS),
        ):
            if volume.get(field) is None:
                continue
            source = part(volume, field)
            obj = self._find(resource, namespace, text(source, name_field)) or {}
            key = _key_for(items(source, "items"), inside)
            content = _value(obj, key, is_secret=resource == SECRETS)
            if content is not None:
                return content
        raise FileNotFoundError(path)


def _volume(pod: Object, name: str) -> Object:
    return next(v for v in items(pod, "spec", "volumes") if v["name"] == name)


def _sources(volume: Object) -> list[tuple[GroupResource, str, bool]]:
    found: list[tuple[GroupResource, str, bool]] = []
    secret, config_map = volume.get("secret"), volume.get("configMap")
    if secret:
        found.append((SECRETS, secret.get("secretName", ""), bool(secret.get("optional"))))
    if config_map:
        optional = bool(config_map.get("optional"))
        found.append((CONFIG_MAPS, config_map.get("name", ""), optional))
    for source in items(volume, "projected", "sources"):
        found.extend(
            (resource, source[field].get("name", ""), bool(source[field].get("optional")))
            for resource, field in ((SECRETS, "secret"), (CONFIG_MAPS, "configMap"))
            if source.get(field)
        )
    return found


def _key_for(chosen: Sequence[Object], inside: str) -> str:
    if not chosen:
        return inside
    return next((item["key"] for item in chosen if item.get("path") == inside), "")


def _value(obj: Object, key: str, *, is_secret: bool) -> bytes | None:
    value: str | None = part(obj, "data").get(key)
    if value is None:
        binary: str | None = part(obj, "binaryData").get(key)
        return base64.b64decode(binary) if binary is not None else None
    return base64.b64decode(value) if is_secret else value.encode()
