"""A workspace in which a made-up world has already run its course, written straight into the datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.config.settings import Settings, WorkspaceSettings
from sfactl.demo.world import Tables, World, made
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

Written = Callable[[Mapping[str, Sequence[Mapping[str, object]] | pa.Table]], Path]
FILLED = Path(__file__).parent / "filled"
STATE = ("leads", "opportunities", "quotes", "orders", "receivables", "allocations", "plans")
EVENTS = ("stage_events", "score_events", "messages", "plan_items", "touchpoints")


@pytest.fixture(scope="session")
def world() -> Iterator[Tables]:
    with made(World(leads=2_000, events=20_000, seed=11)) as tables:
        yield tables


@pytest.fixture(scope="session")
def filled_folder(world: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "ws"
    with Workspace.create(folder):
        pass
    with _open(folder) as session, session.write(*STATE) as tx:
        for dataset in STATE:
            tx.upsert(dataset, world.table((FILLED / f"{dataset}.sql").read_text()))
        for dataset in EVENTS:
            tx.append(dataset, world.table((FILLED / f"{dataset}.sql").read_text()))
        tx.commit()
    return folder


@pytest.fixture
def session(filled_folder: Path) -> Iterator[Session]:
    with _open(filled_folder) as session:
        yield session


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Session]:
    with Workspace.create(tmp_path / "empty"):
        pass
    with _open(tmp_path / "empty") as session:
        yield session


@pytest.fixture
def dry(filled_folder: Path) -> Iterator[Callable[[], Session]]:
    with _open(filled_folder, dry_run=True) as session:
        yield lambda: session


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Make a workspace that holds these rows, by dataset, and answer its folder."""

    def write(rows: Mapping[str, Sequence[Mapping[str, object]] | pa.Table]) -> Path:
        folder = tmp_path_factory.mktemp("written") / "ws"
        with Workspace.create(folder):
            pass
        with _open(folder) as session, session.write(*rows) as tx:
            for dataset, given in rows.items():
                if not len(given):
                    continue
                schema = session.workspace.schemas[dataset]
                table = given if isinstance(given, pa.Table) else _table(given)
                (tx.append if schema.kind == "event" else tx.upsert)(dataset, table)
            tx.commit()
        return folder

    return write


def _table(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def _open(folder: Path, *, dry_run: bool = False) -> Session:
    settings = replace(Settings(), workspace=WorkspaceSettings(name="Acme 雷射 <Laser>", currency="USD"))
    return open_session(
        folder,
        settings=settings,
        command="test",
        actor="tester",
        clock=FixedClock(datetime(2028, 1, 1)),
        dry_run=dry_run,
    )
