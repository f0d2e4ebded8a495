"""Values on their way out: exact numbers, UTC times, harmless spreadsheets, harmless terminals."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfactl.cli.emit import Output
from sfactl.cli.values import cell, neutral, plain, shown, to_json


@dataclass(frozen=True)
class Row:
    text: str


PLAIN = {
    "naive time is UTC": (datetime(2026, 11, 21, 9, 0, 0, 5), "2026-11-21T09:00:00.000005Z"),
    "aware time keeps its zone": (datetime(2026, 11, 21, tzinfo=UTC), "2026-11-21T00:00:00+00:00"),
    "date": (date(2026, 11, 21), "2026-11-21"),
    "duration in seconds": (timedelta(minutes=2), 120.0),
    "not a number": (float("nan"), None),
    "infinite": (float("inf"), None),
    "set sorted": ({"b", "a"}, ["a", "b"]),
    "path": (Path("a/b"), "a/b"),
    "nested": ({"a": (Row(text="x"),)}, {"a": [{"text": "x"}]}),
}


@pytest.mark.parametrize(("value", "expected"), PLAIN.values(), ids=PLAIN)
def test_plain(value: object, expected: object) -> None:
    assert plain(value) == expected


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**14), max_value=10**14))
def test_json_keeps_every_digit_of_money(amount: Decimal) -> None:
    assert json.loads(to_json({"amount": amount}), parse_float=Decimal, parse_int=Decimal) == {"amount": amount}


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none()))
def test_json_of_plain_values_is_what_json_says(value: dict[str, object]) -> None:
    assert json.loads(to_json(value)) == value


NEUTRAL = {
    "formula": ("=1+1", "'=1+1"),
    "command": ("@SUM(A1)", "'@SUM(A1)"),
    "minus text": ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
    "tab": ("\t=1", "'\t=1"),
    "carriage return": ("\r=1", "'\r=1"),
    "full width": ("＝1+1", "'＝1+1"),
    "plus text": ("+a", "'+a"),
    "negative number stays": ("-12.50", "-12.50"),
    "phone in E.164 stays": ("+886912345678", "+886912345678"),
    "exponent stays": ("-1e5", "-1e5"),
    "number and more": ("-1+2", "'-1+2"),
    "plain": ("Acme", "Acme"),
    "empty": ("", ""),
    "e-mail": ("a=b@x.org", "a=b@x.org"),
}


@pytest.mark.parametrize(("text", "expected"), NEUTRAL.values(), ids=NEUTRAL)
def test_formulas_are_neutralised_and_numbers_are_not(text: str, expected: str) -> None:
    assert neutral(text) == expected


@given(st.text())
def test_no_cell_of_a_csv_file_begins_like_a_formula(text: str) -> None:
    written = Output(format="csv")._text(Row(text=text), 0)
    (_, (read,)) = list(csv.reader(io.StringIO(written, newline="")))
    assert read.removeprefix("'") == text.removeprefix("'")
    assert not read.startswith(("=", "@", "\t", "\r", "\n"))
    if read.startswith(("+", "-")):
        assert re.fullmatch(r"[+-][0-9][0-9.,]*([eE][+-]?[0-9]+)?", read)


CELLS = {
    "nothing": (None, ""),
    "yes": (True, "true"),
    "decimal is not rounded": (Decimal("1E+3"), "1000"),
    "list is JSON": ([1, Decimal("2.50")], "[1, 2.50]"),
}


@pytest.mark.parametrize(("value", "expected"), CELLS.values(), ids=CELLS)
def test_cell(value: object, expected: str) -> None:
    assert cell(value) == expected


SHOWN = {
    "line break": ("a\nb", "a b"),
    "escape sequence": ("\x1b[31mred", "\ufffd[31mred"),
    "time": (datetime(2026, 11, 21, 9, 5, 59), "2026-11-21 09:05"),
    "float": (0.1 + 0.2, "0.3"),
    "whole float": (2.0, "2"),
    "ten": (10.0, "10"),
    "truth": (True, "yes"),
}


@pytest.mark.parametrize(("value", "expected"), SHOWN.values(), ids=SHOWN)
def test_shown(value: object, expected: str) -> None:
    assert shown(value) == expected
