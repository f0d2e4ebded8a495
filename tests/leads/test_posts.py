"""Web forms from files: each posting is a lead and an event, once, and names its visitor."""

from __future__ import annotations

from typing import Any

import pytest

from sfactl.api.errors import ConfigError
from sfactl.leads import usecases

JSONL = """{"email":"Mei@Example.tw","name":"王小明","submitted_at":"2026-11-20T10:00:00+08:00","page":"/contact","utm_source":"google","utm_medium":"cpc","utm_campaign":"spring","message":"Need a laser","vid":"v-12345"}
{"email":"nope","name":"X","submitted_at":"2026-11-20T10:00:00+08:00"}
{"email":"b@example.tw","name":"Lan","submitted_at":null}
"""
EVENTS = "select lead_id, kind, content, page, source, medium, campaign, direction from touchpoints order by lead_id, touchpoints.at"


def test_a_posting_is_a_lead_and_an_event(desk: Any) -> None:
    done = desk.load(JSONL, name="posts.jsonl", form="contact-us")
    assert (done.new, done.rejected, done.cleaned["events"]) == (2, 1, 1)
    assert "1 row without a time: the lead was taken, the event was not" in done.notes
    assert desk.rows(EVENTS) == [(1, "form_submit", "contact-us", "/contact", "google", "cpc", "spring", "inbound")]
    assert desk.leads("source", "campaign", "channel", "direction") == [
        ("google", "spring", "web", "inbound"),
        ("web-form", None, "web", "inbound"),
    ]
    again = desk.load(JSONL, name="posts.jsonl", form="contact-us")
    assert (again.new, again.cleaned["events"]) == (0, 0)


def test_bodies_as_servers_log_them(desk: Any) -> None:
    done = desk.load(
        "name=Jo+Lin&email=jo%40example.tw&timestamp=2026-11-20+10%3A00%3A00&need=a&need=b\n"
        "name=%E9%99%B3%E7%BE%8E&email=mei%40example.tw&timestamp=2026-11-20+11%3A00%3A00\n\nzzz\n",
        name="bodies.log",
        form="quick",
    )
    assert (done.new, done.rejected, done.reasons[0].reason) == (2, 1, "is not the body of a form (row 4)")
    assert desk.leads("full_name", "need") == [("Jo Lin", "a; b"), ("陳美", None)]
    assert len(desk.rows(EVENTS)) == 2


def test_an_export_of_a_form_tool(desk: Any) -> None:
    done = desk.load(
        "時間戳記,姓名,電子郵件\n2026/11/20 下午 3:05:06,王小明,ming@example.tw\n", form="expo", name="google.csv"
    )
    assert done.cleaned["events"] == 1, done.notes


def test_a_mapping_says_it_too(desk: Any) -> None:
    mapping = """
schema = 1
[columns]
email = "Mail"
[touchpoint]
kind = "demo_request"
[touchpoint.columns]
at = "When"
event_id = "Nr"
[touchpoint.constants]
content = "demo"
channel = "partner"
"""
    rows = "Mail,When,Nr\na@example.tw,2026-11-01 10:00,1\na@example.tw,2026-11-02 10:00,2\n"
    done = desk.load(rows, mapping=mapping)
    assert (done.new, done.cleaned["events"]) == (1, 2)
    assert [r[:3] for r in desk.rows(EVENTS)] == [(1, "demo_request", "demo")] * 2
    assert desk.load(rows + "c@example.tw,2026-11-03 10:00,3\n", mapping=mapping).cleaned["events"] == 1


def test_without_a_time_there_is_no_event(desk: Any) -> None:
    with pytest.raises(ConfigError, match="when the form was filled in"):
        desk.load("email\na@example.tw\n", form="x")


def test_visits_before_the_form_become_the_leads(desk: Any) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
    log = f'1.2.3.4 - - [20/Nov/2026:01:00:00 +0000] "GET /pricing?vid=v-12345 HTTP/1.1" 200 1 "-" "{agent}"\n'
    with desk.session() as session:
        usecases.import_logs(session, [desk.write("a.log", log)], form="combined")
    desk.load(JSONL, name="posts.jsonl", form="contact-us")
    assert [r[:4] for r in desk.rows(EVENTS)] == [
        (1, "visit", "/pricing", "/pricing"),
        (1, "form_submit", "contact-us", "/contact"),
    ]
