"""What the key bar says at one moment. Pure."""

from collections.abc import Sequence

from tutor.keymap import Keymap
from tutor.ui.keys import KEYS, Key, spelled
from tutor.ui.scene import Scene
from tutor.ui.widgets.keybar import Shown

_INSTEAD = {"help": "", "quit": "Q"}
"""What does the same before a lesson, where no key was chosen for it."""

_NEVER = 9
"""The rank of what is shown only when the learner has given it a key."""


def as_chosen(keys: Sequence[Shown], keymap: Keymap) -> tuple[Shown, ...]:
    """The keys of another screen, with those for help and leaving that the learner has chosen."""
    return tuple(
        each._replace(key=spelled(keymap[each.id]) or _INSTEAD[each.id])
        if each.id in _INSTEAD
        else each
        for each in keys
    )


def key_row(
    scene: Scene,
    keymap: Keymap,
    *,
    in_shell: bool,
    is_typing: bool,
    is_short: bool,
    upcoming: str | None,
) -> tuple[Shown, ...]:
    """The keys of a lesson. `upcoming` is the block that the run key would type."""
    row: list[Shown] = []
    for key in KEYS:
        if key.rank == _NEVER and not keymap[key.id]:
            continue
        label, more, is_open = key.label, "", True
        match key.id:
            case "hint":
                label, more, is_open = _help(scene)
            case "run":
                label, is_open = ("runs" if is_typing else "run"), upcoming is not None
            case "switch":
                label = "lesson" if in_shell else "shell"
            case "look" if is_short:
                label = "facts"
            case "next":
                label, more, is_open = _onward(scene)
            case _:
                pass
        row.append(_shown(key, keymap[key.id], label, more, is_open=is_open))
    return tuple(row)


def _shown(key: Key, pressed: str, label: str, more: str, *, is_open: bool) -> Shown:
    return Shown(
        id=key.id,
        key=spelled(pressed),
        after_prefix=key.after_prefix,
        label=label,
        more=more,
        is_open=is_open,
        rank=key.rank,
    )


def _help(scene: Scene) -> tuple[str, str, bool]:
    match scene.rung:
        case "hint":
            number = scene.record.hints_shown + 1
            return "hint", f" {number} of {len(scene.all_hints())}", True
        case "solution":
            return "solution", "", True
        case "skip":
            return "leave out", "", True
        case _:
            return "hint", "", False


def _onward(scene: Scene) -> tuple[str, str, bool]:
    if scene.is_at_end:
        return "finish", "", True
    if scene.is_done:
        return "next", "", True
    missing = len(scene.missing())
    return "next", f" · {missing} to go" if missing else "", False
