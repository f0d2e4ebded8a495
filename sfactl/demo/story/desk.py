"""The desks of the made-up seller: what reps find out on the phone, and how they work their deals day by day."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sfactl.demo.story.fates import Fate

NEEDS = ("replacement this year", "new line", "smaller series", "better edges")

Act = Literal["quote", "accept", "lose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """An open deal and what will become of it."""

    opportunity_id: int
    fate: Fate
    converted_at: datetime
    quote_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One thing to do about one deal at one time."""

    at: datetime
    act: Act
    deal: Deal

    @property
    def order(self) -> tuple[datetime, int, str]:
        """Things are done by time, then by the number of the deal; a quote comes before its decision."""
        return self.at, self.deal.opportunity_id, {"quote": "0", "accept": "1", "lose": "1"}[self.act]


def doings(deals: Iterable[Deal], since: datetime, until: datetime) -> list[Doing]:
    """What falls due in a period: quotes, then the customer's yes or no."""
    due = []
    for deal in deals:
        quoted, decided = deal.fate.quoted_at(deal.converted_at), deal.fate.decided_at(deal.converted_at)
        if deal.fate.quotes:
            due.append(Doing(at=quoted, act="quote", deal=deal))
            due.append(Doing(at=decided, act="accept" if deal.fate.wins else "lose", deal=deal))
        else:
            due.append(Doing(at=quoted, act="lose", deal=deal))
    return sorted((d for d in due if since <= d.at < until), key=lambda d: d.order)


def write_notes(path: Path, people: Iterable[Fate]) -> int:
    """What reps wrote down after their calls, as a file to import: need, budget and background."""
    rows = [_note(fate) for fate in people]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("external_id", "email", "need", "budget", "background"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def _note(fate: Fate) -> Mapping[str, object]:
    chinese = fate.language.startswith("zh")
    return {
        "external_id": fate.external_id,
        "email": fate.email,
        "need": NEEDS[(fate.units + fate.accept_days) % len(NEEDS)],
        "budget": fate.list_value,
        "background": "電話確認需求,決策者已知" if chinese else "Spoke on the phone; knows who decides",
    }


def write_answers(path: Path, people: Iterable[Fate], campaign: str, at: datetime) -> int:
    """What people did with a mail of a campaign, as the mail tool would export it."""
    rows = []
    for number, fate in enumerate(people):
        kind = ("unsubscribe" if number % 17 == 0 else None, "email_open", "email_click")[fate.warmth]
        if kind is not None:
            seen = at + timedelta(minutes=number % 2_880)
            rows.append({"at": seen.isoformat(), "kind": kind, "external_id": fate.external_id, "campaign": campaign})
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("at", "kind", "external_id", "campaign"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)
