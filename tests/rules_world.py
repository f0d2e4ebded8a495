"""A workspace with a few leads and events, the preset's segments and scores, and a clock that stands still."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.config.settings import Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 11, 21, 9)
PRESET = Path(__file__).parents[1] / "configs" / "b2b"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Workspace.create(tmp_path / "ws").close()
    for name in ("segments", "scores"):
        shutil.copytree(PRESET / name, tmp_path / "ws" / name)
    return tmp_path / "ws"


@pytest.fixture
def opened(folder: Path, clock: FixedClock) -> Iterator[Callable[..., Session]]:
    """Opens the workspace of the test, as often as asked."""
    sessions: list[Session] = []

    def opener(**options: object) -> Session:
        session = open_session(folder, settings=Settings(), command="test", actor="tester", clock=clock, **options)  # type: ignore[arg-type]
        sessions.append(session)
        return session

    yield opener
    for session in sessions:
        session.close()


@pytest.fixture
def session(opened: Callable[..., Session]) -> Session:
    return opened()


@pytest.fixture
def leads(session: Session) -> None:
    """Twelve leads; the even ones in Taiwan, with as many visits and clicks as their number says."""
    ids = list(range(1, 13))
    table = pa.table(
        {
            "lead_id": ids,
            "full_name": [f"Lead {n}" for n in ids],
            "company": ["台灣精密機械" if n % 2 == 0 else None for n in ids],
            "country": ["TW" if n % 2 == 0 else "DE" for n in ids],
            "employees": pa.array([None if n % 5 == 0 else 10 * n for n in ids], pa.int64()),
            "email": [f"lead{n}@example.com" for n in ids],
            "status": ["new"] * 12,
            "created_at": [NOW - timedelta(days=n) for n in ids],
        }
    )
    events = [(n, k) for n in ids for k in range(n)]
    touchpoints = pa.table(
        {
            "event_id": [f"e{n}-{k}" for n, k in events],
            "lead_id": [n for n, _ in events],
            "at": [NOW - timedelta(days=2 * k, hours=1) for _, k in events],
            "kind": [("visit", "email_click", "form_submit")[k % 3] for _, k in events],
            "content": ["/pricing" if k % 2 else "/home" for _, k in events],
        }
    )
    with session.write("leads") as tx:
        tx.upsert("leads", table)
        tx.append("touchpoints", touchpoints)
        tx.commit()
