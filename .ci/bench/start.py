"""From nothing to a cluster that answers, and what that costs at rest."""

import sys
import time
from collections.abc import Iterator

from bench.figure import Figure, median
from bench.home import PROGRAMS, Broken, Home, home, run, timed

_ROUNDS = 7
_KIND_ROUNDS = 3
_VERSION_ROUNDS = 15
_ANSWERS_S = 20.0


def measure() -> Iterator[Figure]:
    """The figures of this group."""
    fresh: list[float] = []
    kept: list[float] = []
    for _ in range(_ROUNDS):
        with home() as place:
            fresh.append(_until_answering(place))
            place.down()
            kept.append(_until_answering(place))
    yield Figure(name="sandbox up to kubectl get ns, cold", value=median(fresh), unit="s", bar=1.2)
    yield Figure(
        name="ready, fresh state", value=median(fresh), unit="s", bar=1.0, real="3.2 s (2.4-5.3)"
    )
    yield Figure(
        name="ready, kept state", value=median(kept), unit="s", bar=1.0, real="3.0 s (2.5-4.1)"
    )
    yield Figure(name="ready, fresh state, best", value=min(fresh), unit="s")
    yield Figure(name="ready, kept state, best", value=min(kept), unit="s")
    with home() as place:
        place.up()
        place.until_quiet()
        yield Figure(name="sandbox at rest, resident", value=place.rss_mb, unit="MB", bar=95)
        yield _kind(place)
        yield _version(place)


def _until_answering(place: Home) -> float:
    began = time.perf_counter()
    place.up()
    while True:
        try:
            run([*place.kubectl, "get", "ns"], place.environment)
        except Broken:
            if time.perf_counter() - began > _ANSWERS_S:
                raise
        else:
            return time.perf_counter() - began


def _kind(place: Home) -> Figure:
    environment = place.shell
    program = place.root / "bin" / "kind"
    took: list[float] = []
    for _ in range(_KIND_ROUNDS):
        took.append(timed([program, "create", "cluster", "--name", "bench"], environment))
        run([program, "delete", "cluster", "--name", "bench"], environment)
    return Figure(name="kind create cluster", value=median(took), unit="s", bar=2.0)


def _version(place: Home) -> Figure:
    bare: list[float] = []
    ours: list[float] = []
    for _ in range(_VERSION_ROUNDS):
        bare.append(timed([sys.executable, "-c", "pass"], place.environment))
        ours.append(timed([PROGRAMS / "tutor", "--version"], place.environment))
    ratio = median(ours) / median(bare)
    return Figure(name="tutor --version", value=ratio, unit="x python -c pass", bar=3.0)
