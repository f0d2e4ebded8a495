"""A workspace whose jobs are cheap, a clock that is set by hand, and jobs that do what a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from sfactl.config.layers import load_settings
from sfactl.runs.model import Done, Job, Summary
from sfactl.runs.usecases import due
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

MONDAY = datetime(2026, 11, 23, 1, 0)
"""09:00 in Taipei."""

SETTINGS = """
schema = 1
[workspace]
name = "Acme"
time_zone = "Asia/Taipei"
[engine]
threads = 1
"""


@dataclass
class Place:
    """The workspace of a test. ``does`` says what a job answers or raises; what ran is in ``ran``."""

    folder: Path
    clock: FixedClock
    does: dict[str, Done | Exception | Callable[[Session], Done]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)

    def jobs(self, text: str) -> None:
        """Write ``[run]``."""
        self.write("sfactl.toml", SETTINGS + text)

    def write(self, path: str, text: str) -> None:
        """Write one of the user's files."""
        (self.folder / path).parent.mkdir(exist_ok=True)
        (self.folder / path).write_text(text, encoding="utf-8")

    def at(self, time: str) -> None:
        """Set the clock, in UTC."""
        self.clock.at = datetime.fromisoformat(time)

    @contextmanager
    def session(self, *, dry_run: bool = False, env: str | None = None, as_of: str | None = None) -> Iterator[Session]:
        settings = load_settings(self.folder, env=env, environ={})
        with open_session(
            self.folder, settings=settings, command="run --due", actor="mei", clock=self.clock, dry_run=dry_run,
            as_of=as_of, quiet=True,
        ) as session:  # fmt: skip
            yield session

    def run(self, *, dry_run: bool = False, env: str | None = None, only: tuple[str, ...] = ()) -> Summary:
        """Do what is due."""
        with self.session(dry_run=dry_run, env=env) as session:
            return due.run_due(session, env=env or "", only=only)

    def states(self, **options: object) -> dict[str, str]:
        """Do what is due; the states by job."""
        return {run.job: run.state for run in self.run(**options).jobs}  # type: ignore[arg-type]

    def perform(self, session: Session, job: Job) -> Done:
        """What stands for a job's own work."""
        self.ran.append(job.id)
        said = self.does.get(job.id, Done(state="done", items=1, counts={"things": 1}))
        if isinstance(said, Exception):
            raise said
        return said(session) if callable(said) else said


@pytest.fixture
def real_place(tmp_path: Path) -> Place:
    """A workspace whose jobs do their own work."""
    place = Place(folder=tmp_path / "acme", clock=FixedClock(MONDAY))
    place.folder.mkdir()
    place.jobs("")
    Workspace.create(place.folder).close()
    return place


@pytest.fixture
def place(real_place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A workspace whose jobs do what the test says."""
    monkeypatch.setattr("sfactl.runs.usecases.batch.perform", real_place.perform)
    return real_place
