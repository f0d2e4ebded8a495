"""Which slots are due: grace, misfires, changed and resting schedules, calendars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.config.runs import Misfire
from sfactl.engine.calendars import Calendar, Hours
from sfactl.engine.periods import parse_period
from sfactl.engine.schedules import parse_schedule
from sfactl.runs.deciding import Past, coming, due_runs
from sfactl.runs.model import Attempt, Job, State

from .conftest import Place

UTC = ZoneInfo("UTC")
DAILY = '[run.jobs.scores]\nschedule = "0 9 * * *"\n'
NOON = datetime(2026, 11, 23, 12)


def job(schedule: str = "0 * * * *", *, misfire: Misfire = "once", grace: str = "1 hour", **more: object) -> Job:
    return Job(
        id="scores",
        kind="scores",
        schedule=parse_schedule(schedule),
        misfire=misfire,
        grace=parse_period(grace),
        attempts=3,
        **more,  # type: ignore[arg-type]
    )


def tried(*rows: tuple[int, int, State]) -> Sequence[Attempt]:
    return [
        Attempt(run_id=f"{hour}-{n}", job="scores", due_at=NOON.replace(hour=hour), attempt=n, state=state)
        for hour, n, state in rows
    ]


def due(made: Job, past: Past, now: datetime = NOON) -> list[tuple[str, int, int, bool]]:
    return [(f"{d.due_at:%H:%M}", d.slots, d.attempt, d.missed) for d in due_runs(made, past, now, UTC)]


DONE_AT_8 = tried((8, 1, "done"))


@pytest.mark.parametrize(
    ("made", "past", "now", "expected"),
    [
        pytest.param(job(), Past(), "12:30", [("12:00", 1, 1, False)], id="new: the slot within the grace"),
        pytest.param(job("0 9 * * *"), Past(), "12:30", [], id="new: none within the grace"),
        pytest.param(job(), Past(attempts=DONE_AT_8), "08:59", [], id="before the slot"),
        pytest.param(job(), Past(attempts=DONE_AT_8), "09:00", [("09:00", 1, 1, False)], id="at the slot"),
        pytest.param(job(), Past(attempts=DONE_AT_8), "12:30", [("12:00", 4, 1, False)], id="once: the missed ones with it"),
        pytest.param(job("0 9 * * *"), Past(since=NOON.replace(hour=8)), "18:00", [("09:00", 1, 1, False)], id="once: late"),
        pytest.param(job("0 9 * * *", misfire="skip"), Past(since=NOON.replace(hour=8)), "10:00", [("09:00", 1, 1, False)], id="skip: at the end of the grace"),
        pytest.param(job("0 9 * * *", misfire="skip"), Past(since=NOON.replace(hour=8)), "10:01", [("09:00", 1, 1, True)], id="skip: too late"),
        pytest.param(job(misfire="each"), Past(attempts=DONE_AT_8), "11:30", [("09:00", 1, 1, False), ("10:00", 1, 1, False), ("11:00", 1, 1, False)], id="each"),
        pytest.param(job(), Past(attempts=tried((8, 1, "done"), (9, 1, "failed"))), "09:30", [("09:00", 1, 2, False)], id="failed: again"),
        pytest.param(job(), Past(attempts=tried((8, 1, "done"), (9, 1, "skipped"))), "09:30", [("09:00", 1, 1, False)], id="skipped: no attempt was used"),
        pytest.param(job(), Past(attempts=tried((8, 1, "done"), (9, 1, "interrupted"), (9, 2, "failed"), (9, 3, "failed"))), "09:30", [("09:00", 1, 4, False)], id="a death is no failure"),
        pytest.param(job(), Past(attempts=tried((9, 1, "failed"), (9, 2, "failed"), (9, 3, "failed"))), "09:30", [], id="failed too often"),
        pytest.param(job(), Past(attempts=tried(*((9, n, "interrupted") for n in range(1, 31)))), "09:30", [("09:00", 1, 31, False)], id="however often its runner died"),
        pytest.param(job(idle="off"), Past(attempts=DONE_AT_8), "12:30", [], id="idle"),
    ],
)  # fmt: skip
def test_what_is_due(made: Job, past: Past, now: str, expected: list[tuple[str, int, int, bool]]) -> None:
    assert due(made, past, datetime.fromisoformat(f"2026-11-23T{now}")) == expected


def test_an_approved_plan_is_due_again_and_a_planned_one_is_not() -> None:
    waits = Attempt(run_id="1", job="scores", due_at=NOON, attempt=1, state="waiting", plan_id="p")
    later = NOON + timedelta(minutes=20)
    assert due(job(), Past(attempts=[waits]), later) == []
    assert due(job(), Past(attempts=[waits], approved=frozenset("p")), later) == [("12:00", 1, 2, False)]


def test_only_slots_in_working_time_count() -> None:
    office = Calendar(zone=UTC, week=((Hours(start_s=9 * 3600, end_s=17 * 3600),),) * 5 + ((),) * 2)
    made = job("0 */4 * * *", calendar=office)
    friday = datetime(2026, 11, 20, 12, 30)
    assert [f"{at:%a %H:%M}" for at in coming(made, friday, UTC, 3)] == ["Fri 16:00", "Mon 12:00", "Mon 16:00"]
    past = Past(since=datetime(2026, 11, 20, 13))
    assert due(made, past, datetime(2026, 11, 23, 11)) == [("16:00", 1, 1, False)]


def test_a_schedule_by_the_minute_after_a_long_rest_is_decided_quickly() -> None:
    (found,) = due_runs(job("* * * * *"), Past(since=datetime(2020, 1, 1)), NOON, UTC)
    assert (found.due_at, found.slots) == (NOON, 57_600)


@settings(max_examples=30)
@given(
    misfire=st.sampled_from(["once", "skip", "each"]),
    visits=st.lists(st.integers(1, 300), min_size=1, max_size=12),
    fails=st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_no_slot_is_done_twice_and_none_is_lost(misfire: Misfire, visits: list[int], fails: list[bool]) -> None:
    """Whenever runners come and whatever fails, each slot is settled exactly once or still open."""
    made, start = job("*/30 * * * *", misfire=misfire), datetime(2026, 11, 23)
    every = coming(made, start, UTC, 200)
    attempts: list[Attempt] = []
    covered: list[datetime] = []
    now, outcomes = start, iter(fails)
    for minutes in visits:
        now += timedelta(minutes=minutes)
        for one in due_runs(made, Past(since=start, attempts=attempts), now, UTC):
            bad = not one.missed and next(outcomes, False) and one.failed < 2
            state: State = "missed" if one.missed else "failed" if bad else "done"
            attempts.append(Attempt(run_id="", job="scores", due_at=one.due_at, attempt=one.attempt, state=state))
            if bad:
                break
            covered += [at for at in every if one.first_due_at <= at <= one.due_at]
    assert len(covered) == len(set(covered))
    open_ = due_runs(made, Past(since=start, attempts=attempts), now, UTC)
    left = [at for at in every if open_ and open_[0].first_due_at <= at <= now]
    assert sorted([*covered, *left]) == [at for at in every if at <= now]


def test_a_slot_between_the_first_look_and_the_next_is_not_lost(place: Place) -> None:
    place.jobs(DAILY)
    place.at("2026-11-23T00:00")
    assert place.states() == {}
    place.at("2026-11-23T09:00")
    assert place.states() == {"scores": "done"}


def test_a_changed_schedule_does_not_reach_back(place: Place) -> None:
    place.jobs(DAILY)
    assert place.states() == {"scores": "done"}
    place.jobs(DAILY.replace("0 9", "0 7"))
    place.at("2026-11-23T04:00")
    assert place.states() == {}
    place.at("2026-11-23T23:00")
    assert place.states() == {"scores": "done"}


def test_a_job_that_rested_does_not_make_up_for_it(place: Place) -> None:
    place.jobs(DAILY)
    assert place.states() == {"scores": "done"}
    place.jobs(DAILY + "active = false\n")
    place.at("2026-11-24T04:00")
    assert place.states() == {}
    place.jobs(DAILY)
    place.at("2026-11-26T00:30")
    assert place.states() == {}
    place.at("2026-11-26T01:30")
    assert place.states() == {"scores": "done"}


def test_a_weekend_without_a_runner(place: Place) -> None:
    place.jobs(DAILY)
    place.run()
    place.at("2026-11-27T08:00")
    (run,) = place.run().jobs
    assert (run.slots, run.state, str(run.due_at), str(run.first_due_at)) == (
        4,
        "done",
        "2026-11-27 01:00:00",
        "2026-11-24 01:00:00",
    )
