"""The Go types of a kubeconfig, and how Go's JSON decoder refuses what does not fit them.

YAML becomes JSON with sorted keys first, so the first fault is the first in that order.
Source: k8s.io/client-go v0.27.4, tools/clientcmd/api/v1; encoding/json.
"""

from __future__ import annotations

from tutor.sandbox.shims import gotext, tree

_TEXTS = "[]string"
_BYTES = "[]uint8"
_EXTENSIONS = "[]v1.NamedExtension"
_STRUCTS: dict[str, dict[str, str]] = {
    "v1.Config": {
        "kind": "string",
        "apiVersion": "string",
        "preferences": "v1.Preferences",
        "clusters": "[]v1.NamedCluster",
        "users": "[]v1.NamedAuthInfo",
        "contexts": "[]v1.NamedContext",
        "current-context": "string",
        "extensions": _EXTENSIONS,
    },
    "v1.Preferences": {"colors": "bool", "extensions": _EXTENSIONS},
    "v1.NamedCluster": {"name": "string", "cluster": "v1.Cluster"},
    "v1.NamedAuthInfo": {"name": "string", "user": "v1.AuthInfo"},
    "v1.NamedContext": {"name": "string", "context": "v1.Context"},
    "v1.NamedExtension": {"name": "string"},
    "v1.Cluster": {
        "server": "string",
        "tls-server-name": "string",
        "insecure-skip-tls-verify": "bool",
        "certificate-authority": "string",
        "certificate-authority-data": _BYTES,
        "proxy-url": "string",
        "disable-compression": "bool",
        "extensions": _EXTENSIONS,
    },
    "v1.Context": {
        "cluster": "string",
        "user": "string",
        "namespace": "string",
        "extensions": _EXTENSIONS,
    },
    "v1.AuthInfo": {
        "client-certificate": "string",
        "client-certificate-data": _BYTES,
        "client-key": "string",
        "client-key-data": _BYTES,
        "token": "string",
        "tokenFile": "string",
        "as": "string",
        "as-uid": "string",
        "as-groups": _TEXTS,
        "as-user-extra": "map[string][]string",
        "username": "string",
        "password": "string",
        "auth-provider": "v1.AuthProviderConfig",
        "exec": "v1.ExecConfig",
        "extensions": _EXTENSIONS,
    },
    "v1.AuthProviderConfig": {"name": "string", "config": "map[string]string"},
    "v1.ExecConfig": {
        "command": "string",
        "args": _TEXTS,
        "env": "[]v1.ExecEnvVar",
        "apiVersion": "string",
        "installHint": "string",
        "provideClusterInfo": "bool",
        "interactiveMode": "v1.ExecInteractiveMode",
    },
    "v1.ExecEnvVar": {"name": "string", "value": "string"},
}
_MAP = "map[string]"


class Unfit(Exception):
    """A file's content has the wrong shape; the text is Go's."""


def check(content: object) -> None:
    """Judge the content of a kubeconfig file.

    Raises:
        Unfit: it is no kubeconfig.
    """
    if content is None:
        return
    start = "couldn't get version/kind; json parse error: json: cannot unmarshal"
    if tree.json_type(content) != "object":
        raise Unfit(
            f"{start} {tree.json_type(content)} into Go value of type struct {{ APIVersion string "
            '"json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
    for name, usual in (("apiVersion", "v1"), ("kind", "Config")):
        value = tree.at(content, name)
        if value is not None and not isinstance(value, str):
            found = tree.json_type(value)
            raise Unfit(f"{start} {found} into Go struct field .{name} of type string")
        if value not in (None, "", usual):
            kind, version = tree.at(content, "kind"), tree.at(content, "apiVersion")
            raise Unfit(
                f'no kind "{kind or "Config"}" is registered for version "{version or "v1"}" '
                'in scheme "pkg/runtime/scheme.go:100"'
            )
    _fit(content, "v1.Config", "", "")


def _fit(value: object, go_type: str, struct: str, path: str) -> None:
    if value is None:
        return
    if go_type in _STRUCTS:
        fields = _STRUCTS[go_type]
        found = tree.mapping(_demand(value, "object", go_type, struct, path))
        for name in sorted(name for name in found if name in fields):
            below = f"{path}.{name}"
            _fit(found[name], fields[name], go_type.removeprefix("v1."), below)
    elif go_type == _BYTES:
        gotext.decode_base64(str(_demand(value, "string", go_type, struct, path)))
    elif go_type.startswith("[]"):
        for item in tree.items(_demand(value, "array", go_type, struct, path)):
            _fit(item, go_type[2:], struct, path)
    elif go_type.startswith(_MAP):
        for item in tree.mapping(_demand(value, "object", go_type, struct, path)).values():
            _fit(item, go_type.removeprefix(_MAP), struct, path)
    else:
        _demand(value, "bool" if go_type == "bool" else "string", go_type, struct, path)


def _demand(value: object, wanted: str, go_type: str, struct: str, path: str) -> object:
    found = tree.json_type(value)
    if found == wanted:
        return value
    raise Unfit(
        f"json: cannot unmarshal {found} into Go struct field {struct}{path} of type {go_type}"
    )
