"""Replays recorded requests against a bare cluster in this process and compares the answers.

usage: python -m tests.contract.goldens.play [--only NAME] [--verbose]

Prints a line for each family of cases, what was not compared and why, and a last line
`same: N of M (P %)`; with --verbose, what differs. --only reports on the cases whose name contains
a text: what comes before them is replayed, too, since they build on it.
"""

import argparse
import asyncio
import re
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.contract.goldens import order, recordings
from tests.contract.goldens.compare import differences
from tests.contract.goldens.connection import Answer, Connections, connected
from tests.contract.goldens.explain import explain
from tests.contract.goldens.learned import Learned
from tests.contract.goldens.left_out import body_of
from tests.contract.goldens.recordings import Case, Exchange, parsed
from tests.contract.goldens.standins import StandIns
from tutor.sandbox.cluster.assembly import Cluster, running
from tutor.sandbox.cluster.settings import BARE_VERSION, ClusterSettings
from tutor.sandbox.pace import INSTANT

_LIST_VERSION = re.compile(r'List".*?"metadata":\{"resourceVersion":"(\d+)"')
"""In the start of a list."""


@dataclass
class Outcome:
    """What a replay of one case showed."""

    name: str
    differences: list[str] = field(default_factory=list[str])

    @property
    def same(self) -> bool:
        """Whether every answer was the recorded one."""
        return not self.differences


class Replay:
    """Replays cases against one cluster, each where the one before left it."""

    def __init__(self, cluster: Cluster, connections: Connections) -> None:
        self._cluster = cluster
        self._connections = connections
        self._learned = Learned()
        self._stand_ins = StandIns(cluster, connections, self._send_again)

    async def replay(self, name: str) -> Outcome:
        """Replay one case."""
        case = recordings.load(name)
        writes = order.writes_around(name)
        outcome = Outcome(name)
        for write in writes.before:
            await self._stand_ins.write(write)
        await self._stand_ins.settled()
        for index, exchange in enumerate(case.exchanges):
            answer = await self._ask(case, index, writes.during.get(index, ()))
            found = differences(case, exchange, answer.status, answer.headers, answer.body)
            if found:
                place = f"{index}: {exchange.method} {exchange.path[:160]} as {exchange.user}"
                outcome.differences.append("\n".join([place, *(f"  {line}" for line in found)]))
            self._learn(exchange, answer)
        return outcome

    async def explain(self, name: str, folder: Path) -> Outcome:
        """Let kubectl play a case of `kubectl explain`."""
        case = recordings.load(name)
        return Outcome(name, await explain(case, self._cluster, folder))

    async def _ask(self, case: Case, index: int, writes: Sequence[str]) -> Answer:
        exchange = case.exchanges[index]

        async def meanwhile() -> None:
            for write in writes:
                await self._stand_ins.write(write)

        path = self._learned.translated_path(exchange.path)
        if exchange.events is None:
            await meanwhile()
            return await self._connections.ask(
                exchange.user,
                exchange.method,
                path,
                self._headers(exchange),
                self._body(case, index),
                follow=case.whole_headers,
            )
        return await self._connections.stream(
            exchange.user,
            path,
            self._headers(exchange),
            lines=exchange.events if exchange.ended_by_client else None,
            meanwhile=meanwhile,
        )

    def _headers(self, exchange: Exchange) -> dict[str, str]:
        return {name: self._learned.translated(text) for name, text in exchange.headers.items()}

    def _body(self, case: Case, index: int) -> bytes | None:
        exchange = case.exchanges[index]
        if exchange.body_left_out:
            return body_of(case, index)
        if exchange.body is None or exchange.body.startswith(b"k8s\0"):
            return exchange.body
        return self._learned.translated(exchange.body.decode()).encode()

    def _learn(self, exchange: Exchange, answer: Answer) -> None:
        if exchange.answer:
            media = str(exchange.answer_headers.get("Content-Type", ""))
            ours = (answer.headers.get("Content-Type") or [""])[0]
            self._learned.learn(parsed(exchange.answer, media), parsed(answer.body, ours))
        elif version := _LIST_VERSION.search(exchange.head):
            ours = parsed(answer.body, "application/json")
            self._learned.learn({"metadata": {"resourceVersion": version[1]}}, ours)
        etags = exchange.answer_headers.get("Etag"), answer.headers.get("Etag")
        if isinstance(etags[0], str) and etags[1]:
            self._learned.learn_etag(etags[0], etags[1][0])

    async def _send_again(self, name: str) -> None:
        """Send the writing requests of a case once more."""
        case = recordings.load(name)
        for index, exchange in enumerate(case.exchanges):
            if exchange.method != "GET":
                await self._ask(case, index, ())


@asynccontextmanager
async def replaying(folder: Path) -> AsyncGenerator[Replay]:
    """A replay against a new bare cluster, whose state is in a folder."""
    settings = ClusterSettings(name="bare", folder=folder, version=BARE_VERSION, pace=INSTANT)
    async with running(settings) as cluster, connected(cluster) as connections:
        replay = Replay(cluster, connections)
        yield replay


async def play(only: str, *, verbose: bool) -> list[Outcome]:
    """Replay everything up to the last case that is asked for, and report on those."""
    names = order.cases()
    left_out = order.skipped()
    wanted = [
        name for name in [*names, *order.explained()] if only in name and name not in left_out
    ]
    last = max((names.index(name) for name in wanted if name in names), default=-1)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="goldens-") as folder:
        async with replaying(Path(folder) / "cluster") as replay:
            if set(order.explained()) & set(wanted):
                last = max(last, names.index(order.explained_after()))
            for name in names[: last + 1]:
                outcomes.append(await replay.replay(name))
                if name == order.explained_after():
                    outcomes += [
                        await replay.explain(explained, Path(folder))
                        for explained in order.explained()
                    ]
    outcomes = [outcome for outcome in outcomes if outcome.name in wanted]
    if verbose:
        for outcome in outcomes:
            _show(outcome)
    return outcomes


def _show(outcome: Outcome) -> None:
    if not outcome.same:
        print(f"✗ {outcome.name}")
        for difference in outcome.differences:
            print("\n".join(f"    {line}" for line in difference.split("\n")))


def main() -> int:
    """Replay what the command line names."""
    parser = argparse.ArgumentParser(description="Replay recorded requests.")
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    chosen = parser.parse_args()
    if not recordings.GOLDENS.is_dir():
        print(f"There are no recordings in {recordings.GOLDENS}.")
        return 2
    outcomes = asyncio.run(play(chosen.only, verbose=chosen.verbose))
    if not chosen.only:
        for name, reason in order.skipped().items():
            print(f"not compared: {name}: {reason}")
    families = Counter(outcome.name.split("-")[0] for outcome in outcomes)
    same = Counter(outcome.name.split("-")[0] for outcome in outcomes if outcome.same)
    for family, count in sorted(families.items()):
        print(f"{family:24} {same[family]}/{count}")
    total = max(len(outcomes), 1)
    print(f"same: {same.total()} of {len(outcomes)} ({100 * same.total() / total:.0f} %)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
