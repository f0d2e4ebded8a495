"""One result in every form: for people, for scripts, for spreadsheets."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sfactl.api.errors import UserError
from sfactl.cli.emit import FORMATS, Output, write_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    rows: int
    new: int
    amount: Decimal
    file: str = "=expo.csv"


IMPORT = Import(rows=3, new=2, amount=Decimal("9.90"))
TABLE = pa.table({"company": ["台灣", "=cmd"], "amount": pa.array([Decimal("1.50"), None], pa.decimal128(9, 2))})
Emit = Callable[..., str]


@pytest.fixture
def emitted(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Emit:
    monkeypatch.setenv("COLUMNS", "80")

    def emit(result: object, form: str, **kw: Any) -> str:
        columns = kw.pop("columns", ())
        Output(format=form, command="lead import", columns=columns).emit(result, **kw)
        return capsys.readouterr().out

    return emit


def test_people_get_the_commands_own_lines(emitted: Emit) -> None:
    assert emitted(IMPORT, "table", human=lambda: ["3 rows · 2 new"]) == "3 rows · 2 new\n"


def test_without_lines_of_its_own_a_record_is_a_table_of_fields(emitted: Emit) -> None:
    assert emitted(IMPORT, "table") == "field   value\nrows    3\nnew     2\namount  9.90\nfile    =expo.csv\n"


def test_the_envelope_of_success_is_pinned(emitted: Emit) -> None:
    assert emitted(IMPORT, "json") == (
        '{\n  "schema": 1,\n  "command": "lead import",\n  "status": "ok",\n  "result": {\n'
        '    "rows": 3,\n    "new": 2,\n    "amount": 9.90,\n    "file": "=expo.csv"\n  }\n}\n'
    )


def test_a_listing_is_a_list_in_the_envelope(emitted: Emit) -> None:
    assert json.loads(emitted(TABLE, "json"))["result"] == [
        {"company": "台灣", "amount": 1.5},
        {"company": "=cmd", "amount": None},
    ]
    assert json.loads(emitted((IMPORT, IMPORT), "json", columns=("new",)))["result"] == [{"new": 2}, {"new": 2}]


LINES = {
    "table csv": (TABLE, "csv", (), "company,amount\n台灣,1.50\n'=cmd,\n"),
    "table jsonl": (TABLE, "jsonl", (), '{"company": "台灣", "amount": 1.50}\n{"company": "=cmd", "amount": null}\n'),
    "table md": (TABLE, "md", (), "| company | amount |\n| --- | ---: |\n| 台灣 | 1.50 |\n| =cmd |  |\n"),
    "table": (TABLE, "table", (), "company  amount\n台灣       1.50\n=cmd\n"),
    "columns in the order asked": (TABLE, "csv", ("amount", "company"), "amount,company\n1.50,台灣\n,'=cmd\n"),
    "record csv": (IMPORT, "csv", (), "rows,new,amount,file\n3,2,9.90,'=expo.csv\n"),
    "record jsonl": (IMPORT, "jsonl", ("new", "rows"), '{"new": 2, "rows": 3}\n'),
    "records": ((IMPORT, IMPORT), "csv", ("new",), "new\n2\n2\n"),
    "no records": ((), "csv", ("new",), "new\n"),
    "empty table": (TABLE.slice(0, 0), "csv", (), "company,amount\n"),
    "empty listing for people": (TABLE.slice(0, 0), "table", (), "company  amount\n"),
}


@pytest.mark.parametrize(("result", "form", "columns", "expected"), LINES.values(), ids=LINES)
def test_lines(emitted: Emit, result: object, form: str, columns: tuple[str, ...], expected: str) -> None:
    assert emitted(result, form, columns=columns) == expected


def test_parquet(tmp_path: Path) -> None:
    for name, result in {"table": TABLE, "record": IMPORT, "records": (IMPORT,)}.items():
        Output(format="parquet", file=tmp_path / name).emit(result)
    assert pq.read_table(tmp_path / "table").equals(TABLE)
    assert pq.read_table(tmp_path / "record").to_pylist()[0]["amount"] == Decimal("9.90")
    assert pq.read_table(tmp_path / "records").num_rows == 1


def test_parquet_is_not_written_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdout", terminal)
    with pytest.raises(UserError, match="not for a terminal"):
        Output(format="parquet").emit(TABLE)


STATUS = {0: "ok", 1: "failed", 3: "partial", 4: "nothing"}


@pytest.mark.parametrize(("code", "status"), STATUS.items(), ids=STATUS.values())
def test_status_and_exit_code(capsys: pytest.CaptureFixture[str], code: int, status: str) -> None:
    try:
        Output(format="json", command="x").emit(IMPORT, exit_code=code)
    except click.exceptions.Exit as leave:
        assert leave.exit_code == code
    else:
        assert code == 0
    assert json.loads(capsys.readouterr().out)["status"] == status


@pytest.mark.parametrize("form", FORMATS)
def test_an_unknown_column_names_the_nearest(form: str) -> None:
    with pytest.raises(UserError, match="no column 'compny'") as caught:
        Output(format=form, columns=("compny",)).emit(TABLE)
    assert caught.value.hint == "Did you mean 'company'?"


def test_an_output_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "leads.csv"
    write_file(path, b"old")
    path.chmod(0o600)

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        write_file(tmp_path / "no" / "leads.csv", b"")
