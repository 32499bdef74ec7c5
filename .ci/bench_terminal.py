"""How fast the terminal pane is, beside the bare pseudo-terminal and tmux, in one run.

    python .ci/bench_terminal.py [--rounds 5] [--megabytes 20] [--engine NAME] [--json FILE]

Every case has an outer terminal of 160x50 that is read as fast as it can be. Cases take turns, the
median is reported. `cat` is timed inside, from before it starts until it has written everything.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tutor.terminal.pty import Pty  # noqa: E402 - found beside this script

SIZE = (160, 50)
LETTERS = "αβγδεζηθικλμνξοπρστυφχψω"
TIMED = "date +%s.%N > {folder}/begin; cat {file}; date +%s.%N > {folder}/end; exit"


class Outer:
    """The terminal that everything runs in: reads all, remembers a little."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self.bytes = 0
        self.ended = False
        self._tail = b""
        self._news = threading.Condition()
        environment = dict(os.environ, TERM="xterm-256color", COLORTERM="truecolor", ESCDELAY="20")
        environment.pop("TMUX", None)
        self.pty = Pty(
            arguments,
            environment={**environment, "LC_ALL": "C.UTF-8", "TEXTUAL_ANIMATIONS": "none"},
            folder=folder,
            size=SIZE,
            receive=self._receive,
            ended=self._end,
        )
        self.pty.start()

    def _receive(self, data: bytes) -> None:
        with self._news:
            self.bytes += len(data)
            self._tail = (self._tail + data)[-16384:]
            self._news.notify_all()

    def _end(self, status: int) -> None:
        del status
        with self._news:
            self.ended = True
            self._news.notify_all()

    def wait(self, happened: Callable[[bytes], bool], limit_s: float = 60.0) -> bool:
        with self._news:
            return self._news.wait_for(lambda: happened(self._tail), limit_s)

    def forget(self) -> None:
        with self._news:
            self._tail = b""


def sample(path: Path, megabytes: float) -> None:
    """What `kubectl get -o yaml` prints, in colour here and there."""
    lines = [
        "- apiVersion: v1\n  kind: Pod\n  metadata:\n    namespace: default\n"
        f"    name: web-{number}\n    uid: 00000000-0000-4000-8000-{number:012d}\n  spec:\n"
        f"    containers:\n    - image: registry.example/web:{number}\n"
        "      name: \x1b[36mweb\x1b[m\n"
        for number in range(1000)
    ]
    block = "".join(lines).encode()
    wanted = int(megabytes * 1_000_000)
    path.write_bytes((block * (wanted // len(block) + 1))[:wanted])


def taken(folder: Path) -> float:
    begin, end = (float((folder / name).read_text()) for name in ("begin", "end"))
    return end - begin


def case_bare(folder: Path, file: Path, engine: str) -> dict[str, float]:
    del engine
    outer = Outer(("/bin/sh", "-c", TIMED.format(folder=folder, file=file)), folder)
    outer.wait(lambda _: outer.ended)
    outer.pty.close()
    return {"wall_s": taken(folder)}


def case_tmux(folder: Path, file: Path, engine: str) -> dict[str, float]:
    del engine
    tmux = shutil.which("tmux")
    if tmux is None:
        return {}
    command = (tmux, "-S", str(folder / "tmux"), "-f", "/dev/null")
    script = "sleep 1; " + TIMED.format(folder=folder, file=file)
    outer = Outer((*command, "new-session", script), folder)
    outer.wait(lambda _: outer.ended)
    subprocess.run([*command, "kill-server"], capture_output=True, check=False)
    outer.pty.close()
    return {"wall_s": taken(folder)}


def case_pane(folder: Path, file: Path, engine: str) -> dict[str, float]:
    result = folder / "result.json"
    script = TIMED.format(folder=folder, file=file)
    outer = Outer((sys.executable, __file__, "--app", engine, str(result), "flood", script), folder)
    outer.wait(lambda _: outer.ended, 120)
    outer.pty.close()
    return {**json.loads(result.read_text()), "wall_s": taken(folder), "outer_bytes": outer.bytes}


FLOODS = {"bare": case_bare, "tmux": case_tmux, "pane": case_pane}


def echo(
    arguments: Sequence[str],
    folder: Path,
    ready: bytes,
    keys: int,
    *,
    typed: Sequence[str] = LETTERS,
    shown: Sequence[str] = LETTERS,
) -> dict[str, float]:
    """How long a typed letter takes to come back."""
    outer = Outer(arguments, folder)
    outer.wait(lambda tail: ready in tail)
    time.sleep(2 if ready else 0.5)
    times: list[float] = []
    for index in range(keys):
        letter = shown[index % len(shown)].encode()
        outer.forget()
        begun = time.perf_counter()
        outer.pty.write(typed[index % len(typed)].encode())
        if outer.wait(lambda tail, letter=letter: letter in tail, 2):
            times.append((time.perf_counter() - begun) * 1e3)
        if index % 60 == 59:
            outer.pty.write(b"\x15")
        time.sleep(0.04)
    outer.pty.close()
    return percentiles(times)


def interrupt(arguments: Sequence[str], folder: Path, file: Path, times: int) -> dict[str, float]:
    """How long Ctrl+C takes to stop an endless `cat`, until that is seen."""
    script = folder / "flood.sh"
    script.write_text(f"trap 'echo; echo STOPPED; exit' INT\nwhile :; do cat {file}; done\n")
    outer = Outer(arguments, folder)
    outer.wait(lambda tail: b"READY" in tail)
    took: list[float] = []
    for _ in range(times):
        time.sleep(1)
        outer.pty.write(f"sh {script}\r".encode())
        time.sleep(1)
        outer.forget()
        begun = time.perf_counter()
        outer.pty.write(b"\x03")
        if outer.wait(lambda tail: b"STOPPED" in tail, 10):
            took.append((time.perf_counter() - begun) * 1e3)
    outer.pty.close()
    return percentiles(took)


def memory(arguments: Sequence[str], folder: Path, result: Path) -> dict[str, float]:
    """How much the program grows when its scrollback is full and more comes."""
    outer = Outer(arguments, folder)
    outer.wait(lambda _: outer.ended, 120)
    outer.pty.close()
    return json.loads(result.read_text())


def percentiles(times: list[float]) -> dict[str, float]:
    times.sort()
    return {"p50_ms": times[len(times) // 2], "p99_ms": times[int(len(times) * 0.99)]}


async def app(engine: str, result: Path, mode: str, script: str) -> None:
    """The measured program: a terminal with neighbours."""
    from textual.app import App, ComposeResult  # noqa: PLC0415 - only in the measured process
    from textual.containers import Horizontal  # noqa: PLC0415
    from textual.widgets import Footer, Header, Static  # noqa: PLC0415

    from tutor.clock import SystemClock  # noqa: PLC0415
    from tutor.terminal.launch import Launch, find_program  # noqa: PLC0415
    from tutor.terminal.news import Exited  # noqa: PLC0415
    from tutor.terminal.shell import Shell  # noqa: PLC0415
    from tutor.ui.driver import Keyboard  # noqa: PLC0415
    from tutor.ui.widgets.terminal import Terminal  # noqa: PLC0415

    class Bench(App[None]):
        CSS = "#side { width: 40; }"

        def compose(self) -> ComposeResult:
            yield Header()
            with Horizontal():
                yield Static("Lesson 3: Services\n" * 20, id="side")
                yield Terminal()
                if mode == "stream":
                    yield Terminal(id="streaming")
            yield Footer()

        def on_mount(self) -> None:
            self.run_worker(self.measure(), group="measure")

        async def measure(self) -> None:
            await asyncio.sleep(0.5)
            terminal = self.query(Terminal).first()
            program = find_program("/bin/bash", os.environ["PATH"])
            launch = Launch(
                program=program, folder=Path.cwd(), environment=dict(os.environ), own_rc=False
            )
            shell = Shell(launch, clock=SystemClock(), choice=engine)  # pyright: ignore[reportArgumentType]
            await shell.start(terminal.geometry)
            terminal.show(shell)
            terminal.focus()
            await shell.wait_prompt()
            await asyncio.sleep(0.5)
            if mode == "stream":
                beside = Shell(launch, clock=SystemClock(), choice=engine)  # pyright: ignore[reportArgumentType]
                streaming = self.query_one("#streaming", Terminal)
                await beside.start(streaming.geometry)
                streaming.show(beside)
                await beside.wait_prompt()
                beside.type(script + "\n")
            if mode in ("echo", "stream"):
                shell.type("stty -echo; echo READY; stty echo; cat\n")
                return
            if mode == "prompt":
                shell.type("echo READY\n")
                return
            if mode == "memory":
                await shell.run(f"for _ in 1 2 3; do {script}; done")
                full = rss()
                await shell.run(f"for _ in 1 2 3 4 5; do {script}; done")
                grown = {"more_mb": (rss() - full) / 1e6, "full_mb": full / 1e6}
                await asyncio.to_thread(result.write_text, json.dumps(grown))
                await shell.close()
                self.exit()
                return
            ended = asyncio.Event()
            shell.listen(lambda event: ended.set() if isinstance(event, Exited) else None)
            before, memory = resource.getrusage(resource.RUSAGE_SELF), rss()
            shell.type(script + "\n")
            lags = await lags_until(ended)
            after = resource.getrusage(resource.RUSAGE_SELF)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            found = {
                "cpu_s": used,
                "lag_p50_ms": lags[len(lags) // 2],
                "lag_p99_ms": lags[int(len(lags) * 0.99)],
                "lag_max_ms": lags[-1],
                "growth_mb": (rss() - memory) / 1e6,
                "app_mb": rss() / 1e6,
            }
            await asyncio.to_thread(result.write_text, json.dumps(found))
            await shell.close()
            self.exit()

    await Bench(driver_class=Keyboard).run_async()


async def lags_until(ended: asyncio.Event) -> list[float]:
    """How much too late a sleep of 5 ms ends, each time, in milliseconds."""
    lags: list[float] = []
    while not ended.is_set():
        begun = time.perf_counter()
        await asyncio.sleep(0.005)
        lags.append((time.perf_counter() - begun - 0.005) * 1e3)
    return sorted(lags)


def rss() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status names no VmRSS")


def median(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(row[key] for row in rows), 2) for key in rows[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--engine", default="libghostty-vt")
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    floods: dict[str, list[dict[str, float]]] = {name: [] for name in FLOODS}
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "sample.yaml"
        sample(file, options.megabytes)
        for _ in range(options.rounds):
            for case, run in FLOODS.items():
                with tempfile.TemporaryDirectory() as folder:
                    floods[case].append(run(Path(folder), file, options.engine))
        for case, rows in floods.items():
            found[f"cat {case}"] = median(rows)
        tmux = (shutil.which("tmux") or "tmux", "-S", f"{name}/tmux", "-f", "/dev/null")
        found["echo bare"] = echo(("/bin/cat",), Path(name), b"", options.keys)
        found["echo tmux"] = echo((*tmux, "new-session", "cat"), Path(name), b"0:", options.keys)
        subprocess.run([*tmux, "kill-server"], capture_output=True, check=False)
        pane = (sys.executable, __file__, "--app", options.engine, "-", "echo", "")
        found["echo pane"] = echo(pane, Path(name), b"READY", options.keys)
        found["escape"] = echo(
            pane, Path(name), b"READY", options.keys // 4, typed=("\x1b",), shown=("^[",)
        )
        measured = (sys.executable, __file__, "--app", options.engine)
        stream = f"while :; do head -c 20000 {file}; sleep 0.02; done"
        beside = (*measured, "-", "stream", stream)
        found["echo beside a stream"] = echo(beside, Path(name), b"READY", options.keys)
        found["interrupt"] = interrupt((*measured, "-", "prompt", ""), Path(name), file, 10)
        grown = Path(name) / "memory.json"
        growing = (*measured, str(grown), "memory", f"cat {file}")
        found["memory"] = memory(growing, Path(name), grown)
    wall = {case: found[f"cat {case}"].get("wall_s", 0.0) for case in FLOODS}
    found["ratio"] = {
        "to bare": round(wall["pane"] / wall["bare"], 2),
        "to tmux": round(wall["pane"] / wall["tmux"], 2) if wall["tmux"] else 0.0,
    }
    for case, row in found.items():
        print(f"{case:12}", "  ".join(f"{key} {value:.2f}" for key, value in row.items()))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--app"]:
        asyncio.run(app(sys.argv[2], Path(sys.argv[3]), sys.argv[4], sys.argv[5]))
    else:
        main()
