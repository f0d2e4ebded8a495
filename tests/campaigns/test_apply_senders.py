"""What a run does with each answer of a sender: refusal, wait, silence, failure, and pauses in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sfactl.api.errors import NotFound, PolicyError
from sfactl.campaigns import usecases
from sfactl.campaigns.usecases import applying

from .conftest import CAMPAIGN, Acme, Scripted, leads, row_and_files


def test_one_bad_recipient_holds_nobody(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted(lambda m, n: "refused" if m.recipient == "u2@example.com" else "accepted")
    leads(acme, 30)
    result = acme.run()
    assert (result.accepted, result.refused, result.left, result.partly) == (29, 1, 0, True)
    assert acme.verdicts(acme.plan())[2, "invite"] == "skip: refused before"
    assert sender.tries["u2@example.com"] == 1


def test_a_temporary_refusal_is_tried_again_after_the_others(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted(lambda m, n: "retry_after 5" if m.recipient == "u1@example.com" and n < 3 else "accepted")
    leads(acme, 45)
    result = acme.run()
    assert (result.accepted, result.left) == (45, 0)
    assert sender.taken[-1] == "u1@example.com"
    assert sender.tries["u1@example.com"] == 3


def test_a_long_wait_is_left_to_a_resume(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    scripted(lambda m, n: "retry_after 600" if m.recipient == "u1@example.com" and n < 2 else "accepted")
    leads(acme, 5)
    plan = acme.plan()
    first = acme.apply(plan.plan_id)
    assert (first.accepted, first.left, first.state) == (4, 1, "partly")
    acme.clock.advance(timedelta(minutes=11))
    with acme.session() as session:
        second = usecases.resume(session, plan.plan_id)
    assert (second.accepted, second.left, second.state) == (1, 0, "applied")


def test_a_stubborn_message_does_not_hold_a_run_for_ever(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted(lambda m, n: "retry_after 25" if m.recipient == "u1@example.com" else "accepted")
    leads(acme, 30)
    result = acme.run()
    assert (result.accepted, result.left, result.state) == (29, 1, "partly")
    assert sender.tries["u1@example.com"] < 20


def test_a_receiver_that_takes_nothing_ends_the_run_for_now(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted(lambda m, n: "retry_after 0")
    leads(acme, 300)
    plan = acme.plan()
    result = acme.apply(plan.plan_id)
    assert (result.accepted, result.left, result.state) == (0, 300, "partly")
    assert result.stopped == "said retry_after"
    assert sender.batches == 8
    sender.answer = lambda m, n: "accepted"
    assert acme.apply(plan.plan_id).accepted == 300


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda m, n: "unknown" if m.recipient == "u7@example.com" else "accepted", id="receipt"),
        pytest.param(lambda m, n: OSError("gone") if m.recipient == "u7@example.com" else "accepted", id="exception"),
    ],
)
def test_unknown_is_held_listed_and_never_repeated(acme: Acme, scripted: Callable[..., Scripted], answer: Any) -> None:
    sender = scripted(answer)
    leads(acme, 30)
    plan = acme.plan()
    result = acme.apply(plan.plan_id)
    assert result.unknown >= 1
    again = acme.apply(plan.plan_id)
    assert result.accepted + again.accepted + result.unknown == 30
    assert again.unknown == 0
    assert acme.apply(plan.plan_id).nothing
    assert acme.verdicts(acme.plan())[7, "invite"] == "hold: unknown outcome"
    assert sender.tries["u7@example.com"] == 1
    with acme.session() as session:
        held = usecases.messages(session, state="unknown")
    assert "u7@example.com" in held.column("recipient").to_pylist()


@pytest.mark.parametrize(
    ("outcome", "sent_again", "state"),
    [("accepted", False, "accepted"), ("refused", False, "refused"), ("retry", True, "accepted")],
)
def test_a_person_settles_the_unknown(
    acme: Acme, scripted: Callable[..., Scripted], outcome: str, sent_again: bool, state: str
) -> None:
    sender = scripted(lambda m, n: "unknown" if n == 1 else "accepted")
    leads(acme, 1)
    plan = acme.plan()
    acme.apply(plan.plan_id)
    with acme.session() as session:
        [key] = usecases.messages(session, state="unknown").column("key").to_pylist()
        assert usecases.resolve(session, key, outcome).campaign == "spring"
        with pytest.raises(NotFound):
            usecases.resolve(session, key, "accepted")
    result = acme.apply(plan.plan_id)
    assert result.nothing is not sent_again
    assert sender.tries["u1@example.com"] == (2 if sent_again else 1)
    with acme.session() as session, session.query() as query:
        assert query.rows("select state from messages") == [(state,)]
        touched = query.rows("select count(*) from touchpoints where kind = 'email_sent'")
    assert touched == [(0 if state == "refused" else 1,)]


def test_a_sender_that_fails_stops_the_run_at_once(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted(lambda m, n: OSError("no route"))
    leads(acme, 100)
    result = acme.run()
    assert (result.unknown, result.left, sender.batches) == (20, 80, 1)
    assert "the sender failed: OSError: no route" in result.stopped


def test_commits_without_end_do_not_hold_a_run(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted()
    leads(acme, 100)
    plan = acme.plan()
    sender.before_batch = lambda batch: acme.leads({"lead_id": 1000 + batch, "status": "sql"})
    result = acme.apply(plan.plan_id)
    assert (result.accepted, result.left) == (100, 0)
    assert len(set(sender.taken)) == len(sender.taken)


@pytest.mark.parametrize(
    ("key", "minutes", "said"),
    [
        pytest.param("expires_at = 2026-11-20T10:30:00", 31, "the campaign has ended", id="the-end"),
        pytest.param('window = { hours = "09:00-10:30" }', 31, "", id="closing-time"),
    ],
)
def test_a_run_stops_when_its_time_is_over(
    acme: Acme, scripted: Callable[..., Scripted], key: str, minutes: int, said: str
) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("sender =", f"{key}\nsender ="))
    sender = scripted()
    leads(acme, 100)
    plan = acme.plan()

    def after(batch: int) -> None:
        if batch == 2:
            acme.clock.advance(timedelta(minutes=minutes))

    sender.before_batch = after
    result = acme.apply(plan.plan_id)
    assert (result.accepted, result.left, result.stopped) == (40, 60, said)


def test_who_was_kept_back_gets_the_message_by_a_later_plan(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted()

    def after(batch: int) -> None:
        if batch == 1:
            with acme.session() as session:
                usecases.suppress(session, "u30@example.com")

    leads(acme, 30)
    plan = acme.plan()
    sender.before_batch = after
    assert acme.apply(plan.plan_id).accepted == 29
    with acme.session() as session:
        usecases.unsuppress(session, "u30@example.com")
    assert acme.run().accepted == 1
    assert sender.taken[-1] == "u30@example.com"


def test_the_same_plan_can_be_applied_again_when_all_were_kept_back(
    acme: Acme, scripted: Callable[..., Scripted]
) -> None:
    scripted()
    acme.write(
        "campaigns/spring.toml",
        CAMPAIGN.replace("[[steps]]", '[caps]\nmessages = 1\nwithin = "7 days"\nover = "skip"\n[[steps]]'),
    )
    acme.write("campaigns/summer.toml", CAMPAIGN)
    leads(acme, 3)
    plan = acme.plan()
    with acme.session() as session:
        applying._Run(session, *row_and_files(session, plan.plan_id))._begin()
    acme.run("summer")
    assert acme.apply(plan.plan_id).accepted == 0
    acme.clock.advance(timedelta(days=8))
    later = acme.plan()
    assert (later.plan_id, later.state) == (plan.plan_id, "planned")
    assert acme.apply(later.plan_id).accepted == 3


def test_who_opts_out_during_the_run_gets_nothing(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted()
    leads(acme, 60)
    plan = acme.plan()

    def after(batch: int) -> None:
        if batch == 1:
            with acme.session() as session:
                usecases.suppress(session, "U55@example.com")

    sender.before_batch = after
    result = acme.apply(plan.plan_id)
    assert (result.accepted, result.left) == (59, 0)
    assert [(r.reason, r.messages) for r in result.blocked] == [("suppressed (manual)", 1)]
    assert "u55@example.com" not in sender.taken
    assert result.state == "applied"


def test_pause_stops_a_run_before_its_next_batch(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted()
    leads(acme, 100)
    plan = acme.plan()

    def after(batch: int) -> None:
        if batch == 2:
            with acme.session() as session:
                assert usecases.pause(session, "spring").changed

    sender.before_batch = after
    result = acme.apply(plan.plan_id)
    assert (result.accepted, result.left, result.stopped) == (40, 60, "spring is paused by mei")
    with pytest.raises(PolicyError, match="paused by mei"):
        acme.apply(plan.plan_id)
    with acme.session() as session:
        assert usecases.unpause(session, "spring").changed
        assert not usecases.unpause(session, "spring").changed
    sender.before_batch = lambda n: None
    assert acme.apply(plan.plan_id).accepted == 60
    assert len(set(sender.taken)) == len(sender.taken) == 100
