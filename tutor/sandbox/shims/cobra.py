"""Command trees with the dispatch, help pages and error sentences of Go's cobra.

Source: github.com/spf13/cobra v1.7.0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tutor.sandbox.shims.flags import Flag, UsageError, Values, describe, parse, switch

_NAME_WIDTH = 11
_NEAR = 2


class Invocation:
    """What the person asked for: the command found, its flags, and the arguments left."""

    __slots__ = ("arguments", "command", "flags")

    def __init__(self, command: Command, flags: Values, arguments: list[str]) -> None:
        self.command = command
        self.flags = flags
        self.arguments = arguments


Run = Callable[[Invocation], int]
ArgumentRule = Callable[["Command", Sequence[str]], None]


def no_arguments(command: Command, arguments: Sequence[str]) -> None:
    """Refuse arguments."""
    if arguments:
        raise UsageError(f'unknown command "{arguments[0]}" for "{command.path()}"')


def at_most(count: int) -> ArgumentRule:
    """Refuse more than `count` arguments."""

    def rule(_command: Command, arguments: Sequence[str]) -> None:
        if len(arguments) > count:
            raise UsageError(f"accepts at most {count} arg(s), received {len(arguments)}")

    return rule


class Command:
    """One node of the tree. Without `run` it only shows its help."""

    def __init__(
        self,
        use: str,
        short: str,
        *,
        long: str = "",
        run: Run | None = None,
        flags: Sequence[Flag] = (),
        persistent: Sequence[Flag] = (),
        required: Sequence[str] = (),
        rule: ArgumentRule | None = None,
        children: Sequence[Command] = (),
        hidden: bool = False,
    ) -> None:
        self.use = use
        self.name = use.partition(" ")[0]
        self.short = short
        self.long = long
        self.run = run
        self.own = list(flags)
        self.persistent = list(persistent)
        self.required = required
        self.rule = rule
        self.hidden = hidden
        self.parent: Command | None = None
        self.children = sorted(children, key=lambda child: child.name)
        for child in self.children:
            child.parent = self

    def path(self) -> str:
        """The words that lead here, from the root."""
        return f"{self.parent.path()} {self.name}" if self.parent else self.name

    def root(self) -> Command:
        """The top of the tree."""
        return self.parent.root() if self.parent else self

    def inherited(self) -> list[Flag]:
        """Persistent flags of the commands above."""
        return [*self.parent.inherited(), *self.parent.persistent] if self.parent else []

    def local(self) -> list[Flag]:
        """Flags of this command, with `--help`."""
        return [*self.own, *self.persistent, switch("help", f"help for {self.name}", short="h")]

    def child(self, name: str) -> Command | None:
        """The direct subcommand of that name."""
        return next((child for child in self.children if child.name == name), None)

    def usage(self) -> str:
        """The part of the help that starts with `Usage:`."""
        shown = [child for child in self.children if not child.hidden]
        lines = "Usage:\n"
        if self.run:
            line = f"{self.parent.path()} {self.use}" if self.parent else self.use
            lines += f"  {line} [flags]\n"
        if shown:
            lines += f"  {self.path()} [command]\n\nAvailable Commands:\n"
            width = max(_NAME_WIDTH, *(len(child.name) for child in self.children))
            lines += "".join(f"  {child.name:<{width}} {child.short}\n" for child in shown)
        lines += "\nFlags:\n" + describe(self.local())
        if inherited := describe(self.inherited()):
            lines += "\nGlobal Flags:\n" + inherited
        if shown:
            lines += (
                f'\nUse "{self.path()} [command] --help" for more information about a command.\n'
            )
        return lines

    def help(self) -> str:
        """The whole help page."""
        return f"{(self.long or self.short).rstrip()}\n\n{self.usage()}"


def help_command(unknown: Callable[[Command, Sequence[str]], int]) -> Command:
    """The `help` command; `unknown` answers for words that lead nowhere."""

    def run(invocation: Invocation) -> int:
        root = invocation.command.root()
        try:
            command, _ = find(root, invocation.arguments)
        except UsageError:
            return unknown(root, invocation.arguments)
        print(command.help(), end="")
        return 0

    return Command("help [command]", "Help about any command", run=run)


def find(root: Command, arguments: Sequence[str]) -> tuple[Command, list[str]]:
    """The command that the words name, and the line without those words.

    Raises:
        UsageError: the first word is no command, and the root has no rule for arguments.
    """
    command, rest = root, list(arguments)
    while True:
        words = _words(command, rest)
        child = command.child(words[0][1]) if words else None
        if child is None:
            break
        rest.pop(words[0][0])
        command = child
    if command is root and words and root.rule is None:
        word = words[0][1]
        raise UsageError(f'unknown command "{word}" for "{root.path()}"{_suggestions(root, word)}')
    return command, rest


def _words(command: Command, arguments: Sequence[str]) -> list[tuple[int, str]]:
    """Arguments that are neither flags nor values of flags, with their positions."""
    flags = [*command.inherited(), *command.local()]
    words: list[tuple[int, str]] = []
    index = 0
    while index < len(arguments):
        argument = arguments[index]
        if argument == "--":
            break
        long = argument.startswith("--")
        if (
            argument.startswith("-")
            and "=" not in argument
            and (long or len(argument) == len("-x"))
        ):
            named = next(
                (flag for flag in flags if argument in (f"--{flag.name}", f"-{flag.short}")), None
            )
            # An unknown flag is taken to have a value, as cobra does.
            index += 0 if named is not None and named.given is not None else 1
        elif argument and not argument.startswith("-"):
            words.append((index, argument))
        index += 1
    return words


def _suggestions(root: Command, typed: str) -> str:
    near = [
        child.name
        for child in root.children
        if not child.hidden
        and (
            _distance(typed.lower(), child.name.lower()) <= _NEAR
            or child.name.lower().startswith(typed.lower())
        )
    ]
    if not near:
        return ""
    return "\n\nDid you mean this?\n" + "".join(f"\t{name}\n" for name in near)


def _distance(one: str, other: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(other) + 1))
    for above, char in enumerate(one):
        corner, row[0] = row[0], above + 1
        for index, against in enumerate(other):
            cost = corner if char == against else 1 + min(corner, row[index], row[index + 1])
            corner, row[index + 1] = row[index + 1], cost
    return row[-1]


def execute(command: Command, arguments: Sequence[str], note: Callable[[str], None]) -> int:
    """Run a command that was found, with the rest of its line; the result is the exit code.

    `note` receives warnings about deprecated flags.

    Raises:
        UsageError: the line does not fit the command.
    """
    values, rest = parse([*command.inherited(), *command.local()], arguments)
    for line in values.notes:
        note(line)
    if values.truth("help") or command.run is None:
        print(command.help(), end="")
        return 0
    if command.rule:
        command.rule(command, rest)
    missing = [name for name in command.required if name not in values.changed]
    if missing:
        names = ", ".join(f'"{name}"' for name in missing)
        raise UsageError(f"required flag(s) {names} not set")
    return command.run(Invocation(command, values, rest))
