"""Who of an audience is in which round of a campaign that has occasions, and since or from when.

A round's number follows from what makes it time, never from who was planned before, so that the same data give the same
message keys and nobody is asked twice about the same thing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sfactl.campaigns.model import Campaign
from sfactl.campaigns.occasions import Occasion
from sfactl.engine.duck import Query
from sfactl.engine.periods import parse_period

PACKAGE = "campaigns"


def load_rounds(query: Query, campaign: Campaign, occasion: Occasion, at: datetime) -> None:
    """Make the table rounds: each member's next one, with due_at and rests_until; and begun: those under way.

    Reads the table audience.
    """
    first = campaign.steps[0].name
    asked = {"campaign": campaign.name, "step": first}
    query.run(f"create or replace temp table asked_rounds as {query.statement(PACKAGE, 'asked_rounds')}", asked)
    query.run(f"create or replace temp table next_rounds as {_next(query, occasion)}", _params(occasion, at))
    _load_rests(query, campaign, occasion, at)
    query.run(
        "create or replace temp table rounds as select n.*, r.rests_until from next_rounds n"
        " left join rests r on r.lead_id = n.lead_id"
    )
    query.run(
        "create or replace temp table begun as select k.lead_id, k.rotation from asked_rounds k"
        " join audience a on a.lead_id = k.lead_id where k.accepted_at > $since"
        " qualify row_number() over (partition by k.lead_id order by k.accepted_at desc, k.rotation desc) = 1",
        {"since": at - timedelta(seconds=_longest_s(campaign, occasion))},
    )


def not_due(query: Query, lead_id: int) -> tuple[str, datetime | None]:
    """Why it is not time for a member, and from when it is; reads the tables of `load_rounds`."""
    found = query.one("select due_at, rests_until, ends_at from rounds where lead_id = $lead", {"lead": lead_id})
    if found is None:
        return "no occasion", None
    due_at, rests_until, ends_at = found
    if rests_until is None or rests_until <= due_at:
        return "not yet", due_at
    lost = ends_at is not None and rests_until >= ends_at
    return "was written to lately", None if lost else rests_until


def _next(query: Query, occasion: Occasion) -> str:
    if occasion.every:
        return query.statement(PACKAGE, "rounds_every")
    query.run(f"create or replace temp table happened as {query.statement(PACKAGE, f'after_{occasion.after}')}")
    return query.statement(PACKAGE, "rounds_after")


def _params(occasion: Occasion, at: datetime) -> dict[str, object]:
    if occasion.every:
        return {"at": at, "months": occasion.interval.months, "seconds": occasion.interval.seconds}
    return {"at": at, "wait_s": occasion.wait_s, "within_s": occasion.within_s}


def _load_rests(query: Query, campaign: Campaign, occasion: Occasion, at: datetime) -> None:
    import pyarrow as pa

    names = sorted({campaign.name, *occasion.beside}) if occasion.rest_s else []
    query.register("resting", pa.table({"campaign": pa.array(names, pa.string())}))
    sql = query.statement(PACKAGE, "rests")
    query.run(f"create or replace temp table rests as {sql}", {"at": at, "rest_s": occasion.rest_s})


def _longest_s(campaign: Campaign, occasion: Occasion) -> int:
    """How long after its first message the steps of a round are looked at."""
    waits = sum(parse_period(s.after.wait).seconds for s in campaign.steps if s.after)
    return waits + occasion.within_s
