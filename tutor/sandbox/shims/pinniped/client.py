"""From a kubeconfig's context to a client that may call its cluster.

Source: k8s.io/client-go v0.27.4 (clientcmd.ClientConfig, rest.TLSConfigFor).
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import quote

from tutor.sandbox.shims import gotext, tree
from tutor.sandbox.shims.pinniped import dial, kubeconfig, pem, plugin, tls
from tutor.sandbox.shims.pinniped.api import ApiError, Client, Resource
from tutor.sandbox.shims.pinniped.exchange import Headers, Server


def build(found: kubeconfig.Client) -> UserClient:
    """Check what the kubeconfig says about server and user; a plugin is not run yet.

    Raises:
        ConfigError: with client-go's sentence.
    """
    cluster, user = found
    roots = _file_or_data(cluster, "certificate-authority")
    insecure = bool(cluster.get("insecure-skip-tls-verify"))
    if roots and insecure:
        raise kubeconfig.ConfigError(
            "specifying a root certificates file with the insecure flag is not allowed"
        )
    if roots and not pem.certificates(roots):
        raise kubeconfig.ConfigError(
            "unable to load root certificates: unable to parse bytes as PEM block"
        )
    if provider := user.get("auth-provider"):
        name = tree.text(tree.at(provider, "name"))
        raise kubeconfig.ConfigError(f'no Auth Provider found for name "{name}"')
    server = Server(
        url=_url(tree.text(cluster.get("server")), secure=bool(roots or insecure)),
        roots=roots or None,
        insecure=insecure,
        name=tree.text(cluster.get("tls-server-name")),
        proxy=tree.text(cluster.get("proxy-url")),
        pair=_pair(user),
    )
    if exec_plugin := tree.mapping(user.get("exec")):
        try:
            plugin.check_version(exec_plugin)
        except plugin.PluginError as error:
            raise kubeconfig.ConfigError(str(error)) from None
    return UserClient(Client(server, _headers(user)), tree.mapping(user.get("exec")), cluster)


class UserClient:
    """A client that asks its credential plugin, if any, before its first call."""

    def __init__(
        self, client: Client, exec_plugin: dict[str, Any], cluster: dict[str, Any]
    ) -> None:
        self._client = client
        self._plugin = exec_plugin
        self._cluster = cluster

    def get(self, resource: Resource, *, name: str = "") -> dict[str, Any]:
        """Read a collection, or one object by name.

        Raises:
            ApiError: with client-go's sentence.
        """
        return self._ready("Get", resource.path(name)).get(resource, name=name)

    def create(self, resource: Resource, body: object) -> dict[str, Any]:
        """Create an object; the server's answer is the result.

        Raises:
            ApiError: with client-go's sentence.
        """
        return self._ready("Post", resource.path()).create(resource, body)

    def _ready(self, method: str, path: str) -> Client:
        if not self._plugin or "Authorization" in dict(self._client.headers):
            return self._client
        server = self._client.server
        try:
            credential = plugin.run(self._plugin, self._cluster)
        except plugin.PluginError as error:
            problem = str(error)
        else:
            problem = _credential_problem(credential)
            pair = (credential.certificate, credential.key) if credential.certificate else None
            token = [("Authorization", f"Bearer {credential.token}")] if credential.token else []
            self._client = Client(
                server._replace(pair=pair or server.pair), [*self._client.headers, *token]
            )
        if problem:
            url = gotext.quote(server.url.rstrip("/") + path)
            raise ApiError(f"{method} {url}: getting credentials: {problem}")
        self._plugin = {}
        return self._client


def _credential_problem(credential: plugin.Credential) -> str:
    if not credential.certificate:
        return ""
    problem = pair_problem(credential.certificate, credential.key)
    return f"failed parsing client key/certificate: {problem}" if problem else ""


def _url(server: str, *, secure: bool) -> str:
    if "://" in server:
        return server
    return f"https://{server}" if secure else f"http://{server}"


def _file_or_data(entry: dict[str, Any], key: str) -> str:
    if data := tree.text(entry.get(f"{key}-data")):
        return gotext.decode_base64(data).decode("utf-8", "replace")
    path = tree.text(entry.get(key))
    return _content(path) if path else ""


def _content(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError as error:
        raise kubeconfig.ConfigError(f"open {path}: {kubeconfig.go_reason(error)}") from None


def _pair(user: dict[str, Any]) -> tuple[str, str] | None:
    certificate = _file_or_data(user, "client-certificate")
    if not certificate:
        return None
    pair = (certificate, _file_or_data(user, "client-key"))
    if problem := pair_problem(*pair):
        raise kubeconfig.ConfigError(problem)
    return pair


def pair_problem(certificate: str, key: str) -> str:
    """What Go says about a certificate and key that do not load, "" for a good pair."""
    for text, what in ((certificate, "certificate"), (key, "key")):
        if "-----BEGIN " not in text:
            return f"tls: failed to find any PEM data in {what} input"
    try:
        tls.present(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), (certificate, key))
    except ssl.SSLError as error:
        if "MISMATCH" in (error.reason or ""):
            return "tls: private key does not match public key"
        return f"tls: failed to parse certificate or key: {(error.reason or 'unknown').lower()}"
    return ""


def _headers(user: dict[str, Any]) -> Headers:
    token = tree.text(user.get("token"))
    if not token and (path := tree.text(user.get("tokenFile"))):
        token = _content(path).strip()
    headers: list[tuple[str, str]] = []
    if token:
        headers.append(("Authorization", f"Bearer {token}"))
    elif user.get("username") or user.get("password"):
        pair = f"{tree.text(user.get('username'))}:{tree.text(user.get('password'))}"
        headers.append(("Authorization", dial.authorization(pair)))
    if acting := tree.text(user.get("as")):
        headers.append(("Impersonate-User", acting))
    if acting_uid := tree.text(user.get("as-uid")):
        headers.append(("Impersonate-Uid", acting_uid))
    headers += [("Impersonate-Group", str(group)) for group in tree.items(user.get("as-groups"))]
    for key, values in tree.mapping(user.get("as-user-extra")).items():
        headers += [(f"Impersonate-Extra-{quote(key)}", str(value)) for value in tree.items(values)]
    return headers
