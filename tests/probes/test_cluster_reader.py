"""Source: Kubernetes API concepts, *Efficient detection of changes*."""

import stat
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.api import CRDS, FakeApi, fake_api
from tutor.probes.base import Absent, Blind, Collection, Objects
from tutor.probes.cluster import Cluster

DEMO = Collection("v1", "Secret", "demo")
PATH = "/api/v1/namespaces/demo/secrets"
WIDGETS = Collection("example.com/v1", "Widget", None)


def nothing() -> None:
    """A follower who does not care."""


def eventually(condition: Callable[[], object], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(0.005)


@pytest.fixture
def api(tmp_path: Path) -> Generator[FakeApi]:
    """A server with one Secret."""
    folder = tmp_path / "api"
    folder.mkdir()
    with fake_api(folder) as running:
        running.put(PATH, "a", data={"x": "1"})
        yield running


@pytest.fixture
def config(tmp_path: Path, api: FakeApi) -> Path:
    """A kubeconfig for it."""
    path = tmp_path / "demo.kubeconfig.yaml"
    path.write_text(api.kubeconfig(), encoding="utf-8")
    return path


@pytest.fixture
def cluster(tmp_path: Path, config: Path) -> Generator[Cluster]:
    """A reader of it."""
    with Cluster(config, keys=tmp_path / "keys", environment={}) as reader:
        yield reader


def names(cluster: Cluster, collection: Collection = DEMO) -> list[str] | None:
    found = cluster.look(collection)
    if not isinstance(found, Objects):
        return None
    return sorted(item["metadata"]["name"] for item in found.items)


def text(cluster: Cluster, collection: Collection = DEMO) -> str:
    found = cluster.look(collection)
    return found.text if isinstance(found, Absent | Blind) else ""


def test_collection_is_listed_then_watched(api: FakeApi, cluster: Cluster) -> None:
    changes = threading.Semaphore(0)
    cluster.follow(DEMO, changes.release)
    assert changes.acquire(timeout=10)
    found = cluster.look(DEMO)
    assert isinstance(found, Objects)
    assert found.items[0]["kind"] == "Secret"
    assert found.items[0]["apiVersion"] == "v1"
    api.put(PATH, "b")
    eventually(lambda: names(cluster) == ["a", "b"])
    api.delete(PATH, "a")
    eventually(lambda: names(cluster) == ["b"])
    assert changes.acquire(timeout=10)


def test_followers_of_one_collection_share_one_watch(api: FakeApi, cluster: Cluster) -> None:
    for _ in range(5):
        cluster.follow(DEMO, nothing)
    eventually(lambda: names(cluster) == ["a"])
    api.put(PATH, "b")
    eventually(lambda: names(cluster) == ["a", "b"])
    assert sum("watch=1" in path for path in api.asked) == 1
    assert sum(path == PATH for path in api.asked) == 1


def test_one_who_has_unfollowed_is_not_called(api: FakeApi, cluster: Cluster) -> None:
    called: list[int] = []
    unfollow = cluster.follow(DEMO, lambda: called.append(1))
    eventually(lambda: called)
    unfollow()
    before = len(called)
    api.put(PATH, "b")
    eventually(lambda: names(cluster) == ["a", "b"])
    assert len(called) == before


def test_quiet_cluster_is_asked_nothing(api: FakeApi, cluster: Cluster) -> None:
    cluster.follow(DEMO, nothing)
    cluster.follow(WIDGETS, nothing)
    eventually(lambda: names(cluster) == ["a"] and "does not know" in text(cluster, WIDGETS))
    eventually(lambda: sum("watch=1" in path for path in api.asked) == 2)
    before = list(api.asked)
    time.sleep(0.5)
    assert api.asked == before


def test_watch_goes_on_from_its_version_when_the_connection_breaks(
    api: FakeApi, cluster: Cluster
) -> None:
    cluster.follow(DEMO, nothing)
    eventually(lambda: names(cluster) == ["a"])
    api.put(PATH, "b")
    eventually(lambda: names(cluster) == ["a", "b"])
    eventually(lambda: sum("watch=1" in path for path in api.asked) == 1)
    api.drop_connections()
    api.put(PATH, "c")
    eventually(lambda: names(cluster) == ["a", "b", "c"])
    assert sum(path == PATH for path in api.asked) == 1


def test_expired_version_is_listed_again(api: FakeApi, cluster: Cluster) -> None:
    cluster.follow(DEMO, nothing)
    eventually(lambda: names(cluster) == ["a"])
    eventually(lambda: any("watch=1" in path for path in api.asked))
    api.put(PATH, "b")
    api.delete(PATH, "a")
    api.forget()
    eventually(lambda: names(cluster) == ["b"])
    api.put(PATH, "c")
    eventually(lambda: names(cluster) == ["b", "c"])


def test_server_that_is_gone_is_unreachable_until_it_is_back(
    api: FakeApi, cluster: Cluster
) -> None:
    cluster.follow(DEMO, nothing)
    eventually(lambda: names(cluster) == ["a"])
    port = api.port
    api.stop()
    eventually(lambda: isinstance(cluster.look(DEMO), Blind))
    assert text(cluster) == (
        f"the API server https://localhost:{port} does not answer: connection refused"
    )
    api.put(PATH, "b")
    api.start(port)
    eventually(lambda: names(cluster) == ["a", "b"])


def test_kubeconfig_that_is_not_there_yet_is_waited_for(tmp_path: Path, api: FakeApi) -> None:
    config = tmp_path / "later.yaml"
    with Cluster(config, keys=tmp_path / "keys", environment={}) as cluster:
        cluster.follow(DEMO, nothing)
        eventually(lambda: "no kubeconfig" in text(cluster))
        assert cluster.look(DEMO) == Absent("there is no kubeconfig later.yaml yet")
        config.write_text("apiVersion: v1\nkind: Config\n", encoding="utf-8")
        eventually(lambda: "names no cluster yet" in text(cluster))
        assert text(cluster).endswith("later.yaml names no cluster yet")
        config.write_text(api.kubeconfig(), encoding="utf-8")
        eventually(lambda: names(cluster) == ["a"])
        config.unlink()
        eventually(lambda: "no kubeconfig" in text(cluster))


@pytest.mark.parametrize(
    "broken", ["{", "[]", "hello", "a: b", "\x00", "clusters: 1\ncontexts: 2\ncurrent-context: x\n"]
)
def test_file_that_is_no_kubeconfig_is_not_yet(tmp_path: Path, broken: str) -> None:
    config = tmp_path / "broken.yaml"
    config.write_text(broken, encoding="utf-8")
    with Cluster(config, keys=tmp_path / "keys", environment={}) as cluster:
        cluster.follow(DEMO, nothing)
        eventually(lambda: "names no cluster yet" in text(cluster))


def test_another_cluster_in_the_same_kubeconfig_replaces_the_first(
    tmp_path: Path, config: Path, cluster: Cluster
) -> None:
    cluster.follow(DEMO, nothing)
    eventually(lambda: names(cluster) == ["a"])
    folder = tmp_path / "second"
    folder.mkdir()
    with fake_api(folder) as second:
        second.put(PATH, "z")
        config.write_text(second.kubeconfig(), encoding="utf-8")
        eventually(lambda: names(cluster) == ["z"])


def test_only_the_named_context_is_used(tmp_path: Path, api: FakeApi, config: Path) -> None:
    with Cluster(config, context="other", keys=tmp_path / "k", environment={}) as cluster:
        cluster.follow(DEMO, nothing)
        eventually(lambda: "names no cluster yet" in text(cluster))
    assert api.asked == []
    with Cluster(config, context="fake", keys=tmp_path / "k", environment={}) as cluster:
        cluster.follow(DEMO, nothing)
        eventually(lambda: names(cluster) == ["a"])


def test_machines_own_kubeconfig_is_never_used(
    tmp_path: Path, api: FakeApi, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(config))
    with Cluster(tmp_path / "no.yaml", keys=tmp_path / "k", environment={}) as cluster:
        cluster.follow(DEMO, nothing)
        eventually(lambda: "no kubeconfig" in text(cluster))
    assert api.asked == []


def test_kind_that_is_defined_later_is_found_without_asking(api: FakeApi, cluster: Cluster) -> None:
    cluster.follow(WIDGETS, nothing)
    eventually(lambda: "does not know" in text(cluster, WIDGETS))
    assert text(cluster, WIDGETS) == (
        "the cluster does not know the kind Widget (example.com/v1) yet"
    )
    api.put("/apis/example.com/v1/widgets", "w")
    api.define("other.com", "v1", "Other", "others")
    api.define("example.com", "v1", "Widget", "widgets")
    eventually(lambda: names(cluster, WIDGETS) == ["w"])
    assert sum(path == "/apis/example.com/v1" for path in api.asked) == 2


def test_kind_that_is_taken_away_is_not_yet_and_found_again(api: FakeApi, cluster: Cluster) -> None:
    api.define("example.com", "v1", "Widget", "widgets")
    api.put("/apis/example.com/v1/widgets", "w")
    cluster.follow(WIDGETS, nothing)
    eventually(lambda: names(cluster, WIDGETS) == ["w"])
    del api.resources["/apis/example.com/v1"]
    api.delete(CRDS, "widgets.example.com")
    api.drop_connections()
    eventually(lambda: "does not know" in text(cluster, WIDGETS))
    api.define("example.com", "v1", "Widget", "widgets")
    eventually(lambda: names(cluster, WIDGETS) == ["w"])


def test_refusals_say_what_the_server_says(api: FakeApi, config: Path, cluster: Cluster) -> None:
    said = 'secrets is forbidden: User "pinny" cannot list resource "secrets"'
    api.refuse = lambda path: (403, said) if path == PATH else None
    cluster.follow(DEMO, nothing)
    eventually(lambda: "forbidden" in text(cluster))
    assert cluster.look(DEMO) == Blind(f"the kubeconfig may not read Secret: {said}")
    api.refuse = lambda _path: None
    eventually(lambda: names(cluster) == ["a"])
    config.write_text(api.kubeconfig(token="wrong"), encoding="utf-8")
    eventually(lambda: "does not accept" in text(cluster))


def test_token_in_the_kubeconfig_is_used(tmp_path: Path, api: FakeApi) -> None:
    config = tmp_path / "token.yaml"
    config.write_text(api.kubeconfig(token="let-me-in"), encoding="utf-8")
    with Cluster(config, keys=tmp_path / "k", environment={}) as cluster:
        cluster.follow(DEMO, nothing)
        eventually(lambda: names(cluster) == ["a"])


def test_credentials_of_an_exec_plugin_are_used_and_renewed(tmp_path: Path, api: FakeApi) -> None:
    plugin = tmp_path / "plugin"
    credential = tmp_path / "credential.json"
    plugin.write_text(f"#!/bin/sh\ncat {credential}\n", encoding="utf-8")
    plugin.chmod(0o755)
    config = tmp_path / "exec.yaml"
    static = api.kubeconfig(token="TOKEN")
    exec_user = (
        "exec:\n      apiVersion: client.authentication.k8s.io/v1\n"
        f"      command: {plugin}\n      interactiveMode: Never\n"
    )
    config.write_text(static.replace("token: TOKEN\n", exec_user), encoding="utf-8")

    def give(token: str) -> None:
        credential.write_text(
            '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",'
            f' "status": {{"token": "{token}"}}}}',
            encoding="utf-8",
        )

    give("expired")
    with Cluster(config, keys=tmp_path / "k", environment={}) as cluster:
        cluster.follow(DEMO, nothing)
        eventually(lambda: "does not accept" in text(cluster))
        give("let-me-in")
        eventually(lambda: names(cluster) == ["a"])


def test_server_with_another_certificate_is_not_trusted(
    tmp_path: Path, api: FakeApi, config: Path, cluster: Cluster
) -> None:
    folder = tmp_path / "impostor"
    folder.mkdir()
    with fake_api(folder) as impostor:
        text_of = config.read_text(encoding="utf-8").replace(str(api.port), str(impostor.port))
        config.write_text(text_of, encoding="utf-8")
        cluster.follow(DEMO, nothing)
        eventually(lambda: "certificate cannot be verified" in text(cluster))
        assert impostor.asked == []


def test_key_files_are_private_and_do_not_linger(tmp_path: Path, config: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "left-by-a-killed-process").write_text("key", encoding="utf-8")
    with Cluster(config, keys=keys, environment={}) as cluster:
        cluster.follow(DEMO, nothing)
        eventually(lambda: names(cluster) == ["a"])
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in keys.iterdir()}
        assert modes
        assert "left-by-a-killed-process" not in modes
        assert set(modes.values()) == {0o600}
        assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert not keys.exists()


def test_proxy_is_not_used_for_loopback_and_used_for_others(tmp_path: Path, config: Path) -> None:
    environment = {"HTTPS_PROXY": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}
    with Cluster(config, keys=tmp_path / "k", environment=environment) as cluster:
        cluster.follow(DEMO, nothing)
        eventually(lambda: names(cluster) == ["a"])
    far = config.read_text(encoding="utf-8").replace("localhost", "far.example.com")
    config.write_text(far, encoding="utf-8")
    with Cluster(config, keys=tmp_path / "k", environment=environment) as cluster:
        cluster.follow(DEMO, nothing)
        eventually(lambda: text(cluster) and "not answered yet" not in text(cluster))
        assert "connection refused" in text(cluster)


def test_closing_ends_every_thread(config: Path, tmp_path: Path) -> None:
    before = threading.active_count()
    with Cluster(config, keys=tmp_path / "k", environment={}) as cluster:
        cluster.follow(DEMO, nothing)
        cluster.follow(WIDGETS, nothing)
        eventually(lambda: names(cluster) == ["a"] and "does not" in text(cluster, WIDGETS))
    ours: list[Any] = [
        thread
        for thread in threading.enumerate()
        if thread.name.startswith(("kubeconfig", "Collection("))
    ]
    assert ours == []
    assert before <= threading.active_count()
