"""Reports agree with one another, and a win goes to the first source whatever happened to the record since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from sfactl.config.settings import Settings
from sfactl.identity.usecases.merge import merge
from sfactl.insight import usecases
from sfactl.insight.attribution import Question
from sfactl.insight.model import STAGES, Scope
from sfactl.session import FixedClock, Session, open_session

NOON = datetime(2026, 3, 2, 12)


@pytest.mark.parametrize(
    "scope", [Scope(), Scope(since=date(2026, 3, 1), until=date(2026, 8, 31))], ids=["all", "part"]
)
def test_all_reports_count_the_same_leads(session: Session, scope: Scope) -> None:
    stages = {s.stage: s.leads for s in usecases.funnel(session, scope=scope).funnels[0].stages}
    source = usecases.source(session, to="opportunity", scope=scope).total
    won = usecases.source(session, scope=scope).total
    assert (source.of, source.hits) == (stages["lead"], stages["opportunity"])
    cohorts = {
        r["quarter"]: r for r in usecases.cohort(session, by="quarter", to="opportunity", scope=scope).table.to_pylist()
    }
    assert sum(r["leads"] for r in cohorts.values()) == source.of
    assert sum(r["ever"] for r in cohorts.values()) == source.hits
    credit = usecases.attribution(session, Question(to="opportunity", model="shapley"), scope=scope).total
    spent = usecases.roi(session, scope=scope).total
    assert credit is not None
    assert spent is not None
    assert credit["shapley"] == source.hits
    assert (spent["leads"], spent["sql"], spent["customers"]) == (source.of, stages["sql"], won.hits)
    speed = {r["step"]: r for r in usecases.speed(session, scope=scope).table.to_pylist()}
    assert speed["lead to mql"]["begun"] == source.of
    asleep = usecases.sleeping(session, scope=scope).total
    assert asleep is not None
    assert asleep["open"] <= source.of - source.hits
    assert list(stages) == list(STAGES)


def test_a_win_goes_to_the_first_source_after_merging_and_converting(written: Callable[..., Path]) -> None:
    folder = written(
        {
            "leads": [
                {"lead_id": 1, "source": "expo", "email": "a@b.example", "created_at": NOON, "updated_at": NOON, "status": "new"},
                {"lead_id": 2, "source": "google", "email": "c@d.example", "created_at": NOON + timedelta(days=9), "updated_at": NOON + timedelta(days=20),
                 "status": "converted", "converted_at": NOON + timedelta(days=20), "opportunity_id": 7},
            ],
            "opportunities": [
                {"opportunity_id": 7, "lead_id": 2, "source": "google", "category": "won", "created_at": NOON + timedelta(days=20), "closed_at": NOON + timedelta(days=40)}
            ],
        }
    )  # fmt: skip
    clock = FixedClock(NOON + timedelta(days=60))
    with open_session(folder, settings=Settings(), command="t", actor="t", clock=clock, quiet=True) as session:
        before = {p.part: (p.share.hits, p.share.of) for p in usecases.source(session).parts}
        assert before == {"expo": (0, 1), "google": (1, 1)}
        merge(session, "lead", ["lead:1", "lead:2"])
        after = {p.part: (p.share.hits, p.share.of) for p in usecases.source(session).parts}
        assert after == {"expo": (1, 1)}
        assert usecases.winrate(session, by="source").table["source"].to_pylist() == ["expo"]
