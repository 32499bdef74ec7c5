"""A cluster with a Concierge, as far as the pinniped command asks: discovery, logins, whoami."""

from __future__ import annotations

import base64
import json
from typing import Any

from shim_pki import Authority, Issued
from shim_servers import Reply, Request

APIS = "/apis/{}.concierge.pinniped.dev/v1alpha1/{}"
ISSUERS = APIS.format("config", "credentialissuers")
WEBHOOKS = APIS.format("authentication", "webhookauthenticators")
JWTS = APIS.format("authentication", "jwtauthenticators")
LOGINS = APIS.format("login", "tokencredentialrequests")
WHOAMI = APIS.format("identity", "whoamirequests")


def b64(text: str) -> str:
    """The text as kubeconfigs and statuses carry it."""
    return base64.b64encode(text.encode()).decode()


def named(name: str, **fields: Any) -> dict[str, Any]:
    """An object with nothing but a name and these fields."""
    return {"metadata": {"name": name}, **fields}


def status(code: int, reason: str, message: str) -> Reply:
    """A failure in the shape of the real server."""
    body = {"kind": "Status", "status": "Failure", "reason": reason, "message": message}
    return Reply(code, {**body, "code": code})


class FakeConcierge:
    """Answers from lists that a test may change, and remembers nothing else."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.issuers = [named("pinniped-concierge-config", status={"strategies": []})]
        self.webhooks = [named("local-user-authenticator")]
        self.jwts: list[dict[str, Any]] = []
        self.passwords = {"pinny:password123": "pinny"}
        self.replies: dict[str, list[Reply]] = {}

    def offer(self, *strategies: dict[str, Any]) -> None:
        """Set the strategies of the CredentialIssuer."""
        self.issuers[0]["status"] = {"strategies": list(strategies)}

    def respond(self, request: Request) -> Reply:
        """Answer one request; a scripted reply for its path goes first."""
        if scripted := self.replies.get(request.path):
            return scripted.pop(0)
        lists = {ISSUERS: self.issuers, WEBHOOKS: self.webhooks, JWTS: self.jwts}
        for path, items in lists.items():
            if request.path == path:
                return Reply(200, {"items": items})
            if request.path.startswith(f"{path}/"):
                return self._one(path, items, request.path.rpartition("/")[2])
        if request.path == LOGINS:
            return self._login(json.loads(request.body))
        if request.path == WHOAMI:
            return self._whoami(request)
        return status(403, "Forbidden", f'User "system:anonymous" cannot get path "{request.path}"')

    def _one(self, path: str, items: list[dict[str, Any]], name: str) -> Reply:
        found = next((item for item in items if item["metadata"]["name"] == name), None)
        if found:
            return Reply(200, found)
        group, plural = path.split("/")[2], path.rpartition("/")[2]
        return status(404, "NotFound", f'{plural}.{group} "{name}" not found')

    def _login(self, body: dict[str, Any]) -> Reply:
        user = self.passwords.get(body["spec"]["token"])
        if user is None:
            return Reply(201, {"status": {"message": "authentication failed"}})
        issued = self.authority.issue(common=user, client=True)
        return Reply(201, {"status": {"credential": credential(issued)}})

    def _whoami(self, request: Request) -> Reply:
        name = request.subject or "system:anonymous"
        groups = ["group-for-mtls", "system:authenticated"] if request.subject else []
        user = {"username": name, "groups": groups}
        body = {"kind": "WhoAmIRequest", "status": {"kubernetesUserInfo": {"user": user}}}
        return Reply(201, body)


def credential(issued: Issued, expires: str = "2199-08-09T18:35:00Z") -> dict[str, str]:
    """A credential as the Concierge hands it out."""
    return {
        "expirationTimestamp": expires,
        "clientCertificateData": issued.certificate,
        "clientKeyData": issued.key,
    }


def impersonation(endpoint: str, authority: str, **changes: Any) -> dict[str, Any]:
    """The strategy of a working impersonation proxy."""
    info = {"endpoint": endpoint, "certificateAuthorityData": b64(authority)}
    return {
        "type": "ImpersonationProxy",
        "status": "Success",
        "reason": "Listening",
        "message": "impersonation proxy is ready to accept client connections",
        "frontend": {"type": "ImpersonationProxy", "impersonationProxyInfo": info},
        **changes,
    }


def signing(**changes: Any) -> dict[str, Any]:
    """The strategy of a working TokenCredentialRequest API."""
    info = {
        "server": "https://kind-with-contour-control-plane:6443",
        "certificateAuthorityData": "",
    }
    return {
        "type": "KubeClusterSigningCertificate",
        "status": "Success",
        "reason": "FetchedKey",
        "message": "key was fetched successfully",
        "frontend": {"type": "TokenCredentialRequestAPI", "tokenCredentialRequestInfo": info},
        **changes,
    }
