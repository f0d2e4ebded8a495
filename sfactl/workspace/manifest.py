"""The manifest: one SQLite file that says which data files are live since when, and what is owed to the outside.

It decides what exists. It refuses a manifest that is damaged or was made by a newer sfactl.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sfactl.api.errors import LockBusy, StorageError

FORMAT = 1
BUSY_S = 60

TABLES = """
create table meta (key text primary key, value text not null) without rowid;
create table commits (
    seq integer primary key, at integer not null, actor text not null, command text not null, run_id text not null,
    op text not null, reason text, idempotency_key text unique, undoes integer, meta text not null);
create table column_sets (id integer primary key, names text not null unique);
create table files (
    id integer primary key, dataset text not null, path text not null unique, kind text not null,
    added_seq integer not null, removed_seq integer, rows integer not null, bytes integer not null,
    crc32 integer not null, version integer not null, columns integer not null references column_sets (id),
    key_min text, key_max text, time_min text, time_max text);
create index files_live on files (dataset) where removed_seq is null;
create index files_added on files (added_seq);
create table cursors (name text not null, seq integer not null, value text, primary key (name, seq)) without rowid;
create table counters (kind text primary key, next integer not null) without rowid;
create table fences (scope text primary key, token integer not null, run_id text not null) without rowid;
create table effects (
    key text primary key, scope text not null, kind text not null, state text not null, fence integer not null,
    payload_hash text not null, attempts integer not null, planned_at integer not null, settled_at integer,
    provider_id text not null default '', detail text not null default '', not_before integer, meta text not null);
create index effects_scope on effects (scope, state);
create table past_effects (digest blob primary key) without rowid;
"""

SYNCHRONOUS = "full"
"""When a commit returns it is on the disk, and outlives a power cut."""


class Manifest:
    """An open manifest. Every method runs in the calling thread; write inside `writing`."""

    def __init__(self, path: Path, connection: sqlite3.Connection, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._connection = connection

    @classmethod
    def create(cls, path: Path, meta: dict[str, str]) -> Manifest:
        """Make an empty manifest at ``path``."""
        with sqlite_errors(path):
            connection = _connect(path)
            connection.execute("pragma journal_mode = wal")
            connection.executescript("begin immediate;" + TABLES)
            rows = {"format": str(FORMAT), **meta}
            connection.executemany("insert into meta values (?, ?)", rows.items())
            connection.execute("commit")
        path.chmod(0o600)
        return cls(path, connection, read_only=False)

    @classmethod
    def open(cls, path: Path) -> Manifest:
        """Open the manifest at ``path``; in a folder that cannot be written to, for reading only."""
        if not path.is_file():
            raise StorageError(f"{path}: there is no manifest here", hint="Make a workspace with: sfactl init DIR")
        read_only = not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
        with sqlite_errors(path):
            connection = _connect(path, immutable=read_only)
            manifest = cls(path, connection, read_only=read_only)
            manifest._check_format()
        return manifest

    def _check_format(self) -> None:
        row = self._connection.execute("select value from meta where key = 'format'").fetchone()
        found = int(row[0]) if row else 0
        if found > FORMAT:
            raise StorageError(
                f"{self.path}: the workspace has format {found}, this sfactl reads up to {FORMAT}",
                hint="Install a newer sfactl. Nothing was changed.",
            )

    def close(self) -> None:
        """Close the file; the last one to close folds the write-ahead log in."""
        self._connection.close()

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """All rows of a SELECT."""
        with sqlite_errors(self.path):
            return self._connection.execute(sql, params).fetchall()

    def one(self, sql: str, *params: Any) -> tuple[Any, ...] | None:
        """The first row of a SELECT, or None."""
        with sqlite_errors(self.path):
            row: tuple[Any, ...] | None = self._connection.execute(sql, params).fetchone()
        return row

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that queues behind other writers; rolled back when the block raises."""
        if self.read_only:
            raise StorageError(
                f"{self.path.parent}: the workspace cannot be written to", hint="Check the rights of the folder."
            )
        with sqlite_errors(self.path):
            self._connection.execute("begin immediate")
            try:
                yield self._connection
                self._connection.execute("commit")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise

    def meta(self, key: str) -> str | None:
        """A value of the meta table."""
        row = self.one("select value from meta where key = ?", key)
        return None if row is None else str(row[0])

    def head(self) -> int:
        """Number of the newest commit; 0 before the first."""
        row = self.one("select coalesce(max(seq), 0) from commits")
        return int(row[0]) if row else 0


def _connect(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    uri = path.resolve().as_uri() + ("?immutable=1" if immutable else "")
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S, check_same_thread=False)
    connection.execute(f"pragma synchronous = {SYNCHRONOUS}")
    return connection


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors into ours."""
    try:
        yield
    except sqlite3.OperationalError as err:
        text = str(err)
        if "locked" in text or "busy" in text:
            raise LockBusy(f"{path}: another process is writing for over {BUSY_S} s", hint="Try again.") from err
        if "full" in text:
            raise StorageError("the disk is full", hint="Free some space; nothing was committed.") from err
        raise StorageError(f"{path}: {text}", hint="Run: sfactl doctor") from err
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as err:
        raise StorageError(
            f"{path}: the manifest is damaged ({err})",
            hint="The data files are untouched. Restore .sfactl/manifest.db from a backup, then: sfactl data verify",
        ) from err
    except OSError as err:
        raise disk_error(err, path) from err


def disk_error(err: OSError, path: Path) -> StorageError:
    """Our error for one of the system's."""
    if err.errno == errno.ENOSPC:
        return StorageError("the disk is full", hint="Free some space; nothing was committed.")
    if err.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return StorageError(f"{err.filename or path}: cannot be written to", hint="Check the rights of the folder.")
    return StorageError(f"{err.filename or path}: {err.strerror or err}")


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 of a naive UTC time."""
    return (at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The naive UTC time of microseconds since 1970."""
    return datetime(1970, 1, 1) + timedelta(microseconds=micros)


def dump(value: Any) -> str:
    """JSON with a stable order, for what the manifest keeps."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
