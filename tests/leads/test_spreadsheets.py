"""Workbooks of the older and the open kind, made as spreadsheet programs make them, import like any other file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

import pytest
import xlwt

from sfactl.api.errors import SfactlError

Cell = str | float | date | None
Sheets = dict[str, Sequence[Sequence[Cell]]]
MAPPING = """schema = 1
[columns]
email = "電郵"
full_name = "姓名"
phone = "手機"
birth_date = "生日"
employees = "人數"
note = "備註"
"""
CARDS: Sheets = {
    "說明": [["Read me"], ["Cards of the fair"]],
    "名單": [
        ["Expo 2026 台北"],
        [],
        ["電郵", "姓名", "手機", "生日", "人數", "備註"],
        ["ming@example.tw", "王小明", "0912345678", date(1990, 5, 17), 120, "=1+1"],
        ["li@example.cn", "李雷 😀", None, date(1949, 3, 1), 1_000_000, None],
        [None, None, None, None, None, None],
        ["eva@example.de", "Eva Müller", "+49 30 901820", None, 0, 'say "hi"; <b>&'],
    ],
}


def xls(sheets: Sheets) -> bytes:
    """A workbook of Excel 97."""
    book = xlwt.Workbook(encoding="utf-8")
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for title, rows in sheets.items():
        made = book.add_sheet(title)
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                if isinstance(value, date):
                    made.write(y, x, value, day)
                elif value is not None:
                    made.write(y, x, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(sheets: Sheets) -> bytes:
    """An OpenDocument spreadsheet (ISO/IEC 26300), empty rows and cells repeated as LibreOffice writes them."""
    names = " ".join(f'xmlns:{p}="urn:oasis:names:tc:opendocument:xmlns:{p}:1.0"' for p in ("office", "table", "text"))
    tables = "".join(
        f'<table:table table:name="{escape(title)}">'
        + "".join(f"<table:table-row>{''.join(map(cell, row)) or EMPTY}</table:table-row>" for row in rows)
        + f'<table:table-row table:number-rows-repeated="1048000">{EMPTY}</table:table-row></table:table>'
        for title, rows in sheets.items()
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    listed = 'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("mimetype", kind, zipfile.ZIP_STORED)
        made.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest {listed}><manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
            '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>',
        )
        made.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names} office:version="1.3"><office:body>'
            f"<office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>",
        )
    return out.getvalue()


EMPTY = '<table:table-cell table:number-columns-repeated="1000"/>'


def cell(value: Cell) -> str:
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, date):
        kind = f'date" office:date-value="{value.isoformat()}'
    elif isinstance(value, str):
        kind = "string"
    else:
        kind = f'float" office:value="{value}'
    text = escape(str(value))
    return f'<table:table-cell office:value-type="{kind}"><text:p>{text}</text:p></table:table-cell>'


WRITERS: dict[str, Callable[[Sheets], bytes]] = {"xls": xls, "ods": ods}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_workbook_is_read_as_it_is_seen(desk: Any, kind: str) -> None:
    done = desk.load(WRITERS[kind](CARDS), MAPPING, name=f"expo.{kind}")
    assert (done.new, done.rejected) == (3, 0)
    assert done.facts[:2] == ("sheet 名單", "header in row 3")
    ming, li, eva = desk.leads("email, full_name, phone, birth_date, employees, note")
    assert ming == ("ming@example.tw", "王小明", "+886912345678", date(1990, 5, 17), 120, "=1+1")
    assert (li[1], li[4]) == ("李雷 😀", 1_000_000)
    assert eva == ("eva@example.de", "Eva Müller", "+4930901820", None, 0, 'say "hi"; <b>&')
    again = desk.load(WRITERS[kind](CARDS), MAPPING, name=f"expo.{kind}")
    assert (again.unchanged, again.new) == (3, 0)


def test_the_kinds_of_workbook_give_the_same_leads(make_desk: Any) -> None:
    columns = "email, full_name, phone, birth_date, employees, note"
    told = []
    for kind, write in WRITERS.items():
        made = make_desk()
        made.load(write(CARDS), MAPPING, name=f"expo.{kind}")
        told.append(made.leads(columns))
    assert told[0] == told[1]


@pytest.mark.parametrize("kind", WRITERS)
def test_a_sheet_can_be_named_and_one_that_is_not_there_is_told(desk: Any, kind: str) -> None:
    sheets = {"a": [["email"], ["x@example.com"]], "b": [["email"], ["y@example.com"], ["z@example.com"]]}
    mapping = 'schema = 1\n[columns]\nemail = "email"\n[file]\nsheet = "{}"\n'
    assert desk.load(WRITERS[kind](sheets), mapping.format("b"), name=f"two.{kind}").new == 2
    with pytest.raises(SfactlError, match="has no sheet"):
        desk.load(WRITERS[kind](sheets), mapping.format("c"), name=f"two.{kind}")


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.95])
def test_half_a_workbook_is_refused_by_name(desk: Any, kind: str, kept: float) -> None:
    whole = WRITERS[kind](CARDS)
    with pytest.raises(SfactlError) as told:
        desk.load(whole[: int(len(whole) * kept)], MAPPING, name=f"half.{kind}")
    assert f"half.{kind}" in told.value.message
    assert desk.rows("select count(*) from leads") == [(0,)]
