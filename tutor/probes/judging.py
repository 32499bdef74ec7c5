"""Facts and mistakes over the values of one moment. Pure but for the engine."""

from collections.abc import Iterable, Mapping

from tutor.probes.base import TRUE, Reading, Verdict
from tutor.probes.binding import BoundFact, BoundStep
from tutor.probes.expression import Failed, Missing, Value, Values


def judge(
    bound: BoundStep, facts: Iterable[BoundFact], readings: Mapping[str, Reading]
) -> tuple[dict[str, Verdict], tuple[str, ...]]:
    """What each of the facts is found to be, by its id, and the ids of the mistakes that were made.

    A mistake that cannot be told was not made.
    """
    values = bound.language.values(readings)
    found = {each.fact.id: _verdict(each, values) for each in facts}
    made = (
        each.mistake.id
        for each in bound.mistakes
        if each.when.evaluate(values) == Value(value=True)
    )
    return found, tuple(made)


def _verdict(bound: BoundFact, values: Values) -> Verdict:
    match bound.that.evaluate(values):
        case Value(True):
            return TRUE
        case Value(False):
            return Verdict("not yet", _saw(bound, values))
        case Value(_):
            return Verdict("cannot look", f"`{bound.that.text}` is neither true nor false")
        case Missing(text):
            return Verdict("not yet", text)
        case Failed(text):
            return Verdict("cannot look", text)


def _saw(bound: BoundFact, values: Values) -> str:
    """The author's text of what was seen, or one made from the expression."""
    if bound.saw is not None:
        match bound.saw.evaluate(values):
            case Value(str(text)) if text:
                return text
            case Missing(text):
                return text
            case _:
                pass
    return bound.that.why_false(values)
