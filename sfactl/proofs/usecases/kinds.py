"""One judge for each kind of rule: how it is found, asked, explained, and what can be seen of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sfactl.proofs.asked import Answers, Asked
from sfactl.proofs.model import Actual, Covered, Kind, Trial
from sfactl.proofs.mutants.model import Planted
from sfactl.proofs.usecases.bench import Bench
from sfactl.proofs.usecases.membership import Conditions
from sfactl.proofs.usecases.points import Scores
from sfactl.proofs.usecases.pricing import Prices
from sfactl.proofs.usecases.routing import Routing
from sfactl.proofs.usecases.walking import Walks


class Judge(Protocol):
    """What every kind of rule can be asked. A rule is whatever object the kind's files are read into."""

    def rule(self, trial: Trial) -> Any:
        """The rule that a trial is about. Raises `UserError`."""
        ...

    def check(self, trial: Trial) -> None:
        """Raise `UserError` where the trial asks for what its rule does not have."""
        ...

    def observe(self, asked: Sequence[Asked[Any]]) -> Answers:
        """What came out of the trials of each rule."""
        ...

    def explain(self, trial: Trial, actual: Actual) -> tuple[tuple[str, ...], str]:
        """The reasons behind what came out, line by line, and a hint."""
        ...

    def coverage(self, trials: Sequence[Trial]) -> list[Covered]:
        """How often the trials saw each thing that the rules can do."""
        ...

    def mutants(self, trials: Sequence[Trial]) -> tuple[list[Planted], list[str]]:
        """All mutants of the rules that the trials are about, and what cannot be changed."""
        ...


def judges(bench: Bench) -> dict[Kind, Judge]:
    """The judges of all kinds."""
    conditions = Conditions(bench)
    return {
        "segment": conditions,
        "condition": conditions,
        "score": Scores(bench),
        "strategy": Walks(bench),
        "assignment": Routing(bench),
        "price": Prices(bench),
    }
