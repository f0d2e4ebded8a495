"""``sfactl data`` at the prompt: history, care and undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sfactl.config.settings import Settings
from sfactl.session import FixedClock, open_session

Sfactl = Callable[..., Any]


@pytest.fixture
def filled(acme: Path) -> Path:
    """Two commits on leads, a day apart."""
    clock = FixedClock(datetime(2026, 1, 1, 9))
    with open_session(acme, settings=Settings(), command="lead import", actor="mei", clock=clock) as session:
        with session.write("leads", reason="expo.csv") as tx:
            tx.upsert("leads", "select i as lead_id, 'a' || i || '@example.com' as email from range(1, 4) t(i)")
            tx.commit()
        clock.at = datetime(2026, 1, 2, 9)
        with session.write("leads") as tx:
            tx.upsert("leads", "select 2 as lead_id, 'new@example.com' as email")
            tx.commit()
    return acme


def test_log_and_show_tell_who_did_what(sfactl: Sfactl, filled: Path) -> None:
    lines = sfactl("-w", filled, "data", "log").out.splitlines()
    assert lines[1].split()[:7] == ["2", "2026-01-02", "09:00", "mei", "lead", "import", "leads"]
    assert "expo.csv" in lines[2]
    shown = sfactl("-w", filled, "data", "show", "2", "--format", "json").json["result"]
    assert (shown["seq"], shown["actor"], shown["datasets"]) == (2, "mei", {"leads": 1})


def test_diff_names_fields_with_old_and_new(sfactl: Sfactl, filled: Path) -> None:
    assert "leads        0        1        0" in sfactl("-w", filled, "data", "diff", "2026-01-01").out
    (row,) = sfactl("-w", filled, "data", "diff", "1", "2", "--dataset", "leads", "--format", "json").json["result"]
    assert row == {"what": "changed", "lead_id": 2, "field": "email", "old": "a2@example.com", "new": "new@example.com"}


def test_history_of_a_row(sfactl: Sfactl, filled: Path) -> None:
    rows = sfactl("-w", filled, "data", "history", "leads", "2", "--format", "json").json["result"]
    assert [(r["seq"], r["new"]) for r in rows if r["field"] == "email"] == [
        (1, "a2@example.com"),
        (2, "new@example.com"),
    ]
    assert sfactl("-w", filled, "data", "history", "leads", "99").code == 2
    assert "2 values were given" in sfactl("-w", filled, "data", "history", "leads", "1", "2").err


def test_undo_puts_back_and_says_how_to_undo_it(sfactl: Sfactl, filled: Path) -> None:
    dry = sfactl("-w", filled, "data", "undo", "2", "--dry-run")
    assert "Dry run: nothing is written" in dry.out
    done = sfactl("-w", filled, "data", "undo", "2")
    assert done.out.splitlines() == [
        "Commit 3 undoes commit 2:",
        "  leads: 1 put back · 0 taken out",
        "Undo this with: sfactl data undo 3",
    ]
    assert sfactl("-w", filled, "sql", "select email from leads where lead_id = 2", "--format", "csv").out == (
        "email\na2@example.com\n"
    )
    conflict = sfactl("-w", filled, "data", "undo", "2")
    assert conflict.code == 5
    assert "[conflict]" in conflict.err


def test_files_are_readable_by_others_and_verify_finds_damage(sfactl: Sfactl, filled: Path) -> None:
    import pyarrow.parquet as pq

    rows = sfactl("-w", filled, "data", "files", "leads", "--format", "json").json["result"]
    assert [(r["kind"], r["rows"]) for r in rows] == [("base", 3), ("delta", 1)]
    assert pq.read_table(rows[0]["path"]).num_rows == 3
    assert "Clean." in sfactl("-w", filled, "data", "verify").out
    Path(rows[1]["path"]).write_bytes(b"PAR1")
    broken = sfactl("-w", filled, "data", "verify")
    assert broken.code == 1
    assert "restore it from a backup" in broken.out


def test_compact_gc_list_schema_and_publish(sfactl: Sfactl, filled: Path) -> None:
    assert "Would merge leads: 2 files → 1" in sfactl("-w", filled, "data", "compact", "--full", "--dry-run").out
    assert "Merged leads: 2 files → 1" in sfactl("-w", filled, "data", "compact", "--full").out
    assert "Nothing to merge." in sfactl("-w", filled, "data", "compact", "--full").out
    (row,) = sfactl("-w", filled, "data", "list", "--format", "json").json["result"]
    assert (row["dataset"], row["rows"], row["files"]) == ("leads", 3, 1)
    assert sfactl("-w", filled, "data", "list", "--as-of", "0", "--format", "json").json["result"] == []
    assert sfactl("-w", filled, "data", "gc").out == "Removed 0 files, 0 bytes.\n"
    assert "email" in sfactl("-w", filled, "data", "schema", "leads").out
    unknown = sfactl("-w", filled, "data", "schema", "leeds")
    assert (unknown.code, "Did you mean leads?" in unknown.err) == (2, True)
    assert "leads: 3 rows in 1 files, delta table" in sfactl("-w", filled, "data", "publish", "--format", "delta").out


def test_adopt_is_only_for_copies(sfactl: Sfactl, filled: Path, tmp_path: Path) -> None:
    import shutil

    assert "This is not a copy" in sfactl("-w", filled, "data", "adopt").out
    shutil.copytree(filled, tmp_path / "copy")
    assert "Would adopt" in sfactl("-w", tmp_path / "copy", "data", "adopt", "--dry-run").out
    assert "epoch 2" in sfactl("-w", tmp_path / "copy", "data", "adopt", "--yes").out
    assert "This is not a copy" in sfactl("-w", tmp_path / "copy", "data", "adopt").out
