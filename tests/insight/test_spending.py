"""Costs, returns, referrers and output by rep: worked by hand, with rates that are missing and days off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sfactl.api.errors import UserError
from sfactl.config.settings import Settings, WorkspaceSettings
from sfactl.insight import usecases
from sfactl.insight.model import Scope
from sfactl.session import FixedClock, Session, open_session

NOON = datetime(2026, 3, 2, 12)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def shop(written: Callable[..., Path]) -> Path:
    def lead(number: int, channel: str | None, **more: object) -> dict[str, object]:
        return {"lead_id": number, "channel": channel, "created_at": NOON + number * DAY, "status": "new"} | more

    def cost(
        name: str, channel: str | None, amount: str, currency: str, day: date, until: date | None = None
    ) -> dict[str, object]:
        return {"cost_id": name, "channel": channel, "amount": Decimal(amount), "currency": currency, "spent_on": day, "spent_until": until or day}  # fmt: skip

    def deal(number: int, lead_id: int, amount: str, currency: str, day: datetime) -> dict[str, object]:
        return {"opportunity_id": number, "lead_id": lead_id, "owner": "mei", "category": "won", "amount": Decimal(amount), "currency": currency, "created_at": NOON, "closed_at": day}  # fmt: skip

    folder = written(
        {
            "leads": [
                lead(1, "cpc", referrer_kind="lead", referrer_id="90", referrer="Old Wang"),
                lead(2, "cpc", referrer_kind="lead", referrer_id="3"),
                lead(3, "fair", event="Medica", full_name="Mei Lin", referrer="somebody"),
                lead(4, None, referrer_kind="rep", referrer_id="mei"),
            ],
            "record_aliases": [{"entity": "lead", "id": 90, "into_id": 3, "root_id": 3, "merge_id": 1}],
            "opportunities": [deal(1, 1, "500", "USD", NOON + 9 * DAY), deal(2, 4, "100", "EUR", NOON + 9 * DAY)],
            "costs": [
                cost("a", "cpc", "100", "USD", date(2026, 3, 3)),
                cost("b", "cpc", "1000", "JPY", date(2026, 3, 4)),
                cost("c", "cpc", "1000", "JPY", date(2026, 3, 20)),
                cost("d", "fair", "310", "USD", date(2026, 3, 1), date(2026, 3, 31)),
                cost("e", "radio", "50", "USD", date(2026, 3, 3)),
                cost("f", None, "7", "CHF", date(2026, 3, 3)),
            ],
            "rates": [
                {"base": "USD", "currency": "JPY", "rated_on": date(2026, 3, 3), "rate": Decimal(100)},
                {"base": "USD", "currency": "JPY", "rated_on": date(2026, 3, 20), "rate": Decimal(200)},
                {"base": "USD", "currency": "EUR", "rated_on": date(2026, 3, 11), "rate": Decimal("0.5")},
            ],
            "reps": [
                {"rep_id": "mei", "active": True, "name": "Mei", "calendar": None},
                {"rep_id": "part", "active": True, "name": "Part", "calendar": "half"},
                {"rep_id": "gone", "active": False, "name": "Gone", "calendar": None},
            ],
            "absences": [{"rep_id": "mei", "starts_at": datetime(2026, 3, 2, 12), "ends_at": datetime(2026, 3, 4)}],
            "touchpoints": [
                {"event_id": "1", "at": NOON, "kind": "call", "direction": "outbound", "actor": "mei", "lead_id": 1},
                {
                    "event_id": "2",
                    "at": NOON + 5 * DAY,
                    "kind": "call",
                    "direction": "outbound",
                    "actor": "part",
                    "lead_id": 1,
                },
                {
                    "event_id": "3",
                    "at": NOON,
                    "kind": "email",
                    "direction": "outbound",
                    "actor": "campaign:x",
                    "lead_id": 1,
                },
            ],
        }
    )
    (folder / "calendars").mkdir()
    hours = "schema = 1\n[hours]\n" + "".join(
        f'{day} = ["{{}}"]\n' for day in ("monday", "tuesday", "wednesday", "thursday", "friday")
    )
    (folder / "calendars" / "office.toml").write_text(hours.replace("{}", "08:00-16:00"))
    (folder / "calendars" / "half.toml").write_text(hours.replace("{}", "08:00-12:00"))
    return folder


@pytest.fixture
def asked(shop: Path) -> Session:
    made = Settings(workspace=WorkspaceSettings(currency="USD"))
    return open_session(
        shop, settings=made, command="t", actor="t", clock=FixedClock(datetime(2026, 4, 10)), quiet=True
    )


def test_each_cost_at_the_rate_of_its_own_day(asked: Session) -> None:
    with asked:
        rows = {r["channel"]: r for r in usecases.roi(asked).table.to_pylist()}
        cpc = rows["cpc"]
        assert (cpc["leads"], cpc["customers"], cpc["cost"], cpc["cpl"], cpc["cac"]) == (
            2,
            1,
            115,
            Decimal("57.50"),
            115,
        )
        assert (cpc["revenue"], cpc["return_rate"]) == (500, pytest.approx(385 / 115))
        assert (rows["radio"]["leads"], rows["radio"]["cost"], rows["radio"]["cpl"], rows["radio"]["cac"]) == (
            0,
            50,
            None,
            None,
        )
        assert rows["unknown"]["revenue"] == 200
        assert sum(r["leads"] for r in rows.values()) == usecases.source(asked).total.of
        assert sum(r["customers"] for r in rows.values()) == usecases.source(asked).total.hits


def test_a_missing_rate_is_named_and_spoils_only_its_part(asked: Session) -> None:
    with asked:
        sheet = usecases.roi(asked)
        (warning,) = sheet.warnings
        assert warning.startswith("costs of 7.0000 CHF (1 rows, 2026-03-03) have no rate to USD")
        unknown = next(r for r in sheet.table.to_pylist() if r["channel"] == "unknown")
        assert (unknown["cost"], unknown["cpl"]) == (0, None)


def test_a_cost_for_a_month_is_spread_over_its_days(asked: Session) -> None:
    with asked:
        scope = Scope(since=date(2026, 3, 1), until=date(2026, 3, 10))
        (fair,) = usecases.roi(asked, by="event", scope=scope).table.slice(0, 1).to_pylist()
        rows = {r["channel"]: r for r in usecases.roi(asked, scope=scope).table.to_pylist()}
        assert rows["fair"]["cost"] == 100
        assert rows["cpc"]["cost"] == 110
        assert fair["event"] == "none"


@pytest.mark.parametrize("column", ["leads", "customers", "cost", "revenue"])
def test_costs_are_the_rows_behind_them(asked: Session, column: str) -> None:
    with asked:
        for row in usecases.roi(asked).table.to_pylist():
            behind = usecases.roi_drill(asked, f"{row['channel']}/{column}").to_pylist()
            amount = {"cost": "cost", "revenue": "earned"}.get(column)
            found = sum(r[amount] or 0 for r in behind) if amount else len(behind)
            assert found == row[column]


def test_referrers_are_who_they_are_now(asked: Session) -> None:
    with asked:
        rows = {r["referrer"]: r for r in usecases.referral(asked).table.to_pylist()}
        assert {name: (r["name"], r["leads"], r["won"], r["revenue"]) for name, r in rows.items()} == {
            "lead:3": ("Mei Lin", 2, 1, 500),
            "rep:mei": ("Mei", 1, 1, 200),
            "somebody": ("somebody", 1, 0, 0),
        }
        assert usecases.referral_drill(asked, "lead:3/won")["lead_id"].to_pylist() == [1]


def test_days_at_work_leave_out_absence_and_count_part_time(asked: Session) -> None:
    with asked:
        week = Scope(since=date(2026, 3, 2), until=date(2026, 3, 8))
        sheet = usecases.people(asked, calendar="office", scope=week)
        rows = {r["rep"]: r for r in sheet.table.to_pylist()}
        assert rows["mei"]["active"] == pytest.approx(3.5), "half of Monday and all of Tuesday were off"
        assert rows["part"]["active"] == pytest.approx(2.5)
        assert (rows["mei"]["touches"], rows["mei"]["opportunities"]) == (1, 2)
        assert rows["mei"]["touches_a_day"] == pytest.approx(1 / 3.5)
        assert "gone" not in rows
        days = usecases.people_drill(asked, "mei/active", calendar="office", scope=week).to_pylist()
        assert sum(d["worked"] for d in days) == pytest.approx(3.5)
        assert sum(d["away"] for d in days) == pytest.approx(1.5)
        assert usecases.people_drill(asked, "part/touches", scope=week).num_rows == rows["part"]["touches"] == 1
        empty = usecases.people(asked, calendar="office", scope=Scope(since=date(2026, 3, 7), until=date(2026, 3, 8)))
        assert {r["rep"]: r["touches_a_day"] for r in empty.table.to_pylist()} == {"part": None}, "no day, no rate"


def test_business_time_leaves_out_nights(asked: Session) -> None:
    with asked:
        rows = {r["step"]: r for r in usecases.speed(asked, clock="business", calendar="office").table.to_pylist()}
        # Lead 1 came on Tuesday at noon, when it had been called already; deal won on the Wednesday of the week after.
        assert rows["lead to first touch"]["done"] == 1
        won = usecases.speed_drill(asked, "lead to won/done", clock="business", calendar="office").to_pylist()
        assert {r["lead_id"]: r["seconds"] / 3600 for r in won}[1] == 4 + 3 * 8 + 2 * 8 + 4
        with pytest.raises(UserError, match="Which working time counts"):
            usecases.speed(asked, clock="business")
        with pytest.raises(UserError, match="no calendar 'offcie'"):
            usecases.speed(asked, clock="business", calendar="offcie")


def test_nothing_spent_and_nobody_at_work(empty: Session) -> None:
    assert usecases.roi(empty).table.num_rows == 0
    assert usecases.referral(empty).table.num_rows == 0
    assert usecases.people(empty).table.num_rows == 0
    with pytest.raises(UserError, match="Did you mean 'channel'"):
        usecases.roi(empty, by="chanel")
