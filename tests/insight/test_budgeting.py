"""The budget report: a channel that flattens gives way to one that does not, and every amount adds up."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sfactl.api.errors import UserError
from sfactl.config.settings import Settings
from sfactl.insight import usecases
from sfactl.insight.model import Scope
from sfactl.session import FixedClock, Session, open_session

MONTHS = [date(2025, month, 1) for month in range(1, 11)]
SPENT = {
    "ads": [500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500, 5000],
    "fair": [200, 250, 300, 350, 400, 450, 500, 550, 600, 650],
    "radio": [100, 120],
}


def leads_of(channel: str, spent: float) -> int:
    return round(60 * (1 - math.exp(-spent / 800))) if channel == "ads" else round(spent / 20)


@pytest.fixture(scope="module")
def shop(written: Callable[..., Path]) -> Path:
    costs, leads = [], []
    for channel, amounts in SPENT.items():
        for month, amount in zip(MONTHS, amounts, strict=False):
            # The whole month in one row: it is spread over its days and must come back whole.
            until = (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
            costs.append(
                {
                    "cost_id": f"{channel}-{month}",
                    "channel": channel,
                    "amount": Decimal(amount),
                    "currency": "USD",
                    "spent_on": month,
                    "spent_until": until,
                }
            )
            at = datetime(month.year, month.month, 15, 12)
            leads += [
                {"lead_id": len(leads) + n, "channel": channel, "created_at": at, "status": "new"}
                for n in range(1, leads_of(channel, amount) + 1)
            ]
    return written({"costs": costs, "leads": leads})


@pytest.fixture
def asked(shop: Path) -> Session:
    return open_session(
        shop, settings=Settings(), command="t", actor="t", clock=FixedClock(datetime(2025, 11, 20)), quiet=True
    )


def test_money_moves_to_where_it_brings_more(asked: Session) -> None:
    with asked:
        sheet = usecases.budget(asked, Decimal(3000))
    rows = {row["channel"]: row for row in sheet.table.to_pylist()}
    assert rows["ads"]["spent"] == Decimal(2750)
    assert rows["ads"]["note"] == "flattens"
    assert rows["fair"]["note"].startswith("straight line")
    # One more lead costs 20 at the fair; where the ads cost as much is where their share ends.
    assert float(rows["fair"]["next_costs"]) == pytest.approx(20, rel=0.05)
    where_equal = 800 * math.log(60 / 800 * 20)
    assert float(rows["ads"]["proposed"]) >= where_equal * 0.85
    assert float(rows["fair"]["proposed"]) == pytest.approx(650 * 1.5, rel=0.05)
    assert rows["radio"]["proposed"] is None
    assert "fewer than 3 periods" in rows["radio"]["note"]
    assert sum(row["proposed"] or 0 for row in rows.values()) <= 3000


def test_what_no_channel_was_tried_with_is_left_over(asked: Session) -> None:
    with asked:
        sheet = usecases.budget(asked, Decimal(1_000_000))
    assert "left over" in sheet.warnings[-1]


def test_without_a_total_it_is_what_was_spent(asked: Session) -> None:
    with asked:
        sheet = usecases.budget(asked)
        quarter = usecases.budget(asked, every="quarter", scope=Scope(since=date(2025, 4, 1), until=date(2025, 9, 30)))
    spent = sum(sum(amounts) for amounts in SPENT.values()) / len(MONTHS)
    assert f"{spent:,.2f} USD a month" in sheet.title
    rows = {row["channel"]: row for row in quarter.table.to_pylist()}
    assert (rows["ads"]["periods"], rows["ads"]["spent"]) == (2, Decimal(sum(SPENT["ads"][3:9])) / 2)


def test_without_costs_there_is_nothing_to_share_out(written: Callable[..., Path]) -> None:
    folder = written({})
    with open_session(
        folder, settings=Settings(), command="t", actor="t", clock=FixedClock(datetime(2025, 11, 20)), quiet=True
    ) as session:
        assert usecases.budget(session, Decimal(100)).table.num_rows == 0


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        ({"by": "chanel"}, "--by: there is no 'chanel'. Did you mean 'channel'"),
        ({"every": "day"}, "--every: there is no 'day'"),
        ({"to": "win"}, "--result: there is no 'win'. Did you mean 'won'"),
        ({"total": Decimal(0)}, "--total: 0 is not an amount to share out"),
    ],
    ids=["by", "every", "result", "total"],
)
def test_what_does_not_exist_is_named(asked: Session, asks: dict[str, object], said: str) -> None:
    with asked, pytest.raises(UserError, match=said.replace("(", r"\(")):
        usecases.budget(asked, **asks)  # type: ignore[arg-type]
