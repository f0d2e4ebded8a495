"""Campaigns with occasions: each round reaches a person once, when it is time, and leaves them in peace after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from sfactl.api.errors import Conflict
from sfactl.campaigns.model import After, Campaign, Step
from sfactl.campaigns.occasions import Occasion
from sfactl.campaigns.rounds import load_rounds, not_due
from sfactl.campaigns.usecases.asking import verdict
from sfactl.session import Session
from tests.campaigns.conftest import CAMPAIGN, FRIDAY, Acme

DAY = timedelta(days=1)
NEVER, LONG_AGO, LATELY, MERGED = 1, 2, 3, 4
"""Who was written to by the campaign: never, 31 days ago, 3 days ago; the last also by another, 2 days ago."""
ORDERS = {NEVER: [-16, -15, -40, 2], LONG_AGO: [-40, -3], LATELY: [-17, -18], MERGED: [-17, -13]}
"""Days from now on which they ordered."""


def message(lead: int, days: int, rotation: int, *, campaign: str = "spring", step: str = "ask") -> dict[str, Any]:
    key = f"t.{campaign}.{step}.{lead}.{rotation}"
    fixed = {"message_key": key, "campaign": campaign, "step": step, "lead_id": lead, "state": "accepted"}
    return {**fixed, "at": FRIDAY + days * DAY}


def second(days: int) -> int:
    return int((FRIDAY + days * DAY - datetime(1970, 1, 1)).total_seconds())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Four people with orders, of whom three got messages; and what else happens to people."""
    acme = Acme(tmp_path_factory.mktemp("world") / "acme")
    acme.leads(*({"lead_id": n} for n in range(1, 6)))
    orders = [(lead, FRIDAY + days * DAY) for lead, found in ORDERS.items() for days in found]
    acme.rows("contacts", [{"contact_id": 9, "lead_id": 5}])
    with acme.session() as session, session.write("orders", "opportunities", "quotes", "cases", "messages") as tx:
        import pyarrow as pa

        def rows(dataset: str, found: list[dict[str, Any]]) -> pa.Table:
            return pa.Table.from_pylist(found, session.workspace.schemas[dataset].arrow())

        made = [{"order_id": n, "lead_id": x, "at": at, "status": "paid"} for n, (x, at) in enumerate(orders)]
        made += [
            {"order_id": 90 + n, "contact_id": 9, "at": FRIDAY, "status": s} for n, s in enumerate(("open", "refund"))
        ]
        tx.upsert("orders", rows("orders", made))
        deal = {"opportunity_id": 1, "category": "won", "closed_at": FRIDAY - DAY, "lead_id": 1}
        tx.upsert("opportunities", rows("opportunities", [deal, {**deal, "opportunity_id": 2, "category": "lost"}]))
        quote = {"quote_id": 1, "state": "accepted", "accepted_at": FRIDAY - DAY, "lead_id": 2}
        tx.upsert("quotes", rows("quotes", [quote]))
        case = {"case_id": 1, "resolved_at": FRIDAY - 2 * DAY, "closed_at": FRIDAY - DAY, "lead_id": 3}
        tx.upsert("cases", rows("cases", [case, {"case_id": 2, "lead_id": 4}]))
        asked = [
            message(LONG_AGO, -31, second(-40)),
            message(LATELY, -3, second(-17)),
            message(MERGED, -3, second(-17)),
        ]
        tx.append("messages", rows("messages", [*asked, message(MERGED, -2, 1, campaign="other")]))
        tx.commit()
    with acme.session() as session:
        yield session


def rounds(world: Session, occasion: Occasion, *, at: datetime = FRIDAY) -> dict[int, tuple[int, float, float | None]]:
    """By lead the round's number, in how many days it is due, and for how many days the lead rests."""
    with world.query() as query:
        query.run("create temp table audience as select lead_id from leads")
        load_rounds(query, _campaign(occasion), occasion, at)
        found = query.rows("select lead_id, rotation, due_at, rests_until from rounds order by 1")
    return {
        lead: (number, (due - at) / DAY, None if rests is None else (rests - at) / DAY)
        for lead, number, due, rests in found
    }


def _campaign(occasion: Occasion) -> Campaign:
    steps = (
        Step(name="ask", template="t"),
        Step(name="remind", template="t", after=After(step="ask", wait="5 days")),
    )
    fixed = {"name": "spring", "summary": "", "where": "true", "sender": "outbox", "occasion": occasion}
    return Campaign(**fixed, steps=steps)  # type: ignore[arg-type]


def test_at_intervals_the_number_is_the_second_of_the_message_before(world: Session) -> None:
    found = rounds(world, Occasion(every="1 month"))
    assert found[NEVER] == (0, 0.0, None)
    assert found[LONG_AGO] == (second(-31), 0.0, None), "20 October and a month is 20 November"
    assert found[LATELY] == (second(-3), 27.0, None)


def test_after_an_order_the_newest_that_is_due_counts_else_the_next(world: Session) -> None:
    found = rounds(world, Occasion(after="order", wait="14 days", within="10 days"))
    assert found[NEVER] == (second(-15), -1.0, None), "two orders at once are one occasion; one is too old, one to come"
    assert found[LONG_AGO] == (second(-3), 11.0, None)
    assert LATELY not in found, "what happened before that which was asked about is settled with it"
    assert found[MERGED] == (second(-13), 1.0, None)
    assert found[5] == (second(0), 14.0, None), "a refund is no occasion, and a contact goes back to a lead"


def test_whom_it_or_another_wrote_to_is_left_in_peace(world: Session) -> None:
    own = rounds(world, Occasion(every="1 day", rest="10 days"))
    assert [own[n][2] for n in (NEVER, LONG_AGO, LATELY, MERGED)] == [None, None, 7.0, 7.0]
    both = rounds(world, Occasion(every="1 day", rest="10 days", beside=("other",)))
    assert [both[n][2] for n in (NEVER, LONG_AGO, LATELY, MERGED)] == [None, None, 7.0, 8.0]


@pytest.mark.parametrize(
    ("after", "lead", "days"),
    [("deal_won", 1, -1), ("quote_accepted", 2, -1), ("case_resolved", 3, -2), ("case_closed", 3, -1)],
)
def test_other_things_happen_too(world: Session, after: Any, lead: int, days: int) -> None:
    assert rounds(world, Occasion(after=after)) == {lead: (second(days), days, None)}


def test_later_steps_belong_to_the_newest_round_while_it_is_not_too_old(world: Session) -> None:
    occasion = Occasion(after="order", within="10 days")
    with world.query() as query:
        query.run("create temp table audience as select lead_id from leads")
        load_rounds(query, _campaign(occasion), occasion, FRIDAY)
        assert query.rows("select * from begun order by 1") == [(LATELY, second(-17)), (MERGED, second(-17))]


def test_why_it_is_not_time_is_told(world: Session) -> None:
    occasion = Occasion(after="order", wait="14 days", within="12 days", rest="14 days")
    with world.query() as query:
        query.run("create temp table audience as select lead_id from leads")
        load_rounds(query, _campaign(occasion), occasion, FRIDAY)
        assert not_due(query, LATELY) == ("no occasion", None)
        assert not_due(query, LONG_AGO) == ("not yet", FRIDAY + 11 * DAY)
        assert not_due(query, MERGED) == ("was written to lately", FRIDAY + 11 * DAY)
        load_rounds(
            query, _campaign(occasion), Occasion(after="order", wait="14 days", within="9 days", rest="14 days"), FRIDAY
        )
        assert not_due(query, MERGED) == ("was written to lately", None), "by then it is no longer time"


def test_a_round_is_sent_once_however_often_it_is_planned(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("[[steps]]", 'occasion = { every = "1 month" }\n[[steps]]'))
    acme.leads({"lead_id": 1})
    made = acme.plan()
    assert (made.sends, acme.plan().plan_id) == (1, made.plan_id)
    assert acme.apply(made.plan_id).accepted == 1
    assert acme.plan().sends == 0
    with acme.session() as session, session.query() as query:
        [step] = verdict(session, query, "spring", 1).steps
        assert (step.action, step.reason, step.due_at) == ("wait", "not yet", datetime(2026, 12, 20, 2))
    acme.clock.at = datetime(2026, 12, 20, 2)
    assert acme.plan().sends == 1


def test_a_plan_that_is_applied_late_sees_what_others_sent_meanwhile(acme: Acme) -> None:
    resting = 'occasion = { every = "1 month", rest = "9 days", beside = ["other"] }\n[[steps]]'
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("[[steps]]", resting))
    acme.write("campaigns/other.toml", CAMPAIGN)
    acme.leads({"lead_id": 1})
    made = acme.plan()
    acme.clock.advance(DAY)
    assert acme.run("other").accepted == 1
    with pytest.raises(Conflict, match="moved"):
        acme.apply(made.plan_id)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({}, "say when"),
        ({"every": "1 month", "after": "order"}, "say when"),
        ({"every": "0 days"}, "no time at all"),
        ({"every": "soon"}, "soon"),
        ({"every": "1 month", "wait": "2 days"}, "wait"),
        ({"after": "order", "wait": "1 month"}, "wait"),
        ({"after": "order", "within": "0 days"}, "within"),
        ({"after": "order", "beside": ("other",)}, "rest"),
        ({"after": "order", "rest": "1 year"}, "rest"),
    ],
)
def test_what_could_mean_two_things_is_refused(said: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Occasion(**said)


@pytest.mark.parametrize(
    "more",
    [{"confirm": True, "message_class": "transactional"}, {"where": "true", "rotation": 2}],
    ids=["confirm", "rotation"],
)
def test_what_counts_rounds_otherwise_has_no_occasion(more: dict[str, Any]) -> None:
    fixed = {"name": "c", "summary": "", "sender": "outbox", "steps": (Step(name="ask", template="t"),)}
    with pytest.raises(ValueError, match="occasion"):
        Campaign(**fixed, **more, occasion=Occasion(every="1 year"))
