"""The control socket: one JSON object a line, and an answer to whatever comes."""

import asyncio
import json
import os
import signal
import stat
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.contract.concierge_clients import eventually
from tests.fakes.sandbox_process import (
    SandboxProcess,
    client_of,
    order,
    sandbox_process,
    say,
)
from tests.fakes.waiting import until
from tutor import paths
from tutor.sandbox.process.__main__ import answers
from tutor.sandbox.process.protocol import MAX_LINE


@pytest.fixture
async def process(tmp_path: Path) -> AsyncGenerator[SandboxProcess]:
    """A running sandbox without clusters."""
    with sandbox_process(tmp_path / "home") as made:
        await made.start()
        yield made


async def create(process: SandboxProcess, name: str, *ports: tuple[int, int]) -> dict[str, Any]:
    """Make a cluster; the last reply."""
    listed = [{"container": inside, "host": outside} for inside, outside in ports]
    return await order(process.root, "create-cluster", name=name, ports=listed)


@pytest.mark.parametrize(
    "line",
    [
        b"{}\n",
        b"[]\n",
        b"no json\n",
        b"\xff\xfe\n",
        b'{"do": 1}\n',
        b'{"do": null}\n',
        b"\n",
        b"[" * 50_000 + b"\n",
    ],
)
async def test_line_that_is_no_request_is_refused(process: SandboxProcess, line: bytes) -> None:
    assert (await say(process.root, line))[-1]["error"] == "bad-request"
    assert (await order(process.root, "status"))["ok"]
    assert "traceback" not in process.log()


async def test_connection_without_a_word_or_with_half_a_line_or_too_long_a_one_is_borne(
    process: SandboxProcess,
) -> None:
    assert await say(process.root, b"") == []
    assert [reply["ok"] for reply in await say(process.root, b'{"do": "stat')] == [False]
    reader, writer = await asyncio.open_unix_connection(paths.socket_path(process.root))
    with suppress(ConnectionError):
        writer.write(b"x" * (MAX_LINE * 2))
        await reader.read(-1)
    writer.close()
    assert (await order(process.root, "status"))["pid"] == process.pid
    assert "traceback" not in process.log()


async def test_unknown_operation_is_told_what_there_is(process: SandboxProcess) -> None:
    reply = await order(process.root, "dance")
    assert not reply["ok"]
    assert reply["error"] == "unknown-operation"
    assert "create-cluster" in reply["message"]


@pytest.mark.parametrize(
    "request_",
    [
        {"do": "create-cluster"},
        {"do": "create-cluster", "name": ""},
        {"do": "create-cluster", "name": "../x"},
        {"do": "create-cluster", "name": "a/b"},
        {"do": "create-cluster", "name": "x" * 300},
        {"do": "create-cluster", "name": ["x"]},
        {"do": "create-cluster", "name": "a", "ports": "80"},
        {"do": "create-cluster", "name": "a", "ports": [{"container": 80}]},
        {"do": "create-cluster", "name": "a", "nodes": "two"},
        {"do": "create-cluster", "name": "a", "wait_s": "long"},
        {"do": "delete-cluster"},
        {"do": "kubeconfig"},
        {"do": "nodes"},
        {"do": "environment"},
        {"do": "environment", "hosts": 1, "environ": []},
    ],
)
async def test_request_whose_values_do_not_fit_is_refused_and_nothing_is_made(
    process: SandboxProcess, request_: dict[str, Any]
) -> None:
    reply = (await say(process.root, json.dumps(request_).encode() + b"\n"))[-1]
    assert not reply["ok"]
    assert reply["error"] == "bad-request"
    assert reply["message"]
    assert (await order(process.root, "clusters"))["clusters"] == []
    assert "traceback" not in process.log()


async def test_cluster_is_made_once_listed_and_deleted(process: SandboxProcess) -> None:
    made = await create(process, "one")
    assert made["ok"]
    assert (await create(process, "one"))["error"] == "exists"
    assert (await order(process.root, "clusters"))["clusters"] == ["one"]
    assert (await order(process.root, "nodes", name="one"))["nodes"] == ["one-control-plane"]
    again = await order(process.root, "kubeconfig", name="one")
    assert again["kubeconfig"] == made["kubeconfig"]
    folder = paths.sandbox_dir(process.root) / "clusters" / "one"
    assert folder.is_dir()
    assert (await order(process.root, "delete-cluster", name="one"))["nodes"]
    assert not folder.exists()
    assert (await order(process.root, "delete-cluster", name="one"))["nodes"] == []
    assert (await order(process.root, "kubeconfig", name="one"))["error"] == "unknown-cluster"


async def test_progress_of_a_cluster_is_told_step_by_step(process: SandboxProcess) -> None:
    replies = await say(process.root, b'{"do": "create-cluster", "name": "a", "wait_s": 20}\n')
    assert replies[-1]["ok"]
    states = [(reply["step"], reply["state"]) for reply in replies[:-1]]
    names = list(dict.fromkeys(name for name, _ in states))
    assert names[0] == "Ensuring node image"
    assert names[-1] == "Waiting"
    assert states == [(name, state) for name in names for state in ("start", "done")]


async def test_host_port_belongs_to_one_cluster_until_that_is_deleted(
    process: SandboxProcess,
) -> None:
    assert (await create(process, "first", (443, 443)))["ok"]
    refused = await create(process, "second", (443, 443))
    assert (refused["error"], refused["port"]) == ("port-in-use", 443)
    assert (await order(process.root, "clusters"))["clusters"] == ["first"]
    await order(process.root, "delete-cluster", name="first")
    assert (await create(process, "second", (443, 443)))["ok"]


async def test_client_that_leaves_while_a_cluster_is_made_leaves_no_half_of_it(
    process: SandboxProcess,
) -> None:
    reader, writer = await asyncio.open_unix_connection(paths.socket_path(process.root))
    writer.write(b'{"do": "create-cluster", "name": "left"}\n')
    await reader.readline()
    writer.transport.abort()

    async def whole() -> bool:
        again = await create(process, "left")
        assert again["ok"] or again["error"] == "exists"
        return (await order(process.root, "kubeconfig", name="left"))["ok"]

    await eventually(whole)
    assert "traceback" not in process.log()


async def test_cluster_that_is_made_while_its_namesake_is_deleted_is_whole(
    process: SandboxProcess,
) -> None:
    await create(process, "one")
    for _ in range(5):
        async with asyncio.TaskGroup() as group:
            group.create_task(order(process.root, "delete-cluster", name="one"))
            made = group.create_task(create(process, "one"))
        assert made.result()["ok"] or (await create(process, "one"))["ok"]
        assert (await order(process.root, "kubeconfig", name="one"))["ok"]
    assert "traceback" not in process.log()


async def test_clusters_made_side_by_side_all_answer(
    process: SandboxProcess, tmp_path: Path
) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(create(process, f"c{number}")) for number in range(3)]
    ports = {task.result()["kubeconfig"]["server"] for task in tasks}
    assert len(ports) == 3
    for number, task in enumerate(tasks):
        async with client_of(task.result()["kubeconfig"], tmp_path) as client:
            status, nodes = await client.ask("GET", "/api/v1/nodes")
        names = [node["metadata"]["name"] for node in nodes["items"]]
        assert (status, names) == (200, [f"c{number}-control-plane"])


async def test_socket_and_state_belong_to_this_user_alone(process: SandboxProcess) -> None:
    await create(process, "one")
    socket = paths.socket_path(process.root)
    assert stat.S_IMODE(socket.stat().st_mode) & 0o077 == 0
    for file in paths.sandbox_dir(process.root).rglob("*.key"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    for folder in (paths.sandbox_dir(process.root), process.root):
        assert stat.S_IMODE(folder.stat().st_mode) & 0o022 == 0, folder


async def test_attached_client_hears_of_the_end(process: SandboxProcess) -> None:
    reader, writer = await asyncio.open_unix_connection(paths.socket_path(process.root))
    writer.write(b'{"do": "attach"}\n')
    assert json.loads(await reader.readline())["pid"] == process.pid
    os.kill(process.pid, signal.SIGTERM)
    assert (await asyncio.wait_for(reader.read(-1), 30)) in (b"", b'{"ok":true}\n')
    writer.close()
    assert process.ended() == 0


@pytest.mark.parametrize("how", ["stop", "SIGTERM", "SIGINT"])
async def test_sandbox_that_is_ended_removes_its_socket_and_says_no_word(
    process: SandboxProcess, how: str
) -> None:
    await create(process, "one")
    if how == "stop":
        assert (await order(process.root, "stop"))["ok"]
        code = process.ended()
    else:
        code = process.end(signal.Signals[how])
    assert code == 0
    assert not paths.socket_path(process.root).exists()
    assert not answers(paths.socket_path(process.root))
    assert "traceback" not in process.log()


async def test_cluster_is_kept_over_a_stop_with_its_address_and_its_keys(
    process: SandboxProcess, tmp_path: Path
) -> None:
    made = (await create(process, "one"))["kubeconfig"]
    async with client_of(made, tmp_path) as client:
        where = "/api/v1/namespaces/default/configmaps"
        assert (await client.ask("POST", where, {"metadata": {"name": "kept"}}))[0] == 201
    process.end(signal.SIGTERM)
    await process.start()
    again = (await order(process.root, "kubeconfig", name="one"))["kubeconfig"]
    assert again == made
    async with client_of(made, tmp_path) as client:
        assert (await client.ask("GET", f"{where}/kept"))[0] == 200


@pytest.mark.parametrize("operation", ["clusters", "environment"])
async def test_clusters_that_come_back_answer_when_a_shell_has_been_told_of_them(
    process: SandboxProcess, tmp_path: Path, operation: str
) -> None:
    made = (await create(process, "one"))["kubeconfig"]
    process.kill()
    await process.start()
    more = {"hosts": str(tmp_path / "hosts"), "environ": dict(os.environ)}
    assert (await order(process.root, operation, **more))["ok"]
    async with client_of(made, tmp_path) as client:
        assert (await client.ask("GET", "/api/v1/namespaces/default"))[0] == 200


async def test_idle_connections_do_not_keep_the_sandbox_from_ending(
    process: SandboxProcess,
) -> None:
    path = paths.socket_path(process.root)
    opened = [await asyncio.open_unix_connection(path) for _ in range(5)]
    process.end(signal.SIGTERM)
    for reader, writer in opened:
        assert await reader.read(-1) == b""
        writer.close()
    await until(lambda: not answers(path))
