"""What credential plugins are told about the cluster, and JSON as Go writes it.

Kept apart from the code that runs plugins, because a login that is cached needs nothing more.
Source: k8s.io/client-go v0.27.4, pkg/apis/clientauthentication/v1beta1.
"""

from __future__ import annotations

import json
from typing import Any

from tutor.sandbox.shims import tree

STATUS_FIELDS = ("expirationTimestamp", "token", "clientCertificateData", "clientKeyData")
"""The fields of an ExecCredential's status, in the order of the API type."""
_EXTENSION = "client.authentication.k8s.io/exec"


def compact(value: object) -> str:
    """JSON as Go's encoder writes it: no blanks, `<`, `>` and `&` escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def cluster_info(cluster: dict[str, Any]) -> dict[str, Any]:
    """The cluster as plugins are told about it, in the order of the API type."""
    authority = tree.text(cluster.get("certificate-authority-data"))
    if not authority and (path := tree.text(cluster.get("certificate-authority"))):
        import binascii

        with open(path, "rb") as file:
            authority = binascii.b2a_base64(file.read(), newline=False).decode("ascii")
    found: dict[str, Any] = {"server": tree.text(cluster.get("server"))}
    optional = {
        "tls-server-name": cluster.get("tls-server-name"),
        "insecure-skip-tls-verify": cluster.get("insecure-skip-tls-verify"),
        "certificate-authority-data": authority,
        "proxy-url": cluster.get("proxy-url"),
    }
    found |= {key: value for key, value in optional.items() if value}
    extensions = tree.items(cluster.get("extensions"))
    found["config"] = next(
        (tree.at(item, "extension") for item in extensions if tree.at(item, "name") == _EXTENSION),
        None,
    )
    return found
