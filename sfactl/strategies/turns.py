"""Decide which touches of a strategy can be judged together in a walk: those that nobody passes on the way to another.

Who is skipped at a touch goes on at once, and may come to the next touch in the same walk; whoever begins a wait stays.
"""

from __future__ import annotations

from collections.abc import Mapping

from sfactl.engine.periods import parse_period
from sfactl.strategies.model import END, Step, Strategy


def turns(strategy: Strategy) -> Mapping[str, int]:
    """For each touch how many others one may have passed in the same walk, at most: its turn to be judged."""
    passed = {step.name: 0 for step in strategy.steps}
    # Steps lead forward only, so that all ways to a step were followed before it.
    for step in strategy.steps:
        if keeps(step):
            continue
        after = passed[step.name] + (step.action == "touch")
        for _, target in strategy.ways[step.name]:
            if target != END:
                passed[target] = max(passed[target], after)
    return {step.name: passed[step.name] for step in strategy.of("touch")}


def together(strategy: Strategy) -> Mapping[tuple[int, str], tuple[Step, ...]]:
    """The touches that are judged together, by turn and sender."""
    found: dict[tuple[int, str], tuple[Step, ...]] = {}
    turn_of = turns(strategy)
    for step in strategy.of("touch"):
        place = turn_of[step.name], strategy.sender_of(step)
        found[place] = (*found.get(place, ()), step)
    return found


def keeps(step: Step) -> bool:
    """Whether nobody who comes to the step leaves it in the same walk."""
    if step.action != "wait" or step.until:
        return False
    lasts = parse_period(step.lasts)
    return lasts.months > 0 or lasts.seconds > 0
