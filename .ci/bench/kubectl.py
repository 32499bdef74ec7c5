"""kubectl, beside kubectl that asks nobody."""

import json
from collections.abc import Iterator

from bench.figure import Figure, median
from bench.home import Home, home, run, timed

_ROUNDS = 11


def measure() -> Iterator[Figure]:
    """The figures of this group."""
    with home() as place:
        place.up()
        place.until_quiet()
        yield from _figures(place)


def _figures(place: Home) -> Iterator[Figure]:
    file = place.root / "map.json"
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "applied", "namespace": "default"},
        "data": {"key": "v" * 100},
    }
    file.write_text(json.dumps(manifest))
    apply = [*place.kubectl, "apply", "-f", file]
    version = [*place.kubectl, "version", "--client"]
    get = [*place.kubectl, "get", "ns"]
    run(apply, place.environment)
    took: dict[str, list[float]] = {"apply": [], "version": [], "get": []}
    for _ in range(_ROUNDS):
        took["version"].append(timed(version, place.environment))
        took["apply"].append(timed(apply, place.environment))
        took["get"].append(timed(get, place.environment))
    client = median(took["version"])
    yield Figure(
        name="kubectl apply, unchanged ConfigMap",
        value=median(took["apply"]) / client,
        unit="x version --client",
        bar=2,
    )
    yield Figure(
        name="kubectl apply, unchanged ConfigMap",
        value=median(took["apply"]),
        unit="s",
        real="0.36 to 0.41 s",
    )
    yield Figure(name="kubectl version --client", value=client, unit="s", real="0.08 to 0.14 s")
    yield Figure(name="kubectl get ns", value=median(took["get"]), unit="s", real="0.12 s")
