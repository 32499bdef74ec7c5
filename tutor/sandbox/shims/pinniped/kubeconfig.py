"""Kubeconfig files, found, read, merged and judged as client-go does it.

Source: k8s.io/client-go v0.27.4, tools/clientcmd (loader, validation, client_config).
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from tutor.sandbox.shims import tree, yamltext
from tutor.sandbox.shims.pinniped import config_types

_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_INNER = {"clusters": "cluster", "users": "user", "contexts": "context"}
_PROXIES = ("http", "https", "socks5")
_EMPTY = "no configuration has been provided, try setting KUBERNETES_MASTER environment variable"


class ConfigError(Exception):
    """The kubeconfig cannot be used; the text is client-go's."""


class Config(NamedTuple):
    """A loaded kubeconfig; entries by name, paths in them absolute."""

    clusters: dict[str, dict[str, Any]]
    users: dict[str, dict[str, Any]]
    contexts: dict[str, dict[str, Any]]
    current: str


class Client(NamedTuple):
    """What a context says about talking to its cluster, checked."""

    cluster: dict[str, Any]
    user: dict[str, Any]


def load(explicit: str) -> Config:
    """Load the named file, or those of `$KUBECONFIG`, or `~/.kube/config`.

    Files found by themselves may be missing; of several, the first to name an entry wins.

    Raises:
        ConfigError: a file cannot be read or understood.
    """
    if explicit:
        try:
            os.stat(explicit)
        except OSError as error:
            raise ConfigError(f"stat {explicit}: {go_reason(error)}") from error
        return _read(explicit)
    listed = [path for path in os.environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    paths = listed or [os.path.join(os.path.expanduser("~"), ".kube", "config")]
    merged = Config({}, {}, {}, "")
    for path in paths:
        if not os.path.exists(path):
            continue
        found = _read(path)
        merged = Config(
            found.clusters | merged.clusters,
            found.users | merged.users,
            found.contexts | merged.contexts,
            merged.current or found.current,
        )
    return merged


def go_reason(error: OSError) -> str:
    """The operating system's reason as Go spells it."""
    reason = error.strerror or str(error)
    return reason[:1].lower() + reason[1:]


def _read(path: str) -> Config:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            content = yamltext.load(file.read())
        config_types.check(content)
        base = os.path.dirname(os.path.abspath(path))
        return Config(
            _entries(content, "clusters", base),
            _entries(content, "users", base),
            _named(content, "contexts"),
            tree.text(tree.at(content, "current-context")),
        )
    except OSError as error:
        verb = "read" if os.path.isdir(path) else "open"
        reason = f"{verb} {path}: {go_reason(error)}"
    except (config_types.Unfit, ValueError) as error:
        reason = str(error)
    raise ConfigError(f'error loading config file "{path}": {reason}')


def _named(content: object, field: str) -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = {}
    for entry in tree.items(tree.at(content, field)):
        name = tree.text(tree.at(entry, "name"))
        if name in entries:
            raise config_types.Unfit(f'duplicate name "{name}" in list of {field}')
        inner = tree.mapping(tree.at(entry, _INNER[field]))
        entries[name] = {key: value for key, value in inner.items() if value is not None}
    return entries


def _entries(content: object, field: str, base: str) -> dict[str, dict[str, Any]]:
    entries = _named(content, field)
    for entry in entries.values():
        for key in _PATHS:
            if path := tree.text(entry.get(key)):
                entry[key] = os.path.join(base, path)
        command = tree.text(tree.at(entry, "exec", "command"))
        if os.sep in command:
            absolute = os.path.normpath(os.path.join(base, command))
            entry["exec"] = {**entry["exec"], "command": absolute}
    return entries


def client(config: Config, context_name: str) -> Client:
    """The cluster and user of a context ("" for the current one), as a client would use them.

    Raises:
        ConfigError: they are missing or contradict themselves.
    """
    name = context_name or config.current
    if context_name and context_name not in config.contexts:
        raise ConfigError(f'context "{context_name}" does not exist')
    context = config.contexts.get(name, {})
    user_name, cluster_name = context.get("user") or "", context.get("cluster") or ""
    user, cluster = config.users.get(user_name, {}), config.clusters.get(cluster_name, {})
    problems: list[str] = []
    if name and name not in config.contexts:
        problems.append(f"context was not found for specified context: {name}")
    problems += _user_problems(user_name, user)
    if cluster_name not in config.clusters:
        if not problems:
            raise ConfigError(f"invalid configuration: {_EMPTY}")
        problems.append("cluster has no server defined")
    else:
        problems += _cluster_problems(cluster_name, cluster)
    if problems:
        listed = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise ConfigError(f"invalid configuration: {listed}")
    return Client(cluster, user)


def _cluster_problems(name: str, cluster: dict[str, Any]) -> list[str]:
    problems: list[str] = []
    if not cluster.get("server"):
        problems.append(f'no server found for cluster "{name}"')
    if proxy := str(cluster.get("proxy-url") or ""):
        scheme = proxy.partition("://")[0] if "://" in proxy else ""
        if scheme not in _PROXIES:
            problems.append(
                f'invalid \'proxy-url\' "{proxy}" for cluster "{name}": '
                f'unsupported scheme "{scheme}", must be http, https, or socks5'
            )
    path = cluster.get("certificate-authority")
    if path and cluster.get("certificate-authority-data"):
        problems.append(
            "certificate-authority-data and certificate-authority are both specified for "
            f"{name}. certificate-authority-data will override."
        )
    if path:
        problems += _unreadable("certificate-authority", path, name)
    return problems


def _user_problems(name: str, user: dict[str, Any]) -> list[str]:
    problems: list[str] = []
    certificate, key = user.get("client-certificate"), user.get("client-key")
    certificate_data, key_data = user.get("client-certificate-data"), user.get("client-key-data")
    if certificate or certificate_data:
        if certificate and certificate_data:
            problems.append(
                f"client-cert-data and client-cert are both specified for {name}. "
                "client-cert-data will override."
            )
        if key and key_data:
            problems.append(
                f"client-key-data and client-key are both specified for {name}; "
                "client-key-data will override"
            )
        if not (key or key_data):
            problems.append(
                f"client-key-data or client-key must be specified for {name} "
                "to use the clientCert authentication method."
            )
        problems += _unreadable("client-cert", certificate, name) if certificate else []
        problems += _unreadable("client-key", key, name) if key else []
    if user.get("exec"):
        problems += _plugin_problems(name, user["exec"])
    basic = user.get("username") or user.get("password")
    if user.get("token") and basic:
        problems.append(
            f"more than one authentication method found for {name}; "
            "found [token basicAuth], only one is allowed"
        )
    return problems


def _plugin_problems(name: str, plugin: dict[str, Any]) -> list[str]:
    must = f"must be specified for {name} to use exec authentication plugin"
    version = plugin.get("apiVersion") or ""
    problems = [f"{key} {must}" for key in ("command", "apiVersion") if not plugin.get(key)]
    # v1beta1 has a default for interactiveMode, v1 has none.
    mode = plugin.get("interactiveMode") or ("IfAvailable" if version.endswith("/v1beta1") else "")
    if not mode and not version.endswith("/v1alpha1"):
        problems.append(f"interactiveMode {must}")
    elif mode not in ("", "Never", "IfAvailable", "Always"):
        problems.append(f'invalid interactiveMode for {name}: "{mode}"')
    return problems


def _unreadable(what: str, path: str, name: str) -> list[str]:
    try:
        with open(path, "rb"):
            return []
    except OSError as error:
        return [f"unable to read {what} {path} for {name} due to open {path}: {go_reason(error)}"]
