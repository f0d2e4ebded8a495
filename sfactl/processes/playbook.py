"""A won deal as an example: its way, and a draft of a strategy that goes it again with leads that are alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sfactl.api.errors import UserError

MOST_STEPS = 12
BY_HAND: Mapping[str, str] = {
    "call": "call",
    "meeting": "visit",
    "visit_onsite": "visit",
    "demo": "demo",
    "trial": "demo",
    "product_intro": "call",
    "training": "visit",
    "follow_up": "call",
    "email_sent": "follow_up",
    "quote": "follow_up",
}
"""What people of ours did, and the kind of task that does it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the way: the day since the first, what happened, and the row that tells it."""

    day: float
    what: str
    row: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A case of the library."""

    name: str
    opportunity_id: int
    lead_id: int
    won_at: datetime
    amount: Decimal | None
    currency: str | None
    days: float
    steps: int
    note: str
    added_at: datetime
    added_by: str
    traits: Mapping[str, Any]
    path: tuple[Stage, ...]


def strategy_of(playbook: Playbook, *, owner: str) -> dict[str, Any]:
    """A draft strategy, as plain TOML values: tasks in the order and at the pace of the case, for leads like its lead.

    Only what people of ours did is done again, at most `MOST_STEPS` of it. Raises `UserError` where nothing was.
    """
    done = [stage for stage in playbook.path if stage.what in BY_HAND]
    kept = [s for n, s in enumerate(done) if n == 0 or s.what != done[n - 1].what or s.day - done[n - 1].day >= 1]
    if not kept:
        raise UserError(
            f"case {playbook.name}: nothing on its way was done by people of ours: there is nothing to repeat"
        )
    steps: list[dict[str, Any]] = []
    before = kept[0].day
    for number, stage in enumerate(kept[:MOST_STEPS], start=1):
        pause = round(stage.day - before)
        if pause >= 1:
            steps.append({"name": f"wait-{number}", "action": "wait", "for": f"{pause} days"})
        title = f"As in {playbook.name}, day {stage.day:.0f}: {stage.what}"
        task = {"kind": BY_HAND[stage.what], "title": title, "due": "2 days"}
        steps.append({"name": f"{stage.what.replace('_', '-')}-{number}", "action": "task", "task": task})
        before = stage.day
    return {
        "schema": 1,
        "summary": f"The way of the won case {playbook.name}: deal {playbook.opportunity_id}, {playbook.days:.0f} days",
        "state": "draft",
        "owner": owner,
        "where": _like(playbook.traits),
        "goal": {"where": "has(opportunities) filter (where category = 'won')"},
        "exit": {"where": "status = 'disqualified'", "after": f"{max(30, round(playbook.days * 2))} days"},
        "steps": steps,
    }


def _like(traits: Mapping[str, Any]) -> str:
    terms = ["status in ('mql', 'sql', 'converted')"]
    for field in ("industry", "country"):
        if traits.get(field):
            quoted = str(traits[field]).replace("'", "''")
            terms.append(f"{field} = '{quoted}'")
    if traits.get("employees"):
        terms.append(f"employees between {int(traits['employees']) // 3} and {int(traits['employees']) * 3}")
    terms.append("not has(opportunities) filter (where category = 'won')")
    return "\nand ".join(terms)


def stages(rows: Sequence[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """The way from rows of (moment, what, row), in order."""
    if not rows:
        return ()
    first = rows[0]["moment"]
    return tuple(
        Stage(day=round((r["moment"] - first).total_seconds() / 86_400, 3), what=r["what"], row=r["row"]) for r in rows
    )
