"""Admission webhooks over TLS: what they are told, what they may do, and what happens without them.

Source: apiserver's admission/plugin/webhook; messages of its errors.
"""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.cluster import HOUR, now, obj
from tutor.sandbox import pki
from tutor.sandbox.api.request import Request, Response
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.api.values import is_map
from tutor.sandbox.cluster.assembly import Cluster, running
from tutor.sandbox.cluster.settings import BARE_VERSION, ClusterSettings
from tutor.sandbox.component import ServerTls
from tutor.sandbox.kinds import GroupResource, Object
from tutor.sandbox.pace import INSTANT
from tutor.sandbox.pki import Authority
from tutor.sandbox.server.wire import serving

pytestmark = pytest.mark.contract

MAPS = GroupResource("", "configmaps")
ENDPOINTS = GroupResource("", "endpoints")
ADDRESS = "10.244.0.9"
ROOT_CA = "kube-root-ca.crt"
GROUP = "admissionregistration.k8s.io"
NAME = "hook.example.org"
Reply = Callable[[Object], Any]


def allow(_request: Object) -> Any:
    return {"allowed": True}


def patching(*steps: Object) -> Reply:
    encoded = base64.b64encode(json.dumps(steps).encode()).decode()
    return lambda _: {"allowed": True, "patchType": "JSONPatch", "patch": encoded}


@dataclass
class Hook:
    """A webhook's server."""

    authority: Authority
    tls: ServerTls
    reply: Reply = allow
    status: int = 200
    asked: list[Object] = field(default_factory=list[Object])

    async def handle(self, request: Request) -> Response:
        review = json.loads(request.body)
        if review["request"]["name"] == ROOT_CA:  # a controller's, who is not who asks here
            allowed = {"uid": review["request"]["uid"], "allowed": True}
            return Response(status=200, body=json.dumps({"response": allowed}).encode())
        self.asked.append(review["request"])
        made = self.reply(review["request"])
        if isinstance(made, bytes):
            return Response(status=self.status, body=made)
        response: Any = {"uid": review["request"]["uid"], **made} if is_map(made) else made
        return Response(status=self.status, body=json.dumps({"response": response}).encode())

    def configuration(self, kind: str = "Validating", **more: Any) -> Object:
        rule = {
            "operations": ["CREATE", "UPDATE", "DELETE"],
            "apiGroups": [""],
            "apiVersions": ["v1"],
            "resources": ["configmaps"],
        }
        bundle = base64.b64encode(self.authority.pem.encode()).decode()
        service = {"namespace": "default", "name": "hook", "path": "/judge"}
        webhook = {
            "name": NAME,
            "rules": [rule],
            "clientConfig": {"service": service, "caBundle": bundle},
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "timeoutSeconds": 5,
        } | more
        name = f"{kind}WebhookConfiguration"
        return obj(name, "hook", version=f"{GROUP}/v1", webhooks=[webhook])


@dataclass
class World:
    """A bare cluster and a webhook."""

    cluster: Cluster
    hook: Hook

    def listen(self, port: int) -> None:
        """Put a server of this machine behind the webhook's Service."""
        self.cluster.network.bind(ADDRESS, 8443, port)

    async def configure(self, kind: str = "Validating", **more: Any) -> None:
        await self.cluster.client.create(self.hook.configuration(kind, **more))

    async def write(self, name: str = "a", **more: Any) -> Object:
        return await self.cluster.client.create(obj("ConfigMap", name, namespace="default", **more))

    async def refusal(self) -> ApiError:
        with pytest.raises(ApiError) as caught:
            await self.write()
        assert self.cluster.client.find(MAPS, "default", "a") is None
        return caught.value


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    """Both, running."""
    authority = pki.new_authority("hook-ca", now=now(), lifetime=HOUR)
    pair = pki.issue(
        authority, subject=pki.subject_of(), now=now(), lifetime=HOUR, hosts=["hook.default.svc"]
    )
    hook = Hook(authority, ServerTls(pair=lambda: pair))
    settings = ClusterSettings(
        name="bare", folder=tmp_path / "cluster", version=BARE_VERSION, pace=INSTANT
    )
    async with (
        serving(hook.handle, tls=hook.tls, now=now) as port,
        running(settings) as cluster,
    ):
        made = World(cluster, hook)
        made.listen(port)
        ports = [{"port": 443, "targetPort": 8443}]
        await cluster.client.create(
            obj("Service", "hook", namespace="default", spec={"ports": ports})
        )
        subsets = [{"addresses": [{"ip": ADDRESS}], "ports": [{"port": 8443}]}]
        await cluster.client.create(obj("Endpoints", "hook", namespace="default", subsets=subsets))
        yield made


async def test_webhook_is_told_the_write_and_who_wants_it(world: World) -> None:
    await world.configure()
    await world.write(data={"x": "y"})
    (request,) = world.hook.asked
    assert (request["operation"], request["name"], request["namespace"]) == (
        "CREATE",
        "a",
        "default",
    )
    assert request["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert request["object"]["data"] == {"x": "y"}
    assert request["oldObject"] is None
    assert not request["dryRun"]
    assert request["userInfo"]["username"]


async def test_update_and_deletion_are_told_with_what_was_there(world: World) -> None:
    await world.write(data={"x": "1"})
    await world.configure()
    await world.cluster.client.patch(MAPS, "default", "a", {"data": {"x": "2"}})
    await world.cluster.client.delete(MAPS, "default", "a")
    update, deletion = world.hook.asked
    assert (update["operation"], update["oldObject"]["data"]["x"]) == ("UPDATE", "1")
    assert update["object"]["data"]["x"] == "2"
    assert (deletion["operation"], deletion["object"]) == ("DELETE", None)
    assert deletion["oldObject"]["data"]["x"] == "2"


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        ({}, f'admission webhook "{NAME}" denied the request without explanation', 400),
        ({"message": "no", "code": 403}, f'admission webhook "{NAME}" denied the request: no', 403),
        ({"reason": "Because"}, f'admission webhook "{NAME}" denied the request: Because', 400),
    ],
)
async def test_write_that_a_webhook_denies_is_not_made(
    world: World, status: Object, message: str, code: int
) -> None:
    await world.configure()
    world.hook.reply = lambda _: {"allowed": False, "status": status}
    error = await world.refusal()
    assert (error.code, error.message) == (code, message)


async def test_mutating_webhook_changes_what_is_stored(world: World) -> None:
    await world.configure("Mutating")
    world.hook.reply = patching({"op": "add", "path": "/data", "value": {"made": "by hook"}})
    made = await world.write()
    assert made["data"] == {"made": "by hook"}


@pytest.mark.parametrize(
    "made",
    [
        b"no json",
        b"",
        b"[]",
        b'"x"',
        b"null",
        b'{"response": null}',
        b'{"response": []}',
        b'{"response": {"uid": "other", "allowed": true}}',
    ],
)
@pytest.mark.parametrize("policy", ["Fail", "Ignore"])
async def test_answer_that_is_no_review_fails_the_write_unless_failures_are_ignored(
    world: World, made: bytes, policy: str
) -> None:
    await world.configure(failurePolicy=policy)
    world.hook.reply = lambda _: made
    if policy == "Ignore":
        assert await world.write()
        return
    error = await world.refusal()
    assert error.code == 500
    assert f'failed calling webhook "{NAME}"' in error.message


@pytest.mark.parametrize(
    "odd",
    [
        {"allowed": True, "patch": "!!"},
        {"allowed": True, "patch": base64.b64encode(b"no json").decode()},
        {"allowed": True, "patch": base64.b64encode(b"{}").decode()},
        {"allowed": True, "patch": base64.b64encode(b"[1]").decode()},
        {"allowed": True, "patch": base64.b64encode(b'[{"op": "dance", "path": ""}]').decode()},
        {"allowed": True, "patch": base64.b64encode(b'[{"op": "remove", "path": "/x"}]').decode()},
        {"allowed": True, "patch": ["x"]},
        {"allowed": True, "warnings": "x", "patch": 5},
        {"allowed": False, "status": "x"},
        {"allowed": False, "status": {"code": "x", "message": 5}},
    ],
)
async def test_odd_answer_is_a_failure_of_the_webhook_or_a_denial_and_never_a_bug(
    world: World, odd: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await world.configure("Mutating")
    world.hook.reply = lambda _: odd
    error = await world.refusal()
    assert NAME in error.message
    assert not [record for record in caplog.records if record.exc_info]


async def test_webhook_that_answers_with_an_error_or_is_not_there_fails_the_write(
    world: World,
) -> None:
    await world.configure()
    world.hook.status = 503
    assert "the server rejected our request" in (await world.refusal()).message
    await world.cluster.client.delete(ENDPOINTS, "default", "hook")
    error = await world.refusal()
    assert "connect: connection refused" in error.message
    assert 'Post "https://hook.default.svc:443/judge?timeout=5s"' in error.message


async def test_webhook_that_is_slow_is_given_up_after_its_time(world: World) -> None:
    await world.configure(timeoutSeconds=1)
    forever = asyncio.Event()
    handle = world.hook.handle

    async def wait(request: Request) -> Response:
        await forever.wait()
        return await handle(request)

    async with serving(wait, tls=world.hook.tls, now=now) as port:
        world.listen(port)
        error = await world.refusal()
    assert "context deadline exceeded" in error.message


async def test_webhook_whose_certificate_another_signed_fails_the_write(world: World) -> None:
    other = pki.new_authority("other-ca", now=now(), lifetime=HOUR)
    bundle = base64.b64encode(other.pem.encode()).decode()
    service = {"namespace": "default", "name": "hook"}
    config = {"service": service, "caBundle": bundle}
    await world.configure(clientConfig=config)
    error = await world.refusal()
    assert "x509: certificate signed by unknown authority" in error.message
    assert world.hook.asked == []


async def test_webhook_of_a_service_that_is_not_there_fails_the_write(world: World) -> None:
    service = {"namespace": "default", "name": "gone", "port": 443, "path": "/x"}
    await world.configure(clientConfig={"service": service})
    assert 'service "gone" not found' in (await world.refusal()).message


async def test_webhook_sees_only_what_its_selectors_and_rules_name(world: World) -> None:
    await world.configure(objectSelector={"matchLabels": {"judge": "me"}})
    await world.write("unseen")
    assert world.hook.asked == []
    await world.write("seen", metadata={"labels": {"judge": "me"}})
    assert [request["name"] for request in world.hook.asked] == ["seen"]


async def test_webhook_configurations_are_not_judged_by_webhooks(world: World) -> None:
    rule = {
        "operations": ["*"],
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "resources": ["*/*"],
    }
    await world.configure(rules=[rule])
    world.hook.reply = lambda _: {"allowed": False}
    assert (await world.refusal()).code == 400
    await world.cluster.client.delete(_kind("validating"), "", "hook")
    assert await world.write()


def _kind(word: str) -> GroupResource:
    return GroupResource(GROUP, f"{word}webhookconfigurations")
