"""A disk that is full: writes are refused and said to be, reads go on, nothing that was lost."""

from pathlib import Path
from typing import Any

from tests.fakes.sandbox_process import Client, client_of, order, sandbox_process

WHERE = "/api/v1/namespaces/default/configmaps"
LIMIT = 4_000_000


def config_map(number: int) -> dict[str, Any]:
    return {"metadata": {"name": f"a{number}"}, "data": {"a": "x" * 5_000}}


async def fill(client: Client) -> tuple[set[str], Any]:
    """Write until a write is refused; what was acknowledged, and the refusal."""
    kept: set[str] = set()
    for number in range(1_000):
        status, answer = await client.ask("POST", WHERE, config_map(number))
        if status != 201:
            assert status == 500, answer
            return kept, answer
        kept.add(f"a{number}")
    raise AssertionError("the disk is not full")


async def names(client: Client) -> set[str]:
    """What is there of ours."""
    status, found = await client.ask("GET", WHERE)
    assert status == 200
    return {item["metadata"]["name"] for item in found["items"] if "a" in item.get("data", {})}


async def test_cluster_on_a_full_disk_refuses_writes_serves_reads_and_keeps_what_it_took(
    tmp_path: Path,
) -> None:
    with sandbox_process(tmp_path / "home") as process:
        await process.start()
        await order(process.root, "up")
        process.kill()
        await process.start(LIMIT)
        made = await order(process.root, "up")
        async with client_of(made["kubeconfig"], tmp_path) as client:
            kept, refusal = await fill(client)
            assert refusal["reason"] == "InternalError"
            assert "the cluster's log cannot be written" in refusal["message"]
            assert await names(client) == kept
            assert (await client.ask("POST", WHERE, config_map(2_000)))[0] == 500
            assert await names(client) == kept
        assert (await order(process.root, "status"))["ok"]
        process.kill()
        await process.start()
        made = await order(process.root, "up")
        async with client_of(made["kubeconfig"], tmp_path) as client:
            assert await names(client) == kept
            assert (await client.ask("POST", WHERE, config_map(3_000)))[0] == 201
    assert len(kept) > 10


async def test_cluster_that_has_no_room_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with sandbox_process(tmp_path / "home") as process:
        await process.start(20_000)
        made = await order(process.root, "create-cluster", name="one")
        assert not made["ok"]
        assert made["message"]
        assert (await order(process.root, "clusters"))["clusters"] == []
        process.kill()
        await process.start()
        assert (await order(process.root, "create-cluster", name="one"))["ok"]
