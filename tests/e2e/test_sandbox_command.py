"""`tutor sandbox` as a user types it, and what a second terminal can do with it."""

import json
import os
import re
import resource
import signal
import socket
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from tests.e2e.commands import User, user_at
from tutor import paths
from tutor.session.journal import Journal
from tutor.session.record import Progress

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

KIND_CONFIG = (
    "https://raw.githubusercontent.com/projectcontour/contour/main/examples/kind/"
    "kind-expose-port.yaml"
)
LESSON = "pinniped-external-certificate"


@pytest.fixture
def user(tmp_path: Path) -> Generator[User]:
    with user_at(tmp_path / "home") as found:
        yield found


def test_sandbox_goes_up_and_down_and_keeps_its_cluster(user: User) -> None:
    assert user.status() == {"running": False}
    assert user.tutor("sandbox", "status").out == "The sandbox does not run.\n"
    up = user.tutor("sandbox", "up", "--pace", "instant")
    assert up.exit == 0, up.err
    assert re.match(r"The cluster `sandbox` answers at https://127.0.0.1:\d+\.\n", up.out)
    again = user.tutor("sandbox", "up")
    assert again.out == up.out
    status = user.tutor("sandbox", "status").out
    assert re.search(r"  sandbox +running +https://127\.0\.0\.1:\d+\n", status)
    made = user.terminal("kubectl create namespace kept")
    assert made.out == "namespace/kept created\n", made.err
    assert user.tutor("sandbox", "down").out == "The sandbox has stopped; its clusters are kept.\n"
    assert user.tutor("sandbox", "down").out == "The sandbox does not run.\n"
    assert user.tutor("sandbox", "up").out == up.out
    assert user.terminal("kubectl get namespace kept -o name").out == "namespace/kept\n"
    assert user.tutor("sandbox", "reset").out == "Deleted the cluster sandbox.\n"
    assert user.status()["clusters"] == []


def test_kubeconfig_is_the_administrator_s(user: User, tmp_path: Path) -> None:
    user.tutor("sandbox", "up", "--pace", "instant")
    file = tmp_path / "kubeconfig"
    file.write_text(user.tutor("sandbox", "kubeconfig").out)
    ran = user.terminal(f"kubectl auth whoami --kubeconfig {file} -o jsonpath={{..username}}")
    assert ran.out == "kubernetes-admin", ran.err
    missing = user.tutor("sandbox", "kubeconfig", "--name", "nobody")
    assert missing.exit == 2
    assert "There is no cluster named nobody." in missing.err


def test_second_terminal_has_every_command_of_the_pane(user: User, tmp_path: Path) -> None:
    ran = user.terminal(
        f"""
        type -t kubectl kind pinniped htpasswd yq
        wget -q {KIND_CONFIG} && yq '.nodes[0].extraPortMappings[1].hostPort' kind-expose-port.yaml
        curl -sS {KIND_CONFIG} | cmp - kind-expose-port.yaml && echo same
        kind create cluster --config kind-expose-port.yaml --name second --kubeconfig k.yaml -q
        kubectl get nodes --kubeconfig k.yaml -o name
        kubectl apply --kubeconfig k.yaml \
            --filename https://projectcontour.io/quickstart/contour.yaml | tail -1
        htpasswd -nbBC 4 x secret | head -1 | cut -c1-8
        pinniped version | grep -o 'Major:"0", Minor:"25"'
        openssl s_client -connect "$TUTOR_INGRESS" < /dev/null 2>&1 | grep -c CONNECTED
        kind delete cluster --name second --kubeconfig k.yaml -q
        """,
        cwd=tmp_path,
    )
    assert ran.out.splitlines()[:5] == ["file"] * 5, ran.err
    assert ran.out.splitlines()[5:] == [
        "443",
        "same",
        "node/second-control-plane",
        "daemonset.apps/envoy created",
        "x:$2y$04",
        'Major:"0", Minor:"25"',
        "1",
    ], ran.err


def test_second_terminal_with_a_proxy_of_its_own_still_reaches_the_sandbox(
    tmp_path: Path,
) -> None:
    """The learner's own proxy is asked for everything that is not the lesson's."""
    with socket.create_server(("127.0.0.1", 0)) as own:
        url = f"http://127.0.0.1:{own.getsockname()[1]}"
        with user_at(tmp_path / "home", HTTPS_PROXY=url, https_proxy=url) as user:
            user.tutor("sandbox", "up", "--pace", "instant")
            ran = user.terminal(
                "kubectl get ns default -o name; "
                f"curl -sS -o /dev/null -w %{{http_code}} {KIND_CONFIG}"
            )
            assert ran.out == "namespace/default\n200", ran.err


def test_second_terminal_shares_the_hosts_file_of_the_lesson(user: User) -> None:
    """What the lesson has the learner write is seen by both shells."""
    work = paths.work_dir(user.home, LESSON, "sandbox")
    work.mkdir(parents=True)
    made = Progress(lesson=LESSON, environment="sandbox", current="look-around")
    with Journal(paths.progress_file(user.home)) as journal:
        journal.save(made.with_step("look-around", opened_at=datetime(2026, 1, 2, tzinfo=UTC)))
    ran = user.terminal('echo "$TUTOR_HOSTS"; echo "$TUTOR_WORK"; echo "$KUBECONFIG"')
    kubeconfig = work / "kind-with-contour.kubeconfig.yaml"
    assert ran.out.splitlines() == [str(work / "hosts"), str(work), str(kubeconfig)], ran.err
    user.tutor("sandbox", "up", "--pace", "instant")
    ran = user.terminal('echo "$TUTOR_HOSTS"; echo "$KUBECONFIG"')
    assert ran.out.splitlines() == [str(work / "hosts"), str(user.home / "kubeconfig")]
    assert user.terminal('echo "$KUBECONFIG"', cwd=work).out == f"{kubeconfig}\n"


def test_port_that_is_taken_is_named_with_what_to_do(user: User) -> None:
    up = user.tutor("sandbox", "up", "--pace", "instant")
    port = int(up.out.split(":")[2].split(".")[0])
    user.tutor("sandbox", "down")
    with socket.create_server(("127.0.0.1", port)):
        refused = user.tutor("sandbox", "up")
    assert refused.exit == 2
    assert f"Port {port} of this machine" in refused.err
    assert "is taken by another program" in refused.err
    assert f"End the program that uses port {port}" in refused.err
    assert user.tutor("sandbox", "up").out == up.out


def test_other_listeners_take_another_port_when_theirs_is_taken(user: User) -> None:
    user.tutor("sandbox", "up", "--pace", "instant")
    before = user.terminal('echo "$TUTOR_INGRESS"').out.strip()
    user.tutor("sandbox", "down")
    with socket.create_server(("127.0.0.1", int(before.partition(":")[2]))):
        assert user.tutor("sandbox", "up").exit == 0
        after = user.terminal('echo "$TUTOR_INGRESS"; kubectl get ns default -o name').out
    assert after.splitlines()[0] != before
    assert after.splitlines()[1] == "namespace/default"


@pytest.mark.parametrize("words", [("sandbox", "up"), ("demo", "--headless")])
def test_home_that_cannot_be_written_is_named_with_what_to_do(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    refused = User(file / "home").tutor(*words)
    assert refused.exit == 2, refused.err
    assert str(file) in refused.err
    assert "TUTOR_HOME" in refused.err
    assert "Traceback" not in refused.err


@pytest.mark.skipif(os.geteuid() == 0, reason="for root every folder is writable")
def test_home_that_is_read_only_is_named_with_what_to_do(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    refused = User(home).tutor("sandbox", "up")
    assert refused.exit == 2, refused.err
    assert "TUTOR_HOME" in refused.err


def test_socket_and_pid_that_were_left_behind_are_in_nobody_s_way(user: User) -> None:
    path = paths.socket_path(user.home)
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    (paths.sandbox_dir(user.home) / "pid").write_text(str(os.getpid()))
    assert user.status() == {"running": False}
    up = user.tutor("sandbox", "up", "--pace", "instant")
    assert up.exit == 0, up.err
    assert user.status()["pid"] != os.getpid()


def test_sandbox_killed_comes_back_with_what_was_acknowledged(user: User) -> None:
    up = user.tutor("sandbox", "up", "--pace", "instant")
    user.terminal("kubectl create namespace kept")
    process = psutil.Process(user.status()["pid"])
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert user.status() == {"running": False}
    assert user.tutor("sandbox", "up").out == up.out
    ran = user.terminal("kubectl get namespace kept -o name")
    assert ran.out == "namespace/kept\n", ran.err


def test_shell_s_commands_start_a_killed_sandbox_again(user: User) -> None:
    user.tutor("sandbox", "up", "--pace", "instant")
    ran = user.terminal(
        f"kill -9 {user.status()['pid']}; kind get clusters; kubectl get ns default -o name"
    )
    assert ran.out == "sandbox\nnamespace/default\n", ran.err


def test_garbage_in_the_sandbox_s_files_is_survived(user: User) -> None:
    user.tutor("sandbox", "up", "--pace", "instant")
    user.tutor("sandbox", "down")
    (paths.sandbox_dir(user.home) / "front.json").write_text("{not json")
    assert user.tutor("sandbox", "up").exit == 0
    assert user.terminal("kubectl get ns default -o name").out == "namespace/default\n"


def test_trace_shows_what_a_command_did(user: User) -> None:
    user.tutor("sandbox", "up", "--pace", "instant")
    user.terminal("kubectl get namespace nowhere")
    hops = [json.loads(line) for line in user.tutor("sandbox", "trace", "--json").out.splitlines()]
    (hop,) = [each for each in hops if each.get("path") == "/api/v1/namespaces/nowhere"]
    assert hop["kind"] == "api"
    assert hop["cluster"] == "sandbox"
    assert hop["user"] == "kubernetes-admin"
    assert hop["status"] == 404
    shown = user.tutor("sandbox", "trace").out
    assert 'why=namespaces "nowhere" not found' in shown


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONDONTWRITEBYTECODE": "1"},
        {"LANG": "C", "LC_ALL": "C", "TERM": "dumb"},
        {"HOME": "/nonexistent"},
        {"NO_PROXY": "*", "no_proxy": "*"},
        {"TUTOR_SOCKET": "/nowhere", "TUTOR_HOSTS": "/nowhere", "KUBECONFIG": "/nowhere"},
    ],
    ids=lambda each: next(iter(each)),
)
def test_sandbox_works_in_an_odd_environment(tmp_path: Path, environment: dict[str, str]) -> None:
    with user_at(tmp_path / "home", **environment) as user:
        up = user.tutor("sandbox", "up", "--pace", "instant")
        assert up.exit == 0, up.err
        assert user.tutor("sandbox", "up").out == up.out
        ran = user.terminal("kubectl get namespace default -o name")
        assert ran.out == "namespace/default\n", ran.err


def test_home_with_a_long_and_odd_name_works(tmp_path: Path) -> None:
    """Longer than the address of a socket may be, with blanks and other letters."""
    with user_at(tmp_path / ("päth with blanks " * 8)) as user:
        up = user.tutor("sandbox", "up", "--pace", "instant")
        assert up.exit == 0, up.err
        ran = user.terminal(
            "kubectl get namespace default -o name; kind get clusters; "
            f"wget -qO- {KIND_CONFIG} | grep ^kind"
        )
        assert ran.out.splitlines() == ["namespace/default", "sandbox", "kind: Cluster"], ran.err


@pytest.mark.parametrize("taken", ["lock", "pid", "socket", "front.json"])
def test_folder_where_a_file_should_be_is_named_with_what_to_do(user: User, taken: str) -> None:
    place = paths.sandbox_dir(user.home) / taken
    place.mkdir(parents=True)
    refused = user.tutor("sandbox", "up")
    assert refused.exit == 2
    assert f"The sandbox did not start. {place}: Is a directory.\n" in refused.err
    assert "TUTOR_HOME" in refused.err
    assert "Traceback" not in refused.err
    place.rmdir()
    assert user.tutor("sandbox", "up", "--pace", "instant").exit == 0


def test_sandbox_started_by_many_at_once_runs_once_for_all(user: User) -> None:
    with ThreadPoolExecutor() as pool:
        ran = list(pool.map(user.tutor, *zip(*[("sandbox", "up")] * 5, strict=True)))
    assert [(each.exit, each.err) for each in ran] == [(0, "")] * 5
    assert len({each.out for each in ran}) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (os.fsdecode(b"\xff"), "is not UTF-8 text"),
        ("x" * 300, "progress.db cannot be used: File name too long"),
    ],
)
def test_home_whose_name_cannot_be_is_told_with_what_to_do(
    tmp_path: Path, name: str, said: str
) -> None:
    told = User(tmp_path / name).tutor("progress")
    assert told.exit == 2
    assert said in told.err
    assert "set TUTOR_HOME to another folder." in told.err.replace("Set", "set")
    assert "Traceback" not in told.err


@pytest.mark.skipif(not Path("/proc").exists(), reason="limits of another process are in /proc")
def test_sandbox_takes_more_connections_than_its_user_s_limit(user: User) -> None:
    ran = user.terminal(
        f"ulimit -S -n 64; {sys.executable} -m tutor sandbox down; "
        f"{sys.executable} -m tutor sandbox up --pace instant"
    )
    assert "answers at" in ran.out, ran.err
    soft, hard = psutil.Process(user.status()["pid"]).rlimit(resource.RLIMIT_NOFILE)
    assert soft > 64 or hard == 64


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what belongs to somebody else")
def test_socket_of_a_long_home_is_in_no_folder_of_somebody_else(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    place = paths.socket_path(home).parent
    assert not place.is_relative_to(home)
    place.mkdir(mode=0o777)
    try:
        os.chown(place, 65_534, 65_534)
        refused = User(home).tutor("sandbox", "up")
    finally:
        place.rmdir()
    assert refused.exit == 2
    assert f"{place}, belongs to somebody else.\nSet TUTOR_HOME to a folder" in refused.err
