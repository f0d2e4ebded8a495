"""Turn a qualified lead into an account, a contact and an opportunity: the answer, and which domains say nothing.

An account is found by tax id, else by company name, else by mail or web domain, else by the e-mail of a known contact;
two different tax ids are never one company. A domain that anybody can have an address at identifies nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

FREE_MAIL_FAMILIES = ("gmail", "googlemail", "yahoo", "ymail", "hotmail", "outlook", "live", "msn", "gmx", "yandex")
"""Providers with the same name under many endings."""


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


@lru_cache(maxsize=1)
def free_mail_domains() -> frozenset[str]:
    """Providers of private mailboxes, without those of `FREE_MAIL_FAMILIES`; from ``free_mail.txt``."""
    lines = Path(__file__).with_name("free_mail.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def is_free_mail(domain: str) -> bool:
    """Whether anybody can have an address at ``domain``."""
    return domain in free_mail_domains() or domain.split(".")[0] in FREE_MAIL_FAMILIES


def free_mail(domains: Iterable[str]) -> list[str]:
    """Those of ``domains`` that identify nobody."""
    return [d for d in domains if is_free_mail(d)]
