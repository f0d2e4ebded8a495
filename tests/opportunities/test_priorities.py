"""Deals in the order of expected value an hour: what decides, ties by number, and what has no place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import NotFound, UserError
from sfactl.cli.main import main
from sfactl.opportunities.usecases import deals
from sfactl.opportunities.usecases.prioritizing import prioritize
from sfactl.session import Session
from tests.retail_world import workspace

NOW = datetime(2026, 11, 21, 9)
STAGES = """
schema = 1
[[stages]]
name = "early"
probability = 0.1
[[stages]]
name = "late"
probability = 0.5
effort_h = 4
[[stages]]
name = "won"
category = "won"
probability = 1.0
[[stages]]
name = "lost"
category = "lost"
probability = 0.0
"""


def deal(number: int, stage: str, amount: int | None, **more: Any) -> dict[str, Any]:
    chances = {"early": 0.1, "late": 0.5, "won": 1.0}
    row = {"opportunity_id": number, "name": f"Deal {number}", "pipeline": "opportunity", "stage": stage}
    row |= {"category": "open" if stage != "won" else "won", "probability": chances[stage], "amount": amount}
    return row | {"currency": "USD"} | more


DEALS = [
    deal(1, "early", 8000),  # 0.1 × 8000 / 8 h = 100
    deal(2, "late", 800),  # 0.5 × 800 / 4 h = 100: a tie
    deal(3, "late", 1000, effort_h=50.0),  # 10
    deal(4, "early", 8000, probability=0.9),  # 900, as its owner believes
    deal(5, "late", None),
    deal(6, "late", 100, currency="XAU"),
    deal(7, "late", 1000, currency="EUR", owner="mei"),  # 0.5 × 1000 × 1.1 / 4 = 137.5
    deal(8, "won", 1_000_000),
    deal(9, "late", 1_000_000, disqualified_reason="too far"),
]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages" / "opportunity.toml").write_text(STAGES, encoding="utf-8")
    with workspace(tmp_path, NOW) as opened:
        schemas = opened.workspace.schemas
        with opened.write("opportunities", "rates") as tx:
            tx.upsert(
                "opportunities", pa.Table.from_pylist(DEALS, schema=_with_decimals(schemas["opportunities"].arrow()))
            )
            rate = {"base": "EUR", "currency": "USD", "rated_on": date(2026, 11, 20), "rate": 1.1}
            tx.upsert("rates", pa.Table.from_pylist([rate]))
            tx.commit()
        yield opened


def _with_decimals(schema: pa.Schema) -> pa.Schema:
    """The amounts of this test are whole numbers."""
    return pa.schema([pa.field("amount", pa.int64()) if f.name == "amount" else f for f in schema])


def test_the_order(session: Session) -> None:
    found = prioritize(session)
    rows = found.rows.to_pylist()
    assert [(row["opportunity_id"], row["per_hour"]) for row in rows] == [
        (4, 900.0),
        (7, 137.5),
        (1, 100.0),
        (2, 100.0),
        (3, 10.0),
        (5, None),
        (6, None),
    ]
    assert [row["place"] for row in rows] == [1, 2, 3, 4, 5, None, None]
    assert [row["wanting"] for row in rows[-2:]] == ["no amount", "no rate for XAU"]
    assert [(row["hours"], row["hours_from"]) for row in rows[:5]] == [
        (8.0, "default"),
        (4.0, "stage"),
        (8.0, "default"),
        (4.0, "stage"),
        (50.0, "deal"),
    ]
    assert [row["hours_so_far"] for row in rows[:5]] == [8, 12, 20, 24, 74]
    assert [row["p_win_from"] for row in rows[:2]] == ["deal", "stage"]
    assert (found.deals, found.ranked, found.hours, found.currency) == (7, 5, 74.0, "USD")


def test_by_owner_and_with_other_hours(session: Session) -> None:
    assert [row["opportunity_id"] for row in prioritize(session, owner="mei").rows.to_pylist()] == [7]
    by_effort = {row["opportunity_id"]: row["per_hour"] for row in prioritize(session, effort_h=16).rows.to_pylist()}
    assert (by_effort[1], by_effort[2]) == (50.0, 100.0)
    with pytest.raises(NotFound):
        prioritize(session, pipeline="renewal")


def test_hours_are_set_by_hand(session: Session) -> None:
    deals.change(session, "opp:1", {"effort_h": "0.5"})
    assert prioritize(session).rows.to_pylist()[0]["opportunity_id"] == 1
    for wrong in ("0", "-3", "soon"):
        with pytest.raises(UserError, match="effort_h"):
            deals.change(session, "opp:1", {"effort_h": wrong})


def test_what_people_read(
    session: Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFACTL_NOW", NOW.isoformat())
    monkeypatch.setenv("COLUMNS", "140")
    (session.folder / "sfactl.toml").write_text("schema = 1\n", encoding="utf-8")
    session.close()
    assert main(["-w", str(session.folder), "opp", "prioritize", "--explain", "--hours", "20", "--limit", "4"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "7 open deals: 9,450 USD expected for 74 hours, by value an hour at the rates of 2026-11-21"
    assert said[5].strip() == "0.5 (stage) × 1,000.00 EUR × 1.1 USD/EUR = 550.00 USD ÷ 4 h (stage) = 137.50 USD an hour"
    assert [line for line in said if "hours end here" in line] == ["  ──────── 20 hours end here"]
    assert said.index("  ──────── 20 hours end here") == 8
    assert said[-1] == "  2 deals without an amount, a chance or a rate cannot be placed"


def test_no_deals(tmp_path: Path) -> None:
    with workspace(tmp_path, NOW) as session:
        assert (prioritize(session).deals, prioritize(session).hours) == (0, 0)
