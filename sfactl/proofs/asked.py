"""One rule, as its file says it or with a mistake planted, and the cases that are asked about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sfactl.proofs.model import Actual, Trial

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[R]):
    """``rule`` is to answer ``trials``; ``to_break`` it, the first that comes out otherwise than expected is enough."""

    rule: R
    trials: tuple[Trial, ...]
    to_break: bool = False


Answers = list[dict[int, Actual]]
"""For each that was asked: what came out, by the number of the trial."""


def by_clock(asked: Sequence[Asked[R]]) -> list[list[tuple[int, Asked[R]]]]:
    """The asked in groups of one clock, each with its place in ``asked``."""
    clocks = sorted({trial.clock for one in asked for trial in one.trials})
    groups: list[list[tuple[int, Asked[R]]]] = []
    for clock in clocks:
        group = [
            (place, Asked(rule=one.rule, trials=found))
            for place, one in enumerate(asked)
            if (found := tuple(trial for trial in one.trials if trial.clock == clock))
        ]
        groups.append(group)
    return groups


def by_subject(trials: Sequence[Trial]) -> list[tuple[Trial, ...]]:
    """The trials in groups of one rule."""
    groups: dict[tuple[str, str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.kind, trial.subject, trial.text), []).append(trial)
    return [tuple(group) for group in groups.values()]
