"""Tokens with which new nodes join.

Source: Kubernetes reference, "Authenticating with Bootstrap Tokens"; the signature was recorded
of kube-controller-manager v1.36.2.
"""

from datetime import timedelta

from tests.fakes.cluster import Api, now, obj
from tutor.sandbox.controllers.bootstrap_tokens import (
    BootstrapSigner,
    TokenCleaner,
    detached_signature,
)
from tutor.sandbox.controllers.resources import CONFIG_MAPS, SECRETS

CONTENT = "apiVersion: v1\nkind: Config\n"
SIGNATURE = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9..vH_kT4yiol-nrAWgjfCYqvum5wsKETXe0S7OOp1VgnE"


async def make_token(
    api: Api, token: str, *, hours: float | None = None, signs: bool = True
) -> None:
    data = {"token-id": token, "token-secret": "0123456789abcdef"}
    if signs:
        data["usage-bootstrap-signing"] = "true"
    if hours is not None:
        data["expiration"] = (now() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    kind = "bootstrap.kubernetes.io/token"
    name = f"bootstrap-token-{token}"
    await api.client.create(
        obj("Secret", name, namespace="kube-system", type=kind, stringData=data)
    )


async def make_info(api: Api) -> None:
    for name in ("kube-system", "kube-public"):
        await api.client.create(obj("Namespace", name))
    data = {"kubeconfig": CONTENT}
    await api.client.create(obj("ConfigMap", "cluster-info", namespace="kube-public", data=data))


def info(api: Api) -> dict[str, str]:
    return api.client.get(CONFIG_MAPS, "kube-public", "cluster-info")["data"]


def test_signature_is_that_of_the_real_controller() -> None:
    assert detached_signature(CONTENT, "abcdef", "0123456789abcdef") == SIGNATURE


async def test_tokens_that_sign_sign_the_cluster_info(api: Api) -> None:
    await make_info(api)
    await make_token(api, "abcdef", hours=1)
    await make_token(api, "silent", signs=False)
    await make_token(api, "tooold", hours=-1)
    controller = BootstrapSigner(api.client)
    await controller.reconcile("cluster-info")
    assert info(api) == {"kubeconfig": CONTENT, "jws-kubeconfig-abcdef": SIGNATURE}
    before = api.store.revision
    await controller.reconcile("cluster-info")
    assert api.store.revision == before
    await api.client.delete(SECRETS, "kube-system", "bootstrap-token-abcdef")
    await controller.reconcile("cluster-info")
    assert info(api) == {"kubeconfig": CONTENT}


async def test_tokens_go_when_their_time_is_over(api: Api) -> None:
    await make_info(api)
    await make_token(api, "tooold", hours=-1)
    await make_token(api, "abcdef", hours=1)
    await make_token(api, "always")
    controller = TokenCleaner(api.client)
    await controller.reconcile(("kube-system", "bootstrap-token-tooold"))
    assert api.stored(SECRETS, "bootstrap-token-tooold", "kube-system") is None
    left = (await controller.reconcile(("kube-system", "bootstrap-token-abcdef"))).again_s
    assert left is not None
    assert 3000 < left <= 3600
    kept = await controller.reconcile(("kube-system", "bootstrap-token-always"))
    assert kept.again_s is None
