"""Looks at a step once, with the probes and nothing else of the program."""

from tutor.course.model import Environment, Grants, Step
from tutor.probes.base import Reading, Verdict, World
from tutor.probes.binding import bind
from tutor.probes.judging import judge
from tutor.probes.looking import read_given

PLACE: Environment = "sandbox"


async def look(step: Step, world: World, grants: Grants) -> dict[str, Verdict]:
    """What each fact of a step is found to be at this moment. The cluster has to be followed."""
    bound = bind(step, grants=grants, environment=PLACE)
    readings: dict[str, Reading] = {}
    for given in bound.givens:
        values = bound.language.values(readings)
        readings[given.name] = await read_given(given, world, values)
    return judge(bound, bound.facts, readings)[0]
