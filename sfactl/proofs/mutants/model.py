"""A planted mistake: the rule with it, where it is, and which case would tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sfactl.proofs.model import Trial

R = TypeVar("R")
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant(Generic[R]):
    """``rule`` differs from the file in one ``change`` at ``place``.

    ``missing`` says which case tells them apart; ``equivalent`` proves that none does.
    """

    rule: R
    place: str
    change: str
    missing: str = ""
    equivalent: str = ""

    def into(self, rule: S, place: str) -> Mutant[S]:
        """The same mistake as part of a larger ``rule``, at a ``place`` in it."""
        where = f"{place}, {self.place}" if self.place else place
        return Mutant(rule=rule, place=where, change=self.change, missing=self.missing, equivalent=self.equivalent)

    def excused(self, proof: str) -> Mutant[R]:
        """The mutant with a proof that no case can tell it."""
        return replace(self, equivalent=proof)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A mutant of ``rule``, which stands in ``file``, and the trials that may notice it."""

    rule: str
    file: str
    mutant: Mutant[Any]
    trials: tuple[Trial, ...]
