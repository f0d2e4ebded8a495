"""What ends a campaign by itself: too much comes back, a plan is too old, a message was tried out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sfactl.api.errors import NotFound, PolicyError, UserError
from sfactl.campaigns import usecases
from sfactl.campaigns.reputation import Returned
from sfactl.campaigns.usecases import delivery
from sfactl.config.senders import StopRule

from .conftest import CAMPAIGN, Acme, Scripted, leads


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        pytest.param({"accepted": 480, "refused": 19}, "", id="too-few-to-tell"),
        pytest.param({"accepted": 475, "refused": 25}, "", id="exactly-five-percent"),
        pytest.param({"accepted": 474, "refused": 26}, "5.2 % of 500 messages came back", id="refused-at-once"),
        pytest.param({"accepted": 500, "bounced": 26}, "more than 5 % (bounces)", id="came-back-later"),
        pytest.param({"accepted": 600, "complained": 1}, "", id="one-complaint-is-no-rate"),
        pytest.param({"accepted": 600, "complained": 2}, "0.33 %, more than 0.1 % (complaints)", id="two-are"),
        pytest.param({"accepted": 2000, "complained": 2}, "", id="exactly-a-thousandth"),
        pytest.param({"accepted": 0, "refused": 500}, "100.0 %", id="all"),
    ],
)
def test_limits_of_what_may_come_back(counts: dict[str, int], said: str) -> None:
    found = Returned(**counts).overstepped(StopRule())
    assert (said in found) if said else not found


def _rule(acme: Acme, more: str = "") -> None:
    acme.write("senders/outbox.toml", f'schema = 1\nuse = "maildir"\nstop = {{ after = 40, bounces = 10{more} }}\n')


def test_refusals_stop_the_run_and_an_override_lets_it_go_on(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    _rule(acme)
    sender = scripted(lambda m, n: "refused" if int(m.recipient[1:].split("@")[0]) % 4 == 0 else "accepted")
    leads(acme, 100)
    plan = acme.plan()
    result = acme.apply(plan.plan_id)
    assert (result.accepted, result.refused, result.left) == (30, 10, 60)
    assert "25.0 % of 40 messages came back, more than 10 % (bounces)" in result.stopped
    assert "--override" in acme.plan().obstacles[0]
    with acme.session() as session, pytest.raises(PolicyError, match=r"25\.0 % of 40 messages came back"):
        usecases.resume(session, plan.plan_id)
    with acme.session() as session:
        again = usecases.resume(session, plan.plan_id, override="one closed company")
        assert session.workspace.cursor("campaign.spring.override")["reason"] == "one closed company"  # type: ignore[index]
    assert (again.accepted + again.refused, again.left) == (40, 20)  # measured anew, and stopped anew
    assert max(sender.tries.values()) == 1


def test_complaints_that_arrive_while_it_runs_stop_the_rest(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    _rule(acme, ", complaints = 3")

    def complain(batch: int) -> None:
        events: list[dict[str, Any]] = [
            {"event_id": f"c{n}", "at": acme.clock.now(), "kind": "complaint", "lead_id": n, "campaign": campaign}
            for n, campaign in ((1, "spring"), (2, None))
        ]
        if batch == 2:
            acme.rows("touchpoints", events)

    scripted().before_batch = complain
    leads(acme, 100)
    result = acme.run()
    assert (result.accepted, result.left) == (40, 60)
    assert "2 complaints about 40 messages are 5.00 %, more than 3 % (complaints)" in result.stopped


def test_what_people_asked_for_is_never_stopped_by_what_comes_back(
    acme: Acme, scripted: Callable[..., Scripted]
) -> None:
    _rule(acme)
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("[[steps]]", 'class = "transactional"\n[[steps]]'))
    scripted(lambda m, n: "refused")
    leads(acme, 60)
    assert acme.run().refused == 60


def test_a_stop_between_two_chunks_is_seen(
    acme: Acme, scripted: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "CHUNK", 20)
    sender = scripted()

    def stop(batch: int) -> None:
        with acme.session() as session:
            usecases.stop(session, reason="enough")

    sender.before_batch = stop
    leads(acme, 60)
    assert acme.run().accepted == 20


@pytest.mark.parametrize(
    ("keys", "hours", "permits", "said"),
    [
        pytest.param("", 24 * 6, {}, "", id="young-enough"),
        pytest.param("", 24 * 8, {}, "the plan is 8 days old, older than max_age = 7 days", id="a-week"),
        pytest.param('max_age = "1 hour"', 5, {}, "5 hours old, older than max_age = 1 hour", id="ask"),
        pytest.param('max_age = "1 hour"', 5, {"late": True}, "", id="a-person-allows-it"),
        pytest.param('max_age = "1 hour"\nmisfire = "skip"', 5, {"late": True}, "(misfire = skip)", id="skip"),
        pytest.param('max_age = "1 hour"\nmisfire = "run"', 5, {}, "", id="run"),
    ],
)
def test_a_plan_that_is_applied_late(acme: Acme, keys: str, hours: int, permits: dict[str, bool], said: str) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("[[steps]]", f"{keys}\n[[steps]]"))
    leads(acme, 2)
    plan = acme.plan()
    acme.clock.advance(timedelta(hours=hours))
    with acme.session() as session:
        if not said:
            assert usecases.apply(session, plan.plan_id, **permits).accepted == 2
            return
        with pytest.raises(PolicyError) as caught:
            usecases.apply(session, plan.plan_id, **permits)
    assert said in caught.value.message
    assert not acme.outbox()


@pytest.fixture
def tried_out(acme: Acme, scripted: Callable[..., Scripted]) -> tuple[Acme, Scripted, str]:
    """A campaign with one message that was put off once too often, one refused and one accepted."""
    acme.write("senders/outbox.toml", 'schema = 1\nuse = "maildir"\nattempts = 2\n')
    answers = {"u1@example.com": "retry_after", "u2@example.com": "refused"}
    sender = scripted(lambda m, n: answers.get(m.recipient, "accepted"))
    leads(acme, 30)
    plan = acme.plan().plan_id
    result = acme.apply(plan)
    assert (result.accepted, result.refused, result.dead, result.left, result.partly) == (28, 1, 1, 0, True)
    return acme, sender, plan


def test_a_message_that_was_tried_out_is_a_dead_letter(tried_out: tuple[Acme, Scripted, str]) -> None:
    acme, sender, plan = tried_out
    with acme.session() as session:
        dead = usecases.messages(session, state="dead").to_pylist()
    states = {row["recipient"]: row["state"] for row in dead}
    assert states["u2@example.com"] == "refused"
    assert states["u1@example.com"] == "dead"
    assert sender.tries["u1@example.com"] == 2
    assert acme.plan().sends == 0
    with acme.session() as session:
        assert usecases.resume(session, plan).accepted == 0
    assert sender.tries["u1@example.com"] == 2


def test_a_dead_letter_is_put_back_by_key_or_by_campaign(tried_out: tuple[Acme, Scripted, str]) -> None:
    acme, sender, plan = tried_out
    with acme.session() as session:
        rows = {r["recipient"]: r["key"] for r in usecases.messages(session, state="dead").to_pylist()}
        with pytest.raises(UserError, match="was refused for good: said refused"):
            usecases.retry(session, key=rows["u2@example.com"])
        with pytest.raises(NotFound, match="no dead letter"):
            usecases.retry(session, key="nobody")
        result = usecases.retry(session, key=rows["u1@example.com"])
        assert (result.messages, result.campaigns) == (1, {"spring": 1})
        with pytest.raises(NotFound):
            usecases.retry(session, key=rows["u1@example.com"])
    sender.answer = lambda m, n: "accepted"
    with acme.session() as session:
        assert usecases.resume(session, plan).accepted >= 1
        assert usecases.retry(session, campaign="spring").refused == 1
    assert sender.tries["u1@example.com"] == 3


def test_missing_reaches_dead_letters_too(tried_out: tuple[Acme, Scripted, str]) -> None:
    acme, sender, plan = tried_out
    sender.answer = lambda m, n: "accepted"
    with acme.session() as session:
        result = usecases.resume(session, plan, missing=True)
    assert result.missing == result.accepted >= 1
    assert "u1@example.com" in sender.taken
    assert sender.tries["u2@example.com"] == 1
