"""A small workspace to store things in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sfactl.config.settings import EngineSettings, Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

SETTINGS = Settings(engine=EngineSettings(threads=1))  # tiny data: a second thread would only be waited for


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 1, 1, 9))


@pytest.fixture
def open_again(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[..., Session]]:
    """Opens the one workspace of the test, as often as asked."""
    Workspace.create(tmp_path / "ws").close()
    opened: list[Session] = []

    def opener(**options: object) -> Session:
        session = open_session(
            tmp_path / "ws", settings=SETTINGS, command="test", actor="tester", clock=clock, **options
        )
        opened.append(session)
        return session

    yield opener
    for session in opened:
        session.close()


@pytest.fixture
def session(open_again: Callable[..., Session]) -> Session:
    return open_again()
