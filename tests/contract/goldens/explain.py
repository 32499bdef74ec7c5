"""`kubectl explain`, played by kubectl: its lines about fields, since descriptions are ours."""

import asyncio
import difflib
import json
import shlex
import sys
from pathlib import Path

from tests.contract.bare import kubeconfig
from tests.contract.goldens.recordings import Case
from tests.contract.normalise import normalise
from tutor.sandbox.cluster.assembly import Cluster

_KUBECTL = Path(sys.executable).parent / "kubectl"
_LIMIT_S = 30.0


async def explain(case: Case, cluster: Cluster, folder: Path) -> list[str]:
    """Lines that say how the output differs from the recorded one."""
    config = folder / "kubeconfig"
    facts = {
        "server": cluster.url,
        "ca": cluster.keys.ca.pem,
        "certificate": cluster.keys.admin.certificate,
        "key": cluster.keys.admin.key,
    }
    config.write_text(json.dumps(kubeconfig(facts)))
    _, *arguments = shlex.split(case.command)
    process = await asyncio.create_subprocess_exec(
        str(_KUBECTL),
        *arguments,
        env={"KUBECONFIG": str(config), "HOME": str(folder)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_LIMIT_S):
        out, _ = await process.communicate()
    wanted = normalise(case.stdout, explain=True).splitlines()
    found = normalise(out.decode(), explain=True).splitlines()
    lines = difflib.unified_diff(wanted, found, "recorded", "ours", lineterm="", n=0)
    return [line[:200] for line in list(lines)[2:] if not line.startswith("@@")]
