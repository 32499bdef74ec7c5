"""One line of the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    """What was tried, and what came of it."""

    name: str
    total: int
    failures: Sequence[str]
    bar: float
    """How much has to pass: a number of cases, or below or equal to 1.0 a share of them."""
    note: str = ""

    @property
    def passed(self) -> int:
        return self.total - len(self.failures)

    @property
    def ok(self) -> bool:
        needed = self.bar if self.bar > 1 else self.bar * self.total
        return self.total > 0 and self.passed >= needed


@dataclass(frozen=True)
class Skipped:
    """What could not be tried here, and why."""

    name: str
    reason: str


def of(name: str, outcome: Mapping[str, str], bar: float, note: str = "") -> Area:
    """By the name of each case what is wrong with it, or nothing."""
    failures = [f"{case}: {wrong}" for case, wrong in outcome.items() if wrong]
    return Area(name, len(outcome), failures, bar, note)


def table(rows: Sequence[Area | Skipped]) -> str:
    """All of it, each failure below its area."""
    lines = [f"{'':2}{'area':46}{'passed':>16}  bar"]
    for row in rows:
        if isinstance(row, Skipped):
            lines.append(f"- {row.name:46}{'not tried':>16}  {row.reason}")
            continue
        bar = f"{row.bar:.1%}" if row.bar <= 1 else f"{row.bar:.0f}"
        sign = "✓" if row.ok else "✗"
        figure = f"{row.passed} of {row.total}"
        lines.append(
            f"{sign} {row.name:46}{figure:>16}  {bar}{'; ' + row.note if row.note else ''}"
        )
        lines += [f"    {failure[:160]}" for failure in row.failures]
    return "\n".join(lines)
