"""Command-line flags with the syntax, help lines and error sentences of Go's pflag.

Source: github.com/spf13/pflag v1.0.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tutor.sandbox.shims import gotext


class UsageError(Exception):
    """The command line is wrong; the text is what the real command says."""


class Flag:
    """One flag: how it is written, read and described.

    `kind` is the word that the help shows for the value, "" for a switch. `read` turns the text
    into the value that `Values` hands out and raises ValueError with Go's sentence. `given` holds
    the value of a flag that stands alone, and None for a flag that needs one.
    """

    __slots__ = (
        "default",
        "deprecated",
        "given",
        "help",
        "hidden",
        "kind",
        "name",
        "read",
        "short",
        "shown",
    )

    def __init__(
        self,
        name: str,
        description: str,
        *,
        kind: str = "string",
        short: str = "",
        default: object = "",
        shown: str = "",
        read: Callable[[str], object] = str,
        given: str | None = None,
        hidden: bool = False,
        deprecated: str = "",
    ) -> None:
        self.name = name
        self.help = description
        self.kind = kind
        self.short = short
        self.default = default
        self.shown = shown
        self.read = read
        self.given = given
        self.hidden = hidden or bool(deprecated)
        self.deprecated = deprecated

    def spelled(self) -> str:
        """`-v, --verbosity`, or `--name` for a flag without a short form."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


def text(
    name: str,
    description: str,
    *,
    short: str = "",
    default: str = "",
    hidden: bool = False,
    deprecated: str = "",
) -> Flag:
    """A flag that takes a string."""
    shown = gotext.quote(default) if default else ""
    return Flag(
        name,
        description,
        short=short,
        default=default,
        shown=shown,
        hidden=hidden,
        deprecated=deprecated,
    )


def switch(name: str, description: str, *, short: str = "", hidden: bool = False) -> Flag:
    """A flag that is on when it stands alone and takes `=false`."""
    return Flag(
        name,
        description,
        kind="",
        short=short,
        default=False,
        read=gotext.parse_bool,
        given="true",
        hidden=hidden,
    )


def duration(name: str, description: str, *, default: int = 0) -> Flag:
    """A flag that takes a duration; its value counts nanoseconds."""
    shown = gotext.format_duration(default) if default else ""
    return Flag(
        name, description, kind="duration", default=default, shown=shown, read=gotext.parse_duration
    )


def number(name: str, description: str, *, bits: int, signed: bool, short: str = "") -> Flag:
    """A flag that takes an integer of the given width."""

    def read(raw: str) -> int:
        return gotext.parse_int(raw, bits=bits, signed=signed)

    kind = f"int{bits}" if signed else f"uint{bits}"
    return Flag(name, description, kind=kind, short=short, default=0, read=read)


def texts(name: str, description: str, *, default: Sequence[str] = ()) -> Flag:
    """A flag that takes comma-separated strings and may be repeated."""
    shown = f"[{','.join(default)}]" if default else ""

    def read(raw: str) -> list[str]:
        return raw.split(",") if raw else []

    return Flag(name, description, kind="strings", default=list(default), shown=shown, read=read)


class Values:
    """The values of one command line, by flag name, with their defaults filled in."""

    def __init__(self, flags: Sequence[Flag]) -> None:
        self._values: dict[str, object] = {flag.name: flag.default for flag in flags}
        self.changed: set[str] = set()
        self.notes: list[str] = []

    def put(self, flag: Flag, raw: str) -> None:
        """Store one occurrence of a flag.

        Raises:
            UsageError: when the text does not fit the flag.
        """
        try:
            value = flag.read(raw)
        except ValueError as error:
            where = f"for {gotext.quote(flag.spelled())} flag"
            raise UsageError(f"invalid argument {gotext.quote(raw)} {where}: {error}") from None
        held = self._values[flag.name]
        if flag.name in self.changed and isinstance(held, list) and isinstance(value, list):
            value = [*held, *value]  # pyright: ignore[reportUnknownVariableType]  (a list stays a list)
        self._values[flag.name] = value
        self.changed.add(flag.name)
        if flag.deprecated:
            self.notes.append(f"Flag --{flag.name} has been deprecated, {flag.deprecated}")

    def value(self, name: str) -> object:
        """The value of a flag with a reader of its own."""
        return self._values[name]

    def text(self, name: str) -> str:
        """The value of a string flag."""
        return str(self._values[name])

    def truth(self, name: str) -> bool:
        """The value of a switch."""
        return bool(self._values[name])

    def number(self, name: str) -> int:
        """The value of an integer or duration flag."""
        value = self._values[name]
        return value if isinstance(value, int) else 0

    def texts(self, name: str) -> list[str]:
        """The value of a flag of several strings."""
        value = self._values[name]
        return [str(item) for item in value] if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  (its own reader made it)


def parse(flags: Sequence[Flag], arguments: Sequence[str]) -> tuple[Values, list[str]]:
    """Read a command line into flag values and what is left of it.

    Raises:
        UsageError: the line is wrong.
    """
    values = Values(flags)
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        if argument == "--":
            return values, rest + waiting
        if argument.startswith("--"):
            _long(flags, values, argument, waiting)
        elif argument.startswith("-") and argument != "-":
            _shorts(flags, values, argument[1:], waiting)
        else:
            rest.append(argument)
    return values, rest


def _long(flags: Sequence[Flag], values: Values, argument: str, waiting: list[str]) -> None:
    name, equals, raw = argument[2:].partition("=")
    if not name or name.startswith("-"):
        raise UsageError(f"bad flag syntax: {argument}")
    flag = next((flag for flag in flags if flag.name == name), None)
    if flag is None:
        raise UsageError(f"unknown flag: --{name}")
    if equals:
        values.put(flag, raw)
    elif flag.given is not None:
        values.put(flag, flag.given)
    elif waiting:
        values.put(flag, waiting.pop(0))
    else:
        raise UsageError(f"flag needs an argument: {argument}")


def _shorts(flags: Sequence[Flag], values: Values, letters: str, waiting: list[str]) -> None:
    whole = letters
    while letters:
        letter, letters = letters[0], letters[1:]
        flag = next((flag for flag in flags if flag.short == letter), None)
        if flag is None:
            raise UsageError(f"unknown shorthand flag: '{letter}' in -{whole}")
        if letters.startswith("="):
            values.put(flag, letters[1:])
            return
        if flag.given is not None:
            values.put(flag, flag.given)
            continue
        if letters:
            values.put(flag, letters)
        elif waiting:
            values.put(flag, waiting.pop(0))
        else:
            raise UsageError(f"flag needs an argument: '{letter}' in -{whole}")
        return


def describe(flags: Sequence[Flag]) -> str:
    """The help's lines for these flags, sorted and aligned as pflag aligns them."""
    rows: list[tuple[str, str]] = []
    for flag in sorted(flags, key=lambda flag: flag.name):
        if flag.hidden:
            continue
        head = f"  -{flag.short}, --{flag.name}" if flag.short else f"      --{flag.name}"
        head += f" {flag.kind}" if flag.kind else ""
        tail = f"{flag.help} (default {flag.shown})" if flag.shown else flag.help
        rows.append((head, tail))
    width = max((len(head) for head, _ in rows), default=0)
    return "".join(f"{head:<{width}}   {tail}\n" for head, tail in rows)
