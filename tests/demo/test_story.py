"""The year of the made-up seller: every step happens, the numbers agree with one another, and the seed decides all."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from sfactl.cli.init import create
from sfactl.config.layers import load_settings
from sfactl.demo.story import Told, accountant, tell
from sfactl.demo.world import World
from sfactl.insight import usecases as insight
from sfactl.session import FixedClock, Session, open_session

pytestmark = pytest.mark.slow

WORLD = World(leads=300, events=6_000, seed=4)


def opened(folder: Path, world: World) -> tuple[Session, FixedClock]:
    clock = FixedClock(world.closes_at)
    settings = load_settings(folder)
    return open_session(folder, settings=settings, command="demo", actor="demo", clock=clock, quiet=True), clock


def lived(folder: Path, world: World) -> Told:
    create(folder, preset="b2b")
    session, clock = opened(folder, world)
    with session:
        return tell(session, clock, world)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Told]:
    folder = tmp_path_factory.mktemp("story") / "demo"
    return folder, lived(folder, WORLD)


def test_every_step_happened(year: tuple[Path, Told]) -> None:
    counts = year[1].counts
    assert counts["rows"] == counts["new"] + counts["updated"] + counts["unchanged"] + counts["rejected"] == WORLD.leads
    for step in (
        "touches",
        "entered",
        "strategy_mails",
        "tasks",
        "mails",
        "held",
        "mql",
        "sql",
        "converted",
        "quotes",
        "orders",
        "invoices",
    ):
        assert counts[step] > 0, step
    assert counts["mql"] >= counts["sql"] >= counts["converted"] >= counts["quotes"] >= counts["orders"]
    assert counts["orders"] == counts["pushed"] == counts["invoices"] >= counts["payments"]


def test_report_agrees_with_what_was_done(year: tuple[Path, Told]) -> None:
    folder, told = year
    session, _ = opened(folder, World())
    with session:
        funnel = {s.stage: s.leads for s in insight.funnel(session).funnels[0].stages}
        turnover = insight.money(session).turnover
        owed = sum((a.amount for a in insight.ageing(session).ages), Decimal(0))
        verified = session.workspace.head()
    assert funnel["opportunity"] == told.counts["converted"]
    assert funnel["quote"] == told.counts["quotes"]
    assert funnel["order"] == told.counts["orders"]
    assert sum(t.ordered - t.paid for t in turnover) == owed
    assert verified > 20


def test_outside_effects_lie_in_their_folders(year: tuple[Path, Told]) -> None:
    folder, told = year
    assert len(list((folder / "outbox").rglob("*.eml"))) == told.counts["mails"] + told.counts["strategy_mails"]
    assert len(list((folder / "erp-files" / "orders").glob("*.json"))) == told.counts["orders"]
    assert Path(told.report).is_file()


def test_story_is_told_in_few_lines(year: tuple[Path, Told]) -> None:
    assert len(year[1].lines) == 11
    assert all(len(line) <= 120 for line in year[1].lines)
    assert not any(re.search(r"\bNone\b|nan", line) for line in year[1].lines)


def test_same_seed_lives_the_same_year(year: tuple[Path, Told], tmp_path: Path) -> None:
    again = lived(tmp_path / "again", WORLD)
    assert again.counts == year[1].counts
    assert again.lines == year[1].lines


def bill(pays: str = "on time", days: int | None = 0) -> accountant.Bill:
    return accountant.Bill(
        number="O-1",
        ordered_on=date(2026, 1, 10),
        currency="USD",
        amount=Decimal("100.01"),
        pays=pays,
        pay_days_after_due=days,
    )


@pytest.mark.parametrize(
    ("given", "on", "written"),
    [
        (bill(), date(2026, 1, 9), (0, 0)),
        (bill(), date(2026, 1, 10), (1, 0)),
        (bill(), date(2026, 2, 9), (1, 1)),
        (bill("late", 5), date(2026, 2, 9), (1, 0)),
        (bill("never", None), date(2027, 1, 1), (1, 0)),
    ],
    ids=["not yet ordered", "billed", "paid on the due day", "late", "never pays"],
)
def test_accountant_writes_what_happened_by_a_day(
    given: accountant.Bill, on: date, written: tuple[int, int], tmp_path: Path
) -> None:
    assert accountant.keep_books(tmp_path, [given], on) == written


def test_part_payments_are_rounded_to_the_cent() -> None:
    paid = bill("part", 3).payment
    assert paid == (date(2026, 2, 12), Decimal("40.00"))


def test_rounds_cover_the_year_without_gap() -> None:
    from sfactl.demo.story.year import ends_of_rounds, first_tuesday

    world = World()
    rounds = ends_of_rounds(world.opens_at, world.closes_at, 5)
    assert rounds[0][0] == world.opens_at
    assert rounds[-1][1] == world.closes_at
    assert all(a[1] == b[0] for a, b in pairwise(rounds))
    assert all(first_tuesday(datetime(2026, 1, day)).weekday() == 1 for day in range(1, 15))
    assert first_tuesday(datetime(2026, 1, 6)) > date(2026, 1, 6)
