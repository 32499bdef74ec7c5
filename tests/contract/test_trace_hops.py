"""What those who watch are told of a request on its way, hop by hop."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contract.concierge_clients import eventually
from tests.contract.concierge_lab import NAMESPACE, lab, new_ca, new_client
from tests.fakes.sandbox_process import order, sandbox_process
from tests.fakes.waiting import until
from tutor.cli.commands import run

pytestmark = pytest.mark.contract

Hops = list[tuple[str, Mapping[str, Any]]]
PODS = "/api/v1/pods"
SERVICE = "local-user-authenticator.local-user-authenticator.svc:443"


def told(hops: Hops, kind: str, **wanted: Any) -> list[Mapping[str, Any]]:
    """The hops of a kind with these fields."""
    return [
        fields
        for name, fields in hops
        if name == kind and all(fields.get(k) == v for k, v in wanted.items())
    ]


async def test_request_through_the_proxy_is_told_at_each_hop(tmp_path: Path) -> None:
    hops: Hops = []
    async with lab(tmp_path, publish=lambda kind, fields: hops.append((kind, fields))) as found:
        await found.until_available()
        await found.as_in_the_post()
        await found.trust_local_users()
        await found.until_logged("added new webhook authenticator")

        async def logs_in() -> bool:
            return "credential" in (await found.login()).body.get("status", {})

        await eventually(logs_in)
        pair = await found.pinny()
        hops.clear()
        assert (await found.ask_proxy("/version", pair=pair)).status == 200
        (outer,) = told(hops, "impersonator", path="/version")
        assert outer["certificate"] == "CN=pinny,O=group-for-mtls"
        assert outer["user"] == "pinny"
        (inner,) = told(hops, "api", path="/version")
        assert inner["user"] == (
            f"system:serviceaccount:{NAMESPACE}:pinniped-concierge-impersonation-proxy"
        )
        assert inner["as"] == "pinny"
        assert inner["status"] == 200
        assert told(hops, "call", path="/version", status=200)
        assert (await found.ask_proxy(PODS, pair=pair)).status == 403
        (refused,) = told(hops, "impersonator", path=PODS, status=403)
        assert 'User "pinny" cannot list resource "pods"' in refused["why"]
        hops.clear()
        await found.put_user("pinny", "another", "group-for-mtls")
        await found.login("pinny:wrong")
        assert told(hops, "call", to=SERVICE, status=200)
        assert told(hops, "call", certificate="front-proxy-client", status=201)


async def test_refused_certificate_is_told_without_a_user(tmp_path: Path) -> None:
    hops: Hops = []
    async with lab(tmp_path, publish=lambda kind, fields: hops.append((kind, fields))) as found:
        pair = new_client(new_ca("somebody else"), "pinny")
        reply = await found.ask_api(PODS, pair=pair)
        assert reply.status == 401
        (hop,) = told(hops, "api", path=PODS)
        assert hop == {
            "method": "GET",
            "path": PODS,
            "certificate": "CN=pinny",
            "status": 401,
            "why": "Unauthorized",
        }


async def test_what_is_not_simulated_is_told_and_counted_in_the_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    with sandbox_process(tmp_path) as process:
        await process.start()
        for _ in range(2):
            answer = await order(tmp_path, "create-cluster", name="two", nodes=2)
            assert answer["error"] == "not-simulated"
        assert run(["sandbox", "status"]) == 0
        assert (
            "not simulated, asked 2 times: the sandbox simulates clusters of one node only"
        ) in capsys.readouterr().out
        assert run(["sandbox", "trace", "--json"]) == 0
        hops = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [hop["kind"] for hop in hops] == ["not-simulated", "not-simulated"]


async def test_exec_into_a_pod_is_told_as_not_simulated(tmp_path: Path) -> None:
    hops: Hops = []
    async with lab(tmp_path, publish=lambda kind, fields: hops.append((kind, fields))) as found:
        await until(lambda: len(found.concierge_pods()) == 2)
        name = found.concierge_pods()[0]["metadata"]["name"]

        async def refused() -> bool:
            ran = await found.kubectl("exec", "-n", NAMESPACE, name, "--", "ls")
            assert ran.code == 1
            return "there is nothing to run a command in" in ran.err

        await eventually(refused)
        assert told(
            hops,
            "not-simulated",
            what="this is the tutor's sandbox, and its pods run no containers: "
            "there is nothing to run a command in",
        )
