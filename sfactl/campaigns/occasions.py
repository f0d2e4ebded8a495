"""When it is time to write to a person again: at intervals, or after something that happened to them.

It refuses what could be read in two ways: an interval beside an event, or a wait for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sfactl.engine.periods import Period, parse_period

Happening = Literal["order", "deal_won", "quote_accepted", "case_resolved", "case_closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """``every`` so long to each member, or ``wait`` after each time that ``after`` happened to them.

    What happened counts until ``within`` has passed since it was time. Whom this campaign, or one of ``beside``, wrote
    to less than ``rest`` ago is left in peace.
    """

    every: str = ""
    after: Happening | None = None
    wait: str = "0 days"
    within: str = "30 days"
    rest: str = ""
    beside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.every) == (self.after is not None):
            raise ValueError('say when: either every = "6 months", or after = "order"')
        if self.every and not (self.interval.months or self.interval.seconds):
            raise ValueError(f"every: {self.every!r} is no time at all")
        if self.every and self.wait != "0 days":
            raise ValueError("wait: it counts from what happened, so it needs after")
        if self.beside and not self.rest:
            raise ValueError("rest: say for how long the messages of others leave a person in peace")
        for name in ("wait", "within", "rest"):
            _days(name, getattr(self, name))
        if not self.within_s:
            raise ValueError(f"within: {self.within!r} is no time at all")

    @property
    def interval(self) -> Period:
        """The time between two messages to the same person; nothing where it goes by what happened."""
        return parse_period(self.every) if self.every else Period()

    @property
    def wait_s(self) -> int:
        """Seconds from what happened until it is time."""
        return parse_period(self.wait).seconds

    @property
    def within_s(self) -> int:
        """Seconds for which it stays time."""
        return parse_period(self.within).seconds

    @property
    def rest_s(self) -> int:
        """Seconds of peace after a message."""
        return parse_period(self.rest).seconds if self.rest else 0


def _days(name: str, text: str) -> None:
    try:
        _ = parse_period(text).fixed_days if text else 0.0
    except ValueError as err:
        raise ValueError(f"{name}: {err}") from None
