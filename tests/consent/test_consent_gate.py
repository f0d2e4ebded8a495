"""Who may be written to about what, by the words they said and the lists they are on: through the one gate."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from sfactl.api.errors import ConfigError
from sfactl.campaigns.usecases.applying import _Run
from tests.campaigns.conftest import CAMPAIGN, FRIDAY, Acme, row_and_files

from .conftest import with_topics

HOUR = timedelta(hours=1)
Words = tuple[tuple[str, str | None, float], ...]
"""Kind, topic and hours before the plan."""

NO, ASK, YES = "unsubscribe", "subscribe", "consent"
CASES: list[tuple[str, Words, dict[str, str]]] = [
    (
        "silence",
        (),
        {"": "send", "news": "send", "events": "skip: no consent", "offers": "skip: no consent"},
    ),
    (
        "left one topic",
        ((NO, "news", 5),),
        {"": "send", "news": "skip: unsubscribed", "events": "skip: no consent", "offers": "skip: no consent"},
    ),
    ("left all", ((NO, None, 5),), dict.fromkeys(("", "news", "events", "offers"), "skip: unsubscribed")),
    (
        "left all and came back to one",
        ((NO, None, 5), (YES, "news", 3)),
        {"": "skip: unsubscribed", "news": "send", "events": "skip: unsubscribed", "offers": "skip: unsubscribed"},
    ),
    (
        "left one and agreed to all later",
        ((NO, "news", 5), (YES, None, 3)),
        {"": "send", "news": "send", "events": "send", "offers": "send"},
    ),
    ("agreed and left all later", ((YES, "events", 5), (NO, None, 3)), {"events": "skip: unsubscribed"}),
    ("yes and no at once is a no", ((YES, "events", 5), (NO, "events", 5)), {"events": "skip: unsubscribed"}),
    ("agreed to another topic", ((YES, "news", 5),), {"events": "skip: no consent"}),
    (
        "asked",
        ((ASK, "offers", 5), (ASK, "events", 5)),
        {"offers": "wait: not confirmed", "events": "send", "news": "send"},
    ),
    ("asked and confirmed", ((ASK, "offers", 5), (YES, "offers", 4)), {"offers": "send"}),
    ("confirmed and asked again", ((YES, "offers", 5), (ASK, "offers", 4)), {"offers": "send"}),
    (
        "left and asked again",
        ((YES, "offers", 5), (NO, "offers", 4), (ASK, "offers", 3)),
        {"offers": "wait: not confirmed"},
    ),
]


def event(lead: int, kind: str, topic: str | None, hours: float, **more: Any) -> dict[str, Any]:
    at = FRIDAY - hours * HOUR
    key = more.get("message_key", "")
    return {
        "event_id": f"{lead}-{kind}-{topic}-{hours}-{key}",
        "at": at,
        "kind": kind,
        "lead_id": lead,
        "topic": topic,
    } | more


def about(topic: str) -> str:
    return CAMPAIGN.replace('sender = "outbox"', f'sender = "outbox"\ntopic = "{topic}"')


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[int, str]]:
    """What the gate says about everybody, by topic."""
    acme = with_topics(tmp_path_factory.mktemp("gate") / "acme")
    acme.leads(*({"lead_id": n} for n in range(1, len(CASES) + 1)))
    acme.rows("touchpoints", [event(n, *word) for n, (_, words, _) in enumerate(CASES, 1) for word in words])
    found = {}
    for topic in ("", "news", "events", "offers"):
        acme.write("campaigns/spring.toml", about(topic) if topic else CAMPAIGN)
        found[topic] = {lead: said for (lead, _), said in acme.verdicts(acme.plan()).items()}
    return found


@pytest.mark.parametrize("number", range(1, len(CASES) + 1), ids=[name for name, _, _ in CASES])
def test_words_decide_by_topic(judged: Mapping[str, Mapping[int, str]], number: int) -> None:
    wanted = CASES[number - 1][2]
    assert {topic: judged[topic][number] for topic in wanted} == wanted


def test_an_unknown_topic_is_refused(acme: Acme) -> None:
    acme.leads({"lead_id": 1})
    acme.write("campaigns/spring.toml", about("newz"))
    with pytest.raises(ConfigError, match=r"there is no topic 'newz'\. Did you mean 'news'"):
        acme.plan()


LISTED = [
    pytest.param("email", "u1@example.com", "all", "skip: suppressed (robinson: 2026)", id="address"),
    pytest.param("email", "U1@Example.com", "news", "skip: suppressed (robinson: 2026)", id="topic-in-capitals"),
    pytest.param("email", "u1@example.com", "events", "send", id="another-topic"),
    pytest.param("hash", "md5", "all", "skip: suppressed (robinson: 2026)", id="md5"),
    pytest.param("hash", "sha1", "news", "skip: suppressed (robinson: 2026)", id="sha1"),
    pytest.param("hash", "sha256", "spring", "skip: suppressed (robinson: 2026)", id="sha256"),
    pytest.param("hash", "sha256", "events", "send", id="hash-of-another-topic"),
    pytest.param("hash", "plain", "all", "send", id="no-hash"),
]


@pytest.mark.parametrize(("kind", "value", "scope", "verdict"), LISTED)
def test_lists_hold_by_scope_and_hash(acme: Acme, kind: str, value: str, scope: str, verdict: str) -> None:
    if kind == "hash":
        value = hashlib.new(value, b"u1@example.com").hexdigest() if value != "plain" else "u1@example.com"
    acme.leads({"lead_id": 1, "email": " U1@example.com"})
    acme.rows(
        "suppressions",
        [{"kind": kind, "value": value, "scope": scope, "reason": "robinson: 2026", "at": FRIDAY}],
    )
    acme.write("campaigns/spring.toml", about("news"))
    assert acme.verdicts(acme.plan()) == {(1, "invite"): verdict}


@pytest.mark.parametrize("text", ["+886912345678", "886912345678"])
def test_a_hashed_number_holds_for_its_channel(acme: Acme, text: str) -> None:
    acme.leads({"lead_id": 1, "phone": "+886912345678"}, {"lead_id": 2, "phone": "+886912345679"})
    value = hashlib.sha256(text.encode()).hexdigest()
    acme.rows("suppressions", [{"kind": "hash", "value": value, "scope": "all", "reason": "list", "at": FRIDAY}])
    sms = CAMPAIGN.replace('template = "invite"', 'template = "invite"\nchannel = "sms"')
    acme.write("campaigns/spring.toml", sms)
    acme.write("senders/outbox.toml", 'schema = 1\nuse = "file"\n')
    assert acme.verdicts(acme.plan()) == {(1, "invite"): "skip: suppressed (list)", (2, "invite"): "send"}


def test_a_no_holds_at_the_address_for_its_topic_alone(acme: Acme) -> None:
    acme.leads({"lead_id": 1, "status": "lost"}, {"lead_id": 2, "email": "U1@EXAMPLE.com"})
    acme.rows("touchpoints", [event(1, NO, "news", 2)])
    found = {}
    for topic in ("news", ""):
        acme.write("campaigns/spring.toml", about(topic) if topic else CAMPAIGN)
        found[topic] = acme.verdicts(acme.plan())[(2, "invite")]
    assert found == {"news": "skip: unsubscribed", "": "send"}


def test_who_leaves_the_topic_during_the_run_gets_nothing(acme: Acme) -> None:
    acme.leads({"lead_id": 1}, {"lead_id": 2})
    acme.write("campaigns/spring.toml", about("news"))
    plan = acme.plan()
    with acme.session() as session:
        row, files = row_and_files(session, plan.plan_id)
        run = _Run(session, row, files)
        acme.rows("touchpoints", [event(2, NO, "news", 0)])
        assert run.delivery.rehearse() == 1
        assert dict(run.delivery.blocked) == {"unsubscribed": 1}
