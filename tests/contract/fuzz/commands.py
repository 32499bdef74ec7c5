"""Command lines, kubeconfigs and files that nobody means to give to `tutor` and to its commands.

Each run has to end with a sentence: not with a traceback, not with what the program calls a bug of
its own, not by a signal, and in a moment.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.contract.fuzz.values import broken_text, word

_LIMIT_S = 60.0
_OUR_BUG = 70
_KIND = b"""kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  extraPortMappings:
  - {containerPort: 80, hostPort: 8080, listenAddress: "0.0.0.0"}
"""
_YAML = b"clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]\nb: {c: [1, 2.5, null]}\n"
_TUTOR = (
    "list", "progress --json", "check FILE", "check .", "reset WORD", "learn WORD --step WORD",
    "demo WORD --headless", "demo how-this-works --headless --on context:WORD", "schema WORD",
    "demo how-this-works --headless --on kind", "sandbox status --json", "sandbox WORD",
    "sandbox kubeconfig --name WORD", "sandbox up --without WORD", "sandbox up --peer WORD",
    "sandbox env", "demo --pace WORD --headless", "demo --speed WORD", "WORD", "--WORD WORD",
)  # fmt: skip
_OTHERS = (
    "kubectl get ns", "kubectl apply -f FILE", "kind get clusters", "kind WORD WORD",
    "kind get kubeconfig --name WORD",
    "kind create cluster --config FILE --name WORD --kubeconfig OTHER",
    "kind export kubeconfig --name sandbox --kubeconfig FILE", "kind delete cluster --name WORD",
    "pinniped get kubeconfig --kubeconfig FILE", "pinniped whoami",
    "pinniped get kubeconfig --WORD WORD", "pinniped whoami --kubeconfig FILE", "pinniped WORD",
    "pinniped login static --WORD WORD", "htpasswd -nbBC 4 WORD WORD", "htpasswd WORD WORD",
    "yq WORD FILE", "yq .clusters[0].cluster FILE", "yq e WORD -",
)  # fmt: skip


@dataclass(slots=True)
class Ran:
    """What came of it."""

    count: int = 0
    faults: list[str] = field(default_factory=list[str])

    def lines(self) -> list[str]:
        """For people."""
        return [f"commands: {self.count}, faults: {len(self.faults)}", *self.faults[:20]]


def run_commands(
    count: int, environment: Mapping[str, str], kubeconfig: str, folder: Path, seed: int
) -> Ran:
    """Run so many; `environment` is that of a shell which the sandbox has prepared."""
    ran = Ran()
    folder.mkdir(exist_ok=True)
    good = (kubeconfig.encode(), _KIND, _YAML)
    for number in range(count):
        chance = Random(f"{seed}:{number}")
        file, other = folder / "file.yaml", folder / "other.yaml"
        file.write_bytes(_spoilt(chance.choice(good), chance))
        other.write_bytes(_spoilt(good[0], chance))
        line = chance.choice(_TUTOR if number % 2 else _OTHERS)
        words = [_filled(each, file, other, chance) for each in line.split()]
        command = [sys.executable, "-m", "tutor", *words] if number % 2 else words
        extra = {"KUBECONFIG": str(other)} if chance.random() < 0.4 else {}
        ran.count += 1
        if why := _fault(command, {**environment, **extra}, folder):
            ran.faults.append(f"{shlex.join(words)!r:.300}: {why}")
    return ran


def _spoilt(text: bytes, chance: Random) -> bytes:
    match chance.randrange(5):
        case 0:
            return broken_text(text, chance)
        case 1:
            return text[: chance.randrange(len(text))]
        case 2:
            return chance.randbytes(300)
        case 3:
            return chance.choice((b"", b"null", b"[]", b"{", b"a: &a [*a]", b"[" * 9_999, b"\0"))
        case _:
            return text


def _filled(text: str, file: Path, other: Path, chance: Random) -> str:
    odd = word(chance).replace("\0", "") or "x"
    return text.replace("FILE", str(file)).replace("OTHER", str(other)).replace("WORD", odd)


def _fault(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        return f"still runs after {_LIMIT_S:.0f} s"
    except (UnicodeEncodeError, OSError) as error:
        # What no system takes as an argument cannot be given.
        return "" if isinstance(error, UnicodeEncodeError) or error.errno == 7 else str(error)
    said = done.stderr.decode(errors="replace")
    if done.returncode in (_OUR_BUG, *range(-64, 0)) or "Traceback" in said:
        return f"exit {done.returncode}: {said[-600:]}"
    return ""


def shell_environment(root: Path) -> dict[str, str]:
    """The environment of a shell that `tutor sandbox env` has prepared for a home folder.

    Its clusters are those of the sandbox there; its home is of its own.
    """
    tutor = f"{shlex.quote(sys.executable)} -m tutor sandbox env"
    pairs = subprocess.run(
        ["/bin/sh", "-c", f'settings="$({tutor})" && eval "$settings" && env -0'],
        env={**os.environ, "TUTOR_HOME": str(root)},
        capture_output=True,
        check=True,
    ).stdout
    found = (pair.partition(b"=") for pair in pairs.rstrip(b"\0").split(b"\0"))
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in found}
