"""Caps over all paths and quiet hours: how many messages one person gets, and when, whoever wants to send."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.errors import ConfigError
from sfactl.campaigns.pressure import back
from sfactl.campaigns.windows import wakes_at
from sfactl.config.touch import DAYS, Quiet
from sfactl.engine.periods import parse_period
from tests.campaigns.conftest import CAMPAIGN, FRIDAY, Acme

from .conftest import TOPICS

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
CAPS = """
[[touch.caps]]
messages = 2
within = "7 days"
[[touch.caps]]
messages = 1
within = "1 day"
channel = "email"
"""
SMS = CAMPAIGN.replace('template = "invite"', 'template = "invite"\nchannel = "sms"')
BOTH = CAMPAIGN + '\n[[steps]]\nname = "sms"\ntemplate = "invite"\nchannel = "sms"\n'


def message(
    lead: int, ago: timedelta, *, channel: str = "email", campaign: str = "other", **more: Any
) -> dict[str, Any]:
    at = FRIDAY - ago
    key = f"w.{campaign}.x{at:%d%H%M}.{lead}.1"
    row = {"message_key": key, "campaign": campaign, "step": "x", "lead_id": lead, "channel": channel, "at": at}
    return row | {"state": "accepted", "recipient": f"u{lead}@example.com"} | more


WEEK, ONE = "capped (2 in 7 days)", "capped (1 email in 1 day)"
CASES: dict[str, tuple[list[tuple[timedelta, dict[str, Any]]], str, timedelta | None]] = {
    "none": ([], "send", None),
    "one long ago": ([(3 * DAY, {})], "send", None),
    "two in a week": ([(6 * DAY, {}), (5 * DAY, {})], f"wait: {WEEK}", DAY),
    "three in a week": ([(6 * DAY, {}), (5 * DAY, {}), (4 * DAY, {})], f"wait: {WEEK}", 2 * DAY),
    "of a strategy": ([(6 * DAY, {"campaign": "winback"}), (5 * DAY, {})], f"wait: {WEEK}", DAY),
    "by another channel": ([(6 * DAY, {"channel": "sms"}), (5 * DAY, {"channel": "wecom"})], f"wait: {WEEK}", DAY),
    "at the edge": ([(7 * DAY, {}), (5 * DAY, {})], "send", None),
    "just inside": ([(7 * DAY - HOUR, {}), (5 * DAY, {})], f"wait: {WEEK}", HOUR),
    "one today": ([(5 * HOUR, {})], f"wait: {ONE}", 19 * HOUR),
    "a text today": ([(5 * HOUR, {"channel": "sms"})], "send", None),
    "both caps": ([(6 * DAY, {}), (5 * HOUR, {})], f"wait: {WEEK}", DAY),
    "refused do not count": ([(6 * DAY, {"state": "refused"}), (5 * DAY, {})], "send", None),
    "unknown do": ([(6 * DAY, {"state": "unknown"}), (5 * DAY, {})], f"wait: {WEEK}", DAY),
    "asked for does not": ([(6 * DAY, {"campaign": "answer"}), (5 * DAY, {})], "send", None),
}


def due(acme: Acme, plan: Any) -> dict[tuple[int, str], tuple[str, datetime | None]]:
    with acme.session() as session, session.query() as query:
        rows = query.rows(
            "select lead_id, step, action, reason, due_at from plan_items where plan_id = $p", {"p": plan.plan_id}
        )
    return {(lead, step): (f"{a}: {r}" if r else a, at) for lead, step, a, r, at in rows}


def with_caps(acme: Acme, campaign: str = CAMPAIGN, more: str = CAPS) -> None:
    acme.write("sfactl.toml", TOPICS + more)
    acme.write("campaigns/spring.toml", campaign)
    acme.write(
        "campaigns/answer.toml", CAMPAIGN.replace('summary = "Spring"', 'summary = "A"\nclass = "transactional"')
    )
    acme.write("senders/outbox.toml", 'schema = 1\nuse = "file"\n')


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, tuple[str, datetime | None]]:
    """What the gate says about everybody."""
    acme = Acme(tmp_path_factory.mktemp("pressure") / "acme")
    with_caps(acme)
    acme.leads(*({"lead_id": n} for n in range(1, len(CASES) + 1)))
    acme.rows(
        "messages", [message(n, ago, **more) for n, (had, _, _) in enumerate(CASES.values(), 1) for ago, more in had]
    )
    return {lead: found for (lead, _), found in due(acme, acme.plan()).items()}


@pytest.mark.parametrize("name", CASES)
def test_enough_is_enough(judged: Mapping[int, tuple[str, datetime | None]], name: str) -> None:
    number = list(CASES).index(name) + 1
    _, verdict, room = CASES[name]
    assert judged[number] == (verdict, None if room is None else FRIDAY + room)


def test_all_channels_share_a_cap_in_one_plan(acme: Acme) -> None:
    with_caps(acme, BOTH, '\n[[touch.caps]]\nmessages = 1\nwithin = "7 days"\n')
    acme.leads({"lead_id": 1, "phone": "+886912345678"})
    found = due(acme, acme.plan())
    assert found == {(1, "invite"): ("send", None), (1, "sms"): ("wait: capped (1 in 7 days)", FRIDAY + 7 * DAY)}


def test_what_was_sent_under_another_number_of_the_same_address_counts(acme: Acme) -> None:
    with_caps(acme, more='\n[[touch.caps]]\nmessages = 1\nwithin = "7 days"\n')
    acme.leads({"lead_id": 1, "status": "lost"}, {"lead_id": 2, "email": "U1@EXAMPLE.com"})
    acme.rows("messages", [message(1, DAY)])
    assert due(acme, acme.plan()) == {(2, "invite"): ("wait: capped (1 in 7 days)", FRIDAY + 6 * DAY)}


@pytest.mark.parametrize(
    ("said", "campaign", "verdict"),
    [
        pytest.param('over = "skip"\n', CAMPAIGN, "skip: capped (1 in 7 days)", id="said-so"),
        pytest.param(
            "",
            CAMPAIGN.replace("[[steps]]", "expires_at = 2026-11-22T00:00:00\n[[steps]]"),
            "skip: capped (1 in 7 days)",
            id="the-campaign-ends-before",
        ),
        pytest.param("", CAMPAIGN.replace('"outbox"', '"outbox"\nclass = "transactional"'), "send", id="asked-for"),
    ],
)
def test_what_is_over_a_cap(acme: Acme, said: str, campaign: str, verdict: str) -> None:
    with_caps(acme, campaign, f'\n[[touch.caps]]\nmessages = 1\nwithin = "7 days"\n{said}')
    acme.leads({"lead_id": 1})
    acme.rows("messages", [message(1, DAY)])
    assert due(acme, acme.plan()) == {(1, "invite"): (verdict, None)}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("[[touch.caps]]\nmessages = 0\nwithin = '1 day'", "0 could mean no cap or no message", id="zero"),
        pytest.param("[[touch.caps]]\nmessages = 1\nwithin = 'soon'", "within: 'soon' is not a period", id="no-period"),
        pytest.param("[[touch.caps]]\nmessages = 1\nwithin = '0 days'", "is no time at all", id="no-time"),
        pytest.param("[touch.quiet]\nhours = '08:00-08:00'", "is all day long", id="always-quiet"),
        pytest.param("[touch.quiet]\nhours = '8-9'", "is not like 09:00-18:00", id="not-hours"),
        pytest.param(f"[touch.quiet]\ndays = {list(DAYS)}", "quiet on all days", id="every-day"),
        pytest.param("[touch.quiet]\nhour = '21:00-08:00'", "Did you mean 'hours'", id="misspelt"),
        pytest.param(
            "[topics.x]\nbasis = 'contract'\ndouble_opt_in = true", "it confirms a consent", id="contradiction"
        ),
        pytest.param("[topics.x]\nbasis = 'consnt'", "Did you mean 'consent'", id="no-basis"),
    ],
)
def test_settings_that_cannot_be(acme: Acme, text: str, error: str) -> None:
    acme.write("sfactl.toml", f"schema = 1\n{text}\n")
    with pytest.raises(ConfigError, match=error), acme.session():
        pass


@pytest.mark.parametrize(
    ("quiet", "campaign", "verdict", "opens"),
    [
        pytest.param("hours = '21:00-08:00'", CAMPAIGN, "send", None, id="by-day"),
        pytest.param("hours = '09:00-12:00'", CAMPAIGN, "wait: quiet hours", 2 * HOUR, id="at-ten"),
        pytest.param("hours = '09:00-12:00'\ntz = 'America/New_York'", CAMPAIGN, "send", None, id="quiet-elsewhere"),
        pytest.param("days = ['fri', 'sat']", CAMPAIGN, "wait: quiet hours", 38 * HOUR, id="days"),
        pytest.param("hours = '09:00-12:00'\nchannels = ['sms']", CAMPAIGN, "send", None, id="another-channel"),
        pytest.param(
            "hours = '09:00-12:00'", CAMPAIGN.replace('"outbox"', '"outbox"\nclass = "transactional"'), "send", None,
            id="asked-for",
        ),
        pytest.param(
            "hours = '09:00-12:00'",
            CAMPAIGN.replace("[[steps]]", "[window]\ndays = ['sat']\nhours = '10:00-13:00'\n[[steps]]"),
            "wait: outside window",
            26 * HOUR,
            id="window-and-quiet",
        ),
    ],
)  # fmt: skip
def test_quiet_hours_hold_for_all(acme: Acme, quiet: str, campaign: str, verdict: str, opens: timedelta | None) -> None:
    acme.write("sfactl.toml", f"{TOPICS}[touch.quiet]\n{quiet}\n")
    acme.write("campaigns/spring.toml", campaign)
    acme.leads({"lead_id": 1})
    assert due(acme, acme.plan()) == {(1, "invite"): (verdict, None if opens is None else FRIDAY + opens)}


NIGHT = Quiet(hours="21:00-08:00")


@pytest.mark.parametrize(
    ("quiet", "zone", "at", "wakes"),
    [
        pytest.param(NIGHT, "Asia/Taipei", "2026-11-20T13:00", "2026-11-21T00:00", id="at-nine-in-the-evening"),
        pytest.param(NIGHT, "Asia/Taipei", "2026-11-20T12:59:59", "2026-11-20T12:59:59", id="just-before"),
        pytest.param(NIGHT, "Asia/Taipei", "2026-11-20T00:00", "2026-11-20T00:00", id="at-eight"),
        # The night of 2026-03-28 in Berlin is an hour shorter, that of 2026-10-24 an hour longer.
        pytest.param(NIGHT, "Europe/Berlin", "2026-03-28T20:00", "2026-03-29T06:00", id="short-night"),
        pytest.param(NIGHT, "Europe/Berlin", "2026-10-24T19:00", "2026-10-25T07:00", id="long-night"),
        # 02:30 does not exist on 2026-03-29: quiet ends where the gap does.
        pytest.param(
            Quiet(hours="01:00-02:30"), "Europe/Berlin", "2026-03-29T00:30", "2026-03-29T01:00", id="ends-in-a-gap"
        ),
        # 02:30 comes twice on 2026-10-25: the first ends it.
        pytest.param(
            Quiet(hours="01:00-02:30"), "Europe/Berlin", "2026-10-25T00:00", "2026-10-25T00:30", id="ends-in-an-overlap"
        ),
        pytest.param(NIGHT, "America/Sao_Paulo", "2026-11-21T01:00", "2026-11-21T11:00", id="summer-time-abolished"),
        # Samoa had no 30 December 2011: the night before it ends on the 31st.
        pytest.param(NIGHT, "Pacific/Apia", "2011-12-30T09:00", "2011-12-30T18:00", id="a-day-left-out"),
        pytest.param(
            Quiet(hours="21:00-08:00", days=("sat", "sun")), "UTC", "2026-11-20T22:00", "2026-11-23T08:00", id="weekend"
        ),
    ],
)
def test_when_quiet_ends(quiet: Quiet, zone: str, at: str, wakes: str) -> None:
    assert wakes_at(quiet, zone, datetime.fromisoformat(at)) == datetime.fromisoformat(wakes)


@settings(max_examples=40, deadline=None)
@given(
    at=st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2028, 1, 1)),
    zone=st.sampled_from(["Asia/Taipei", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
    start=st.integers(0, 23),
    end=st.integers(0, 23),
    days=st.sets(st.sampled_from(DAYS), max_size=6),
)
def test_quiet_ends_once(at: datetime, zone: str, start: int, end: int, days: set[Any]) -> None:
    if start == end:
        return
    quiet = Quiet(hours=f"{start:02}:00-{end:02}:00", days=tuple(days))
    wakes = wakes_at(quiet, zone, at)
    assert wakes >= at
    assert wakes_at(quiet, zone, wakes) == wakes


@pytest.mark.parametrize(
    ("period", "zone", "at", "since"),
    [
        pytest.param("7 days", "Asia/Taipei", "2026-11-20T02:00", "2026-11-13T02:00", id="no-change"),
        pytest.param("7 days", "Europe/Berlin", "2026-03-30T07:00", "2026-03-23T08:00", id="forward-between"),
        pytest.param("7 days", "Europe/Berlin", "2026-10-26T08:00", "2026-10-19T07:00", id="back-between"),
        pytest.param("24 hours", "Europe/Berlin", "2026-03-29T12:00", "2026-03-28T13:00", id="24-hours-are-a-day"),
        pytest.param("12 hours", "Europe/Berlin", "2026-03-29T06:00", "2026-03-28T18:00", id="hours"),
        pytest.param("1 day", "Europe/Berlin", "2026-03-30T00:30", "2026-03-29T01:00", id="into-a-gap"),
        pytest.param("1 month", "Asia/Taipei", "2026-03-31T02:00", "2026-02-28T02:00", id="month"),
    ],
)
def test_how_far_back_a_cap_counts(period: str, zone: str, at: str, since: str) -> None:
    assert back(parse_period(period), zone, datetime.fromisoformat(at)) == datetime.fromisoformat(since)
