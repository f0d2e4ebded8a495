"""Cases of other systems: each case and each move once, grown files go on, and what cannot be meant is named by row."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sfactl.api.errors import ConfigError
from sfactl.cases import usecases
from sfactl.cases.usecases.importing import CaseImport

from .conftest import Desk

LOG = """Ticket,Status,Timestamp,Assignee,Email
T1,New,2026-04-01 09:00:00,,mei@x.example
T1,In Progress,2026-04-01 10:00:00,Ken,
T1,In Progress,2026-04-01 10:00:00,Ken,
T1,Resolved,2026-04-02 09:00:00,Ken,
T1,Open,2026-04-03 09:00:00,zoe,
T2,New,2026-04-05 09:00:00,,nobody@y.example
"""
GROWN = LOG + "T1,Solved,2026-04-04 09:00:00,Ken,\nT2,Closed,2026-04-06 09:00:00,,\n"


def imported(desk: Desk, text: str, *, dry_run: bool = False, **said: object) -> CaseImport:
    path = desk.folder / "tickets.csv"
    path.write_text(text, encoding="utf-8")
    with desk.session(dry_run=dry_run) as session:
        [done] = usecases.import_cases(session, [path], **said)  # type: ignore[arg-type]
    return done


def moves(desk: Desk, key: str) -> list[tuple[object, ...]]:
    return list(
        desk.rows(
            "select e.kind, e.from_status, e.to_status, e.at, e.actor from case_events e join cases c using (case_id)"
            f" where c.source_key = '{key}' order by e.event_no"
        )
    )


def test_a_log_is_imported_once_and_goes_on(desk: Desk) -> None:
    """Doubles and what changes nothing are no events; the file again adds nothing; a grown file adds what is new."""
    dry = imported(desk, LOG, dry_run=True)
    assert (dry.new, dry.events, dry.commit, desk.rows("select count(*) from cases")) == (2, 6, None, [(0,)])
    first = imported(desk, LOG)
    assert (first.rows, first.cases, first.new, first.events, first.of_nobody) == (6, 2, 2, 6, 1)
    day = datetime(2026, 4, 1, 9)
    expected: list[tuple[object, ...]] = [
        ("opened", None, "new", day, "mei"),
        ("moved", "new", "open", day + timedelta(hours=1), "Ken"),
        ("assigned", None, None, day + timedelta(hours=1), "mei"),
        ("moved", "open", "resolved", day + timedelta(days=1), "Ken"),
        ("reopened", "resolved", "open", day + timedelta(days=2), "zoe"),
    ]
    assert moves(desk, "T1") == expected
    again = imported(desk, LOG)
    assert (again.new, again.changed, again.unchanged, again.events, again.commit) == (0, 0, 2, 0, None)
    grown = imported(desk, GROWN)
    assert (grown.new, grown.changed, grown.unchanged, grown.events) == (0, 2, 0, 2)
    assert moves(desk, "T1") == [*expected, ("moved", "open", "resolved", day + timedelta(days=3), "Ken")]
    told = (
        "select source_key, lead_id, owner, status, reopened, opened_at, resolved_at, closed_at from cases order by 1"
    )
    assert desk.rows(told) == [
        ("T1", 1, "ken", "resolved", 1, day, day + timedelta(days=3), None),
        ("T2", None, None, "closed", 0, day + timedelta(days=4), day + timedelta(days=5), day + timedelta(days=5)),
    ]
    assert desk.ack().notices == ()


def test_what_was_done_here_meanwhile_stays(desk: Desk) -> None:
    """A case that was moved by hand since is not moved back by the same file."""
    imported(desk, LOG)
    [(case,)] = desk.rows("select case_id from cases where source_key = 'T2'")
    desk.set(str(case), status="waiting")
    done = imported(desk, LOG)
    assert (done.changed, done.events) == (0, 0)
    assert desk.rows(f"select status from cases where case_id = {case}") == [("waiting",)]


def test_one_row_a_case_tells_begin_and_end(desk: Desk) -> None:
    """A case that is closed was resolved and closed at the times that the row says; --notify makes it news."""
    text = (
        "Case ID,Subject,Created,Status,Resolved at,Closed at,Customer Email\n"
        "7,Broken,2026-05-02 08:00,Closed,2026-05-03 08:00,2026-05-04 08:00,bob@X.example\n"
        "8,Late,2026-05-04 08:30,Pending,,,mei@x.example\n"
    )
    done = imported(desk, text, source="desk", notify=True)
    assert (done.new, done.events, done.of_nobody) == (2, 5, 0)
    assert [m[:3] for m in moves(desk, "7")] == [
        ("opened", None, "new"),
        ("moved", "new", "resolved"),
        ("moved", "resolved", "closed"),
    ]
    assert sorted((n.case_id, n.status, n.action) for n in desk.ack().notices) == [
        (1, "new", "send"),
        (1, "resolved", "send"),
        (2, "new", "send"),
    ]
    assert imported(desk, text.replace("Late", "Very late"), source="desk").changed == 1
    assert desk.rows("select subject from cases where source_key = '8'") == [("Very late",)]


BAD = """Ticket,Status,Timestamp
,New,2026-04-01 09:00:00
T1,Frobnicated,2026-04-01 09:00:00
T2,New,not a time
T3,New,2036-04-01 09:00:00
T4,New,
T5,New,2026-04-01 09:00:00
"""


def test_bad_rows_are_named_and_kept_aside(desk: Desk) -> None:
    """Good rows are taken; each bad one is told with its row, and written where it can be corrected."""
    done = imported(desk, BAD)
    assert (done.new, done.rejected) == (1, 5)
    said = {r.reason for r in done.reasons}
    assert "status Frobnicated is none that is known (row 3)" in said
    assert "no number of the case (row 2)" in said
    assert "in the future (row 5)" in said
    assert (desk.folder / str(done.rejects_file)).is_file()


WRONG: Mapping[str, tuple[str, str]] = {
    "no number": ("Status,Timestamp\nNew,2026-04-01\n", "no column is the number of the case"),
    "no time": ("Ticket,Status\nT1,New\n", "no column is when it was so"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_without_what_is_needed_is_refused(desk: Desk, name: str) -> None:
    text, expected = WRONG[name]
    with pytest.raises(ConfigError, match=expected):
        imported(desk, text)


def test_a_move_that_the_rules_forbid_is_history_and_counted(desk: Desk) -> None:
    """What happened is not refused, but told."""
    text = "Ticket,Status,Timestamp\nT1,Closed,2026-04-01\nT1,Pending,2026-04-02\n"
    done = imported(desk, text)
    assert (done.events, done.not_allowed, done.example) == (3, 1, "case T1: closed → waiting")


MAPPING = """schema = 1
dataset = "cases"
[columns]
case_key = "CaseID"
status = "ActivityID"
at = "CompleteTimestamp"
[transforms.status]
values = { 1 = "new", 2 = "open", 3 = "open", 4 = "open", 5 = "open", 6 = "resolved", 7 = "closed", 8 = "open", 9 = "waiting" }
"""


def test_a_real_log_gives_the_same_moves_as_counted_by_hand(desk: Desk, shared_data: Path) -> None:
    """Moves and reopenings of the help desk, row by row in Python, are those that were imported."""
    source = shared_data / "helpdesk_event_log" / "helpdesk.csv"
    (desk.folder / "mappings").mkdir()
    desk.write("mappings/helpdesk.toml", MAPPING)
    with desk.session() as session:
        [done] = usecases.import_cases(session, [source], mapping="helpdesk")
    words = {"1": "new", "6": "resolved", "7": "closed", "9": "waiting"}
    with source.open(encoding="utf-8", newline="") as file:
        rows = [(r["CaseID"], r["CompleteTimestamp"], words.get(r["ActivityID"], "open")) for r in csv.DictReader(file)]
    opened: dict[str, str] = {}
    moved = reopened = 0
    for _, (case, _, status) in sorted(enumerate(rows), key=lambda n: (n[1][0], n[1][1], n[0])):
        before = opened.setdefault(case, "new")
        if before != status:
            again = before in ("resolved", "closed") and status not in ("resolved", "closed")
            reopened, moved, opened[case] = reopened + again, moved + (not again), status
    assert (done.cases, done.rejected) == (len(opened), 0)
    counted = dict(desk.rows("select kind, count(*) from case_events group by 1"))
    assert counted == {"opened": len(opened), "moved": moved, "reopened": reopened}
    assert desk.rows("select sum(reopened) from cases") == [(reopened,)]
    assert dict(desk.rows("select source_key, status from cases")) == opened
