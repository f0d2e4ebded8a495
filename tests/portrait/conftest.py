"""A workspace with a few customers, and the shortest way to ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.config.settings import Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 11, 21, 9, 0)

LEADS = [
    {
        "lead_id": 1,
        "full_name": "王小明",
        "email": "ming@precision.tw",
        "country": "TW",
        "budget": 120000,
        "status": "mql",
    },
    {"lead_id": 2, "full_name": "Jo Doe", "email": "jo@acme.com", "country": "US", "budget": 5000, "status": "mql"},
    {"lead_id": 3, "full_name": "李雷 😀", "email": "li@huadong.cn", "country": "CN", "budget": 80000, "status": "new"},
]


class Desk:
    """A workspace, a clock that can be moved, and questions to ask."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock(NOW)
        self.actor = "mei"
        self._open: list[Session] = []
        Workspace.create(folder).close()

    def session(self, *, command: str = "test", **options: Any) -> Session:
        """A session at the desk's time."""
        session = open_session(
            self.folder,
            settings=options.pop("settings", Settings()),
            command=command,
            actor=options.pop("actor", self.actor),
            clock=self.clock,
            quiet=True,
            **options,
        )
        self._open.append(session)
        return session

    def file(self, name: str, text: str) -> Path:
        """A file of the workspace."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def put(self, dataset: str, rows: Sequence[Mapping[str, Any]]) -> int | None:
        """Write rows of a dataset in one commit; answers its number."""
        session = self.session()
        schema = session.workspace.schemas[dataset]
        names = [column for column in schema.types if any(column in row for row in rows)]
        arrow = pa.schema([schema.arrow().field(name) for name in names])
        table = pa.Table.from_pylist([dict(row) for row in rows], schema=arrow)
        with session.write(*([dataset] if schema.kind == "state" else [])) as tx:
            (tx.append if schema.kind == "event" else tx.upsert)(dataset, table)
            return tx.commit().seq

    def rows(self, sql: str, *, as_of: str | None = None) -> list[tuple[Any, ...]]:
        """Ask the data."""
        with self.session(as_of=as_of) as session, session.query() as query:
            return query.rows(sql)

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**by))

    def close(self) -> None:
        """Close every session."""
        for session in self._open:
            session.close()


def touch(number: int, lead_id: int | None, kind: str, *, days: float = 1, **more: Any) -> dict[str, Any]:
    """A touchpoint some days ago."""
    return {"event_id": f"t{number}", "at": NOW - timedelta(days=days), "kind": kind, "lead_id": lead_id, **more}


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Fresh workspaces."""
    made: list[Desk] = []

    def make(name: str = "ws", leads: Sequence[Mapping[str, Any]] = LEADS) -> Desk:
        desk = Desk(tmp_path / name)
        made.append(desk)
        if leads:
            desk.put("leads", leads)
        return desk

    yield make
    for desk in made:
        desk.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """A workspace with three leads."""
    return make_desk()
