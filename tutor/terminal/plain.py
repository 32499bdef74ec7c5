r"""What a program printed, as a person would read it from paper.

`plain_text` is exact about this, because facts compare it:

- bytes are UTF-8; what is not becomes U+FFFD;
- what was drawn on the alternate screen (an editor, a pager) is left out;
- OSC, DCS, APC, PM and SOS strings, CSI and other escape sequences are left out: text that was
  placed by moving the cursor to a position follows the text before it;
- within a line, CR goes back to its start and BS one to the left, and text overwrites what stood
  there; CSI K erases the rest of the line, CSI 2 K all of it. CR LF is a line end;
- other control characters are left out, tabs stay;
- the mark that zsh puts behind a last line without a line end is taken off.
"""

import re

_ALTERNATE = re.compile(r"\x1b\[\?(?:1049|1047|47)h.*?(?:\x1b\[\?(?:1049|1047|47)l|\Z)", re.DOTALL)
_STRINGS = re.compile(
    r"\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\|\Z)?|[PX^_].*?(?:\x1b\\|\Z))", re.DOTALL
)
_ERASE = re.compile(r"\x1b\[([02]?)K")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*(?:[@-~]|\Z)|[ -/]*(?:[0-~]|\Z))")
_CONTROLS = re.compile(r"[\x00-\x07\x0b-\x0c\x0e-\x1f\x7f]")
_NEEDS_EDITING = re.compile("[\r\b\ufdd0\ufdd1]")
_LINE_END = re.compile("(?<!\r)\r+\n")
_ZSH_MARK = re.compile(r"(?:\x1b\[[0-9;]*m)*[%#]?(?:\x1b\[[0-9;]*m)*\Z")
_ZSH_MARK_LENGTH = 64

# Erasures become single noncharacters, so that a line is edited character by character.
_ERASED = {"": "\ufdd0", "0": "\ufdd0", "2": "\ufdd1"}
_NONCHARACTERS = str.maketrans(dict.fromkeys("\ufdd0\ufdd1", "\ufffd"))


def plain_text(data: bytes) -> str:
    """The text of terminal output, by the rules above."""
    text = data.decode("utf-8", "replace").translate(_NONCHARACTERS)
    text = _ALTERNATE.sub("", _without_zsh_mark(text))
    text = _STRINGS.sub("", text)
    text = _ERASE.sub(lambda found: _ERASED[found[1]], text)
    text = _CONTROLS.sub("", _ESCAPES.sub("", text))
    text = _LINE_END.sub("\n", text)
    if not _NEEDS_EDITING.search(text):
        return text
    return "\n".join(
        _edited(line) if _NEEDS_EDITING.search(line) else line for line in text.split("\n")
    )


def _without_zsh_mark(text: str) -> str:
    """Zsh fills the last line with blanks, so that its prompt stands at the beginning of one."""
    filled = text.removesuffix("\r \r")
    line = filled.rstrip(" ")
    if len(line) == len(filled) or len(filled) == len(text):
        return text
    rest, end = line[:-_ZSH_MARK_LENGTH], line[-_ZSH_MARK_LENGTH:]
    return rest + _ZSH_MARK.sub("", end)


def _edited(line: str) -> str:
    cells: list[str] = []
    at = 0
    for character in line:
        match character:
            case "\r":
                at = 0
            case "\b":
                at = max(0, at - 1)
            case "\ufdd0":
                del cells[at:]
            case "\ufdd1":
                cells.clear()
            case _:
                cells.extend(" " * (at - len(cells)))
                cells[at : at + 1] = character
                at += 1
    return "".join(cells)
