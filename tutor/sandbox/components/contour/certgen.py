"""The certgen Job: the certificates between Contour and Envoy. Source: contour-and-kind.md 1.3."""

import base64
from datetime import datetime, timedelta

from tutor.sandbox import pki
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.component import Workload
from tutor.sandbox.kinds import Object, namespace_of
from tutor.sandbox.pki import Authority

_LIFETIME = timedelta(days=365)


async def run(workload: Workload) -> None:
    """Write both Secrets and end."""
    namespace = namespace_of(workload.pod)
    client = workload.client.managed_by("contour")
    now = client.now()
    authority = pki.new_authority("Project Contour", now=now, lifetime=_LIFETIME)
    workload.log(f'Writing "compact" format Secrets to namespace "{namespace}"')
    for name, host in (("contourcert", "contour"), ("envoycert", "envoy")):
        secret = _secret(authority, name, host, namespace, now)
        # The Job's Role lets it create and update, not look.
        try:
            await client.create(secret)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            await client.update(secret)
        workload.log(f"secret/{name} updated")


def _secret(authority: Authority, name: str, host: str, namespace: str, now: datetime) -> Object:
    names = [host, f"{host}.{namespace}", f"{host}.{namespace}.svc"]
    pair = pki.issue(
        authority,
        subject=pki.subject_of(host),
        now=now,
        lifetime=_LIFETIME,
        hosts=[*names, f"{host}.{namespace}.svc.cluster.local"],
        extended=(pki.SERVER_AUTH, pki.CLIENT_AUTH),
    )
    data = {"ca.crt": authority.pem, "tls.crt": pair.certificate, "tls.key": pair.key}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "contour"}},
        "type": "kubernetes.io/tls",
        "data": {k: base64.b64encode(v.encode()).decode() for k, v in data.items()},
    }
