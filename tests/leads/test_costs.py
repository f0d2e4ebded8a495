"""Costs of channels and exchange rates: every row accounted for, told again without doubling, nothing guessed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import ConfigError, DataError, UserError
from sfactl.leads import usecases
from sfactl.leads.model import FileImport

PRESETS = Path(__file__).resolve().parents[2] / "configs" / "b2b" / "mappings"
GOOGLE = """Campaign report
"May 1, 2026 - May 3, 2026"
Campaign,Campaign ID,Day,Currency code,Impr.,Clicks,Cost
Brand,1,2026-05-01,TWD,"1,000",20,"1,234.50"
Brand,1,2026-05-02,twd,800,12,900
Lasers,2,2026-05-01,XXY,500,3,45.10
Lasers,2,2026-05-01,TWD,500,3,45.10
Lasers,2,2026-05-01,TWD,500,3,4.90
Total: Account,,,TWD,"2,300",35,"2,179.60"
"""


def load(desk: Any, content: str, name: str = "costs.csv", *, dry_run: bool = False, **options: Any) -> FileImport:
    with desk.session(dry_run=dry_run) as session:
        (done,) = usecases.import_costs(session, [desk.write(name, content)], **options).files
    return done


def rate(desk: Any, content: str, **options: Any) -> FileImport:
    with desk.session() as session:
        (done,) = usecases.import_rates(session, [desk.write("fx.csv", content)], **options).files
    return done


def counts(done: FileImport) -> tuple[int, int, int, int, int]:
    return done.rows, done.new, done.updated, done.unchanged, done.rejected


class TestCosts:
    def test_a_report_is_accounted_for_and_told_again(self, desk: Any) -> None:
        done = load(desk, GOOGLE, source="google-ads")
        assert counts(done) == (5, 4, 0, 0, 1)
        assert [r.reason for r in done.reasons] == ["currency XXY is not known (row 6)"]
        assert "1 row of totals left out" in done.notes
        assert desk.rows(
            "select campaign, amount, currency, clicks, source from costs order by spent_on, campaign"
        ) == [
            ("Brand", Decimal("1234.5000"), "TWD", 20, "google-ads"),
            ("Lasers", Decimal("50.0000"), "TWD", 6, "google-ads"),
            ("Brand", Decimal("900.0000"), "TWD", 12, "google-ads"),
        ]
        assert counts(load(desk, GOOGLE, source="google-ads")) == (5, 0, 0, 4, 1)

    def test_a_later_report_replaces_what_it_tells_again(self, desk: Any) -> None:
        load(desk, "Day,Campaign,Cost\n2026-05-01,A,10\n2026-05-02,A,5\n", currency="EUR")
        again = "Day,Campaign,Cost\n2026-05-02,A,8\n2026-05-03,a,9\n"
        assert counts(load(desk, again, "later.csv", currency="EUR")) == (2, 1, 1, 0, 0)
        assert desk.rows("select sum(amount)::double, count(*) from costs") == [(27.0, 3)]

    def test_an_id_of_the_platform_is_the_key(self, desk: Any) -> None:
        load(desk, "Invoice,Day,Cost\nF1,2026-05-01,10\nF2,2026-05-01,10\n", currency="TWD")
        assert desk.rows("select count(*) from costs") == [(2,)]

    def test_a_dry_run_writes_nothing(self, desk: Any) -> None:
        assert load(desk, GOOGLE, dry_run=True).new == 4
        assert desk.rows("select count(*) from costs") == [(0,)]

    @pytest.mark.parametrize(
        ("header", "options", "currency"),
        [
            ("Day,Amount spent (JPY)", {}, "JPY"),
            ("日期,金額（EUR）", {}, "EUR"),
            ("Day,Cost", {}, "USD"),
            ("Day,Cost", {"currency": "TWD"}, "TWD"),
        ],
        ids=["header", "header-zh", "workspace", "stated"],
    )
    def test_the_currency(self, desk: Any, header: str, options: dict[str, str], currency: str) -> None:
        done = load(desk, f"{header}\n2026-05-01,12.50\n", **options)
        assert desk.rows("select currency, amount::double from costs") == [(currency, 12.5)]
        assert any(currency in n for n in done.notes) is not bool(options)

    @pytest.mark.parametrize(
        ("content", "options", "error", "says"),
        [
            ("Day,Cost\n03/04/2026,5\n", {}, DataError, "day-month or month-day"),
            ("Day,Campaign\n2026-05-01,A\n", {}, ConfigError, "amount"),
            ("Cost,Campaign\n5,A\n", {}, ConfigError, "spent_on"),
            ("Day,Cost\n2026-05-01,5\n", {"currency": "TWX"}, UserError, "TWX"),
        ],
        ids=["day-or-month", "no-amount", "no-day", "currency"],
    )
    def test_nothing_is_guessed(self, desk: Any, content: str, options: Any, error: type[Exception], says: str) -> None:
        with pytest.raises(error, match=says):
            load(desk, content, **options)

    @pytest.mark.parametrize(
        ("preset", "content", "row"),
        [
            ("google-ads-cost", GOOGLE, ("google-ads", "cpc", "Brand", "TWD")),
            (
                "meta-ads-cost",
                "Campaign name,Reporting starts,Reporting ends,Amount spent (USD),Impressions,Link clicks\n"
                "Brand,2026-05-01,2026-05-31,100.20,900,4\n",
                ("meta", "paid-social", "Brand", "USD"),
            ),
            (
                "linkedin-ads-cost",
                "Start Date (in UTC),Account Name,Currency,Campaign Name,Campaign ID,Total Spent,Impressions,Clicks\n"
                "05/01/2026,Acme,EUR,Brand,77,100.20,900,4\n",
                ("linkedin", "paid-social", "Brand", "EUR"),
            ),
        ],
        ids=["google", "meta", "linkedin"],
    )
    def test_presets(self, desk: Any, preset: str, content: str, row: tuple[str, ...]) -> None:
        load(desk, content, mapping=str(PRESETS / f"{preset}.toml"))
        assert desk.rows("select source, channel, campaign, currency from costs order by campaign limit 1") == [row]
        with desk.session() as session, pytest.raises(ConfigError, match="is for costs"):
            usecases.import_files(session, [desk.write("x.csv", content)], mapping=str(PRESETS / f"{preset}.toml"))


class TestRates:
    def test_a_table_of_currencies(self, desk: Any) -> None:
        content = "Date,USD,TWD,BGN,\n2026-05-01,1.10,35.2,1.9558,\n2026-04-30,1.11,N/A,1.9558,\n"
        assert counts(rate(desk, content)) == (5, 5, 0, 0, 0)
        assert counts(rate(desk, content)) == (5, 0, 0, 5, 0)
        assert desk.rows("select base, currency, rate::double from rates where rated_on = '2026-04-30' order by 2") == [
            ("EUR", "BGN", 1.9558),
            ("EUR", "USD", 1.11),
        ]

    def test_one_rate_a_row(self, desk: Any) -> None:
        done = rate(desk, "date,from,to,rate\n2026-05-01,USD,TWD,32.1\n2026-05-01,USD,EUR,0\n2026-05-02,USD,???,3\n")
        assert counts(done) == (3, 1, 0, 0, 2)
        assert desk.rows("select base, currency, rate::double from rates") == [("USD", "TWD", 32.1)]

    @pytest.mark.parametrize("content", ["USD,TWD\n1,2\n", "Date,Note\n2026-05-01,x\n"], ids=["no-day", "no-rates"])
    def test_what_holds_no_rates(self, desk: Any, content: str) -> None:
        with pytest.raises(DataError):
            rate(desk, content)
