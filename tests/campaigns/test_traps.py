"""What other systems fell into while sending: each happened to somebody's customers, and must not happen here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from sfactl.api.errors import LockBusy
from sfactl.api.records import Message
from sfactl.campaigns import usecases
from sfactl.campaigns.mail import payload_hash

from .conftest import CAMPAIGN, Acme, Scripted, leads


def test_a_runner_that_takes_long_is_not_declared_dead(acme: Acme) -> None:
    """A lock that times out lets a second runner send what the first is sending (up to six copies, elsewhere)."""
    leads(acme, 2)
    plan = acme.plan()
    with acme.session() as session, session.ledger.lease("campaign/spring", run_id="other"):
        acme.clock.advance(timedelta(hours=10))
        with pytest.raises(LockBusy, match="another run is at work"):
            acme.apply(plan.plan_id)
    assert acme.apply(plan.plan_id).accepted == 2


def test_the_count_of_a_plan_is_who_gets_it(acme: Acme) -> None:
    """Neither plan nor preview counts the unsubscribed, the suppressed and those without an address."""
    acme.leads(*({"lead_id": n} for n in (1, 2, 3)), {"lead_id": 4, "email": None})
    acme.rows("touchpoints", [{"event_id": "u", "at": acme.clock.now(), "kind": "unsubscribe", "lead_id": 2}])
    with acme.session() as session:
        usecases.suppress(session, "u3@example.com")
    plan = acme.plan()
    assert (plan.sends, acme.apply(plan.plan_id).accepted, list(acme.outbox())) == (1, 1, ["u1@example.com"])


def test_a_click_is_no_second_opening(acme: Acme) -> None:
    """Each is counted as itself, by people and by times."""
    leads(acme, 2)
    acme.run()
    at, campaign = acme.clock.now(), {"campaign": "spring", "step": "invite", "direction": "inbound"}
    done = [(1, "email_open"), (1, "email_click"), (1, "email_open"), (2, "email_click")]
    acme.rows(
        "touchpoints",
        [
            {"event_id": f"e{n}", "at": at, "kind": kind, "lead_id": lead, **campaign}
            for n, (lead, kind) in enumerate(done)
        ],
    )
    with acme.session() as session:
        status = usecases.status(session, "spring")
    assert {(r.kind, r.people, r.times) for r in status.returns} == {("email_open", 1, 2), ("email_click", 2, 2)}


def test_what_was_sent_is_kept_by_its_hash(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    """Of all that its reader sees: somebody can prove later which words it had."""
    seen: list[Message] = []
    scripted(lambda m, n: "accepted" if seen.append(m) is None else "")  # type: ignore[func-returns-value]
    leads(acme, 2)
    acme.run()
    with acme.session() as session, session.query() as query:
        kept = dict(query.rows("select message_key, payload_hash from messages"))
    assert kept == {m.key: payload_hash(m) for m in seen}
    assert len(set(kept.values())) == 2


CHANNELS = ("email", "sms", "wecom", "line")


@pytest.fixture
def channels(acme: Acme) -> Acme:
    """One campaign with a step for each channel, over a sender of files that may send once an hour."""
    acme.write("senders/outbox.toml", 'schema = 1\nuse = "file"\nrate = "1/hour"\n')
    steps = "".join(f'[[steps]]\nname = "{c}"\ntemplate = "invite"\nchannel = "{c}"\n' for c in CHANNELS)
    acme.write("campaigns/spring.toml", CAMPAIGN.partition("[[steps]]")[0] + steps)
    acme.leads({"lead_id": 1, "phone": "+886912345678"})
    ids = [{"kind": "external_id", "namespace": c, "value": f"{c}-1", "lead_id": 1} for c in ("wecom", "line")]
    acme.rows("identities", ids)
    return acme


def test_each_channel_has_a_rehearsal_a_rate_and_a_receipt(channels: Acme) -> None:
    """Whatever carries the message: nothing leaves in a dry run, no more than its rate in an hour, and each is told of."""
    plan = channels.plan()
    with channels.session(dry_run=True) as session:
        assert usecases.apply(session, plan.plan_id).ready == len(CHANNELS)
    assert not list((channels.folder / "outbox").rglob("*.json"))
    first = channels.apply(plan.plan_id)
    assert (first.accepted, first.left) == (1, len(CHANNELS) - 1)
    channels.write("senders/outbox.toml", 'schema = 1\nuse = "file"\n')
    channels.clock.advance(timedelta(hours=1, minutes=1))
    with channels.session() as session:
        usecases.resume(session, plan.plan_id)
    with channels.session() as session, session.query() as query:
        states = Counter(query.rows("select channel, state from messages"))
    assert states == {(channel, "accepted"): 1 for channel in CHANNELS}
