"""What must hold of which expressions: leaves joined by and and or, and the search for values that satisfy them.

The search is complete up to a budget of steps; where that is used up, the answer is that it may be possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sfactl.engine.reasoning.domain import Domain

BUDGET = 4_000


@dataclass(frozen=True, slots=True)
class Leaf:
    """The value of the expression ``key`` is in ``domain``."""

    key: str
    domain: Domain


@dataclass(frozen=True, slots=True)
class All:
    """All ``parts`` hold; of none: always."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """One of ``parts`` holds at least; of none: never."""

    parts: tuple[Formula, ...]


Formula = Leaf | All | Any
ALWAYS, NEVER = All(()), Any(())
Known = Mapping[str, Domain]


class _Spent(Exception):
    """The budget is used up."""


class Search:
    """Looks for values that satisfy formulas; ``fits`` judges the domains of all expressions together."""

    def __init__(self, fits: Callable[[Known], bool], budget: int = BUDGET) -> None:
        self._fits = fits
        self._left = budget

    def impossible(self, formulas: Sequence[Formula]) -> bool:
        """Whether it is proven that no values satisfy all ``formulas``."""
        try:
            return not self._possible(list(formulas), {}, [])
        except (_Spent, RecursionError):
            return False

    def _possible(self, pending: list[Formula], known: dict[str, Domain], choices: list[Any]) -> bool:
        self._left -= 1
        if self._left < 0:
            raise _Spent
        while pending:
            top = pending.pop()
            if isinstance(top, All):
                pending += top.parts
            elif isinstance(top, Leaf):
                met = known[top.key].meet(top.domain) if top.key in known else top.domain
                if met.empty:
                    return False
                known[top.key] = met
            elif len(top.parts) == 1:
                pending.append(top.parts[0])
            else:
                choices.append(top)
        if not self._fits(known):
            return False
        return self._branch(known, choices)

    def _branch(self, known: dict[str, Domain], choices: list[Any]) -> bool:
        best: tuple[int, list[Formula]] | None = None
        for number, choice in enumerate(choices):
            open_parts = [part for part in choice.parts if not _clashes(part, known)]
            if best is None or len(open_parts) < len(best[1]):
                best = number, open_parts
            if len(open_parts) <= 1:
                break
        if best is None:
            return True
        others = [choice for number, choice in enumerate(choices) if number != best[0]]
        return any(self._possible([part], dict(known), list(others)) for part in best[1])


def _clashes(part: Formula, known: Known) -> bool:
    return isinstance(part, Leaf) and part.key in known and known[part.key].meet(part.domain).empty
