"""A workspace to import into, and the shortest way to do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sfactl.config.settings import Settings, WorkspaceSettings
from sfactl.engine.duck import Limits, Query
from sfactl.leads import usecases
from sfactl.leads.files.kinds import stage
from sfactl.leads.files.options import FileOptions, Reading
from sfactl.leads.files.staging import Staged
from sfactl.leads.headers import count_known
from sfactl.leads.model import FileImport
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 11, 21, 9, 0)


class Desk:
    """A workspace with files to import and questions to ask."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.country = "TW"
        self.zone = "UTC"
        self.fields: dict[str, str] = {}
        self.sources: dict[str, Mapping[str, Any]] = {}

    def session(self, *, dry_run: bool = False) -> Session:
        """A session at a fixed time."""
        settings = Settings(
            workspace=WorkspaceSettings(country=self.country, time_zone=self.zone),
            fields={"leads": self.fields},
            sources=self.sources,
        )
        return open_session(
            self.folder,
            settings=settings,
            command="lead import",
            actor="mei",
            clock=FixedClock(NOW),
            dry_run=dry_run,
            quiet=True,
        )

    def write(self, name: str, content: str | bytes) -> Path:
        """A file beside the workspace."""
        path = self.folder.parent / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(
        self,
        content: str | bytes | Path,
        mapping: str | None = None,
        *,
        name: str = "leads.csv",
        dry_run: bool = False,
        **options: Any,
    ) -> FileImport:
        """Import one file; ``mapping`` is the text of a mapping."""
        path = content if isinstance(content, Path) else self.write(name, content)
        if mapping is not None:
            options["mapping"] = str(self.write("mapping.toml", mapping))
        with self.session(dry_run=dry_run) as session:
            (done,) = usecases.import_files(session, [path], **options).files
        return done

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the workspace."""
        with self.session() as session, session.query() as query:
            return query.rows(sql)

    def leads(self, *columns: str) -> list[tuple[Any, ...]]:
        """Leads in the order of their numbers."""
        return self.rows(f"select {', '.join(columns)} from leads order by lead_id")


class Nothing:
    """A query that needs no dataset."""

    seq = 0

    def __contains__(self, name: object) -> bool:
        return False

    def select(self, name: str) -> str:
        raise KeyError(name)

    def lookup(self, name: str, key: object) -> None:
        return None


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[..., tuple[Staged, list[dict[str, Any]]]]]:
    """Read a file without importing it: what was staged, and its rows by the file's headers."""
    with Query(Nothing(), Limits(memory="500MB", threads=1)) as query:

        def read(content: bytes, name: str = "leads.csv", **options: Any) -> tuple[Staged, list[dict[str, Any]]]:
            path = tmp_path / name
            path.write_bytes(content)
            staged = stage(
                Reading(
                    path=path,
                    into=tmp_path / "staged.parquet",
                    options=FileOptions(**options),
                    query=query,
                    known=partial(count_known, "leads"),
                    scratch=tmp_path,
                )
            )
            rows = query.table(f"select * from {staged.source} order by _row").to_pylist()
            names = {f"c{i}": c for i, c in enumerate(staged.columns)}
            return staged, [{names.get(k, k): v for k, v in row.items()} for row in rows]

        yield read


def counts(done: FileImport) -> tuple[int, int, int, int]:
    """(new, updated, unchanged, rejected)."""
    return done.new, done.updated, done.unchanged, done.rejected


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty workspace of Taiwan."""
    folder = tmp_path / "acme"
    folder.mkdir()
    Workspace.create(folder).close()
    return Desk(folder)


@pytest.fixture(scope="session")
def make_desk(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Desk]:
    """Fresh workspaces for the examples of a property."""

    def make() -> Desk:
        folder = tmp_path_factory.mktemp("desk") / "acme"
        folder.mkdir()
        Workspace.create(folder).close()
        return Desk(folder)

    return make


@pytest.fixture
def load(desk: Desk) -> Callable[..., FileImport]:
    """Import into the workspace."""
    return desk.load
