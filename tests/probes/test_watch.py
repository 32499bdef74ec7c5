import asyncio
import statistics
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes.api import fake_api
from tests.fakes.waiting import until
from tests.fakes.world import FakePeers, Stage
from tests.probes.test_binding import GRANTS, step
from tutor.clock import SystemClock
from tutor.probes.base import Absent, Blind, Collection, Completed, Object
from tutor.probes.binding import bind
from tutor.probes.cluster import Cluster
from tutor.probes.grants import limited
from tutor.probes.watch import Findings, Watch

SECRETS = Collection("v1", "Secret", "demo")

GIVEN = """given:
  secret: {object: {apiVersion: v1, kind: Secret, namespace: demo, name: s}}
  word: {file: {path: a.txt}}
  looks: {shell: {command: {program: kubectl, has: [get]}}}
  version: {command: {run: [pinniped, version]}}
"""


def secret(**data: str) -> Object:
    return {"kind": "Secret", "metadata": {"name": "s", "namespace": "demo"}, "data": data}


@dataclass
class Told:
    """All findings of a watch, in order."""

    all: list[Findings] = field(default_factory=list[Findings])

    def state(self, name: str = "f") -> str:
        return self.all[-1].facts[name].verdict.state if self.all else ""

    def text(self, name: str = "f") -> str:
        return self.all[-1].facts[name].verdict.text if self.all else ""


@asynccontextmanager
async def watching(
    stage: Stage, facts: Sequence[str], *, mistakes: str = "", latched: frozenset[str] = frozenset()
) -> AsyncGenerator[tuple[Told, Watch]]:
    listed = "".join(f"  - {{label: L, show: x, {each}}}\n" for each in facts)
    bound = bind(step(f"{GIVEN}facts:\n{listed}{mistakes}"), grants=GRANTS, environment="sandbox")
    told = Told()
    watch = Watch(
        bound,
        limited(stage.world, GRANTS),
        latched=latched,
        clock=SystemClock(),
        told=told.all.append,
    )
    with suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(watch.run())
            yield told, watch
            task.cancel()


async def test_fact_follows_the_cluster(stage: Stage) -> None:
    async with watching(stage, ["id: f, that: 'secret.data.a == \"x\"'"]) as (told, _):
        await until(told.text)
        assert told.text() == "there is no Secret s in the namespace demo yet"
        stage.cluster.put(SECRETS, secret(b="y"))
        await until(lambda: "data.a" in told.text())
        assert told.text() == "the Secret s has no data.a yet"
        stage.cluster.put(SECRETS, secret(a="y"))
        await until(lambda: "data.a of" in told.text())
        assert told.text() == 'data.a of the Secret s is "y", not "x"'
        stage.cluster.put(SECRETS, secret(a="x"))
        await until(lambda: told.state() == "true")
        stage.cluster.say(SECRETS, Blind("the API server does not answer"))
        await until(lambda: told.state() == "cannot look")
        assert told.text() == "the API server does not answer"
    assert stage.cluster.followers[SECRETS] == []


async def test_fact_follows_a_file(stage: Stage) -> None:
    async with watching(stage, ["id: f, that: 'word.text == \"hello\\n\"'"]) as (told, _):
        await until(told.text)
        (stage.folder / "a.txt").write_text("hello\n", encoding="utf-8")
        await until(lambda: told.state() == "true")
        (stage.folder / "a.txt").unlink()
        await until(lambda: told.state() == "not yet")


async def test_fact_compares_what_was_seen_with_the_live_value(stage: Stage) -> None:
    facts = ["id: f, edge: true, that: 'looks.exists(l, shows(l, secret.data.a))'"]
    async with watching(stage, facts) as (told, _):
        stage.cluster.put(SECRETS, secret(a="value-1"))
        stage.shell.type("kubectl get secret s", "value-0")
        await until(lambda: told.text() == '`kubectl get secret s` did not print "value-1"')
        stage.shell.type("echo value-1", "value-1")
        stage.shell.type("kubectl get secret s -o yaml", "a: value-1")
        await until(lambda: told.state() == "true")
        stage.cluster.put(SECRETS, secret(a="value-2"))
        stage.shell.type("kubectl get secret s -o yaml", "a: value-1")
        await asyncio.sleep(0.05)
        assert told.state() == "true"


async def test_latched_fact_is_true_from_the_beginning(stage: Stage) -> None:
    facts = [
        "id: f, edge: true, that: 'looks.exists(l, true)'",
        "id: g, edge: true, that: 'looks.exists(l, true)'",
    ]
    async with watching(stage, facts, latched=frozenset({"f"})) as (told, _):
        await until(lambda: "you have not run" in told.text("g"))
        assert told.state("f") == "true"
        assert told.state("g") == "not yet"


async def test_fact_settles(stage: Stage) -> None:
    stage.cluster.put(SECRETS, secret(a="x"))
    facts = ["id: f, settle: 300ms, that: 'secret.data.a == \"x\"'"]
    async with watching(stage, facts) as (told, _):
        await until(lambda: "it holds now" in told.text())
        stage.cluster.put(SECRETS, secret(a="y"))
        await until(lambda: "not" in told.text() and "holds" not in told.text())
        stage.cluster.put(SECRETS, secret(a="x"))
        began = time.monotonic()
        await until(lambda: told.state() == "true")
        assert time.monotonic() - began >= 0.3


async def test_mistake_is_recognised_and_gone_again(stage: Stage) -> None:
    mistakes = "mistakes:\n  - {id: m, when: 'secret.data.a == \"bad\"', say: x, try: [{run: x}]}\n"
    facts = ["id: f, that: 'secret.data.a == \"x\"'"]
    async with watching(stage, facts, mistakes=mistakes) as (told, _):
        stage.cluster.put(SECRETS, secret(a="bad"))
        await until(lambda: told.all and told.all[-1].mistakes == ("m",))
        stage.cluster.put(SECRETS, secret(a="x"))
        await until(lambda: told.state() == "true")
        assert told.all[-1].mistakes == ()


async def test_mistake_that_passes_by_is_not_told(stage: Stage) -> None:
    mistake = "{id: m, when: 'secret.data.a == \"bad\"', settle: 1h, say: x, try: [{run: x}]}"
    facts = ["id: f, that: 'secret.data.a == \"x\"'"]
    async with watching(stage, facts, mistakes=f"mistakes:\n  - {mistake}\n") as (told, _):
        stage.cluster.put(SECRETS, secret(a="bad"))
        await until(lambda: '"bad"' in told.text())
        stage.cluster.put(SECRETS, secret(a="x"))
        await until(lambda: told.state() == "true")
        assert not any(each.mistakes for each in told.all)


async def test_command_is_seen_in_a_step_that_looks_at_the_hosts_file_too(stage: Stage) -> None:
    facts = [
        "id: f, that: 'looks.size() == 1', edge: true",
        "id: g, that: name.addresses.size() == 0, given: {name: {hosts: {name: a}}}",
    ]
    async with watching(stage, facts) as (told, _):
        await until(lambda: told.state("g") == "true")
        stage.shell.type("kubectl get secret s", "NAME")
        await until(lambda: told.state("f") == "true")


async def test_saw_is_told_when_there_is_one(stage: Stage) -> None:
    facts = ["id: f, that: 'secret.data.a == \"x\"', saw: '\"it says \" + secret.data.b'"]
    async with watching(stage, facts) as (told, _):
        stage.cluster.put(SECRETS, secret(a="y"))
        await until(lambda: "data.b" in told.text())
        assert told.text() == "the Secret s has no data.b yet"
        stage.cluster.put(SECRETS, secret(a="y", b="hm"))
        await until(lambda: told.text() == "it says hm")


async def test_command_is_run_again_when_something_else_changes(stage: Stage) -> None:
    stage.peers.completed = Completed(exit_code=1, output="", errors="")
    facts = ["id: f, that: 'version.exit == 0'", "id: g, that: 'secret.data.a == \"x\"'"]
    async with watching(stage, facts) as (told, _):
        await until(lambda: "exit of" in told.text())
        stage.peers.completed = Completed(exit_code=0, output="", errors="")
        stage.cluster.put(SECRETS, secret(a="x"))
        await until(lambda: told.state("f") == "true", within_s=2)


class SlowPeers(FakePeers):
    """Peers who answer when they are let."""

    def __init__(self) -> None:
        super().__init__(completed=Completed(exit_code=0, output="", errors=""))
        self.may_answer = asyncio.Event()

    async def run(self, words: tuple[str, ...]) -> Completed | Absent | Blind:
        found = await super().run(words)
        await self.may_answer.wait()
        return found


async def test_slow_answer_is_told_though_something_else_changed_meanwhile(stage: Stage) -> None:
    peers = SlowPeers()
    stage.peers = peers
    facts = ["id: f, that: 'version.exit == 0'", "id: g, that: 'secret.data.a == \"x\"'"]
    async with watching(stage, facts) as (told, _):
        await until(lambda: peers.asked)
        stage.cluster.put(SECRETS, secret(a="x"))
        await until(lambda: told.state("g") == "true")
        peers.may_answer.set()
        await until(lambda: told.state("f") == "true", within_s=5)


async def test_look_now_visits_what_nobody_tells_of(stage: Stage) -> None:
    stage.peers.completed = Absent("no pinniped yet")
    async with watching(stage, ["id: f, that: 'version.exit == 0'"]) as (told, watch):
        await until(lambda: told.text() == "no pinniped yet")
        stage.peers.completed = Completed(exit_code=0, output="", errors="")
        watch.look_now()
        await until(lambda: told.state() == "true", within_s=2)


async def test_look_now_gives_each_fact_a_new_time_though_nothing_changed(stage: Stage) -> None:
    stage.peers.completed = Completed(exit_code=0, output="", errors="")
    stage.cluster.put(SECRETS, secret(a="x"))
    facts = ["id: f, that: 'version.exit == 0'", "id: g, that: 'secret.data.a == \"x\"'"]
    async with watching(stage, facts) as (told, watch):
        await until(lambda: told.all and told.all[-1].are_all_true)
        before = told.all[-1].facts
        watch.look_now()
        await until(lambda: all(told.all[-1].facts[name].at > before[name].at for name in "fg"))


async def test_source_that_fails_is_a_look_that_failed(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.cluster.put(SECRETS, {"kind": "Secret"})
    async with watching(stage, ["id: f, that: 'secret.data.a == \"x\"'"]) as (told, _):
        await until(lambda: told.state() == "cannot look")
    assert "a fault of the program" in told.text()
    assert "a source failed" in caplog.text


async def test_change_is_told_within_a_quarter_of_a_second(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("0", encoding="utf-8")
    facts = [
        "id: f, that: 'word.text == secret.data.a'",
        "id: g, that: 'secret.data.b == \"x\"'",
    ]
    took: list[float] = []
    async with watching(stage, facts) as (told, _):
        for n in range(1, 20):
            (stage.folder / "a.txt").write_text(str(n), encoding="utf-8")
            stage.cluster.put(SECRETS, secret(a=str(n)))
            began = time.monotonic()
            await until(lambda: told.state() == "true")
            took.append(time.monotonic() - began)
            stage.cluster.put(SECRETS, secret(a="no"))
            await until(lambda: told.state() == "not yet")
    assert statistics.median(took) < 0.25


async def test_write_to_a_cluster_is_told_within_a_quarter_of_a_second(
    stage: Stage, tmp_path: Path
) -> None:
    folder = tmp_path / "api"
    folder.mkdir()
    path = "/api/v1/namespaces/demo/secrets"
    with fake_api(folder) as api:
        config = tmp_path / "kubeconfig.yaml"
        config.write_text(api.kubeconfig(), encoding="utf-8")
        with Cluster(config, keys=tmp_path / "keys", environment={}) as cluster:
            stage.cluster = cluster
            facts = ["id: f, that: 'secret.data.a == \"true\"'"]
            took: list[float] = []
            async with watching(stage, facts) as (told, _):
                await until(lambda: "there is no Secret" in told.text())
                for _ in range(20):
                    began = time.monotonic()
                    api.put(path, "s", data={"a": "true"})
                    await until(lambda: told.state() == "true")
                    took.append(time.monotonic() - began)
                    api.put(path, "s", data={"a": "false"})
                    await until(lambda: told.state() == "not yet")
    assert statistics.median(took) < 0.25
