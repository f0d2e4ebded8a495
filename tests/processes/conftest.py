"""An empty workspace for processes and journeys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sfactl.config.settings import Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace
from tests.process_world import NOW

Opened = Callable[..., Session]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty workspace with a folder for processes and journeys."""
    Workspace.create(tmp_path).close()
    (tmp_path / "processes").mkdir()
    (tmp_path / "journeys").mkdir()
    return tmp_path


@pytest.fixture
def opened(folder: Path) -> Iterator[Opened]:
    """Open a session on the workspace; all are closed in the end."""
    made: list[Session] = []

    def open_(*, now: datetime = NOW, as_of: str | None = None, dry_run: bool = False) -> Session:
        session = open_session(
            folder, settings=Settings(), command="test", actor="me", clock=FixedClock(now), as_of=as_of, dry_run=dry_run,
            quiet=True,
        )  # fmt: skip
        made.append(session)
        return session

    yield open_
    for session in made:
        session.close()


@pytest.fixture
def session(opened: Opened) -> Session:
    """A session at `NOW`."""
    return opened()
