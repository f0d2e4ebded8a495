"""What ``approvals.toml`` may say: who may approve what, by size, and whether anybody may approve what is their own.

Without the file everybody may approve everything; with it nobody approves a plan that they made, unless it says so.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from sfactl.config.objects import read_object

FILE = "approvals.toml"
TEAM = "team:"

What = Literal["campaign", "strategy", "decision", "quote", "order"]
"""A campaign's plan, a strategy's plan, the word that a step of a strategy waits for; a price offered, an order."""
SOLD = ("quote", "order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may approve what has more than ``above`` effects: actors by name, or everybody of ``team:NAME``.

    Of quotes and orders ``above`` is the sum, of those in ``currency`` where one is said. With ``discount`` a rule is
    for quotes on whose lines somebody took off more percent than that by hand.
    """

    what: What
    by: tuple[str, ...]
    above: int = 0
    discount: float | None = None
    currency: str = ""

    def __post_init__(self) -> None:
        if not self.by:
            raise ValueError('by: name at least one actor, or a team as "team:NAME"')
        if self.above < 0:
            raise ValueError(f"above: {self.above} is less than nothing")
        if self.discount is not None and (self.what != "quote" or self.above or self.currency):
            raise ValueError("discount: it is for quotes, in a rule that says neither above nor currency")
        if self.discount is not None and not 0 <= self.discount < 100:
            raise ValueError(f"discount: {self.discount:g} is not a percentage from 0 to below 100")
        if self.currency and self.what not in SOLD:
            raise ValueError("currency: only quotes and orders have one")

    def lets(self, actor: str, teams: Collection[str]) -> bool:
        """Whether ``actor``, who is in ``teams``, may give this approval."""
        return actor in self.by or any(f"{TEAM}{team}" in self.by for team in teams)

    def oversteps(self) -> str:
        """In words what a quote or an order has that this rule is about."""
        if self.discount is not None:
            return f"more than {self.discount:g} % off by hand"
        sum_ = f"{self.above:,} {self.currency}".rstrip()
        return (
            f"more than {sum_}" if self.above else f"any {self.what}{f' in {self.currency}' if self.currency else ''}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """``approvals.toml``.

    Of the rules for what is approved, the one with the highest ``above`` that its size exceeds counts.
    """

    rules: tuple[Rule, ...] = ()
    self_approval: bool = False

    def __post_init__(self) -> None:
        said = [(rule.what, rule.above, rule.discount, rule.currency) for rule in self.rules]
        for what, above, discount, currency in said:
            if said.count((what, above, discount, currency)) > 1:
                size = f"above {above:,}" if discount is None else f"with a discount above {discount:g}"
                raise ValueError(f"rules: there are two for {what} {size}")

    def refusal(self, what: What, size: int, *, actor: str, teams: Collection[str], author: str | None) -> str | None:
        """Why ``actor``, who is in ``teams``, may not approve what ``author`` made; None where they may."""
        if author is not None and author == actor and not self.self_approval:
            return f"{actor} made it, so somebody else must approve it"
        rule = max(
            (r for r in self.rules if r.what == what and (size > r.above or r.above == 0)),
            key=lambda r: r.above,
            default=None,
        )
        if rule is None or rule.lets(actor, teams):
            return None
        above = f" above {rule.above:,}" if rule.above else ""
        return f"a {what}{above} is approved by {' or '.join(rule.by)}, not by {actor}"

    def needed(self, what: What, *, amount: Decimal, discount: Decimal, currency: str) -> tuple[Rule, ...]:
        """The rules of which a quote or an order needs somebody's word: by its discount, and by its sum.

        Of those that it oversteps the highest counts; of equal ones that of its currency.
        """
        mine = [r for r in self.rules if r.what == what]
        off = [r for r in mine if r.discount is not None and discount > Decimal(str(r.discount))]
        sums = [r for r in mine if r.discount is None and r.currency in ("", currency) and _over(amount, r.above)]
        found = (
            max(off, key=lambda r: r.discount or 0, default=None),
            max(sums, key=lambda r: (r.above, r.currency), default=None),
        )
        return tuple(r for r in found if r is not None)


def _over(amount: Decimal, above: int) -> bool:
    return amount > above or above == 0


def read_approvals(folder: Path) -> Approvals | None:
    """The rules of the workspace ``folder``; None without the file. Raises `ConfigError`."""
    path = folder / FILE
    return read_object(Approvals, path) if path.is_file() else None
