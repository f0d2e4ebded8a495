"""Cohorts, win rates and sources: against code of another kind on real data, and against the rows they drill into."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from sfactl.api.errors import UserError
from sfactl.config.settings import Settings, WorkspaceSettings
from sfactl.insight import usecases
from sfactl.insight.model import Scope
from sfactl.session import FixedClock, Session, open_session

Rows = list[dict[str, object]]


def opened(folder: Path, *, at: datetime = datetime(2028, 1, 1), zone: str = "UTC") -> Session:
    settings = Settings(workspace=WorkspaceSettings(time_zone=zone))
    return open_session(folder, settings=settings, command="test", actor="tester", clock=FixedClock(at), quiet=True)


@pytest.fixture(scope="module")
def funnel_files(shared_data: Path) -> tuple[Rows, Rows]:
    folder = shared_data / "olist_funnel"
    with (folder / "mql_2017.csv").open() as leads, (folder / "closed_deals_2017mql.csv").open() as deals:
        return list(csv.DictReader(leads)), list(csv.DictReader(deals))


@pytest.fixture(scope="module")
def marketplace(funnel_files: tuple[Rows, Rows], written: Callable[..., Path]) -> Path:
    leads, deals = funnel_files
    number = {row["mql_id"]: n for n, row in enumerate(leads, 1)}
    return written(
        {
            "leads": [
                {
                    "lead_id": number[row["mql_id"]],
                    "source": row["origin"] or None,
                    "first_contact_on": date.fromisoformat(str(row["first_contact_date"])),
                    "created_at": datetime(2019, 1, 1),
                }
                for row in leads
            ],
            "opportunities": [
                {
                    "opportunity_id": n,
                    "lead_id": number[row["mql_id"]],
                    "category": "won",
                    "pipeline": "p",
                    "created_at": datetime.fromisoformat(str(row["won_date"])),
                    "closed_at": datetime.fromisoformat(str(row["won_date"])),
                }
                for n, row in enumerate(deals, 1)
            ],
        }
    )


def test_real_sources_convert_as_counted_by_hand(marketplace: Path, funnel_files: tuple[Rows, Rows]) -> None:
    leads, deals = funnel_files
    won = {row["mql_id"] for row in deals}
    met = Counter(str(row["origin"] or "unknown") for row in leads)
    hits = Counter(str(row["origin"] or "unknown") for row in leads if row["mql_id"] in won)
    with opened(marketplace) as session:
        report = usecases.source(session)
        assert {p.part: (p.share.of, p.share.hits) for p in report.parts} == {s: (met[s], hits[s]) for s in met}
        assert (report.total.of, report.total.hits) == (len(leads), len(won))
        directions = usecases.source(session, by="direction")
        assert sum(p.share.of for p in directions.parts) == len(leads)


def test_a_real_cohort_ages_as_counted_by_hand(marketplace: Path, funnel_files: tuple[Rows, Rows]) -> None:
    leads, deals = funnel_files
    won_on = {row["mql_id"]: datetime.fromisoformat(str(row["won_date"])).date() for row in deals}
    seen_on = date(2018, 3, 31)
    with opened(marketplace) as session:
        scope = Scope(valid_at=datetime(2018, 3, 31, 23, 59, 59, 999_999))
        table = usecases.cohort(session, scope=scope).table.to_pylist()
    assert table
    for row in table:
        mine = [r for r in leads if str(r["first_contact_date"])[:7] == row["month"]]
        aged = [
            (won_on[r["mql_id"]] - date.fromisoformat(str(r["first_contact_date"]))).days
            for r in mine
            if r["mql_id"] in won_on and won_on[r["mql_id"]] <= seen_on
        ]
        newest = max(date.fromisoformat(str(r["first_contact_date"])) for r in mine)
        assert (row["leads"], row["ever"]) == (len(mine), len(aged))
        assert row["converted"] == sum(days <= row["days"] for days in aged)
        over = date(newest.year + newest.month // 12, newest.month % 12 + 1, 1) <= seen_on + timedelta(days=1)
        assert row["complete"] == (over and newest + timedelta(days=row["days"]) <= seen_on)


def test_what_happened_later_does_not_leak_in(marketplace: Path) -> None:
    with opened(marketplace) as session:
        totals = [
            usecases.source(session, scope=Scope(valid_at=datetime(2018, month, 1))).total for month in range(1, 8)
        ]
        assert [t.hits for t in totals] == sorted(t.hits for t in totals)
        assert totals[0].hits < totals[-1].hits
        assert totals[-1] == usecases.source(session, scope=Scope(valid_at=datetime(2018, 7, 1))).total
        assert (
            usecases.source(session, scope=Scope(valid_at=datetime(2025, 1, 1))).total == usecases.source(session).total
        )


@pytest.mark.parametrize(("by", "to"), [("source", "won"), ("direction", "sql"), ("month", "paid")])
def test_source_cells_are_the_rows_behind_them(session: Session, by: str, to: str) -> None:
    report = usecases.source(session, by=by, to=to)
    for part in report.parts:
        for column, number in {"leads": part.share.of, to: part.share.hits, "under_way": part.under_way}.items():
            assert usecases.source_drill(session, f"{part.part}/{column}", by=by, to=to).num_rows == number
    assert usecases.source_drill(session, f"all/{to}", by=by, to=to).num_rows == report.total.hits


def test_cohort_cells_are_the_rows_behind_them(session: Session) -> None:
    ever = {p.part: p.share.hits for p in usecases.source(session, by="quarter", to="opportunity").parts}
    for row in usecases.cohort(session, by="quarter", to="opportunity").table.to_pylist():
        cell = f"{row['quarter']}/{row['days']}"
        assert usecases.cohort_drill(session, cell, by="quarter", to="opportunity").num_rows == row["converted"]
        assert row["ever"] == ever[row["quarter"]]


def test_window_cells_are_the_rows_behind_them(session: Session) -> None:
    sheet = usecases.cohort_window(session, "60 days", to="opportunity")
    for row in sheet.table.to_pylist():
        for column in ("leads", "mature", "converted"):
            cell = f"{row['month']}/{column}"
            assert usecases.cohort_drill(session, cell, to="opportunity", window="60 days").num_rows == row[column]
    assert sheet.total is not None
    assert sheet.total["leads"] == usecases.source(session).total.of


@pytest.mark.parametrize("by", ["rep", "source", "month", "pipeline"])
def test_win_rates_add_up_and_drill(session: Session, by: str) -> None:
    sheet = usecases.winrate(session, by=by)
    assert sheet.total is not None
    for column in ("deals", "won", "lost", "closed"):
        assert usecases.winrate_drill(session, f"all/{column}", by=by).num_rows == sheet.total[column]
        for row in sheet.table.to_pylist():
            assert usecases.winrate_drill(session, f"{row[by]}/{column}", by=by).num_rows == row[column]
    closed = usecases.winrate(session, by=by, denominator="closed").total
    assert closed is not None
    assert closed["rate"] == closed["won"] / closed["closed"] > sheet.total["rate"]
    assert sum(r["won"] for r in usecases.winrate(session, by=by).table.to_pylist()) == sheet.total["won"]


def test_days_are_those_of_the_workspaces_zone(written: Callable[..., Path]) -> None:
    folder = written({"leads": [{"lead_id": 1, "created_at": datetime(2026, 12, 31, 20)}]})
    for zone, day, week in (("UTC", "2026-12", "2026-W53"), ("Asia/Taipei", "2027-01", "2026-W53")):
        with opened(folder, zone=zone) as session:
            assert [f.part for f in usecases.funnel(session, by="month").funnels] == [day]
            assert [f.part for f in usecases.funnel(session, by="week").funnels] == [week]


def test_nothing_is_no_rate(empty: Session) -> None:
    assert usecases.cohort(empty).table.num_rows == 0
    assert usecases.cohort_window(empty, "30 days").table.num_rows == 0
    sheet = usecases.winrate(empty)
    assert sheet.total is not None
    assert sheet.total["rate"] is None


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s: usecases.source_drill(s, "expo/wun"), "Did you mean 'won'"),
        (lambda s: usecases.source_drill(s, "exxpo/won"), "Did you mean 'expo'"),
        (lambda s: usecases.source(s, to="opportunty"), "Did you mean 'opportunity'"),
        (lambda s: usecases.cohort(s, by="mont"), "Did you mean 'month'"),
        (lambda s: usecases.cohort_window(s, "3 months"), "no fixed length"),
        (lambda s: usecases.winrate(s, by="repp"), "Did you mean 'rep'"),
        (lambda s: usecases.winrate(s, denominator="open"), "Choose from all, closed"),
        (lambda s: Scope(since=date(2026, 2, 1), until=date(2026, 1, 1)), "later than"),
    ],
    ids=["column", "row", "outcome", "cohort", "window", "part", "denominator", "dates"],
)
def test_wrong_names_are_answered_with_the_nearest(
    session: Session, call: Callable[[Session], object], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        call(session)


LAYOUT = """schema = 1
[[stages]]
name = "線索與資源"
[[stages]]
name = "asked"
where = "has(touchpoints) filter (where kind = 'form_submit')"
[[stages]]
name = "service"
stage = "order"
[[stages]]
name = "won"
stage = "won"
"""


@pytest.fixture
def layouts(session: Session) -> Path:
    folder = session.folder / "funnels"
    folder.mkdir(exist_ok=True)
    return folder


def test_a_funnel_of_ones_own_order(session: Session, layouts: Path) -> None:
    (layouts / "own.toml").write_text(LAYOUT, encoding="utf-8")
    stages = {s.stage: s.leads for s in usecases.layout_funnel(session, "own").funnels[0].stages}
    assert list(stages) == ["線索與資源", "asked", "service", "won"]
    assert list(stages.values()) == sorted(stages.values(), reverse=True)
    assert stages["線索與資源"] == usecases.source(session).total.of
    assert stages["won"] == usecases.source(session).total.hits
    parts = usecases.layout_funnel(session, "own", by="source").funnels
    assert sum(f.stages[1].leads for f in parts) == stages["asked"] >= stages["won"] > 0
    for name, leads in stages.items():
        assert usecases.layout_drill(session, "own", name).num_rows == leads


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[stages]]\nname = "a"\nwhere = "true"', "the first stage is all leads"),
        ('[[stages]]\nname = "a"\n[[stages]]\nname = "b"', "write stage or where"),
        ('[[stages]]\nname = "a"\n[[stages]]\nname = "a"\nstage = "won"', "is there twice"),
        ('[[stages]]\nname = "a"\n[[stages]]\nname = "b"\nstage = "wun"', "there is no 'wun'"),
        ('[[stages]]\nname = "a"\n[[stages]]\nname = "b"\nwhere = "contry = 1"', 'Did you mean "country"'),
    ],
    ids=["first", "nothing said", "twice", "unknown stage", "condition"],
)
def test_a_wrong_layout_names_file_and_stage(session: Session, layouts: Path, text: str, says: str) -> None:
    (layouts / "wrong.toml").write_text(f"schema = 1\n{text}\n", encoding="utf-8")
    with pytest.raises(UserError, match=says):
        usecases.layout_funnel(session, "wrong")
    (layouts / "wrong.toml").unlink()
