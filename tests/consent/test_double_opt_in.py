"""Who subscribed gets the mail to confirm it, once, and nothing else before; the link counts once and not for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sfactl.api.errors import ConfigError, Conflict
from sfactl.consent import usecases
from tests.campaigns.conftest import CAMPAIGN, FRIDAY, Acme

from .test_consent_gate import about, event

DAY = timedelta(days=1)
CONFIRM = """schema = 1
summary = "Please confirm"
topic = "offers"
class = "transactional"
confirm = true
sender = "outbox"
from = "Acme <news@acme.example>"

[[steps]]
name = "ask"
template = "invite"
"""


@pytest.fixture
def shop(acme: Acme) -> Acme:
    """Lead 1 subscribed, lead 2 agreed, lead 3 said nothing, lead 4 subscribed and bounces, lead 5 left again."""
    acme.leads(*({"lead_id": n} for n in range(1, 6)))
    acme.write("campaigns/confirm.toml", CONFIRM)
    acme.write("campaigns/spring.toml", about("offers"))
    words: list[tuple[int, str, float]] = [(1, "subscribe", 2), (2, "consent", 2), (4, "subscribe", 2)]
    words += [(5, "subscribe", 3), (5, "unsubscribe", 2)]
    acme.rows("touchpoints", [event(lead, kind, "offers", hours) for lead, kind, hours in words])
    bounced = {"kind": "email", "value": "u4@example.com", "scope": "all", "reason": "bounce", "at": FRIDAY}
    acme.rows("suppressions", [bounced])
    return acme


def steps(acme: Acme, name: str) -> dict[int, str]:
    return {lead: said for (lead, _), said in acme.verdicts(acme.plan(name)).items()}


def confirmed(acme: Acme, lead: int, key: str) -> None:
    at = acme.clock.now()
    row = event(lead, "consent", "offers", 0, message_key=key) | {"at": at, "event_id": f"{key}-{at}"}
    acme.rows("touchpoints", [row])


def test_only_who_subscribed_is_asked_and_once(shop: Acme) -> None:
    assert steps(shop, "confirm") == {1: "send", 4: "skip: suppressed (bounce)"}
    assert steps(shop, "spring")[1] == "wait: not confirmed"
    assert shop.run("confirm").accepted == 1
    assert steps(shop, "confirm")[1] == "skip: already sent"
    shop.rows("touchpoints", [event(1, "subscribe", "offers", 0)])
    assert steps(shop, "confirm")[1] == "skip: already sent", "who asks again at once has the mail already"
    shop.clock.advance(8 * DAY)
    shop.rows("touchpoints", [event(1, "subscribe", "offers", -8 * 24)])
    assert shop.run("confirm").accepted == 1, "the first link is good no more"


def sent_key(acme: Acme) -> str:
    with acme.session() as session, session.query() as query:
        [(key,)] = query.rows("select message_key from messages where campaign = 'confirm'")
    return str(key)


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        pytest.param(timedelta(hours=1), "send", id="in-time"),
        pytest.param(7 * DAY, "send", id="at-the-last-moment"),
        pytest.param(7 * DAY + timedelta(seconds=1), "wait: not confirmed", id="too-late"),
    ],
)
def test_the_link_is_good_for_a_week(shop: Acme, after: timedelta, verdict: str) -> None:
    shop.run("confirm")
    shop.clock.advance(after)
    confirmed(shop, 1, sent_key(shop))
    shop.clock.advance(timedelta(minutes=1))
    assert steps(shop, "spring")[1] == verdict


def test_the_link_is_good_once(shop: Acme) -> None:
    shop.run("confirm")
    key = sent_key(shop)
    for then, verdict in (("confirm", "send"), ("leave", "skip: unsubscribed"), ("confirm", "skip: unsubscribed")):
        shop.clock.advance(timedelta(hours=1))
        if then == "confirm":
            confirmed(shop, 1, key)
        else:
            with shop.session() as session:
                usecases.withdraw(session, "1", topic="offers")
        assert steps(shop, "spring")[1] == verdict


def test_who_leaves_before_the_mail_goes_gets_none(shop: Acme) -> None:
    plan = shop.plan("confirm")
    with shop.session() as session:
        usecases.withdraw(session, "1", topic="offers")
    with pytest.raises(Conflict, match="1 recipient differs"):
        shop.apply(plan.plan_id)
    assert not shop.outbox()


@pytest.mark.parametrize(
    ("campaign", "error"),
    [
        pytest.param(CONFIRM.replace("offers", "events"), "'events' asks nobody to confirm", id="nothing-to-confirm"),
        pytest.param(CONFIRM.replace('class = "transactional"\n', ""), 'class = "transactional"', id="marketing"),
        pytest.param(CONFIRM + 'where = "true"', "no segment or where", id="where-of-a-step"),
        pytest.param(
            CONFIRM.replace("confirm = true", 'confirm = true\nwhere = "true"'), "no segment or where", id="where"
        ),
        pytest.param(
            CAMPAIGN.replace("sender =", 'class = "transactional"\ntopic = "news"\nsender ='),
            "about no topic",
            id="topic",
        ),
    ],
)
def test_files_that_contradict_themselves(acme: Acme, campaign: str, error: str) -> None:
    acme.write("campaigns/confirm.toml", campaign)
    with pytest.raises(ConfigError, match=error):
        acme.plan("confirm")


def test_a_word_through_a_signed_link_needs_no_second_mail(shop: Acme) -> None:
    more: dict[str, Any] = {"message_key": "w.answer.x.3.1"}
    shop.rows("touchpoints", [event(3, "subscribe", "offers", 1, **more)])
    assert steps(shop, "spring")[3] == "send"
