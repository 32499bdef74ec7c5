"""Which shell the learner gets, with which arguments and environment.

The shell is theirs where it is bash or zsh, and reads their own rc files; what the caller sets
holds even where those say otherwise. Nothing here looks at this process's environment: it is given.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from tutor.errors import ShellError

SCRIPTS = Path(__file__).parent / "shellrc"

SYSTEM_PATH = "/bin:/usr/bin"

_OUTER_TERMINAL = ("TMUX", "TMUX_PANE", "STY", "WINDOW", "LINES", "COLUMNS", "COLORFGBG")
_OUTER_TERMINAL_PREFIXES = (
    *(
        "TERM_PROGRAM",
        "VTE_",
        "KITTY_",
        "WEZTERM_",
        "GHOSTTY_",
        "ALACRITTY_",
        "ITERM_",
        "LC_TERMINAL",
    ),
    *("KONSOLE_", "WT_", "TEXTUAL"),
)


class Program(NamedTuple):
    """A shell that can say where its commands begin and end."""

    path: str
    kind: Literal["bash", "zsh"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start a shell."""

    program: Program
    folder: Path
    environment: Mapping[str, str]
    """What the shell would inherit from an ordinary terminal."""
    extra: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """Variables to set (or, with None, to take out), also after the learner's rc files."""
    path: Sequence[Path] = ()
    """Folders that stand first on the PATH, also after the learner's rc files."""
    editor: str = ""
    """What `EDITOR` and `KUBE_EDITOR` are when neither the environment nor an rc file has them."""
    own_rc: bool = True
    """Whether the learner's rc files are read, and their history is used."""


def find_program(preferred: str | None, path: str) -> Program:
    """The preferred shell (what `$SHELL` says) if it is bash or zsh, else one on the PATH.

    Raises:
        ShellError: there is neither.
    """
    if preferred and (program := _usable(preferred)):
        return program
    for name in ("bash", "zsh"):
        found = shutil.which(name, path=path) or shutil.which(name, path=SYSTEM_PATH)
        if found and (program := _usable(found)):
            return program
    raise ShellError(
        "There is no bash and no zsh on this machine; the lessons need one of them.",
        next_action="Install bash, or set SHELL to the path of one, and start again.",
    )


def _usable(path: str) -> Program | None:
    if not os.access(path, os.X_OK):
        return None
    match Path(path).name:
        case "bash":
            return Program(path, "bash")
        case "zsh":
            return Program(path, "zsh")
        case _:
            return None


def arguments(program: Program) -> Sequence[str]:
    """The command line of an interactive shell that reads our script first."""
    match program.kind:
        case "bash":
            script = str(SCRIPTS / "bash.sh")
            return (program.path, "--noprofile", "--rcfile", script, "-i")
        case "zsh":
            return (program.path, "-i")


def environment(launch: Launch, key: str) -> dict[str, str]:
    """Everything the shell's process is started with. `key` is that of the marks."""
    inherited = {
        name: value
        for name, value in launch.environment.items()
        if name not in _OUTER_TERMINAL and not name.startswith(_OUTER_TERMINAL_PREFIXES)
    }
    inherited |= {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "SHELL": launch.program.path,
        "PWD": str(launch.folder),
    }
    for name, value in launch.extra.items():
        if value is None:
            inherited.pop(name, None)
        else:
            inherited[name] = value
    inherited |= {
        "TUTOR_MARK_KEY": key,
        "TUTOR_OWN_RC": "1" if launch.own_rc else "0",
        "TUTOR_KEEP": " ".join(launch.extra),
        "TUTOR_PATH": os.pathsep.join(map(str, launch.path)),
        "TUTOR_LAST_EDITOR": launch.editor,
    }
    if launch.program.kind == "zsh":
        if "ZDOTDIR" in inherited:
            inherited["TUTOR_ZDOTDIR"] = inherited["ZDOTDIR"]
        inherited["ZDOTDIR"] = str(SCRIPTS / "zsh")
    return inherited
