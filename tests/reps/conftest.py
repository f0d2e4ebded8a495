"""A workspace of sales for the tests of assignment, with a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sfactl.config.settings import EngineSettings, Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 5, 4, 9)
ALONE = Settings(engine=EngineSettings(threads=1))
"""A few rows are the faster for not being shared among threads."""


@pytest.fixture
def open_sales(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """Opens sessions on one workspace, all with the same clock; it is Monday 2026-05-04, 09:00 UTC."""
    Workspace.create(tmp_path / "ws").close()
    opened: list[Session] = []
    clock = FixedClock(NOW)

    def opener(**options: Any) -> Session:
        said = {"command": "assign run", "actor": "boss", "clock": clock} | options
        session = open_session(tmp_path / "ws", settings=ALONE, **said)
        opened.append(session)
        return session

    yield opener
    for session in opened:
        session.close()


@pytest.fixture
def session(open_sales: Callable[..., Session]) -> Session:
    return open_sales()


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session for tests that only change the files of rules: reps kay (team key, laser), boss, mei and ken."""
    folder = tmp_path_factory.mktemp("sales") / "ws"
    Workspace.create(folder).close()
    clock = FixedClock(NOW)
    with open_session(folder, settings=ALONE, command="assign check", actor="boss", clock=clock) as session:
        with session.write("reps") as tx:
            tx.upsert(
                "reps",
                "select unnest(['kay', 'boss', 'mei', 'ken']) as rep_id, true as active, 1 as weight, 'key' as team,"
                " 'laser' as skills",
            )
            tx.commit()
        yield session
