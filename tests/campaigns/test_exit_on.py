"""A sequence ends for a person with their reply, or with whatever else its file names; for others it goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.campaigns.conftest import CAMPAIGN, FRIDAY, Acme, Scripted, leads

STEPS = CAMPAIGN + (
    '\n[[steps]]\nname = "remind"\ntemplate = "invite"\nafter = { step = "invite", wait = "3 days" }\n'
    '\n[[steps]]\nname = "call"\naction = "task"\nafter = { step = "invite", wait = "3 days" }\n'
    'task = { title = "Call", owner = "amy" }\n'
)
HEAD = 'summary = "Spring"'


def happened(kind: str, lead: int, *, hours: float, campaign: str | None = None) -> dict[str, object]:
    at = FRIDAY + timedelta(hours=hours)
    return {"event_id": f"{kind}-{lead}", "at": at, "kind": kind, "lead_id": lead, "campaign": campaign}


@pytest.mark.parametrize(
    ("said", "kind", "hours", "ends"),
    [
        pytest.param("", "reply", 5, True, id="a-reply-by-default"),
        pytest.param("", "meeting", 5, False, id="a-meeting-only-where-said"),
        pytest.param('exit_on = ["reply", "meeting"]', "meeting", 5, True, id="a-meeting"),
        pytest.param("", "auto_reply", 5, False, id="the-answer-of-a-machine"),
        pytest.param("", "email_open", 5, False, id="an-open"),
        pytest.param("", "reply", -5, False, id="a-reply-before-the-first-message"),
        pytest.param("exit_on = []", "reply", 5, False, id="switched-off"),
        pytest.param('class = "transactional"', "reply", 5, False, id="what-they-asked-for"),
        pytest.param('class = "transactional"\nexit_on = ["reply"]', "reply", 5, True, id="where-said"),
    ],
)
def test_what_ends_a_sequence(acme: Acme, said: str, kind: str, hours: float, ends: bool) -> None:
    acme.write("campaigns/spring.toml", STEPS.replace(HEAD, f"{HEAD}\n{said}"))
    acme.leads({"lead_id": 1}, {"lead_id": 2})
    acme.run()
    acme.rows("touchpoints", [happened(kind, 1, hours=hours)])
    acme.clock.advance(timedelta(days=3))
    verdicts = acme.verdicts(acme.plan())
    wanted = (f"skip: exit on {kind}", f"skip: exit on {kind}") if ends else ("send", "task")
    assert (verdicts[1, "remind"], verdicts[1, "call"]) == wanted
    assert (verdicts[2, "remind"], verdicts[2, "call"]) == ("send", "task")


def test_a_reply_that_comes_while_the_run_is_under_way_keeps_the_message_back(
    acme: Acme, scripted: Callable[..., Scripted]
) -> None:
    acme.write("campaigns/spring.toml", STEPS)
    leads(acme, 25)
    acme.run()
    acme.clock.advance(timedelta(days=3))
    plan = acme.plan()
    sender = scripted()
    sender.before_batch = lambda n: acme.rows("touchpoints", [happened("reply", 25, hours=71)]) if n == 1 else None
    result = acme.apply(plan.plan_id)
    assert "u25@example.com" not in sender.taken
    assert result.accepted == 24
    assert [(r.reason, r.messages) for r in result.blocked] == [("exit on reply", 1)]


def test_another_round_begins_anew(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", STEPS)
    acme.leads({"lead_id": 1})
    acme.run()
    acme.rows("touchpoints", [happened("reply", 1, hours=5)])
    acme.write("campaigns/spring.toml", STEPS.replace(HEAD, f"{HEAD}\nrotation = 2"))
    acme.clock.advance(timedelta(days=3))
    acme.run()
    acme.clock.advance(timedelta(days=3))
    assert acme.verdicts(acme.plan())[1, "remind"] == "send"
