"""What is known about an account, fact by fact: who says it, since when, and where two sources say different things.

Pure. Nothing is decided: of contradicting facts both are shown, the newer first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

FIELDS = (
    "name", "tax_id", "domain", "industry", "employees", "tier", "street", "city", "region", "postal_code", "country",
    "phone", "website", "owner", "budget", "expected_ltv",
)  # fmt: skip
"""Facts of which an account has one each, in the order in which they are shown."""

OF_LEADS = {"company": "name"}
"""Fields of a lead that tell an account's field under another name."""

SITUATION = ("need", "product_interest", "background", "note")
"""What customers said about themselves: each may be true beside the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """``value`` of ``field`` as ``source`` says it, since ``at``; ``actor`` entered it."""

    field: str
    value: str
    source: str
    at: datetime | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A field with everything that is said about it; ``contradicts`` where not all say the same."""

    field: str
    contradicts: bool
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody at the account."""

    ref: str
    name: str | None
    title: str | None
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An account as it is known at a time."""

    ref: str
    name: str | None
    known: tuple[Known, ...]
    situation: tuple[Fact, ...]
    people: tuple[Person, ...]
    tags: tuple[Fact, ...]
    intents: tuple[Fact, ...]
    said: tuple[Fact, ...]

    @property
    def contradictions(self) -> int:
        """How many fields are said to be different things."""
        return sum(field.contradicts for field in self.known)


def grouped(facts: Iterable[Fact]) -> tuple[Known, ...]:
    """The facts by field in the order of `FIELDS`, newest first; equal ones from several sources stay side by side."""
    by_field: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.field in FIELDS:
            by_field.setdefault(fact.field, []).append(fact)
    return tuple(
        Known(
            field=field,
            contradicts=len({folded(fact.value) for fact in by_field[field]}) > 1,
            facts=newest_first(by_field[field]),
        )
        for field in FIELDS
        if field in by_field
    )


def newest_first(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """By date, those without one last; then by source."""
    return tuple(sorted(facts, key=lambda f: (f.at is None, -(f.at.timestamp() if f.at else 0), f.source, f.value)))


def folded(value: str) -> str:
    """A value as it is compared: width, case, spaces and the digits that only fill a scale do not matter."""
    text = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    return text.rstrip("0").rstrip(".") if text.replace(".", "", 1).isdigit() and "." in text else text
