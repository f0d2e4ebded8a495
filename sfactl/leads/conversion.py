"""Turn a qualified lead into an account, a contact and an opportunity: the answer.

An account is found by tax id, else by company name, else by mail or web domain, else by the e-mail of a known contact;
two different tax ids are never one company. A domain that anybody can have an address at identifies nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """What the opportunity of a converted lead begins with; None takes it from the lead or the settings."""

    amount: Decimal | None = None
    currency: str | None = None
    close_date: date | None = None
    pipeline: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """One lead and what became of it. ``account_by`` says how its account was found; ``new`` where it was made."""

    lead_id: int
    name: str | None
    account_id: int
    account: str | None
    account_by: str
    contact_id: int
    opportunity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One lead that was not converted, and why."""

    lead_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What a conversion did, or would do. ``already`` were converted before; ``leads`` holds the first hundred."""

    converted: int
    accounts_new: int
    accounts_found: int
    contacts_new: int
    contacts_found: int
    opportunities: int
    already: tuple[int, ...]
    refused: tuple[Refused, ...]
    leads: tuple[Converted, ...] = ()
    dry_run: bool = False
    commit: int | None = None
