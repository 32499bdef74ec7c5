"""Clusters whose files are damaged: each is told by itself, and the others go on."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.fakes.sandbox_process import SandboxProcess, order, sandbox_process
from tutor import paths
from tutor.sandbox.cluster.assembly import Cluster
from tutor.sandbox.process.clusters import Clusters

pytestmark = pytest.mark.timeout(120)

GONE = None
NO_RECORD = "cluster.json: it is no record of this cluster"
DAMAGES = {
    "a": ("cluster.json", "{", NO_RECORD),
    "b": ("cluster.json", "[]", NO_RECORD),
    "c": ("cluster.json", '{"name": "../c", "port": 9, "host_ports": []}', NO_RECORD),
    "d": ("cluster.json", '{"name": "d", "port": 99999, "host_ports": []}', NO_RECORD),
    "e": ("log.db", "", "log.db: it is empty or cut off"),
    "f": ("log.db", "x" * 9_000, "log.db cannot be opened: file is not a database"),
    "g": ("log.db", GONE, "log.db: No such file or directory"),
    "h": ("pki/ca.key", GONE, "pki/ca.key: No such file or directory"),
    "i": ("pki/sa.key", "x", "is damaged"),
    "j": ("pki/apiserver.crt", "x", "apiserver.crt or apiserver.key cannot be read"),
    "k": ("cluster.json", "[" * 100_000, NO_RECORD),
}
"""Of the cluster of that name: which file then holds what, and what is said."""


@pytest.fixture
async def process(tmp_path: Path) -> AsyncGenerator[SandboxProcess]:
    with sandbox_process(tmp_path / "home") as made:
        yield made


async def test_damaged_cluster_says_which_file_and_the_others_answer(
    process: SandboxProcess,
) -> None:
    await process.start()
    async with asyncio.TaskGroup() as group:
        orders = [
            group.create_task(order(process.root, "create-cluster", name=name))
            for name in (*DAMAGES, "well")
        ]
    assert [made.result()["ok"] for made in orders] == [True] * len(orders), orders
    process.end(signal.SIGTERM)
    clusters = paths.sandbox_dir(process.root) / "clusters"
    for name, (file, content, _) in DAMAGES.items():
        if content is None:
            (clusters / name / file).unlink()
        else:
            (clusters / name / file).write_text(content)
    (clusters.parent / "front.json").write_text("[" * 100_000)
    (clusters / "stray").touch()
    (clusters / "elsewhere").symlink_to("/")
    await process.start()
    assert (await order(process.root, "kubeconfig", name="well"))["ok"]
    for name, (_, _, said) in DAMAGES.items():
        refused = await order(process.root, "kubeconfig", name=name)
        assert said in refused.get("message", ""), (name, refused)
        assert str(clusters / name) in refused["message"]
        assert refused["next_action"]
    assert (await order(process.root, "clusters"))["clusters"] == [*DAMAGES, "well"]
    assert (await order(process.root, "delete-cluster", name="a"))["ok"]
    assert (await order(process.root, "create-cluster", name="a"))["ok"]
    assert (clusters / "elsewhere").is_symlink()
    assert "traceback" not in process.log()


async def test_cluster_that_is_asked_for_while_it_is_made_runs_once(tmp_path: Path) -> None:
    seen: list[Cluster] = []

    async def live() -> None:
        async with asyncio.TaskGroup() as group:
            clusters = Clusters(tmp_path / "clusters", {}, "instant", group, lambda _k, _h: None)

            async def report(step: str, state: str) -> None:
                if (step, state) == ("Preparing nodes", "start"):
                    seen.append(await clusters.ready("one"))

            seen.append(await clusters.create("one", (), report))
            await clusters.delete("one")

    await live()
    assert len({id(each) for each in seen}) == 1
