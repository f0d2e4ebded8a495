"""Importing touchpoints: matched to leads, added once, and strangers refused unless they filled in a form."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from sfactl.api.errors import ConfigError
from sfactl.leads import usecases

EVENTS = """time,type,email,page,seconds
2026-11-01 10:00,Visit,A@example.tw,/pricing,30
2026-11-02T11:00:00Z,Form Submit,new@example.tw,download,
2026-11-02T11:05:00Z,visit,new@example.tw,/home,5
2026-11-02 11:05,visit,nobody@example.tw,/home,5
never,visit,a@example.tw,/home,5
2026-11-03 11:05,form-submit,not an address,/home,5
"""


def load(desk, content: str, **options: Any) -> Any:
    path = desk.write("events.csv", content)
    with desk.session(dry_run=options.pop("dry_run", False)) as session:
        return usecases.import_touches(session, [path], **options).files[0]


def test_events_of_known_people_forms_and_strangers(desk) -> None:
    desk.load("name,email\nMing,a@example.tw\n")
    done = load(desk, EVENTS, source="web")
    assert (done.rows, done.new, done.unchanged, done.rejected) == (6, 3, 0, 3)
    assert {r.reason.split(" (")[0] for r in done.reasons} == {"nobody we know", "at is not a time", "e-mail not valid"}
    assert desk.rows('select lead_id, kind, "at", value from touchpoints order by "at"') == [
        (1, "visit", datetime(2026, 11, 1, 10), 30.0),
        (2, "form_submit", datetime(2026, 11, 2, 11), None),
        (2, "visit", datetime(2026, 11, 2, 11, 5), 5.0),
    ]
    assert desk.leads("email", "status", "source", "direction")[1] == ("new@example.tw", "new", "web", "inbound")


def test_the_same_events_twice_add_nothing(desk) -> None:
    desk.load("name,email\nMing,a@example.tw\n")
    load(desk, EVENTS)
    again = load(desk, EVENTS)
    assert (again.new, again.unchanged, again.rejected) == (0, 3, 3)


def test_own_event_ids_count_once(desk) -> None:
    desk.load("id,email\n7,a@example.tw\n", source="crm")
    content = "event id,time,kind,external id\ne1,2026-11-01 10:00,visit,7\ne1,2026-11-01 10:00,visit,7\ne2,2026-11-01 10:01,visit,7\n"
    done = load(desk, content)
    assert (done.new, done.unchanged) == (2, 1)
    assert desk.rows("select event_id, lead_id from touchpoints order by 1") == [("e1", 1), ("e2", 1)]


def test_dry_run_adds_nothing(desk) -> None:
    desk.load("name,email\nMing,a@example.tw\n")
    assert load(desk, EVENTS, dry_run=True).new == 3
    assert desk.rows("select count(*) from touchpoints") == [(0,)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("time,email\n2026-11-01,a@example.tw\n", "no column is mapped to 'kind'"),
        ("time,kind\n2026-11-01,visit\n", "no column says whose"),
    ],
)
def test_what_a_file_of_events_needs(desk, content: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(desk, content)
