"""``sfactl sql`` on a real workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sfactl.config.layers import load_settings
from sfactl.session import open_session

Call = Callable[..., Any]


@pytest.fixture
def filled(acme: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with two commits: two leads, and a change of one."""
    monkeypatch.chdir(acme)
    with open_session(acme, settings=load_settings(acme), command="test", actor="tester") as session:
        for rows in ("(1, '王小明', 'new'), (2, 'Ada', 'new')", "(2, 'Ada', 'mql')"):
            with session.write("leads") as tx:
                tx.upsert("leads", f"select * from (values {rows}) t(lead_id, full_name, status)")
                tx.commit()
    return acme


def test_every_dataset_can_be_asked(sfactl: Call, filled: Path) -> None:
    answer = sfactl("sql", "select lead_id, full_name, status from leads order by lead_id")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "lead_id  full_name  status\n      1  王小明     new\n      2  Ada        mql\n"


def test_as_of_answers_what_was_known(sfactl: Call, filled: Path) -> None:
    sql = "select status from leads where lead_id = 2"
    assert sfactl("sql", sql, "--as-of", "1", "--format", "csv").out == "status\nnew\n"
    assert sfactl("sql", sql, "--as-of", "2", "--format", "csv").out == "status\nmql\n"


def test_from_a_file_and_from_stdin(sfactl: Call, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (filled / "count.sql").write_text("select count(*) as n\nfrom leads;\n", encoding="utf-8")
    assert sfactl("sql", "@count.sql", "--format", "jsonl").out == '{"n": 2}\n'
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("select 1 as n"))
    assert sfactl("sql", "-", "--format", "jsonl").out == '{"n": 1}\n'
    assert "cannot be read" in sfactl("sql", "@no.sql").err


def test_a_plan_is_drawn(sfactl: Call, filled: Path) -> None:
    assert sfactl("sql", "explain select * from leads").out.count("\n") > 3


ERRORS = {
    "column": ("select contry from leads", 'Referenced column "contry" not found', "Candidate bindings"),
    "type": ("select * from leads where lead_id + 'a' > date '2026-01-01'", "", ""),
    "write": ("drop table leads", "DROP is not a query", "sfactl --help"),
    "file": ("select * from read_text('sfactl.toml')", "read_text is not allowed", ""),
}


@pytest.mark.parametrize(("sql", "message", "hint"), ERRORS.values(), ids=ERRORS)
def test_mistakes_are_the_users_and_say_what_is_wrong(
    sfactl: Call, filled: Path, sql: str, message: str, hint: str
) -> None:
    answer = sfactl("sql", sql)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert hint in answer.err
    assert "bug" not in answer.err


def test_the_engine_itself_is_closed_too(filled: Path) -> None:
    """Were the check of the statement ever fooled, the engine would still refuse files outside the data."""
    from sfactl.engine import readonly

    (filled / "secret.csv").write_text("a\n1\n", encoding="utf-8")
    outside = filled / "secret.csv"
    with open_session(filled, settings=load_settings(filled), command="test", actor="tester") as session:
        with session.query() as query:
            data = session.workspace.private / "data"
            assert readonly.answer(query, "select count(*) n from leads", datasets=("leads",), data=data).num_rows == 1
            for sql in (f"from '{outside}'", f"copy (select 1) to '{filled / 'x.csv'}'", "set threads = 1"):
                with pytest.raises(duckdb.Error):
                    query.rows(sql)
    assert not (filled / "x.csv").exists()


def test_a_query_leaves_the_workspace_as_it_was(sfactl: Call, filled: Path) -> None:
    before = {p: p.read_bytes() for p in filled.rglob("*.parquet")}
    sfactl("sql", "select * from leads")
    assert {p: p.read_bytes() for p in filled.rglob("*.parquet")} == before
