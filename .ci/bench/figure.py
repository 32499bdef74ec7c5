"""A measured value and what it is held to."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_HEADINGS = ("figure", "value", "unit", "bar", "ok", "real control plane")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table. Without a bar it is only told."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = False
    """Whether the bar is a floor and not a ceiling."""
    of: str = ""
    """How a bar came about that was computed from other values of the run."""
    real: str = ""
    """What was recorded of a real control plane."""

    @property
    def ok(self) -> bool | None:
        """Whether the bar is met; None without one."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def row(self) -> tuple[str, ...]:
        """The cells of the table."""
        bar = ""
        if self.bar is not None:
            bar = f"{'≥' if self.at_least else '≤'} {_short(self.bar)}"
        verdict = {None: "", True: "ok", False: "MISSED"}[self.ok]
        note = f" ({self.of})" if self.of else ""
        return (self.name, _short(self.value), self.unit, bar + note, verdict, self.real)

    def document(self) -> dict[str, str | float | bool | None]:
        """The entry of `bench.json`."""
        return {
            "name": self.name,
            "value": round(self.value, 4),
            "unit": self.unit,
            "bar": None if self.bar is None else round(self.bar, 4),
            "ok": self.ok,
        }


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def table(figures: Sequence[Figure]) -> str:
    """The figures as aligned columns."""
    rows = [_HEADINGS, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def save(figures: Iterable[Figure], file: Path) -> None:
    """Write `bench.json`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([figure.document() for figure in figures], indent=1) + "\n")


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which a share (0 to 1) of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def median(values: Iterable[float]) -> float:
    """The middle value."""
    return statistics.median(values)
