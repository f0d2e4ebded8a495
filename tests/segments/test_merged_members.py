"""Segments built only for what changed agree with segments built anew, also across merges and late events."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.config.settings import Settings
from sfactl.identity.usecases.merge import merge
from sfactl.identity.usecases.unmerge import unmerge
from sfactl.segments import usecases
from sfactl.segments.usecases import incremental
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

AT = datetime(2026, 5, 4, 9)
BUSY = "schema = 1\nwhere = \"count(touchpoints) filter (where kind = 'visit') >= 3\"\n"


def visits(session: Session, lead: int, *names: str) -> None:
    schema = session.workspace.schemas["touchpoints"].arrow()
    rows = [{"event_id": n, "at": AT, "kind": "visit", "lead_id": lead} for n in names]
    with session.write() as tx:
        tx.append(
            "touchpoints", pa.Table.from_pylist([{n: r.get(n) for n in schema.names} for r in rows], schema=schema)
        )
        tx.commit()


def members(session: Session) -> list[int]:
    usecases.build(session, ["busy"])
    with session.query() as query:
        return [n for (n,) in query.rows("select lead_id from segment_members order by 1")]


def test_a_rebuild_sees_what_merges_brought_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []
    real = incremental.candidates
    monkeypatch.setattr(incremental, "candidates", lambda *a: looked.append(real(*a)) or looked[-1])
    Workspace.create(tmp_path).close()
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "busy.toml").write_text(BUSY, encoding="utf-8")
    with open_session(
        tmp_path, settings=Settings(), command="test", actor="mei", clock=FixedClock(AT), quiet=True
    ) as session:
        with session.write("leads") as tx:
            tx.upsert("leads", "select i as lead_id, 'new' as status from range(1, 41) t(i)")
            tx.commit()
        visits(session, 5, *(f"of-5-{n}" for n in range(200)))  # many rows of before: a rebuild looks at what is new
        visits(session, 1, "a", "b")
        visits(session, 2, "c")
        visits(session, 3, "d", "e", "f")
        assert members(session) == [3, 5]
        merge(session, "lead", ["1", "2"], into="2")
        assert members(session) == [2, 3, 5]
        unmerge(session, "lead", "lead:1")
        assert members(session) == [3, 5]
        merge(session, "lead", ["1", "4"], into="4")
        assert members(session) == [3, 5]
        visits(session, 1, "late")
        assert members(session) == [3, 4, 5], "an event with the old number counts for the survivor"
        assert looked == [True] * 4, "only what changed was looked at"
