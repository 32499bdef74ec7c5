"""kubectl on a cluster whose pods run nothing: what it can do, and what it is told of the rest."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.sandbox_lab import SandboxLab, sandbox

pytestmark = pytest.mark.contract

KUBECTL = Path(sys.executable).with_name("kubectl")
SANDBOX = "this is the tutor's sandbox, and its pods run no containers"
NODE = "sandbox-control-plane"


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    exit: int
    out: str
    err: str


async def kubectl(lab: SandboxLab, *words: str, within_s: float = 30) -> Ran:
    home = lab.kubeconfig.parent
    environment = {**os.environ, "KUBECONFIG": str(lab.kubeconfig), "HOME": str(home)}
    process = await asyncio.create_subprocess_exec(
        str(KUBECTL),
        *words,
        env=environment,
        cwd=home,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(within_s):
        out, err = await process.communicate()
    return Ran(process.returncode or 0, out.decode(), err.decode())


async def done(lab: SandboxLab, *words: str) -> str:
    ran = await kubectl(lab, *words)
    assert ran.exit == 0, ran.err
    return ran.out


async def a_pod(lab: SandboxLab) -> str:
    """A pod of a Deployment that runs."""
    await done(lab, "create", "deployment", "web", "--image=example.org/web:1")
    await done(lab, "rollout", "status", "deployment/web", "--timeout=20s")
    return (await done(lab, "get", "pods", "-l", "app=web", "-o", "name")).strip()


async def test_what_would_take_a_running_container_says_that_there_is_none(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as lab:
        pod = await a_pod(lab)
        name = pod.removeprefix("pod/")
        (tmp_path / "file").write_text("x")
        for words in (
            ("logs", pod),
            ("logs", "deployment/web"),
            ("exec", pod, "--", "ls"),
            ("attach", pod),
            ("cp", f"{name}:/etc/passwd", "here"),
            ("cp", "file", f"{name}:/tmp/file"),
            ("port-forward", pod, ":80"),
            ("run", "t", "--rm", "-i", "--restart=Never", "--image=example.org/t:1"),
            ("debug", pod, "-i", "--image=example.org/debug:1"),
            ("debug", f"node/{NODE}", "-i", "--image=example.org/debug:1"),
        ):
            ran = await kubectl(lab, *words)
            assert ran.exit == 1, (words, ran)
            assert SANDBOX in ran.err, (words, ran)
        for words in (("top", "pods"), ("top", "nodes")):
            ran = await kubectl(lab, *words)
            assert (ran.exit, ran.err) == (1, "error: Metrics API not available\n")


async def test_logs_that_cannot_be_are_refused_in_the_words_of_the_server(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as lab:
        pod = await a_pod(lab)
        name = pod.removeprefix("pod/")
        wrong = await kubectl(lab, "logs", pod, "-c", "nope")
        assert f"container nope is not valid for pod {name}" in wrong.err
        path = f"/api/v1/namespaces/default/pods/{name}/log"
        negative = await kubectl(lab, "get", "--raw", f"{path}?tailLines=-1")
        assert 'The PodLogOptions "' in negative.err
        assert "tailLines: Invalid value: -1: must be greater than or equal to 0" in negative.err
        letters = await kubectl(lab, "get", "--raw", f"{path}?tailLines=x")
        assert 'strconv.ParseInt: parsing "x": invalid syntax' in letters.err


async def test_node_is_cordoned_drained_and_taken_back(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as lab:
        await a_pod(lab)
        await done(lab, "cordon", NODE)
        assert "SchedulingDisabled" in await done(lab, "get", "nodes")
        refused = await kubectl(lab, "drain", NODE, "--timeout=5s")
        assert refused.exit == 1
        assert "cannot delete DaemonSet-managed Pods" in refused.err
        drained = await done(
            lab, "drain", NODE, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=20s"
        )
        assert f"node/{NODE} drained" in drained
        waiting = await done(lab, "get", "pods", "-l", "app=web", "--no-headers")
        assert "Pending" in waiting
        await done(lab, "uncordon", NODE)
        await done(lab, "rollout", "status", "deployment/web", "--timeout=20s")


async def test_rollout_goes_on_back_and_rests(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as lab:
        await a_pod(lab)
        await done(lab, "set", "image", "deployment/web", "web=example.org/web:2")
        await done(lab, "rollout", "status", "deployment/web", "--timeout=20s")
        history = await done(lab, "rollout", "history", "deployment/web")
        assert history.split()[-4:] == ["1", "<none>", "2", "<none>"]
        await done(lab, "rollout", "undo", "deployment/web")
        await done(lab, "rollout", "status", "deployment/web", "--timeout=20s")
        image = "jsonpath={.spec.template.spec.containers[0].image}"
        assert await done(lab, "get", "deployment", "web", "-o", image) == "example.org/web:1"
        await done(lab, "rollout", "pause", "deployment/web")
        await done(lab, "set", "image", "deployment/web", "web=example.org/web:3")
        paused = await kubectl(lab, "rollout", "status", "deployment/web", "--timeout=1s")
        assert paused.exit == 1
        await done(lab, "rollout", "resume", "deployment/web")
        await done(lab, "rollout", "restart", "deployment/web")
        await done(lab, "rollout", "status", "deployment/web", "--timeout=20s")


async def test_static_pods_come_back(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as lab:
        pod = f"pod/etcd-{NODE}"
        where = ("-n", "kube-system")
        uid = ("get", pod, *where, "-o", "jsonpath={.metadata.uid}")
        first = await done(lab, *uid)
        await done(lab, "delete", pod, *where, "--timeout=40s")
        await done(lab, "wait", pod, *where, "--for=create", "--timeout=20s")
        await done(lab, "wait", pod, *where, "--for=condition=Ready", "--timeout=20s")
        assert await done(lab, *uid) != first
        owners = "jsonpath={.metadata.managedFields[*].manager}"
        assert await done(lab, "get", pod, *where, "-o", owners, "--show-managed-fields") == (
            "kubelet kubelet"
        )
