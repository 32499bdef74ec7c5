"""Credential plugins: the `exec` part of a kubeconfig's user.

Source: k8s.io/client-go v0.27.4, plugin/pkg/client/auth/exec.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any, NamedTuple

from tutor.sandbox.shims import tree
from tutor.sandbox.shims.pinniped import dial
from tutor.sandbox.shims.pinniped.execinfo import cluster_info, compact

_VERSIONS = ("client.authentication.k8s.io/v1beta1", "client.authentication.k8s.io/v1")
_NOT_INSTALLED = """\

It looks like you are trying to use a client-go credential plugin that is not installed.

To learn more about this feature, consult the documentation available at:
      https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"""


class PluginError(Exception):
    """No credential was had; the text follows `getting credentials: `."""


class Credential(NamedTuple):
    """What a plugin gave: a bearer token, a certificate and key in PEM, or both; "" for none."""

    token: str
    certificate: str
    key: str


def check_version(plugin: dict[str, Any]) -> str:
    """The plugin's API version.

    Raises:
        PluginError: no such version, reported before anything is run.
    """
    version = tree.text(plugin.get("apiVersion"))
    if version not in _VERSIONS:
        raise PluginError(f'exec plugin: invalid apiVersion "{version}"')
    return version


def run(plugin: dict[str, Any], cluster: dict[str, Any]) -> Credential:
    """Run the plugin; what it prints on stderr is seen by the person.

    Raises:
        PluginError: it cannot be run, fails, or prints no credential.
    """
    version = tree.text(plugin.get("apiVersion"))
    interactive = _interactive(plugin)
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.get("provideClusterInfo"):
        spec = {"cluster": cluster_info(cluster), **spec}
    environment = dict(os.environ)
    for pair in tree.items(plugin.get("env")):
        environment[tree.text(tree.at(pair, "name"))] = tree.text(tree.at(pair, "value"))
    info = {"kind": "ExecCredential", "apiVersion": version, "spec": spec}
    environment["KUBERNETES_EXEC_INFO"] = compact(info)
    printed = _output(plugin, environment, interactive=interactive)
    return _read(printed, version)


def _interactive(plugin: dict[str, Any]) -> bool:
    mode = plugin.get("interactiveMode") or "IfAvailable"
    if mode == "Never":
        return False
    terminal = sys.stdin.isatty()
    if mode == "Always" and not terminal:
        raise PluginError(
            "exec plugin cannot support interactive mode: standard input is not a terminal"
        )
    return terminal


def _output(plugin: dict[str, Any], environment: dict[str, str], *, interactive: bool) -> bytes:
    command = tree.text(plugin.get("command"))
    if os.sep not in command and shutil.which(command) is None:
        hint = tree.text(plugin.get("installHint"))
        text = f"exec: executable {command} not found\n{_NOT_INSTALLED}"
        raise PluginError(f"{text}\n\n{hint}" if hint else text)
    arguments = [str(argument) for argument in tree.items(plugin.get("args"))]
    try:
        done = subprocess.run(  # noqa: S603  (what the kubeconfig names, as kubectl runs it)
            [command, *arguments],
            env=environment,
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        )
    except OSError as error:
        raise PluginError(f"exec: fork/exec {command}: {dial.reason(error)}") from None
    if done.returncode < 0:
        raise PluginError(f"exec: executable {command} failed with exit code -1")
    if done.returncode:
        raise PluginError(f"exec: executable {command} failed with exit code {done.returncode}")
    return done.stdout


def _read(printed: bytes, version: str) -> Credential:
    try:
        found: object = json.loads(printed) if printed.strip() else {}
    except ValueError:
        found = printed.decode("utf-8", "replace")
    if tree.json_type(found) != "object":
        raise PluginError(
            "decoding stdout: couldn't get version/kind; json parse error: json: cannot unmarshal "
            f"{tree.json_type(found)} into Go value of type struct {{ APIVersion string "
            '"json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
    returned = tree.text(tree.at(found, "apiVersion"))
    if returned != version:
        raise PluginError(
            f"exec plugin is configured to use API version {version}, "
            f"plugin returned version {returned or 'client.authentication.k8s.io/__internal'}"
        )
    status = tree.at(found, "status")
    if status is None:
        raise PluginError("exec plugin didn't return a status field")
    credential = Credential(
        *(
            tree.text(tree.at(status, key))
            for key in ("token", "clientCertificateData", "clientKeyData")
        )
    )
    if not any(credential):
        raise PluginError("exec plugin didn't return a token or cert/key pair")
    if bool(credential.certificate) != bool(credential.key):
        raise PluginError("exec plugin returned only certificate or key, not both")
    return credential
