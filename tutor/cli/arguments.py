"""Arguments to actions. Each subcommand imports its own room when it runs."""

import argparse
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tutor import __version__, paths

Action = Callable[[argparse.Namespace], int]
AddCommand = Callable[..., argparse.ArgumentParser]

_PEER = re.compile(r"(?P<service>[a-z0-9.-]+/[a-z0-9-]+)=(?P<port>\d+)")
_PACES = ("watchable", "real", "instant")


def parse(words: Sequence[str]) -> Callable[[], int]:
    """What a command line asks for. Ends the program where it is wrong, or asks for help."""
    chosen = _parser().parse_args(words)
    action: Action = chosen.action
    return partial(action, chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tutor", description="Learn Kubernetes authentication by doing."
    )
    parser.add_argument("--version", "-V", action="version", version=f"tutor {__version__}")
    parser.set_defaults(action=_app, lesson="", step="", on="sandbox")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for add in (_add_learning, _add_authoring, _add_sandbox):
        add(commands.add_parser)
    return parser


def _add_learning(command: AddCommand) -> None:
    learn = command("learn", help="open one lesson")
    learn.add_argument("lesson", metavar="LESSON")
    learn.add_argument("--step", default="", metavar="ID", help="start at this step")
    learn.add_argument(
        "--on", default="sandbox", metavar="WHERE", help="sandbox, kind or context:NAME"
    )
    learn.set_defaults(action=_app)
    demo = command("demo", help="let the lesson play itself")
    demo.add_argument("lesson", metavar="LESSON", nargs="?", default="")
    demo.add_argument("--headless", action="store_true", help="without a terminal, a line a step")
    demo.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    demo.add_argument("--on", default="sandbox", metavar="WHERE")
    demo.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="N",
        help="of the typing, in the app; 1 is usual",
    )
    demo.add_argument("--pace", choices=_PACES, default="watchable", help="of the cluster")
    demo.set_defaults(action=_demo)
    listing = command("list", help="the lessons there are")
    listing.set_defaults(action=_list)
    progress = command("progress", help="where you are")
    progress.add_argument("--json", action="store_true")
    progress.set_defaults(action=_progress)
    reset = command("reset", help="start a lesson again")
    reset.add_argument("lesson", metavar="LESSON")
    reset.set_defaults(action=_reset)


def _add_authoring(command: AddCommand) -> None:
    check = command("check", help="lint lessons")
    check.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    check.set_defaults(action=_check)
    schema = command("schema", help="the JSON Schema of lesson files")
    schema.add_argument("kind", choices=("lesson", "step"), nargs="?", default="step")
    schema.set_defaults(action=_schema)


def _add_sandbox(command: AddCommand) -> None:
    sandbox = command("sandbox", help="the embedded cluster by itself")
    operations = sandbox.add_subparsers(title="operations", metavar="OPERATION", required=True)
    texts = {
        "up": "start it, with a cluster named sandbox",
        "down": "stop it; what is in the clusters stays",
        "status": "what runs",
        "env": 'what a shell needs: eval "$(tutor sandbox env)"',
        "kubeconfig": "print the administrator's kubeconfig of a cluster",
        "trace": "what happens on the way of each request",
        "reset": "delete every cluster",
    }
    for name, text in texts.items():
        operation = operations.add_parser(name, help=text)
        operation.set_defaults(action=_sandbox, operation=name)
        if name == "kubeconfig":
            operation.add_argument("--name", default="sandbox", help="the cluster")
        if name in ("status", "trace"):
            operation.add_argument("--json", action="store_true")
        if name == "trace":
            operation.add_argument("--follow", "-f", action="store_true")
        if name == "up":
            _add_making(operation)


def _add_making(up: argparse.ArgumentParser) -> None:
    up.add_argument("--pace", choices=_PACES, default="watchable")
    up.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="COMPONENT",
        help="leave this product to a program of yours: its pods run, and do nothing",
    )
    up.add_argument(
        "--peer",
        action="append",
        type=_peer,
        default=[],
        metavar="NAMESPACE/SERVICE=PORT",
        help="let this Service lead to a port of 127.0.0.1, whether or not it has endpoints",
    )


def _peer(text: str) -> tuple[str, int]:
    """A Service and a port."""
    found = _PEER.fullmatch(text)
    if not found or not 0 < int(found["port"]) < 65_536:
        raise argparse.ArgumentTypeError(
            f"{text!r} should be NAMESPACE/SERVICE=PORT, as in cert-manager/webhook=10250"
        )
    return found["service"], int(found["port"])


def _app(chosen: argparse.Namespace) -> int:
    from tutor.cli.app import open_app

    return open_app(chosen.lesson, chosen.step, chosen.on)


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 < speed <= 100:
        raise argparse.ArgumentTypeError("it should be more than 0, and 100 at most")
    return speed


def _demo(chosen: argparse.Namespace) -> int:
    if not (chosen.headless or chosen.json):
        from tutor.cli.app import show_lesson

        return show_lesson(chosen.lesson, chosen.on, chosen.pace, chosen.speed)
    from tutor.cli.demo import demo

    return demo(chosen.lesson, as_json=chosen.json, on=chosen.on, pace=chosen.pace)


def _list(_chosen: argparse.Namespace) -> int:
    from tutor.cli.progress import print_lessons

    return print_lessons()


def _progress(chosen: argparse.Namespace) -> int:
    from tutor.cli.progress import print_progress

    return print_progress(as_json=chosen.json)


def _reset(chosen: argparse.Namespace) -> int:
    from tutor.cli.reset import reset

    return reset(chosen.lesson)


def _check(chosen: argparse.Namespace) -> int:
    from tutor.cli.check import check

    return check(chosen.paths or [paths.lessons_dir()])


def _schema(chosen: argparse.Namespace) -> int:
    from tutor.cli.check import print_schema

    return print_schema(chosen.kind)


def _sandbox(chosen: argparse.Namespace) -> int:
    from tutor.cli.cluster import operate

    return operate(chosen)
