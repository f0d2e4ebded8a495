"""Why somebody got a message or did not: what happened, who said what, what would be done now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from sfactl.api.errors import NotFound, UserError
from sfactl.cli.why_lines import why_lines
from sfactl.reach.usecases import WhyResult, why
from tests.campaigns.conftest import CAMPAIGN, FRIDAY, Acme

STEPS = CAMPAIGN.replace("where = \"status = 'new'\"", "where = \"status = 'new' and country = 'TW'\"") + (
    '\n[[steps]]\nname = "remind"\ntemplate = "invite"\nafter = { step = "invite", wait = "3 days" }\n'
    'window = { hours = "20:00-22:00" }\n'
)
STRATEGY = """
schema = 1
summary = "Win back"
owner = "amy"
where = "status = 'new'"
[[steps]]
name = "breathe"
action = "wait"
for = "3 days"
[[steps]]
name = "call"
action = "task"
task = { title = "Call them" }
"""


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    """Four leads: 1 replied, 2 bounced, 3 wants no mail, 4 is not for it; five days after the first message."""
    acme = Acme(tmp_path_factory.mktemp("why") / "acme")
    (acme.folder / "strategies").mkdir()
    acme.write("campaigns/spring.toml", STEPS)
    acme.write("campaigns/broken.toml", "schema = 1\nsumary = 'x'\n")
    acme.write("strategies/winback.toml", STRATEGY)
    acme.leads({"lead_id": 1, "phone": "+886223456789", "full_name": "Ming Wang"}, {"lead_id": 2}, {"lead_id": 3})
    acme.leads({"lead_id": 4, "country": "DE"}, {"lead_id": 5}, {"lead_id": 6, "email": "u6@example.com"})
    acme.run()
    later = FRIDAY + timedelta(hours=3)
    acme.leads({"lead_id": 7, "email": "U6@example.com"})
    acme.rows("touchpoints", [touch("reply", 1, later, text="Yes\nplease"), touch("visit", 1, later)])
    acme.rows("touchpoints", [touch("bounce", 2, later, content="userunknown", text="550 no such user")])
    acme.rows("touchpoints", [touch("unsubscribe", 3, later)])
    acme.rows(
        "suppressions", [suppressed("u2@example.com", later, "bounce"), suppressed("x@example.net", later, "manual")]
    )
    acme.clock.advance(timedelta(days=3, hours=1))
    acme.plan()
    acme.clock.advance(timedelta(hours=1))
    acme.leads({"lead_id": 8})
    acme.plan()
    yield acme


def touch(kind: str, lead: int, at: object, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"{kind}-{lead}",
        "at": at,
        "kind": kind,
        "lead_id": lead,
        "campaign": "spring",
        "step": "invite",
    } | more


def suppressed(value: str, at: object, reason: str) -> dict[str, Any]:
    return {"kind": "email", "value": value, "scope": "all", "reason": reason, "at": at}


@pytest.fixture(autouse=True)
def a_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def ask(acme: Acme, ref: str, **options: Any) -> tuple[WhyResult, str]:
    with acme.session() as session:
        result = why(session, ref, **options)
    return result, "\n".join(why_lines(result, "Asia/Taipei", everything=True))


def test_who_replied_gets_nothing_more_and_the_history_says_so(acme: Acme) -> None:
    result, text = ask(acme, "lead:1")
    [spring] = result.campaigns
    assert [(s.step, s.action, s.reason) for s in spring.steps] == [
        ("invite", "skip", "already sent"), ("remind", "skip", "exit on reply")
    ]  # fmt: skip
    assert [(e.what, e.outcome, e.times) for e in result.history] == [
        ("plan", "skip", 2), ("touch", "reply", 1), ("message", "accepted", 1)
    ]  # fmt: skip
    assert "2026-11-20 13:00  spring invite  reply       Yes please" in text
    assert "2 plans: exit on reply" in text
    [broken] = result.broken
    assert broken.startswith("broken: ")
    assert "sumary" in broken


def test_who_waits_is_told_until_when(acme: Acme) -> None:
    result, text = ask(acme, "5")
    remind = result.campaigns[0].steps[1]
    assert (remind.action, remind.reason, str(remind.due_at)) == ("wait", "outside window", "2026-11-23 12:00:00")
    assert "outside window, until 2026-11-23 20:00" in text
    assert [(s.strategy, s.decisions[0].action) for s in result.strategies] == [("winback", "enter")]


@pytest.mark.parametrize(
    ("ref", "said", "step"),
    [
        ("u2@example.com", "✗ u2@example.com: no mail of any kind, because of bounce since 2026-11-20 13:00"
         " · userunknown · 550 no such user", "skip suppressed"),
        ("lead:3", "✗ mail about no topic: unsubscribed since 2026-11-20 13:00 (unsubscribe · spring)", "skip unsubscribed"),
    ],
    ids=["bounced", "unsubscribed"],
)  # fmt: skip
def test_the_word_or_event_that_stands_against_it(acme: Acme, ref: str, said: str, step: str) -> None:
    result, text = ask(acme, ref)
    assert said in text
    assert step in " ".join(f"{s.action} {s.reason}" for s in result.campaigns[0].steps)


def test_who_is_not_in_the_audience_is_told_which_term_fails(acme: Acme) -> None:
    result, text = ask(acme, "lead:4")
    assert not result.campaigns[0].member
    assert "✗ country = 'TW' (DE)" in text
    assert "Nothing was sent" in text


def test_only_one_of_two_with_one_address_is_written_to(acme: Acme) -> None:
    reasons = [ask(acme, f"lead:{n}")[0].campaigns[0].steps[0].reason for n in (6, 7)]
    assert reasons == ["already sent", "already sent"]


def test_an_address_of_nobody_and_a_phone(acme: Acme) -> None:
    nobody, text = ask(acme, "X@example.net")
    assert (nobody.lead_id, [s.reason for s in nobody.suppressions]) == (None, ["manual"])
    assert text.startswith("nobody's address · x@example.net")
    assert ask(acme, "+886 2 2345 6789")[0].lead_id == 1


def test_one_campaign_only_and_what_is_not_there(acme: Acme) -> None:
    result, _ = ask(acme, "lead:1", only="spring", limit=1)
    assert (len(result.history), result.entries, result.strategies, result.broken) == (1, 3, (), ())
    for ref, options in (("lead:99", {}), ("lead:1", {"only": "sprung"}), ("contact:1", {}), ("?", {})):
        with pytest.raises(NotFound):
            ask(acme, ref, **options)
    with pytest.raises(UserError):
        ask(acme, "u6@example.com")
