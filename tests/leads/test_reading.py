"""Reading files: headers, ragged rows, quotes, sheets, JSON and vCards; every row of the file is accounted for."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sfactl.api.errors import DataError

ROWS = "name,email\nMing,a@example.tw\nMei,b@example.tw\n"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (ROWS, 1),
        ("Expo 2026\n\nexported by Mei\n" + ROWS, 4),
        ("Liste,,\n" + ROWS, 2),
        ("\n\n" + ROWS, 3),
    ],
    ids=["first row", "titles above", "title of full width", "blank lines"],
)
def test_header_row_is_found(read, content: str, line: int) -> None:
    staged, rows = read(content.encode())
    assert [r["name"] for r in rows] == ["Ming", "Mei"]
    assert staged.facts[-1] == f"header in row {line}"


def test_stated_header_row(desk) -> None:
    mapping = 'schema = 1\n[columns]\nfull_name = "b"\nemail = "c"\n[file]\nheader_row = 2\n'
    assert desk.load("x,y\nb,c\nMing,a@example.tw\n", mapping).new == 1


def test_no_header_at_all(desk) -> None:
    with pytest.raises(DataError, match="no row looks like a header"):
        desk.load("Ming,a@example.tw,2026-01-15\nMei,b@example.tw,2026-01-16\n")
    mapping = 'schema = 1\n[columns]\nfull_name = "who"\nemail = "column2"\n[file]\nheader = false\nnames = ["who"]\n'
    assert desk.load("Ming,a@example.tw,2026-01-15\nMei,b@example.tw,2026-01-16\n", mapping).new == 2


RAGGED = "name,email,city\nMing,a@example.tw,Taipei\nShort,b@example.tw\nLong,c@example.tw,Tainan,more,cells\nMei,d@example.tw,Hualien\n"


def test_ragged_rows_are_rejected_with_their_number_and_not_lost(desk) -> None:
    done = desk.load(RAGGED)
    assert (done.rows, done.new, done.rejected) == (4, 2, 2)
    assert [r.reason for r in done.reasons] == [
        "has 2 cells, the header has 3 (row 3)",
        "has 5 cells, the header has 3 (row 4)",
    ]
    with (desk.folder / "rejects/leads.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["name"] for r in rows] == ["Short", "Long"]
    assert [r["line"] for r in rows] == ["3", "4"]
    assert rows[1]["reason"] == "has 5 cells, the header has 3; beyond the last column: more\tcells"


def test_rejects_open_safely_in_a_spreadsheet(desk) -> None:
    desk.load('name,email\n"=cmd|calc",nonsense\n+886 912 345 678,other\n')
    text = (desk.folder / "rejects/leads.csv").read_text(encoding="utf-8-sig")
    assert "'=cmd|calc" in text
    assert "\n+886 912 345 678," in text


QUOTES = {
    "embedded newline": ('name,email\n"Ming\nWang",a@example.tw\nMei,b@example.tw\n', 2, 0),
    "doubled quotes": ('name,email\n"Ming ""Ace"" Wang",a@example.tw\nMei,b@example.tw\n', 2, 0),
    "quote inside a word": ('name,email\nMing 5" pipe,a@example.tw\nMei,b@example.tw\n', 2, 0),
    "junk behind a quote": ('name,email\n"Ming" x,a@example.tw\nMei,b@example.tw\n', 2, 0),
    "never closed": ('name,email\n"Ming,a@example.tw\nMei,b@example.tw\nJo,c@example.tw\n', 2, 1),
    "mixed line ends": ("name,email\r\nMing,a@example.tw\nMei,b@example.tw\r\n", 2, 0),
    "NUL bytes": ("name,email\nMi\0ng,a@example.tw\nMei,b@example.tw\n", 2, 0),
    "trailing delimiters": ("name,email,\nMing,a@example.tw,\nMei,b@example.tw,\n", 2, 0),
    "blank line in the middle": ("name,email\nMing,a@example.tw\n\nMei,b@example.tw\n", 2, 0),
    "no last line end": ("name,email\nMing,a@example.tw\nMei,b@example.tw", 2, 0),
}


@pytest.mark.parametrize(("content", "new", "rejected"), QUOTES.values(), ids=QUOTES)
def test_quotes_and_line_ends(read, content: str, new: int, rejected: int) -> None:
    _, rows = read(content.encode())
    faulty = [r for r in rows if r["_problem"]]
    assert (len(rows) - len(faulty), len(faulty)) == (new, rejected), rows


def test_row_numbers_hold_behind_embedded_newlines(desk) -> None:
    done = desk.load('name,email\n"Ming\nWang",a@example.tw\nMei,nonsense\n')
    assert done.reasons[0].reason == "e-mail not valid (row 4)"


def test_blank_led_values(desk) -> None:
    done = desk.load('rec_id, given_name, surname\nr1, Ming, "Wang, Jr"\nr2, , Chen\n')
    assert done.new == 2
    assert desk.leads("first_name", "last_name") == [("Ming", "Wang, Jr"), (None, "Chen")]


def test_doubled_headers_are_told(desk) -> None:
    done = desk.load("email,phone,phone\na@example.tw,0912345678,0987654321\n")
    assert any("two columns are called 'phone'" in n for n in done.notes)
    assert desk.leads("phone") == [("+886912345678",)]


def test_ambiguous_delimiter(desk) -> None:
    with pytest.raises(DataError, match="the delimiter is ambiguous"):
        desk.load("a,b;c\n1,2;3\n4,5;6\n")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"name,email\n"], ids=["empty", "blank lines", "header only"])
def test_files_without_rows(desk, content: bytes) -> None:
    with pytest.raises(DataError, match=r"is empty|nothing but blank lines|no rows"):
        desk.load(content)


def test_json_lines_with_nested_values_and_a_broken_line(desk) -> None:
    content = '{"name": "Ming", "contact": {"email": "a@example.tw"}, "tags": ["x", "y"]}\n{"name": broken\n[1]\n{"name": "Mei", "contact": {"email": "b@example.tw"}}\n'
    mapping = 'schema = 1\n[columns]\nfull_name = "name"\nemail = "contact.email"\nnote = "tags"\n'
    done = desk.load(content, mapping, name="leads.jsonl")
    assert (done.rows, done.new, done.rejected) == (4, 2, 2)
    assert desk.leads("full_name", "email", "note") == [("Ming", "a@example.tw", "x; y"), ("Mei", "b@example.tw", None)]


@pytest.mark.parametrize("indent", [None, 2])
def test_json_array(desk, indent: int | None) -> None:
    import json

    rows = [{"name": f"Name {i}", "email": f"a{i}@example.tw", "note": "x" * 300} for i in range(700)]
    assert desk.load(json.dumps(rows, indent=indent), name="leads.json").new == 700


def test_parquet(desk, tmp_path: Path) -> None:
    path = tmp_path / "leads.parquet"
    pq.write_table(pa.table({"name": ["Ming"], "email": ["a@example.tw"], "employees": [25]}), path)
    assert desk.load(path).new == 1
    assert desk.leads("employees") == [(25,)]


VCARDS = """BEGIN:VCARD\r
VERSION:2.1\r
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E7=8E=8B;=E5=B0=8F=E6=98=8E;;;\r
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E7=8E=8B=E5=B0=8F=\r
=E6=98=8E\r
TEL;FAX:02-1111-1111\r
TEL;CELL:0912-345-678\r
PHOTO;ENCODING=BASE64;JPEG:\r
 /9j/4AAQSkZJRgABAQAAAQABAAD\r
 AAAA\r
\r
END:VCARD\r
BEGIN:VCARD\r
VERSION:4.0\r
FN:Mei Chen\r
EMAIL;PREF=2:second@example.tw\r
EMAIL;PREF=1:first@example.tw\r
BDAY:--0203\r
NOTE:one\\, two\r
 \\nthree\r
END:VCARD\r
BEGIN:VCARD\r
FN:never closed\r
"""


def test_vcards(desk) -> None:
    done = desk.load(VCARDS, name="cards.vcf")
    assert (done.rows, done.new, done.rejected) == (3, 2, 1)
    assert desk.leads("full_name", "last_name", "phone", "email", "birth_date", "note") == [
        ("王小明", "王", "+886912345678", None, None, None),
        ("Mei Chen", None, None, "first@example.tw", None, "one, two\nthree"),
    ]


def test_not_a_file_of_leads(desk) -> None:
    with pytest.raises(DataError, match="is not a file of leads"):
        desk.load(b"%PDF-1.7\n", name="leads.pdf")
