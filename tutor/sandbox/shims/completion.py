"""Completion scripts for bash and zsh, written from a command tree."""

from __future__ import annotations

from tutor.sandbox.shims.cobra import Command, Invocation, no_arguments

_BASH = """\
# bash completion for {name}
_{name}_complete() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" at="{name}" word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$at $word" in
            {paths}) at="$at $word" ;;
        esac
    done
    case "$at" in
{cases}
    esac
}}
complete -o default -F _{name}_complete {name}
"""
_BASH_CASE = """        "{path}") COMPREPLY=($(compgen -W "{words}" -- "$current")) ;;"""
_ZSH = """\
#compdef {name}
_{name}_complete() {{
    local at="{name}" word
    for word in "${{words[@]:1:$((CURRENT-2))}}"; do
        case "$at $word" in
            ({paths}) at="$at $word" ;;
        esac
    done
    case "$at" in
{cases}
    esac
    _files
}}
compdef _{name}_complete {name}
"""
_ZSH_CASE = """        ("{path}") compadd -- {words} ;;"""


def command() -> Command:
    """The `completion` command for the tree that it is put into."""
    shells = [
        Command(
            shell,
            f"Generate the autocompletion script for {shell}",
            run=_run,
            rule=no_arguments,
        )
        for shell in ("bash", "zsh")
    ]
    return Command(
        "completion", "Generate the autocompletion script for the specified shell", children=shells
    )


def _run(invocation: Invocation) -> int:
    print(script(invocation.command.root(), invocation.command.name), end="")
    return 0


def script(root: Command, shell: str) -> str:
    """The script for `bash` or `zsh`."""
    outline, line = (_BASH, _BASH_CASE) if shell == "bash" else (_ZSH, _ZSH_CASE)
    commands = list(_below(root))
    paths = "|".join(f'"{command.path()}"' for command in commands if command is not root)
    cases = "\n".join(
        line.format(path=command.path(), words=" ".join(_offers(command))) for command in commands
    )
    return outline.format(name=root.name, paths=paths, cases=cases)


def _below(command: Command) -> list[Command]:
    shown = [child for child in command.children if not child.hidden]
    return [command, *(deeper for child in shown for deeper in _below(child))]


def _offers(command: Command) -> list[str]:
    names = [child.name for child in command.children if not child.hidden]
    flags = [*command.local(), *command.inherited()]
    return names + sorted(f"--{flag.name}" for flag in flags if not flag.hidden)
