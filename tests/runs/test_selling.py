"""Campaigns and strategies that are due: applied, or left planned until somebody approves."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.campaigns import usecases as campaigns
from sfactl.runs import usecases
from sfactl.strategies import usecases as strategies

from .conftest import Place

CAMPAIGN = """
schema = 1
summary = "Spring"
where = "status = 'new'"
sender = "outbox"
from = "Acme <news@acme.example>"
unsubscribe = "mailto:u@acme.example?subject={key}"
approve_above = %d
[[steps]]
name = "invite"
template = "invite"
"""

STRATEGY = """
schema = 1
summary = "Call who is new"
state = "%s"
owner = "anna"
schedule = "0 9 * * mon-fri"
where = "status = 'new'"
approve_above = %d
minutes_saved = 5
[[steps]]
name = "call"
action = "task"
task = { kind = "call", title = "Call them", due = "1 day" }
"""

JOBS = '[run.campaigns.spring]\nschedule = "0 9 * * *"\n'


def add_leads(place: Place, first: int, last: int) -> None:
    now = datetime(2026, 11, 1)
    rows = [
        {"lead_id": n, "status": "new", "email": f"p{n}@x.example", "first_name": f"P{n}", "created_at": now}
        for n in range(first, last + 1)
    ]
    with place.session() as session, session.write("leads") as tx:
        tx.upsert("leads", pa.Table.from_pylist(rows))
        tx.commit()


@pytest.fixture
def shop(real_place: Place) -> Place:
    real_place.jobs(JOBS)
    real_place.write("senders/outbox.toml", 'schema = 1\nuse = "maildir"\n')
    real_place.write("campaigns/spring.toml", CAMPAIGN % 5)
    real_place.write("templates/invite.toml", 'schema = 1\nsubject = "Hi"\ntext = "Dear {{ lead.first_name }}"\n')
    real_place.write("strategies/calls.toml", STRATEGY % ("active", 5))
    add_leads(real_place, 1, 3)
    return real_place


def letters(place: Place) -> int:
    return sum(1 for p in place.folder.rglob("outbox/**/new/*") if p.is_file())


def tasks(place: Place) -> int:
    with place.session() as session, session.query() as query:
        return int((query.one("select count(*) from tasks") or (0,))[0])


def test_what_needs_no_approval_is_applied(shop: Place) -> None:
    summary = shop.run()
    assert {run.job: (run.state, dict(run.counts)) for run in summary.jobs} == {
        "strategy:calls": ("done", {"entered": 3, "moved": 3, "tasks": 3}),
        "campaign:spring": ("done", {"accepted": 3}),
    }
    assert (letters(shop), tasks(shop)) == (3, 3)
    with shop.session() as session:
        (saved,) = [s for s in usecases.savings(session) if s.minutes]
    assert (saved.job, saved.items, saved.minutes) == ("strategy:calls", 3, 15.0)
    add_leads(shop, 4, 4)
    shop.at("2026-11-24T01:00")
    assert shop.states() == {"strategy:calls": "done", "campaign:spring": "done"}
    assert (letters(shop), tasks(shop)) == (4, 4)


def test_what_needs_an_approval_waits_and_is_applied_once_it_has_it(shop: Place) -> None:
    shop.write("campaigns/spring.toml", CAMPAIGN % 2)
    shop.write("strategies/calls.toml", STRATEGY % ("active", 2))
    summary = shop.run()
    assert {run.state for run in summary.jobs} == {"waiting"}
    assert summary.well
    plans = {one.job: one.plan_id for one in summary.waiting}
    assert (
        f"needs an approval (3 messages): sfactl campaign approve {plans['campaign:spring'][:6]}"
        in summary.waiting[0].detail + summary.waiting[1].detail
    )
    again = shop.run()
    assert again.jobs == ()
    assert {one.plan_id for one in again.waiting} == set(plans.values())
    with shop.session() as session:
        campaigns.approve(session, plans["campaign:spring"])
        strategies.approve(session, plans["strategy:calls"])
    assert shop.states() == {"strategy:calls": "done", "campaign:spring": "done"}
    assert (letters(shop), tasks(shop)) == (3, 3)
    last = shop.run()
    assert (last.jobs, last.waiting) == ((), ())


def test_an_approved_plan_whose_data_moved_is_planned_anew(shop: Place) -> None:
    shop.write("campaigns/spring.toml", CAMPAIGN % 2)
    (first,) = shop.run(only=("campaign",)).waiting
    with shop.session() as session:
        campaigns.approve(session, first.plan_id)
    add_leads(shop, 4, 4)
    summary = shop.run(only=("campaign",))
    assert summary.jobs[0].state == "waiting"
    assert summary.waiting[0].plan_id != first.plan_id
    assert letters(shop) == 0


def test_the_higher_priority_comes_first(shop: Place) -> None:
    shop.write("strategies/vip.toml", "priority = 90\n" + STRATEGY % ("active", 5))
    shop.write("strategies/last.toml", "priority = 10\n" + STRATEGY % ("active", 5))
    due = shop.run(dry_run=True, only=("strategy",)).jobs
    assert [(run.job, run.state) for run in due] == [
        ("strategy:vip", "due"),
        ("strategy:calls", "due"),
        ("strategy:last", "due"),
    ]


def test_a_draft_is_planned_only(shop: Place) -> None:
    shop.write("strategies/calls.toml", STRATEGY % ("draft", 5))
    (run,) = shop.run(only=("strategy",)).jobs
    assert run.state == "nothing"
    assert "calls is a draft" in run.detail
    assert run.plan_id is not None
    assert tasks(shop) == 0


def test_a_strategy_rests_in_an_environment(shop: Place) -> None:
    shop.jobs("[env.dev.run.strategies.calls]\nactive = false\n")
    assert shop.states(env="dev") == {}
    assert shop.states(env=None) == {"strategy:calls": "done"}


def test_a_paused_campaign_does_nothing_and_says_so(shop: Place) -> None:
    with shop.session() as session:
        campaigns.pause(session, "spring")
    (run,) = shop.run(only=("campaign",)).jobs
    assert (run.state, run.detail) == ("nothing", "spring is paused by mei")


def test_a_plan_that_was_begun_is_gone_on_with(shop: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfactl.campaigns.usecases import delivery

    class Killed(BaseException):
        """Nothing catches it, as nothing catches a kill."""

    monkeypatch.setattr(delivery.Delivery, "send", lambda *_: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        shop.run(only=("campaign",))
    monkeypatch.undo()
    (run,) = shop.run(only=("campaign",)).jobs
    assert (run.attempt, letters(shop)) == (2, 3)
    assert (run.state, dict(run.counts), run.items) == ("done", {"accepted": 3}, 3)
    with shop.session() as session:
        assert [r.state for r in usecases.log(session)] == [run.state, "interrupted"]


def test_the_workspace_must_not_be_a_copy(shop: Place, tmp_path: Path) -> None:
    import shutil

    from sfactl.api.errors import PolicyError

    shutil.copytree(shop.folder, tmp_path / "copy")
    with pytest.raises(PolicyError, match="looks like a copy"):
        Place(folder=tmp_path / "copy", clock=shop.clock).run()
