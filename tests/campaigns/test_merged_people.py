"""Whoever was written to before a merge is not written to again because of it, and whoever said no is not written to."""

from __future__ import annotations

from datetime import datetime

import pytest

from sfactl.api.errors import Conflict
from sfactl.identity.usecases.merge import merge
from sfactl.identity.usecases.unmerge import unmerge
from sfactl.reach.usecases import why

from .conftest import Acme

OLD = {"lead_id": 1, "email": "ann@old.example", "first_name": "Ann", "updated_at": datetime(2026, 1, 1)}
NEW = {"lead_id": 2, "email": "ann@new.example", "first_name": "Ann", "updated_at": datetime(2026, 2, 1)}


def verdict(acme: Acme, lead: int) -> str:
    return acme.verdicts(acme.plan())[lead, "invite"]


def joined(acme: Acme) -> None:
    with acme.session() as session:
        merge(session, "lead", ["1", "2"], into="2")


def test_a_message_to_one_half_counts_for_both(acme: Acme) -> None:
    acme.leads(OLD)
    acme.run()
    acme.leads(NEW)
    assert verdict(acme, 2) == "send"
    joined(acme)
    assert verdict(acme, 2) == "skip: already sent"
    with acme.session() as session:
        assert [e.outcome for e in why(session, "lead:1").history if e.what == "message"] == ["accepted"]
        unmerge(session, "lead", "lead:1")
    assert verdict(acme, 2) == "send"


def test_a_message_of_unknown_fate_holds_the_survivor_too(acme: Acme) -> None:
    acme.leads(OLD)
    plan = acme.plan()
    with acme.session() as session:
        from sfactl.campaigns.usecases.scene import scope_of
        from sfactl.workspace import Effect

        meta = {
            "plan_id": plan.plan_id,
            "campaign": "spring",
            "step": "invite",
            "lead_id": 1,
            "recipient": "ann@old.example",
        }
        key = session.query().rows("select message_key from plan_items where message_key is not null")[0][0]
        with session.ledger.lease(scope_of("spring"), run_id="dead") as lease:
            lease.claim([Effect(key=key, kind="message", payload_hash="x", meta=meta)])
    acme.leads(NEW)
    joined(acme)
    assert verdict(acme, 2) == "hold: unknown outcome"


def test_a_plan_that_knows_both_halves_is_not_applied_after_a_merge(acme: Acme) -> None:
    acme.leads(OLD, NEW)
    plan = acme.plan()
    joined(acme)
    with pytest.raises(Conflict, match="the data moved"):
        acme.apply(plan.plan_id)
    acme.run()
    assert list(acme.outbox()) == ["ann@new.example"]


def test_an_unsubscribed_half_stays_unsubscribed(acme: Acme) -> None:
    acme.leads({**OLD, "updated_at": datetime(2026, 3, 1)}, NEW)
    acme.rows(
        "touchpoints",
        [
            {"event_id": "no", "at": datetime(2026, 1, 5), "kind": "unsubscribe", "lead_id": 1},
            {"event_id": "yes", "at": datetime(2026, 1, 9), "kind": "subscribe", "lead_id": 2},
        ],
    )
    joined(acme)
    assert verdict(acme, 2) == "skip: unsubscribed", "the survivor is written to at the address that said no"
