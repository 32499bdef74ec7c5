"""What the command palette has on the map."""

from collections.abc import Iterable, Iterator

from tutor.ui import atlas
from tutor.ui.commands import Command
from tutor.ui.widgets.steps import SIGNS


def on_the_map(entries: Iterable[atlas.Entry]) -> Iterator[Command]:
    """What can be done with the lessons and steps of the map."""
    for each in entries:
        title = each.lesson.header.title
        if isinstance(each, atlas.StepEntry):
            yield Command(
                text=f"{title}: {each.number} · {each.step.title}",
                action=f"open_step({each.lesson.id!r}, {each.step.id!r})",
                help=f"{SIGNS[each.mark]} {each.mark}",
                is_listed=False,
            )
            continue
        words, extent = _opening(each)
        yield Command(
            text=f"{words}: {title}", action=f"open_lesson({each.lesson.id!r})", help=extent
        )
        if each.mark != "new":
            yield Command(
                text=f"Start anew: {title}",
                action=f"begin_anew({each.lesson.id!r})",
                help="What was done in it is forgotten, after a question",
            )


def _opening(entry: atlas.LessonEntry) -> tuple[str, str]:
    count = f"{entry.done} of {entry.total} steps done"
    match entry.mark:
        case "new":
            return "Begin", f"{entry.total} steps, about {entry.minutes} minutes"
        case "begun":
            return "Go on with", f"{count}, about {entry.minutes_left} minutes left"
        case "done":
            return "Open", f"{count}"
