"""Records what two other terminals show for each screen probe, for tests/terminal/test_probes.py.

    NODE_PATH=FOLDER python .ci/record_probes.py FOLDER_OF_PROBES

The folder holds `probes.py` and `engines.py`; NODE_PATH has @xterm/headless 6.0.0 and
@xterm/addon-unicode11. tmux is the other terminal.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "tests" / "terminal" / "data" / "probes.json"
BETWEEN = "\x1f"
ATTEMPTS, TRIES, PAUSE_S = 5, 40, 0.02


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    import engines  # noqa: PLC0415 - from the folder that was named
    import probes  # noqa: PLC0415

    size = (probes.C, probes.R)
    others = (engines.XtermJs(*size, 100), engines.Tmux(*size))
    recorded = []
    for group, name, text in probes.P:
        shown = []
        for other in others:
            show(other, probes.enc(text), f"{group}.{name}", is_tmux=other is others[1])
            picture = compact(*other.frame())
            if picture not in shown:
                shown.append(picture)
        first_line = probes.ALSO.get(f"{group}.{name}")
        also = {} if first_line is None else {"also": first_line}
        recorded.append({"name": f"{group}.{name}", "input": text, "shown": shown, **also})
    for other in others:
        other.close()
    replies = [
        {"name": name, "input": text, "reply": pattern.decode("latin-1")}
        for name, text, pattern in probes.REPLIES
    ]
    lines = [json.dumps(each) for each in recorded], [json.dumps(each) for each in replies]
    screens, reports = (",\n".join(each) for each in lines)
    TARGET.write_text(
        f'{{"size": {list(size)}, "screens": [\n{screens}\n], "reports": [\n{reports}\n]}}\n'
    )


def show(other: Any, data: bytes, token: str, *, is_tmux: bool) -> None:
    """Have a terminal take a stream, from its beginning."""
    for _ in range(ATTEMPTS if is_tmux else 1):
        other.reset_new()
        other.feed(data)
        # What was sent to the tmux of before is lost.
        if not is_tmux or has_taken(other, token):
            return
    print(f"{token}: tmux does not say when it has taken it")


def has_taken(tmux: Any, token: str) -> bool:
    """Whether it has taken all that it was sent: its title, set last, says so."""
    tmux.feed(f"\x1b]2;{token}\x07".encode())
    for _ in range(TRIES):
        if token in title_of(tmux):
            return True
        time.sleep(PAUSE_S)
    return False


def title_of(tmux: Any) -> str:
    """The title of its only pane."""
    command = ["tmux", "-S", tmux.sock, "display-message", "-p", "#{pane_title}"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def compact(rows: list[Any], cursor: tuple[int, int]) -> dict[str, Any]:
    """Rows without the blanks at their ends, and the runs of cells that are not plain."""
    texts, styles = [], []
    for y, row in enumerate(rows):
        cells = [text if text != "\x00" else " " for text, _ in row]
        while cells and cells[-1] == " ":
            cells.pop()
        is_simple = all(len(text) == 1 for text in cells)
        texts.append(("" if is_simple else BETWEEN).join(cells))
        styles += runs(y, [style for _, style in row])
    while texts and not texts[-1]:
        texts.pop()
    return {"rows": texts, "cursor": list(cursor), "styles": styles}


def runs(y: int, styles: list[Any]) -> list[list[Any]]:
    """[row, first column, columns, foreground, background, attributes] of what is not plain."""
    found: list[list[Any]] = []
    for x, (foreground, background, attributes) in enumerate(styles):
        if foreground is None and background is None and not attributes:
            continue
        look = [colour(foreground), colour(background), " ".join(sorted(attributes))]
        if found and found[-1][1] + found[-1][2] == x and found[-1][3:] == look:
            found[-1][2] += 1
        else:
            found.append([y, x, 1, *look])
    return found


def colour(value: tuple[Any, ...] | None) -> int | list[int] | None:
    """A number of the palette, or red, green and blue."""
    if value is None:
        return None
    return value[1] if value[0] == "p" else list(value[1:])


if __name__ == "__main__":
    main()
