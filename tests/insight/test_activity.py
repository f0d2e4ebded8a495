"""Speed, sleeping leads, trend, handling and content: against other code, at odd times, and against their own rows."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.errors import UserError
from sfactl.config.settings import Settings, WorkspaceSettings
from sfactl.engine.duck import statement
from sfactl.insight import usecases
from sfactl.insight.model import Scope
from sfactl.session import FixedClock, Session, open_session

NOON = datetime(2026, 3, 2, 12)
DAY = timedelta(days=1)
Rows = list[dict[str, object]]


def opened(folder: Path, at: datetime, zone: str = "UTC") -> Session:
    made = Settings(workspace=WorkspaceSettings(time_zone=zone))
    return open_session(folder, settings=made, command="t", actor="t", clock=FixedClock(at), quiet=True)


TIMES = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40)


@given(TIMES)
@settings(max_examples=15)
def test_quantiles_are_those_of_kaplan_and_meier(times: list[tuple[int, bool]]) -> None:
    stats = pytest.importorskip("scipy.stats")
    con = duckdb.connect(config={"threads": 1})
    values = ", ".join(f"(1, 's', '', {t}.0, {int(done)})" for t, done in times)
    con.execute(f"create table span as from (values {values}) t(step_no, step, part, seconds, done)")
    *_, median, p90 = con.execute(statement("insight", "survival")).fetchall()[0]
    con.close()
    known = [t for t, done in times if done]
    if not known:
        assert (median, p90) == (None, None)
        return
    curve = stats.ecdf(stats.CensoredData(uncensored=known, right=[t for t, done in times if not done])).sf
    for level, found in ((0.5, median), (0.1, p90)):
        below = curve.quantiles[curve.probabilities <= level + 1e-9]
        assert found == (below[0] if len(below) else None)


Events = Sequence[tuple[int, datetime, str | None]]


def cases_of(
    events: Events, ends: dict[int, datetime] | None = None
) -> tuple[dict[int, tuple[int, int, int]], dict[int, int]]:
    """What the statements say: handlers, transfers and dwell (µs) of each case, and the sum of its stays."""
    con = duckdb.connect(config={"threads": 2})
    last: dict[int, datetime] = {}
    for case, at, _ in events:
        last[case] = max(at, last.get(case, at))
    last |= ends or {}
    con.execute(
        "create table handled(case_id bigint, since_at timestamp, event_id varchar, handler varchar, ended_at timestamp)"
    )
    import pyarrow as pa

    con.register(
        "given",
        pa.table(
            {
                "case_id": pa.array([c for c, _, _ in events], pa.int64()),
                "since_at": pa.array([t for _, t, _ in events], pa.timestamp("us")),
                "event_id": [f"{i:09}" for i in range(len(events))],
                "handler": pa.array([h for _, _, h in events], pa.string()),
                "ended_at": pa.array([last[c] for c, _, _ in events], pa.timestamp("us")),
            }
        ),
    )
    con.execute("insert into handled select * from given")
    con.execute(f"create table stay as {statement('insight', 'stays')}")
    cases = {r[0]: (r[1], r[2], r[5]) for r in con.execute(statement("insight", "handling")).fetchall()}
    sums = dict(
        con.execute(
            "select case_id, sum(date_diff('microsecond', since_at, until_at))::bigint from stay group by 1"
        ).fetchall()
    )
    con.close()
    return cases, sums


def by_hand(events: Events) -> dict[int, tuple[int, int, int]]:
    """Handlers, hand-overs (neighbours that differ) and duration of each case, one case at a time."""
    cases: dict[int, list[tuple[datetime, int, str]]] = defaultdict(list)
    for number, (case, at, handler) in enumerate(events):
        cases[case].append((at, number, handler or ""))
    found = {}
    for case, rows in cases.items():
        rows.sort()
        people = [h for _, _, h in rows if h]
        duration = (rows[-1][0] - rows[0][0]) // timedelta(microseconds=1)
        found[case] = (len(set(people)), sum(a != b for a, b in pairwise(people)), duration)
    return found


@pytest.mark.parametrize(
    "log", ["bpi12_loan_workitems/bpi_12_w.csv", "helpdesk_event_log/helpdesk.csv"], ids=["loans", "tickets"]
)
def test_real_event_logs_are_handled_as_process_mining_says(shared_data: Path, log: str) -> None:
    with (shared_data / log).open() as file:
        events = [
            (int(r["CaseID"]), datetime.fromisoformat(r["CompleteTimestamp"]), r["ActivityID"])
            for r in csv.DictReader(file)
        ]
    cases, sums = cases_of(events)
    assert cases == by_hand(events)
    assert sums == {case: duration for case, (_, _, duration) in cases.items()}


HELD = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 50), st.sampled_from([None, "anna", "mei", "sam"])),
    min_size=1,
    max_size=25,
)


@given(HELD)
@settings(max_examples=15)
def test_stays_add_up_to_the_case(held: list[tuple[int, int, str | None]]) -> None:
    events = [(case, NOON + timedelta(hours=hour), who) for case, hour, who in held]
    cases, sums = cases_of(events)
    assert cases == by_hand(events)
    assert sums == {case: duration for case, (_, _, duration) in cases.items()}


@pytest.fixture(scope="module")
def office(written: Callable[..., Path]) -> Path:
    """Five leads: called after a day, mailed by a machine, dropped, never touched, and converted through three hands."""

    def lead(number: int, **more: object) -> dict[str, object]:
        return {
            "lead_id": number,
            "source": "expo",
            "created_at": NOON,
            "first_contact_on": NOON.date(),
            "status": "new",
        } | more

    def given(number: int, day: int, to: str | None, before: str | None) -> dict[str, object]:
        return {"event_id": f"{number}-{day}", "at": NOON + day * DAY, "entity": "lead", "entity_id": number, "rep_id": to, "previous_rep_id": before}  # fmt: skip

    def touch(number: int, day: float, kind: str, **more: object) -> dict[str, object]:
        return {"event_id": f"t{number}-{day}", "at": NOON + day * DAY, "kind": kind, "lead_id": number} | more

    return written(
        {
            "reps": [{"rep_id": name, "active": True} for name in ("anna", "mei")],
            "leads": [
                lead(1, owner="anna"),
                lead(2),
                lead(3, status="disqualified"),
                lead(4),
                lead(5, owner="mei", status="converted", converted_at=NOON + 10 * DAY, opportunity_id=1),
            ],
            "opportunities": [
                {"opportunity_id": 1, "lead_id": 5, "owner": "mei", "category": "won", "created_at": NOON + 10 * DAY, "closed_at": NOON + 30 * DAY}
            ],
            "assignments": [given(5, 2, "anna", None), given(5, 4, None, "anna"), given(5, 7, "mei", None), given(5, 40, "anna", "mei")],
            "stage_events": [
                {"event_id": "s3", "at": NOON + 5 * DAY, "entity": "lead", "entity_id": 3, "from_stage": "new", "to_stage": "disqualified"},
                {"event_id": "s5", "at": NOON + 3 * DAY, "entity": "lead", "entity_id": 5, "from_stage": "new", "to_stage": "mql"},
            ],
            "touchpoints": [
                touch(1, 1, "call", direction="outbound", actor="anna"),
                touch(2, 0.5, "email", direction="outbound", actor="campaign:welcome"),
                touch(2, 9, "visit", direction="inbound", session_id="b", content="/"),
                touch(5, 0.25, "email", direction="outbound", actor="mei"),
                touch(5, 8, "visit", direction="inbound", session_id="a", content="/pricing"),
                touch(5, 8.01, "visit", direction="inbound", session_id="a", content="/"),
            ],
            "visits": [
                {"event_id": "t2-9", "at": NOON + 9 * DAY, "session_id": "b", "page": "/"},
                {"event_id": "v1", "at": NOON + 9 * DAY, "session_id": "c", "page": "/blog"},
                {"event_id": "v2", "at": NOON + 9 * DAY, "session_id": "c", "page": "/"},
            ],
        }
    )  # fmt: skip


def test_first_touch_is_a_persons_and_waiting_counts(office: Path) -> None:
    with opened(office, NOON + 20 * DAY) as session:
        rows = {r["step"]: r for r in usecases.speed(session).table.to_pylist()}
        first = rows["lead to first touch"]
        assert (first["begun"], first["done"], first["waiting"], first["p90_days"]) == (5, 2, 3, None)
        assert first["median_days"] is None
        assert rows["lead to mql"]["median_days"] is None
        assert rows["mql to sql"]["median_days"] == 7, "what came later bears witness to the stage between"
        waiting = usecases.speed_drill(session, "lead to first touch/waiting").to_pylist()
        assert {r["lead_id"]: r["seconds"] / 86_400 for r in waiting} == {2: 20, 3: 5, 4: 20}, (
            "dropped ends the waiting"
        )


def test_speed_in_parts_adds_up(session: Session) -> None:
    whole = {r["step"]: r for r in usecases.speed(session).table.to_pylist()}
    parts = usecases.speed(session, by="source").table.to_pylist()
    for step, row in whole.items():
        for column in ("begun", "done", "waiting"):
            assert sum(p[column] for p in parts if p["step"] == step) == row[column]
    for row in parts[::9]:
        found = usecases.speed_drill(session, f"{row['source']}:{row['step']}/waiting", by="source")
        assert found.num_rows == row["waiting"]


def test_stays_of_leads_and_deals(office: Path) -> None:
    with opened(office, NOON + 20 * DAY) as session:
        rows = {r["handler"]: r for r in usecases.handling(session).table.to_pylist()}
        assert {name: round(r["dwell_days"], 6) for name, r in rows.items()} == {
            "nobody": 20 + 5 + 20 + 2 + 3,
            "anna": 20 + 2,
            "mei": 3,
        }
        case = {r["lead"]: r for r in usecases.handling(session, by="case").table.to_pylist()}
        assert (case[5]["handlers"], case[5]["transfers"], case[5]["dwell_days"]) == (2, 1, 10)
        transfers = {
            r["transfers"]: (r["cases"], r["converted"])
            for r in usecases.handling(session, by="transfers").table.to_pylist()
        }
        assert transfers == {0: (4, 0), 1: (1, 1)}
        for name, row in rows.items():
            behind = usecases.handling_drill(session, f"{name}/stays")
            assert behind.num_rows == row["stays"]
            assert sum(behind["dwell_days"].to_pylist()) == pytest.approx(row["dwell_days"])
        (deal,) = usecases.handling(session, entity="opportunity", by="case").table.to_pylist()
        assert deal["dwell_days"] == 20 if deal["ended_at"] == NOON + 30 * DAY else deal["dwell_days"] == 10


def test_sleepers_age_and_add_up(office: Path) -> None:
    with opened(office, NOON + 20 * DAY) as session:
        rows = {r["stage"]: r for r in usecases.sleeping(session, by="stage", days=5).table.to_pylist()}
        assert {k: rows["lead"][k] for k in ("open", "sleeping", "5-9", "10-14", "15-29", "30+", "never")} == {
            "open": 3, "sleeping": 3, "5-9": 0, "10-14": 1, "15-29": 2, "30+": 0, "never": 1,
        }  # fmt: skip
        (never,) = usecases.sleeping_drill(session, "lead/never", by="stage", days=5).to_pylist()
        assert (never["lead_id"], never["idle_days"]) == (4, 20)


def test_sleepers_are_the_rows_behind_them(session: Session) -> None:
    sheet = usecases.sleeping(session, by="source", days=60)
    columns = [n for n in sheet.table.column_names if n not in ("source", "rate", "low", "high", "commit")]
    for row in sheet.table.to_pylist()[:2]:
        for column in columns:
            assert (
                usecases.sleeping_drill(session, f"{row['source']}/{column}", by="source", days=60).num_rows
                == row[column]
            )
        assert sum(row[c] for c in columns[2:-1]) == row["sleeping"]


def test_weeks_around_new_year_are_isos(written: Callable[..., Path]) -> None:
    days = [date(2026, 12, 27), date(2026, 12, 28), date(2027, 1, 3), date(2027, 1, 4)]
    folder = written(
        {"leads": [{"lead_id": n, "first_contact_on": d, "created_at": NOON} for n, d in enumerate(days, 1)]}
    )
    with opened(folder, datetime(2027, 1, 20)) as session:
        rows = usecases.trend(session).table.to_pylist()
        assert [(r["week"], r["leads"], r["partial"]) for r in rows] == [
            ("2026-W52", 1, False), ("2026-W53", 2, False), ("2027-W01", 1, False), ("2027-W02", 0, False), ("2027-W03", 0, True)
        ]  # fmt: skip
        asked = usecases.trend(session, scope=Scope(since=date(2026, 12, 30), until=date(2027, 1, 5))).table.to_pylist()
        assert [(r["week"], r["leads"], r["partial"]) for r in asked] == [("2026-W53", 1, True), ("2027-W01", 1, True)]


@pytest.mark.parametrize("by", ["week", "quarter"])
def test_the_trend_adds_up_to_the_funnel(session: Session, by: str) -> None:
    total = usecases.trend(session, by=by).total
    assert total is not None
    stages = {s.stage: s.leads for s in usecases.funnel(session).funnels[0].stages}
    assert total["leads"] == stages["lead"]
    (warning,) = usecases.trend(session, by=by).warnings
    assert warning.startswith(f"{usecases.source(session).total.hits - total['won']:,} leads came to won")
    row = usecases.trend(session, by=by).table.to_pylist()[3]
    assert usecases.trend_drill(session, f"{row[by]}/leads", by=by).num_rows == row["leads"]


def test_bounces_do_not_depend_on_the_order_of_rows(office: Path) -> None:
    with opened(office, NOON + 20 * DAY) as session:
        rows = {
            r["content"]: (r["sessions"], r["bounced"], r["pageviews"])
            for r in usecases.content(session).table.to_pylist()
        }
        assert rows == {"/pricing": (1, 0, 2), "/": (1, 1, 1), "/blog": (1, 0, 2)}
        assert usecases.content_drill(session, "all/bounced").to_pylist()[0]["session_id"] == "b"


def test_an_empty_workspace_has_all_reports(empty: Session) -> None:
    for sheet in (
        usecases.speed(empty),
        usecases.sleeping(empty),
        usecases.trend(empty),
        usecases.handling(empty),
        usecases.handling(empty, by="transfers"),
        usecases.content(empty),
    ):
        assert sheet.table.num_rows == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s: usecases.speed(s, by="sorce"), "Did you mean 'source'"),
        (lambda s: usecases.speed(s, clock="bussiness"), "Did you mean 'business'"),
        (lambda s: usecases.sleeping(s, days=0), "less than a day"),
        (lambda s: usecases.trend(s, by="weeks"), "Did you mean 'week'"),
        (lambda s: usecases.trend_drill(s, "2026-W30/lead"), "Did you mean 'leads'"),
        (lambda s: usecases.handling(s, entity="led"), "Did you mean 'lead'"),
    ],
    ids=["part", "clock", "days", "step", "column", "entity"],
)
def test_wrong_names_on_activity(session: Session, call: Callable[[Session], object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        call(session)
