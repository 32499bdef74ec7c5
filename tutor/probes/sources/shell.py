"""`shell`: what the learner ran in this step, and what it printed.

A command counts when it is really run: not as a text in another command, and not in a line that
prints something of its own.
"""

from collections.abc import Sequence
from typing import Any, Literal

from tutor.course.interpret import Node
from tutor.course.limits import Text
from tutor.probes.base import Absent, CommandRecord, OwnCommands, Reading, Seen, World
from tutor.probes.commandline import Command, Pipeline, parse_line
from tutor.probes.source import Inputs, Source

Value = dict[str, Any]


class Match(Node):
    """Which commands count."""

    program: Text | tuple[Text, ...]
    """Its name, or several that will do."""
    has: tuple[Text, ...] = ()
    """Words that have to be among its arguments, each with alternatives: `service|services|svc`.

    The value of an `A=b` in front of the command counts as one of its arguments.
    """
    lacks: tuple[Text, ...] = ()
    """Words that may not be among its arguments."""

    @property
    def programs(self) -> tuple[str, ...]:
        """The names that will do."""
        return (self.program,) if isinstance(self.program, str) else self.program

    @property
    def words(self) -> str:
        """The command as a person would name it."""
        return " ".join([self.programs[0], *(each.partition("|")[0] for each in self.has)])


class Spec(Node):
    """Which of the learner's commands."""

    command: Match
    exits: Literal["success", "failure", "any"] = "success"
    """Only commands that ended like this."""
    optional: bool = False
    """Give an empty list, instead of *not yet*, while none was run."""


def watches(_spec: Spec) -> tuple[OwnCommands]:
    """The learner's commands."""
    return (OwnCommands(),)


async def read(spec: Spec, world: World, _inputs: Inputs) -> Reading:
    """A list of dicts, the latest last: `text`, `program`, `args`, `exit`, `output`, `started`."""
    found: list[Value] = []
    told = f"you have not run `{spec.command.words}` in this step yet"
    for record in world.shell.records():
        value = _value(spec, record)
        if isinstance(value, str):
            told = value or told
        else:
            found.append(value)
    if found or spec.optional:
        return Seen(found, f"what your `{spec.command.words}` printed")
    return Absent(told)


def _value(spec: Spec, record: CommandRecord) -> Value | str:
    """A command that counts; otherwise why one that was near does not, or an empty text."""
    pipelines = [each for each in parse_line(record.text) if not _is_newline(each)]
    matching = [
        (pipeline, command)
        for pipeline in pipelines
        for command in pipeline
        if _is_meant(spec.command, command)
    ]
    if not matching:
        return _near(spec.command, pipelines)
    pipeline, command = matching[-1]
    if why := _why_not(spec, record, pipelines, pipeline):
        return why
    return {
        "text": record.text,
        "program": command.program,
        "args": list(command.args),
        "exit": record.exit_code,
        "output": record.output,
        "started": record.started.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def _why_not(
    spec: Spec,
    record: CommandRecord,
    pipelines: Sequence[Pipeline],
    pipeline: Pipeline,
) -> str:
    words = spec.command.words
    if any(_invents(each) for each in (each for line in pipelines for each in line)):
        return f"that line prints something of its own: run `{words}` by itself"
    if pipeline is not pipelines[-1]:
        return f"that line does something after `{words}`: run it by itself"
    # A command that is to fail says why on the screen, wherever its output was to go.
    if spec.exits != "failure" and any(each.writes_to_file for each in pipeline):
        return f"the output of `{words}` went to a file: let it come to the screen"
    # Behind a pipe or a `; echo` the shell's exit code is that of another program.
    failed = record.exit_code != 0 or _has_failed(record.output)
    if spec.exits == "success" and failed:
        return f"your `{words}` ended with an error"
    if spec.exits == "failure" and not failed:
        return f"your `{words}` ended without an error"
    return ""


def _near(match: Match, pipelines: Sequence[Pipeline]) -> str:
    """Words for a command of the right program with other arguments."""
    for pipeline in reversed(pipelines):
        for command in pipeline:
            if _is_program(match, command):
                ran = " ".join([command.program, *command.args])
                return f"you ran `{_shortened(ran)}`; `{match.words}` is what to run"
            if command.program in _PRINTERS and match.programs[0] in " ".join(command.args):
                return f"`{command.program}` only prints the words: run `{match.words}` itself"
    return ""


_SHOWN = 60


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_SHORT_NAMES = {"k": "kubectl", "kubecolor": "kubectl"}
"""What many people's shells call a program."""


def _is_program(match: Match, command: Command) -> bool:
    name = _SHORT_NAMES.get(command.program, command.program)
    return command.program in match.programs or name in match.programs


def _is_meant(match: Match, command: Command) -> bool:
    if not _is_program(match, command):
        return False
    words = frozenset([*_words(command.args), *(each.casefold() for each in command.assigned)])
    wanted = (each.casefold().split("|") for each in match.has)
    unwanted = (each.casefold().split("|") for each in match.lacks)
    return all(any(word in words for word in each) for each in wanted) and not any(
        word in words for each in unwanted for word in each
    )


def _words(args: tuple[str, ...]) -> list[str]:
    """The arguments, and the halves of `TYPE/NAME`, `--flag=value` and `TYPE,TYPE`."""
    words: list[str] = []
    for arg in args:
        lower = arg.casefold()
        words.append(lower)
        words += (
            lower.split("=", 1) if lower.startswith("-") else lower.replace(",", "/").split("/")
        )
    return words


_PRINTERS = frozenset({"echo", "printf", "print"})
_INTERPRETERS = frozenset(
    {"python", "python3", "perl", "ruby", "node", "bash", "sh", "zsh", "eval"}
)


def _is_newline(pipeline: Pipeline) -> bool:
    """Whether it only ends a line, as the `; echo` that many type behind a jsonpath."""
    return len(pipeline) == 1 and pipeline[0].program == "echo" and not pipeline[0].args


def _invents(command: Command) -> bool:
    """Whether it can print a text that stands in the line itself."""
    return command.program in _PRINTERS or command.program in _INTERPRETERS or command.has_own_input


def _has_failed(output: str) -> bool:
    """Whether a command whose exit code another one hides printed an error."""
    return any(line.startswith(("error:", "Error", "error ")) for line in output.splitlines())


SOURCE = Source(spec=Spec, watches=watches, read=read)
