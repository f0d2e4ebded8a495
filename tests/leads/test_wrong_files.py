"""Files that are not what their names say: each ends in a message that says what it is; nothing of it is written."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import DataError
from sfactl.leads.usecases import imports


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(name, "email\na@example.tw\n")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n", r"is a web page \('Sign in'\)"),
        (b"\xef\xbb\xbf <html><body>502 Bad Gateway, sorry</body></html>", "is a web page"),
        (archive("leads.csv"), "is a ZIP archive of leads.csv"),
        (b"", "is empty"),
        (b"\n\n  \n", "nothing but blank lines"),
        (b"%PDF-1.4", "is not a file of leads"),
        (gzip.compress(b"email\n" + b"a@example.tw\n" * 5000)[:60], "cannot be read"),
        (b"PK\x03\x04garbage", "cannot be read as a spreadsheet"),
        (b"email,name\na@example.tw,\xe7\x8e\x8b\nb@example.tw,\xb3\xaf\xac\xfc\n", "line 3 is not"),
    ],
    ids=["login-page", "error-page", "zip", "empty", "blank", "pdf", "half-gzip", "half-xlsx", "mixed"],
)
def test_what_it_is_is_said(desk: Any, content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says):
        desk.load(content)
    assert desk.rows("select count(*) from leads") == [(0,)]


def test_a_folder_and_no_file(desk: Any, tmp_path: Path) -> None:
    for path, says in ((tmp_path, "is a folder"), (tmp_path / "none.csv", "no such file")):
        with pytest.raises(DataError, match=says):
            desk.load(path)


def test_a_file_that_is_being_written(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.write("leads.csv", "email\na@example.tw\n")
    staged = imports.stage

    def slow(reading: Any) -> Any:
        done = staged(reading)
        path.write_text("email\na@example.tw\nb@example.tw\n")
        return done

    monkeypatch.setattr(imports, "stage", slow)
    with pytest.raises(DataError, match="changed while it was read"):
        desk.load(path)


def test_columns_that_changed_since_the_last_file(desk: Any) -> None:
    desk.load("email,Phone No,Note\na@example.tw,0912345678,x\n", name="expo-2025.csv")
    done = desk.load("email,Phone No.,City\na@example.tw,0912345678,x\n", name="expo-2026.csv")
    assert done.notes[-1] == (
        "columns of the last such file that this one has not: 'Phone No' is now 'Phone No.'?, 'Note'"
    )
    assert not any("last such file" in n for n in desk.load("email\na@example.tw\n", name="other.csv").notes)


def test_one_broken_row_among_many(desk: Any) -> None:
    good = "".join(f"p{n}@example.tw,P {n}\n" for n in range(3000))
    done = desk.load("email,name\n" + good + 'broken@example.tw,"x\n' + "after@example.tw,Q\n")
    assert (done.rows, done.new + done.rejected) == (done.rows, done.rows)
    assert done.new >= 3000
    assert done.reasons[0].reason.endswith("(row 3002)")


def sheet(rows: dict[str, str]) -> bytes:
    """An XLSX workbook with two sheets, a title and merged cells above the header in row 3, and a date as a number."""
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="{i}" r:id="s{i}"/>' for i, name in enumerate(rows, 1))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        + "".join(
            f'<Relationship Id="s{i}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="s{i}.xml"/>'
            for i in range(1, len(rows) + 1)
        )
        + "</Relationships>",
    }
    for i, body in enumerate(rows.values(), 1):
        parts[f"xl/s{i}.xml"] = (
            f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{body}</sheetData>'
            '<mergeCells count="1"><mergeCell ref="A1:C1"/></mergeCells></worksheet>'
        )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, text in parts.items():
            made.writestr(name, text)
    return out.getvalue()


def cells(row: int, *values: str | float) -> str:
    made = "".join(
        f'<c r="{"ABC"[i]}{row}"><v>{v}</v></c>'
        if isinstance(v, (int, float))
        else f'<c r="{"ABC"[i]}{row}" t="inlineStr"><is><t>{v}</t></is></c>'
        for i, v in enumerate(values)
    )
    return f'<row r="{row}">{made}</row>'


def test_a_workbook_as_people_make_them(desk: Any) -> None:
    names = cells(1, "Expo 2026") + cells(3, "電郵", "姓名", "生日") + cells(4, "a@example.tw", "王小明", 36526)
    content = sheet({"說明": cells(1, "Read me"), "名單": names})
    mapping = 'schema = 1\n[columns]\nemail = "電郵"\nfull_name = "姓名"\nbirth_date = "生日"\n[transforms]\nbirth_date = "excel"\n'
    done = desk.load(content, mapping, name="expo.xlsx")
    assert (done.new, done.facts) == (1, ("sheet 名單", "header in row 3"))
    assert str(desk.leads("birth_date")[0][0]) == "2000-01-01"
    stated = desk.load(content, mapping + '[file]\nsheet = "名單"\n', name="expo.xlsx")
    assert stated.unchanged == 1
    with pytest.raises(DataError, match="has no sheet"):
        desk.load(content, mapping + '[file]\nsheet = "List"\n', name="expo.xlsx")
