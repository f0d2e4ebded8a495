"""What will become of the people of the world, and when: read from its hidden truth, told to nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sfactl.demo.world import Tables

FATES = """
select
    t.external_id, p.email, p.phone, p.language, t.accepts, t.converts, t.quotes, t.wins, t.sku, t.units,
    t.list_value, t.lost_reason, t.accept_days, t.quote_days, t.decide_days, t.pays, t.pay_days_after_due, t.warmth
from truth t
join person p using (person_no)
order by t.person_no
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What one person will do if somebody works on them. Days count from the step before."""

    external_id: str
    email: str
    phone: str
    language: str
    accepts: bool
    converts: bool
    quotes: bool
    wins: bool
    sku: str
    units: int
    list_value: int
    lost_reason: str | None
    accept_days: int
    quote_days: int
    decide_days: int
    pays: str
    pay_days_after_due: int | None
    warmth: int

    def quoted_at(self, converted_at: datetime) -> datetime:
        """When they want a quote."""
        return converted_at + timedelta(days=self.quote_days)

    def decided_at(self, converted_at: datetime) -> datetime:
        """When they say yes or no."""
        return self.quoted_at(converted_at) + timedelta(days=self.decide_days)


def fates(tables: Tables) -> dict[str, Fate]:
    """The fate of everybody, by the id that lead files give them."""
    return {row["external_id"]: Fate(**row) for row in tables.table(FATES).to_pylist()}
