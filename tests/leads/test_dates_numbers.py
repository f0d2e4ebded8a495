"""Dates and numbers: the order of day and month is decided over the column or stated, never guessed."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from sfactl.api.errors import DataError


def column(desk, values: list[str], mapping: str = "", **options: object) -> list[object]:
    """Import one date a row and answer what was stored, refused rows left out."""
    lines = "".join(f'{i},"{v}"\n' for i, v in enumerate(values))
    text = f'schema = 1\n[columns]\nexternal_id = "id"\nfirst_contact_on = "when"\n{mapping}'
    desk.load(f"id,when\n{lines}", text, **options)
    return [row[0] for row in desk.leads("first_contact_on")]


SETTLED = {
    "ISO": (["2026-03-04", "2026-01-15"], [date(2026, 3, 4), date(2026, 1, 15)]),
    "one day above 12": (["03/04/2026", "15/04/2026"], [date(2026, 4, 3), date(2026, 4, 15)]),
    "one month in second place": (["03/04/2026", "04/15/2026"], [date(2026, 3, 4), date(2026, 4, 15)]),
    "dots": (["03.04.2026", "31.12.2026"], [date(2026, 4, 3), date(2026, 12, 31)]),
    "same day and month": (["03/03/2026", "04/04/2026"], [date(2026, 3, 3), date(2026, 4, 4)]),
    "unpadded, year first": (["2026/3/4", "2026.11.9"], [date(2026, 3, 4), date(2026, 11, 9)]),
    "year, day, month": (["2026-03-04", "2026-15-04"], [date(2026, 4, 3), date(2026, 4, 15)]),
    "packed": (["20260304"], [date(2026, 3, 4)]),
    "Chinese": (["2026年3月4日"], [date(2026, 3, 4)]),
    "names of months": (["4 Mar 2026", "March 4, 2026", "04-Mar-26"], [date(2026, 3, 4)] * 3),
    "two-digit years": (["13/04/26", "13/04/70"], [date(2026, 4, 13), date(1970, 4, 13)]),
    "with a time": (["2026-03-04 10:30:00", "2026-03-04T10:30"], [date(2026, 3, 4)] * 2),
}


@pytest.mark.parametrize(("values", "expected"), SETTLED.values(), ids=SETTLED)
def test_dates_that_settle_themselves(desk, values: list[str], expected: list[date]) -> None:
    assert column(desk, values) == expected


def test_ambiguous_dates_are_never_guessed(desk) -> None:
    with pytest.raises(
        DataError, match="column 'when' has dates that can be day-month or month-day, such as '03/04/2026'"
    ):
        column(desk, ["03/04/2026", "05/06/2026"])
    assert desk.rows("select count(*) from leads") == [(0,)]


def test_contradicting_dates_are_an_error_that_says_so(desk) -> None:
    with pytest.raises(DataError, match="some dates that are only day-month and some that are only month-day"):
        column(desk, ["13/04/2026", "04/15/2026"])


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ('[file]\nday_month_order = "dmy"\n', date(2026, 4, 3)),
        ('[file]\nday_month_order = "mdy"\n', date(2026, 3, 4)),
        ('[transforms]\nfirst_contact_on = "DD/MM/YYYY"\n', date(2026, 4, 3)),
        ('[transforms]\nfirst_contact_on = "%m/%d/%Y"\n', date(2026, 3, 4)),
    ],
)
def test_stated_orders(desk, mapping: str, expected: date) -> None:
    assert column(desk, ["03/04/2026"], mapping) == [expected]


def test_another_column_of_the_file_may_settle_it_and_that_is_told(desk) -> None:
    done = desk.load("id,first contact,birthday\n1,03/04/2026,25/12/1990\n2,05/06/2026,01/02/1991\n")
    assert desk.leads("first_contact_on")[0] == (date(2026, 4, 3),)
    assert any("read day-month-year like birth_date" in n for n in done.notes)


def test_stated_order_rejects_what_does_not_fit(desk) -> None:
    assert column(desk, ["03/04/2026", "04/15/2026"], '[file]\nday_month_order = "dmy"\n') == [date(2026, 4, 3)]


@pytest.mark.parametrize("impossible", ["31/02/2026", "2026-13-45", "soon", "00000000"])
def test_impossible_dates_reject_their_row_or_are_blanked(desk, impossible: str) -> None:
    assert column(desk, ["25/12/2026", impossible], '[file]\nday_month_order = "dmy"\n') == [date(2026, 12, 25)]
    blank = '[file]\nday_month_order = "dmy"\n[rejects]\nbad_values = "blank"\n'
    assert column(desk, ["25/12/2026", impossible], blank) == [date(2026, 12, 25), None]


def test_republic_of_china_years_when_stated(desk) -> None:
    mapping = '[transforms.first_contact_on]\ncalendar = "roc"\n'
    assert column(desk, ["115/03/04", "民國115年3月4日", "1150304"], mapping) == [date(2026, 3, 4)] * 3


def test_excel_day_numbers_when_stated(desk) -> None:
    assert column(desk, ["46085"], '[transforms]\nfirst_contact_on = "excel"\n') == [date(2026, 3, 4)]


TIMES = {
    "2026-03-04 10:30": datetime(2026, 3, 4, 2, 30),
    "2026-03-04T10:30:15Z": datetime(2026, 3, 4, 10, 30, 15),
    "2026-03-04T10:30:00+09:00": datetime(2026, 3, 4, 1, 30),
    "2026/3/4 下午 3:05": datetime(2026, 3, 4, 7, 5),
    "2026-03-04 12:10 AM": datetime(2026, 3, 3, 16, 10),
    "2026-03-04": datetime(2026, 3, 3, 16, 0),
    "20260304103000": datetime(2026, 3, 4, 2, 30),
}


def test_times_are_utc_and_those_without_an_offset_are_local(desk) -> None:
    desk.fields, desk.zone = {"seen_at": "time"}, "Asia/Taipei"
    lines = "".join(f"{i},{v}\n" for i, v in enumerate(TIMES))
    desk.load(f"id,seen\n{lines}", 'schema = 1\n[columns]\nexternal_id = "id"\nseen_at = "seen"\n')
    assert desk.leads("seen_at") == [(v,) for v in TIMES.values()]


NUMBERS = {
    "plain": (["1200", "1300.5"], ["1200", "1300.5"]),
    "thousands": (["1,200", "13,300.50"], ["1200", "13300.5"]),
    "decimal comma": (["1.200,50", "7,5"], ["1200.5", "7.5"]),
    "currency": (["NT$1,200", "USD 30", "€ 5.00"], ["1200", "30", "5"]),
    "blanks": (["1 200", "3"], ["1200", "3"]),
}


@pytest.mark.parametrize(("values", "expected"), NUMBERS.values(), ids=NUMBERS)
def test_money(desk, values: list[str], expected: list[str]) -> None:
    lines = "".join(f'{i},"{v}"\n' for i, v in enumerate(values))
    desk.load(f"id,budget\n{lines}")
    assert [float(v) for (v,) in desk.leads("budget")] == [float(e) for e in expected]


def test_contradicting_decimal_signs(desk) -> None:
    with pytest.raises(DataError, match=r"decimal comma .* and with a decimal point"):
        desk.load('id,budget\n1,"1,5"\n2,1.25\n')


def test_wrong_numbers_and_answers_reject_their_row(desk) -> None:
    desk.fields = {"agreed": "boolean"}
    done = desk.load("id,employees,agreed\n1,25,yes\n2,many,no\n3,12.5,是\n4,7,perhaps\n5,1.0,否\n")
    assert desk.leads("external_id", "employees", "agreed") == [("1", 25, True), ("5", 1, False)]
    assert {r.reason.split(" (")[0]: r.rows for r in done.reasons} == {
        "employees is not a number": 2,
        "agreed is neither yes nor no": 1,
    }
