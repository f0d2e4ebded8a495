"""What the public pool hands out: claims with their refusals, returns, collisions. Pure: it reads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sfactl.config.pool import CoolDown
from sfactl.engine.periods import Period, parse_period


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A lead that was not claimed, released or woken, and why."""

    lead_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Leads a rep took from the pool, or gave back to it: done, refused, and until when the new ones are protected."""

    rep: str | None
    done: tuple[int, ...]
    refused: tuple[Refusal, ...]
    protected_until: datetime | None = None
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A lead that went back to the pool, or fell asleep in it."""

    lead_id: int
    holder: str | None
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recycled:
    """What recycling did: leads returned, fallen asleep, and rows set right that others had overtaken."""

    returned: tuple[Returned, ...]
    asleep: tuple[Returned, ...]
    settled: int
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collided:
    """A lead that somebody protects and that is the same customer, by the keys in ``same``."""

    lead_id: int
    name: str | None
    company: str | None
    holder: str
    protected_until: datetime
    same: str


def length(prefix: str, period: Period | None) -> dict[str, int]:
    """A period as the parameters PREFIX_months and PREFIX_seconds of a statement."""
    said = period or Period()
    return {f"{prefix}_months": said.months, f"{prefix}_seconds": said.seconds}


def cools_at(cool_downs: Sequence[CoolDown], columns: Mapping[str, str]) -> str:
    """SQL for the time until which a lead ``l`` of the pool ``p`` is closed to the rep who lost it.

    ``columns`` holds the column of each condition by the number of its cool-down.
    """
    cases = []
    for number, cool_down in enumerate(cool_downs):
        period = parse_period(cool_down.wait)
        until = f"p.released_at + to_months({period.months}) + to_seconds({period.seconds})"
        test = f"f.{columns[str(number)]}" if cool_down.where.strip() else "true"
        cases.append(f"when {test} then {until}")
    return f"case {' '.join(cases)} end" if cases else "cast(null as timestamp)"


def e164(text: str, country: str) -> str:
    """A phone number as it is stored; what cannot be read stays as it is."""
    import phonenumbers  # late: few commands ask about a phone

    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return text
    said: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return said
