"""Delimited text: what is certain is read, what is not is said with its row."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from sfactl.api.errors import DataError
from sfactl.engine.delimited import BadRow, Row, parse_day, parse_number, read_rows


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "id;name\n1;Ä\n",
        "\ufeffid;name\r\n1;Ä\r\n",
        "id\tname\n1\tÄ",
        "\nid,name\n\n1, Ä \n,\n",
        "id;name\n1;Ä\n".encode("utf-16"),
        'id,"name"\n"1","Ä"\n',
    ],
    ids=["semicolon", "mark and crlf", "tab", "blank lines", "utf-16", "quoted"],
)
def test_what_is_certain_is_read(tmp_path: Path, content: str | bytes) -> None:
    rows = list(read_rows(write(tmp_path, content)))
    assert [r.values for r in rows if isinstance(r, Row)] == [{"id": "1", "name": "Ä"}]


def test_a_row_keeps_the_line_it_begins_on(tmp_path: Path) -> None:
    path = write(tmp_path, 'id,note\n1,"two\nlines"\n2\n3,x\n')
    assert list(read_rows(path)) == [
        Row(number=2, values={"id": "1", "note": "two\nlines"}),
        BadRow(number=4, reason="has 1 columns, the header has 2"),
        Row(number=5, values={"id": "3", "note": "x"}),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("id,name;x\n", "header has ',' and ';'"),
        ("id,id\n1,2\n", "'id' more than once"),
        (b"id,name\n1,\xa4\xa4\n", "row 2: byte 0xa4 is not utf-8"),
    ],
    ids=["two delimiters", "double column", "encoding"],
)
def test_what_is_not_certain_is_said(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        list(read_rows(write(tmp_path, content)))


def test_a_stated_encoding_and_delimiter_are_used(tmp_path: Path) -> None:
    path = write(tmp_path, "編號,名;稱\n1,王\n".encode("big5"))
    assert [r.values for r in read_rows(path, encoding="big5", delimiter=",") if isinstance(r, Row)] == [
        {"編號": "1", "名;稱": "王"}
    ]


def test_a_missing_file_is_an_error_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        list(read_rows(tmp_path / "none.csv"))
    assert list(read_rows(write(tmp_path, ""))) == []


@pytest.mark.parametrize(
    ("text", "comma", "value"),
    [
        ("1234.56", False, "1234.56"),
        ("1,234.56", False, "1234.56"),
        ("1.234,56", True, "1234.56"),
        ("1 234,56", True, "1234.56"),
        ("-12", False, "-12"),
        ("12.50-", False, "-12.50"),
        ("(12.50)", False, "-12.50"),
        (" 7 ", True, "7"),
        (",5", True, "0.5"),
    ],
)
def test_numbers(text: str, comma: bool, value: str) -> None:
    assert parse_number(text, decimal_comma=comma) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "comma"),
    [
        ("12,50", False),
        ("12.50", True),
        ("1,23,456", False),
        ("", False),
        ("abc", False),
        ("1e3", False),
        ("NaN", False),
    ],
)
def test_numbers_that_could_mean_something_else_are_refused(text: str, comma: bool) -> None:
    with pytest.raises(ValueError, match="is not a number with a decimal"):
        parse_number(text, decimal_comma=comma)


def test_days() -> None:
    assert parse_day("1/2/2013", ["%m/%d/%Y"]) == date(2013, 1, 2)
    assert parse_day("2013-01-02", ["%d.%m.%Y", "%Y-%m-%d"]) == date(2013, 1, 2)
    with pytest.raises(ValueError, match="31/31/2013"):
        parse_day("31/31/2013", ["%m/%d/%Y"])
