"""One atomic commit over any number of datasets, with cursors and the ledger's settled rows.

Files are staged and fsynced first; the commit takes the next number, renames them into place, fsyncs the folders and
writes the manifest rows in one SQLite transaction. A crash before that leaves only orphans.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfactl.api.errors import Conflict, InternalError
from sfactl.engine.duck import Query
from sfactl.schemas import Dataset, Schemas
from sfactl.workspace.fence import Fence
from sfactl.workspace.manifest import Manifest, disk_error, dump, from_micros, to_micros
from sfactl.workspace.snapshot import live_files, quoted
from sfactl.workspace.stage import Staged, check_keys, columns_sql, fsync_folder, stage, stage_small

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who writes, through which command, in which run, and when; under ``fence`` only while it is the newest."""

    actor: str
    command: str
    run_id: str
    at: datetime
    reason: str | None = None
    fence: Fence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit that was made. ``seq`` is None for a dry run; ``repeated`` tells that the idempotency key was known."""

    seq: int | None
    at: datetime
    repeated: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a transaction works: the folder of the data and what it knows about it."""

    folder: Path
    manifest: Manifest
    schemas: Schemas


class Transaction:
    """Collects what one commit will do. Nothing is visible, and nothing kept, before `commit`."""

    def __init__(
        self,
        place: Place,
        author: Author,
        query: Query,
        *,
        locked: Sequence[str] = (),
        key: str | None = None,
        dry_run: bool = False,
        op: str = "write",
        undoes: int | None = None,
    ) -> None:
        self.query = query
        self.dry_run = dry_run
        self.repeated: Commit | None = None
        self.committed: Commit | None = None
        self._place = place
        self._author = author
        self._locked = set(locked)
        self._key = key
        self._op = op
        self._undoes = undoes
        self._staged: list[Staged] = []
        self._removed: list[int] = []
        self._cursors: dict[str, str | None] = {}
        self._folded: list[str] = []
        self._stage_folder: Path | None = None
        if key is not None:
            self.repeated = find_commit(place.manifest, key)

    def upsert(self, dataset: str, data: pa.Table | str, params: Mapping[str, Any] | None = None) -> int:
        """Write whole rows of a state dataset: new keys are added, known keys replaced. Answers the number of rows.

        ``data`` is an Arrow table or a SELECT over the transaction's snapshot; columns go by name, what is missing is
        NULL. Raises `DataError` for a missing or doubled key.
        """
        schema = self._state(dataset)
        # One that finds the dataset empty makes the base at once: there is nothing to merge with.
        empty = not live_files(self._place.manifest, self.query.seq, dataset)
        first = empty and not any(s.dataset == dataset for s in self._staged)
        return self._write(schema, data, params, kind="base" if first else "delta", deleted=None if first else False)

    def delete(self, dataset: str, keys: pa.Table | str, params: Mapping[str, Any] | None = None) -> int:
        """Delete rows of a state dataset by key (a table or SELECT with the key columns); history keeps them."""
        return self._write(self._state(dataset), keys, params, kind="delta", deleted=True)

    def append(self, dataset: str, data: pa.Table | str, params: Mapping[str, Any] | None = None) -> int:
        """Add rows to an event dataset. Their keys must be new. Answers the number of rows."""
        schema = self._place.schemas[dataset]
        if schema.kind != "event":
            raise InternalError(f"{dataset} is a state dataset; use upsert")
        return self._write(schema, data, params, kind="event", deleted=None)

    def set_cursor(self, name: str, cursor: Mapping[str, Any] | None) -> None:
        """Save how far a source was read; it lands with the data. None forgets it."""
        self._cursors[name] = None if cursor is None else dump(cursor)

    def settle(self, scope: str) -> int:
        """Fold the settled effects of ``scope`` from the ledger into ``messages``. Answers the number of rows."""
        from sfactl.workspace.ledger import settled_messages

        table = settled_messages(self._place.manifest, scope)
        if table.num_rows:
            self.append("messages", table)
            self._folded += table.column("message_key").to_pylist()
        return int(table.num_rows)

    def retire(self, keys: Sequence[str]) -> None:
        """Drop settled effects from the ledger in this commit, which holds what became of them. Keys stay used."""
        self._folded += keys

    def adopt(self, staged: Sequence[Staged], remove: Sequence[int]) -> None:
        """Take in files staged elsewhere and retire files by id; for compaction and undo."""
        self._staged += staged
        self._removed += remove

    def staging(self) -> Path:
        """The folder of this transaction's staged files."""
        if self._stage_folder is None:
            base = self._place.folder / "stage"
            if self.dry_run:
                import tempfile

                base = Path(tempfile.gettempdir())
            folder = base / f"sfactl-{os.getpid()}-{uuid4().hex}"
            try:
                folder.mkdir(parents=True)
            except OSError as err:
                raise disk_error(err, folder) from err
            self._stage_folder = folder
        return self._stage_folder

    def commit(self, **meta: Any) -> Commit:
        """Make it all visible at once. ``meta`` (JSON values) is kept with the commit.

        Raises `Conflict` when a file to be retired is gone or another runner has taken over, `StorageError` when the
        disk refuses.
        """
        if self.repeated is not None:
            self.committed = self.repeated
        elif self.dry_run:
            self.committed = Commit(seq=None, at=self._author.at, meta=meta)
        else:
            self.committed = self._commit(meta)
        self.discard()
        return self.committed

    def discard(self) -> None:
        """Throw away what is still staged."""
        if self._stage_folder is not None:
            import shutil

            shutil.rmtree(self._stage_folder, ignore_errors=True)
            self._stage_folder = None
        self._staged = []

    def touched(self) -> set[str]:
        """Datasets with staged rows."""
        return {s.dataset for s in self._staged}

    def _state(self, dataset: str) -> Dataset:
        schema = self._place.schemas[dataset]
        if schema.kind != "state":
            raise InternalError(f"{dataset} is an event dataset; use append")
        if dataset not in self._locked:
            raise InternalError(f"{dataset} is written without its lock; name it in session.write(…)")
        return schema

    def _write(
        self,
        schema: Dataset,
        data: pa.Table | str,
        params: Mapping[str, Any] | None,
        *,
        kind: str,
        deleted: bool | None,
    ) -> int:
        sql = data
        if not isinstance(sql, str):
            small = stage_small(self.staging(), schema, data, kind=kind, deleted=deleted)
            if small is not None:
                self._staged += [small] if small.rows else []
                return small.rows
            name = f"_given_{len(self._staged)}"
            self.query.register(name, data)
            sql = f"select * from {name}"
        have = list(self.query.describe(sql, params))
        whole = columns_sql(schema, sql, have, deleted=deleted)
        staged = stage(self.staging(), self.query, schema, whole, params, kind=kind)
        if staged is None:
            return 0
        if schema.kind == "state":
            check_keys(self.query, schema, staged)
        self._staged.append(staged)
        return staged.rows

    def _commit(self, meta: Mapping[str, Any]) -> Commit:
        moved: list[Path] = []
        try:
            with self._place.manifest.writing() as db:
                if self._author.fence is not None:
                    self._author.fence.check(db)
                seq = self._insert_commit(db, meta)
                self._retire(db, seq)
                self._move_in(db, seq, moved)
                self._save_cursors(db, seq)
                if self._folded:
                    from sfactl.workspace.ledger import forget

                    forget(db, self._folded)
        except BaseException as err:
            self._take_back(moved)
            known = find_commit(self._place.manifest, self._key) if self._key else None
            if isinstance(err, sqlite3.IntegrityError) and known is not None:
                return known
            raise
        return Commit(seq=seq, at=self._author.at, meta=meta)

    def _take_back(self, moved: Sequence[Path]) -> None:
        """Remove files of a commit that did not come about; an interruption may also come just after it did."""
        for path in moved:
            relative = path.relative_to(self._place.folder)
            if self._place.manifest.one("select 1 from files where path = ?", str(relative)) is None:
                path.unlink(missing_ok=True)

    def _insert_commit(self, db: sqlite3.Connection, meta: Mapping[str, Any]) -> int:
        seq = int(db.execute("select coalesce(max(seq), 0) + 1 from commits").fetchone()[0])
        a = self._author
        row = (seq, to_micros(a.at), a.actor, a.command, a.run_id, self._op, a.reason, self._key, self._undoes)
        if self._undoes is not None:  # what was undone may be done again under the same key
            db.execute("update commits set idempotency_key = null where seq = ?", (self._undoes,))
        db.execute("insert into commits values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, dump(meta)))
        return seq

    def _retire(self, db: sqlite3.Connection, seq: int) -> None:
        for file_id in self._removed:
            done = db.execute("update files set removed_seq = ? where id = ? and removed_seq is null", (seq, file_id))
            if done.rowcount != 1:
                raise Conflict("a file of the dataset was replaced meanwhile", hint="Run the command again.")

    def _move_in(self, db: sqlite3.Connection, seq: int, moved: list[Path]) -> None:
        folders = set()
        for place, s in enumerate(self._staged):
            relative = Path("data") / s.dataset / s.name(seq, place)
            target = self._place.folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            moved.append(target)
            s.path.rename(target)
            folders.add(target.parent)
            columns = dump(list(s.columns))
            db.execute("insert or ignore into column_sets (names) values (?)", (columns,))
            (columns_id,) = db.execute("select id from column_sets where names = ?", (columns,)).fetchone()
            db.execute(
                "insert into files (dataset, path, kind, added_seq, rows, bytes, crc32, version, columns, key_min,"
                " key_max, time_min, time_max) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (s.dataset, str(relative), s.kind, seq, s.rows, s.bytes, s.crc32, s.version, columns_id, *s.bounds),
            )
        for folder in folders:
            fsync_folder(folder)
        if folders:
            fsync_folder(self._place.folder / "data")

    def _save_cursors(self, db: sqlite3.Connection, seq: int) -> None:
        for name, value in self._cursors.items():
            db.execute("insert into cursors values (?, ?, ?)", (name, seq, value))


def find_commit(manifest: Manifest, key: str | None) -> Commit | None:
    """The commit that carries the idempotency key, if there is one."""
    row = manifest.one("select seq, at, meta from commits where idempotency_key = ?", key)
    if row is None:
        return None
    return Commit(seq=row[0], at=from_micros(row[1]), repeated=True, meta=json.loads(row[2]))


def key_list(dataset: Dataset) -> str:
    """The key columns as SQL."""
    return ", ".join(quoted(c) for c in dataset.key)
