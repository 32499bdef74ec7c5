"""Fuzzes the API server of a sandbox process, and judges what it makes of it."""

import asyncio
import base64
import json
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from typing import Any
from urllib.parse import quote

import psutil

from tests.contract.fuzz.asking import Asked, Asking
from tests.contract.fuzz.bodies import NAMES
from tests.contract.fuzz.catalogue import read_catalogue
from tests.contract.fuzz.handshakes import Handshakes
from tests.contract.fuzz.judging import fault_of, lies
from tests.contract.fuzz.newer import Newer
from tests.contract.fuzz.rough import Rough
from tests.contract.fuzz.wire import Answer, Connection, Gone
from tutor.sandbox import pki

_LAST = "the-last-one"
_DOCUMENTS = ("/openapi/v2", "/openapi/v3", "/apis", "/api", "/openid/v1/jwks")
"""Made when they are asked for first, and kept."""
_BATCH = 20
_BATCHES = 0.012
"""The share of numbers that begin a batch over HTTP/2: a fifth of all requests goes there."""
_TIDY_EVERY = 500
_SAMPLE_S = 0.25
_WINDOW_S = 20.0
"""The sandbox gives back freed memory every ten seconds, and holds megabytes of it until then: one
moment may be at either end of that. So the median of two such spans counts, while requests come."""
_FILL = 4_500
"""So many of the first requests fill the history of writes, which is as full ever after."""
_FILLING = "x" * 1_500
_WHERE = "/api/v1/namespaces/fuzz-a/configmaps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of everything."""

    requests: int
    settled: int
    """After so many requests memory is taken as it is to stay."""
    idle: int
    half_open: int
    slow: int
    full: int
    """Connections of HTTP/2 with as many streams as there may be."""
    rough: float
    """The share of numbers after which a connection misbehaves, each kind in its turn."""
    scale: int
    """How long a flood is."""
    workers: int = 12
    seed: int = 1


@dataclass(slots=True, kw_only=True)
class Summary:
    """What came of it."""

    asked: int = 0
    newer: int = 0
    """Of those over HTTP/2."""
    rough: int = 0
    statuses: Counter[int] = field(default_factory=Counter[int])
    unanswered: int = 0
    faults: list[str] = field(default_factory=list[str])
    """What should not be, with the number of its request."""
    settled_mb: float = 0.0
    """In the seconds after so many requests as the plan says."""
    final_mb: float = 0.0
    """In the last seconds."""
    told: int = 0
    """Idle watches that heard of the last write."""

    def lines(self) -> list[str]:
        """For people."""
        counted = ", ".join(f"{code}: {count}" for code, count in sorted(self.statuses.items()))
        grown = self.final_mb - self.settled_mb
        return [
            f"requests: {self.asked}, {self.newer} of them over HTTP/2",
            f"connections that do not behave: {self.rough}",
            f"answers: {counted}; closed without one: {self.unanswered}",
            f"memory: {self.settled_mb:.1f} MB, at the end {self.final_mb:.1f} MB ({grown:+.1f})",
            f"idle watches that heard of the last write: {self.told}",
            *self.faults[:20],
            f"faults: {len(self.faults)}",
        ]


class Fuzz:
    """One run against a cluster; `kubeconfig` is what the control socket says."""

    def __init__(self, kubeconfig: Mapping[str, str], pid: int, plan: Plan, folder: Path) -> None:
        self._plan = plan
        self._port = int(kubeconfig["server"].rpartition(":")[2])
        self._contexts = _contexts(kubeconfig, folder)
        # One that is to speak HTTP/2 says so for good.
        newer = _contexts(kubeconfig, folder)["admin"]
        self._newer = Newer(self._port, newer, scale=plan.scale)
        self._rough = Rough(self._port, self._contexts["admin"])
        ca = base64.b64decode(kubeconfig["ca"]).decode()
        self._handshakes = Handshakes(self._port, ca, folder)
        self._process = psutil.Process(pid)
        self._admin = Connection(self._port, self._contexts["admin"])
        self._one_at_a_time = asyncio.Lock()
        self._odd_names: list[str] = []
        self._samples: list[float] = []
        """MB of memory, one each time that it was looked at."""
        self._settled_at = 0
        self.summary = Summary()

    async def run(self, say: Callable[[str], None]) -> Summary:
        """Do it; `say` hears how far it is."""
        plan, summary = self._plan, self.summary
        await self._prepare()
        for document in _DOCUMENTS:
            await self._send("GET", document)
        asking = Asking(await read_catalogue(self._read), plan.seed)
        await self._rough.keep_half_open(plan.half_open)
        await self._rough.keep_slow_readers(plan.slow)
        await self._rough.watch_idly(plan.idle, _LAST)
        await self._newer.keep_full(plan.full)
        for number in range(min(_FILL, plan.settled // 2)):
            await self._fill(number)
        numbers = iter(range(summary.asked, plan.requests))
        async with asyncio.TaskGroup() as sampling:
            sampler = sampling.create_task(self._sample())
            async with asyncio.TaskGroup() as group:
                for _ in range(plan.workers):
                    group.create_task(self._work(asking, numbers, say))
            await self._tidy()
            sampler.cancel()
        summary.settled_mb, summary.final_mb = self._memory()
        await self._afterwards()
        await self._rough.close()
        self._newer.close()
        self._admin.close()
        return summary

    async def _prepare(self) -> None:
        hard = {f"count/{name}": "30" for name in ("pods", "configmaps", "secrets", "services")}
        quota = {"metadata": {"name": "bound"}, "spec": {"hard": {**hard, "pods": "10"}}}
        for namespace in ("fuzz-a", "fuzz-b"):
            await self._send("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        for namespace in ("fuzz-a", "fuzz-b", "default", "kube-system"):
            await self._send("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", quota)
        for kind, name in (("clusterroles", "reader"), ("clusterrolebindings", "reader")):
            group = "rbac.authorization.k8s.io"
            ref = {"apiGroup": group, "kind": "ClusterRole", "name": "view"}
            subject = {"apiGroup": group, "kind": "User", "name": "reader"}
            rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}
            body = {"metadata": {"name": name}, "rules": [rule]}
            if kind == "clusterrolebindings":
                body = {"metadata": {"name": name}, "roleRef": ref, "subjects": [subject]}
            await self._send("POST", f"/apis/{group}/v1/{kind}", body)

    async def _fill(self, number: int) -> None:
        body = {"metadata": {"name": "filling"}, "data": {"a": f"{number}{_FILLING}"}}
        await self._send("PUT" if number else "POST", f"{_WHERE}{'/filling' * bool(number)}", body)
        self._count(number)

    async def _work(
        self, asking: Asking, numbers: Iterator[int], say: Callable[[str], None]
    ) -> None:
        connections = {name: Connection(self._port, c) for name, c in self._contexts.items()}
        chance = Random(self._plan.seed)
        for number in numbers:
            asked = asking.request(number)
            await self._judge(number, asked, connections[asked.user])
            if chance.random() < self._plan.rough:
                await self._misbehave(chance)
            if chance.random() < _BATCHES:
                await self._ask_newer([*islice(numbers, _BATCH)], asking)
            self._count(number)
            if number % _TIDY_EVERY == 0:
                await self._tidy()
            if number % 5_000 == 0:
                mb = self._process.memory_info().rss / 1e6
                say(f"{number} requests, {mb:.1f} MB, faults: {len(self.summary.faults)}")
        for connection in connections.values():
            connection.close()

    async def _misbehave(self, chance: Random) -> None:
        turn = self.summary.rough
        self.summary.rough += 1
        kinds = (self._rough, self._newer, self._handshakes)
        why = await kinds[turn % len(kinds)].once(turn // len(kinds), chance)
        if why:
            self.summary.faults.append(f"connection {turn}: {why}")

    async def _ask_newer(self, numbers: Sequence[int], asking: Asking) -> None:
        """Requests that come at once, on one connection."""
        asked = [asking.request(number) for number in numbers]
        answers = await self._newer.ask(asked)
        for number, each in zip(numbers, asked, strict=True):
            self.summary.newer += 1
            if answer := answers.get(number - numbers[0]):
                self._note(number, each, answer)
            else:
                self.summary.unanswered += 1
            self._count(number)

    def _count(self, number: int) -> None:
        self.summary.asked += 1
        if number == self._plan.settled:
            self._settled_at = len(self._samples)

    async def _judge(self, number: int, asked: Asked, connection: Connection) -> None:
        summary = self.summary
        try:
            answer = await _answer(asked.message, connection, head_only=asked.method == "HEAD")
        except Gone:
            summary.unanswered += 1
            if asked.is_plain:
                summary.faults.append(f"{number}: no answer to {_short(asked)}")
            return
        except TimeoutError:
            # A body that never comes is waited for, as by any server.
            if not lies(asked):
                summary.faults.append(f"{number}: nothing for 30 s to {_short(asked)}")
            return
        self._note(number, asked, answer)
        if lies(asked):
            connection.close()

    def _note(self, number: int, asked: Asked, answer: Answer) -> None:
        self.summary.statuses[answer.status] += 1
        why = "" if asked.method == "HEAD" else fault_of(answer)
        if why:
            self.summary.faults.append(f"{number}: {why} to {_short(asked)}")
        if asked.method == "POST" and answer.status == 201:
            self._remember(asked, answer)

    def _remember(self, asked: Asked, answer: Answer) -> None:
        """Names that are no one's are deleted again: memory is to hold what was there before."""
        try:
            name = str(json.loads(answer.body)["metadata"]["name"])
        except (ValueError, KeyError, TypeError):
            return
        if name not in NAMES:
            self._odd_names.append(f"{asked.target.partition('?')[0]}/{quote(name, safe='')}")

    async def _tidy(self) -> None:
        names, self._odd_names = self._odd_names, []
        group = "/apis/admissionregistration.k8s.io/v1"
        hooks = [f"{group}/{kind}webhookconfigurations" for kind in ("validating", "mutating")]
        hooks += [f"{group}/{kind}admissionpolicies" for kind in ("validating", "mutating")]
        events = [f"/api/v1/namespaces/{n}/events" for n in ("fuzz-a", "fuzz-b", "default")]
        for path in (*hooks, *names, *events):
            await self._send("DELETE", path)

    async def _sample(self) -> None:
        while True:
            self._samples.append(self._process.memory_info().rss / 1e6)
            await asyncio.sleep(_SAMPLE_S)

    def _memory(self) -> tuple[float, float]:
        """The memory at both ends, in MB."""
        count = int(_WINDOW_S / _SAMPLE_S)
        settled = self._samples[self._settled_at :][:count]
        return median(settled or self._samples), median(self._samples[-count:])

    async def _afterwards(self) -> None:
        """Write, read and delete as anybody would, and see who heard of it."""
        body = {"metadata": {"name": _LAST}, "data": {"a": "b"}}
        for namespace in ("fuzz-a",):
            await self._send("DELETE", f"/api/v1/namespaces/{namespace}/resourcequotas")
        await self._send("DELETE", _WHERE)
        made = await self._send("POST", _WHERE, body)
        if made.status != 201:
            self.summary.faults.append(f"afterwards: {made.status} {made.body[:300]!r} to a POST")
        self.summary.told = await self._rough.told()
        for method, path in (("GET", f"{_WHERE}/{_LAST}"), ("DELETE", f"{_WHERE}/{_LAST}")):
            answer = await self._send(method, path)
            if answer.status != 200:
                self.summary.faults.append(f"afterwards: {answer.status} to {method} {path}")

    async def _read(self, path: str) -> Any:
        return json.loads((await self._send("GET", path)).body)

    async def _send(self, method: str, path: str, body: Any = None) -> Answer:
        text = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(text)}\r\n"
        media = "Content-Type: application/json\r\n" if text else ""
        async with self._one_at_a_time:
            return await _answer(f"{head}{media}\r\n".encode() + text, self._admin)


async def _answer(message: bytes, connection: Connection, *, head_only: bool = False) -> Answer:
    """Ask, and again when the server has closed the connection after the request before."""
    used = connection.is_open
    try:
        return await connection.ask(message, head_only=head_only)
    except Gone:
        if not used:
            raise
        return await connection.ask(message, head_only=head_only)


def _short(asked: Asked) -> str:
    return f"{asked.method} {asked.target[:200]} {asked.body[:200]!r} {list(asked.headers)!r:.400}"


def _contexts(kubeconfig: Mapping[str, str], folder: Path) -> dict[str, ssl.SSLContext]:
    """TLS of each user: the administrator, nobody, and a stranger with a certificate."""
    texts = {
        name: base64.b64decode(text).decode()
        for name, text in kubeconfig.items()
        if name in ("ca", "client_certificate", "client_key")
    }
    made: dict[str, ssl.SSLContext] = {}
    now = datetime.now(UTC)  # noqa: TID251 - handshakes compare with the real clock
    foreign = pki.new_authority("stranger", now=now, lifetime=timedelta(days=1))
    own = pki.issue(
        foreign,
        subject=pki.subject_of("admin", ["system:masters"]),
        now=now,
        lifetime=timedelta(days=1),
        extended=(pki.CLIENT_AUTH,),
    )
    pairs = {
        "admin": texts["client_certificate"] + texts["client_key"],
        "stranger": own.certificate + own.key,
        "nobody": "",
    }
    for name, pair in pairs.items():
        context = ssl.create_default_context(cadata=texts["ca"])
        if pair:
            file = folder / f"{name}.pem"
            file.write_text(pair)
            context.load_cert_chain(file)
        made[name] = context
    return made
