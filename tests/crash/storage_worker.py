"""What the killed processes of the storage tests do. Each acknowledged commit is a byte in a pipe (w: written, m: merged)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from sfactl.config.settings import Settings
from sfactl.session import Session, open_session
from sfactl.workspace import Author
from sfactl.workspace.compaction import compact


def opened(folder: Path) -> Session:
    return open_session(folder, settings=Settings(), command="test", actor="worker")


def increment(folder: Path, acknowledge: int, worker: int) -> None:
    """Count up in two state datasets and append one event, in one commit, for ever."""
    session = opened(folder)
    turn = 0
    while True:
        with session.write("leads", "accounts") as tx:
            old = tx.query.one("select coalesce(max(employees), 0)::bigint from leads where lead_id = 1") or (0,)
            tx.upsert("leads", "select 1 as lead_id, $n as employees", {"n": old[0] + 1})
            tx.upsert("accounts", "select 1 as account_id, $n as employees", {"n": old[0] + 1})
            event = f"{worker}-{os.getpid()}-{turn}"
            tx.append("stage_events", "select $e as event_id, now()::timestamp as at", {"e": event})
            tx.commit()
        os.write(acknowledge, b"w")
        turn += 1


def merge(folder: Path, acknowledge: int, worker: int) -> None:
    """Compact, for ever."""
    from sfactl.api.errors import Conflict

    session = opened(folder)
    turn = worker
    while True:
        author = Author(actor="worker", command="compact", run_id="r", at=session.now())
        for dataset in ("leads", "accounts", "stage_events"):
            turn += 1
            try:
                compact(session.workspace, author, dataset, full=turn % 2 == 0)
            except Conflict:
                continue
        os.write(acknowledge, b"m")


def take_in(folder: Path, acknowledge: int, worker: int) -> None:
    """Import the files of ``folder/files`` in turn, for ever, each worker from another place."""
    from sfactl.leads.usecases.imports import import_files

    session = opened(folder)
    files = sorted((folder / "files").iterdir())
    turn = worker * 5
    while True:
        import_files(session, [files[turn % len(files)]])
        os.write(acknowledge, b"i")
        turn += 1


JOBS: dict[str, Callable[[Path, int, int], None]] = {"increment": increment, "merge": merge, "take_in": take_in}


def run(job: str, folder: str, acknowledge: int, worker: int) -> None:
    JOBS[job](Path(folder), acknowledge, worker)
