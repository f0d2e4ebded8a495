"""How many places of each limited thing are taken until when: shared by all runs of a workspace.

It is a memory of paces only, never of messages: should it be lost, some may leave sooner than they should, none twice.
A place that is in use is taken until well after its limit's window; `settle` says when it was really used.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sfactl.workspace.manifest import BUSY_S, from_micros, sqlite_errors, to_micros

IN_USE = timedelta(minutes=10)
"""So much longer than the window is a place taken whose user is not heard of again."""

TABLES = """
create table if not exists taken (
    bucket text not null, until integer not null, places integer not null, primary key (bucket, until)) without rowid;
create table if not exists in_use (
    scope text not null, bucket text not null, until integer not null, window integer not null,
    places integer not null, primary key (scope, bucket, until)) without rowid;
create index if not exists in_use_bucket on in_use (bucket);
create table if not exists holds (bucket text primary key, until integer not null, why text not null) without rowid;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in use: of which bucket, and until when it counts as taken at the latest."""

    bucket: str
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Until when a bucket is shut, and why."""

    until: datetime
    why: str


class Throttle:
    """The places of a workspace. Everything but `holds` happens inside `writing`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One step that no other run can come between. Opens the file where it is not yet open."""
        with sqlite_errors(self.path):
            db = self._db()
            db.execute("begin immediate")
            try:
                yield
                db.execute("commit")
            except BaseException:
                if db.in_transaction:
                    db.execute("rollback")
                raise

    def free_at(self, bucket: str, most: int, now: datetime) -> datetime | None:
        """None where fewer than ``most`` places are taken; else when it is worth asking again."""
        db, at = self._db(), to_micros(now)
        db.execute("delete from taken where bucket = ? and until <= ?", (bucket, at))
        db.execute("delete from in_use where bucket = ? and until <= ?", (bucket, at))
        spare = to_micros(now + IN_USE) - at
        rows = db.execute(
            "select until, places from taken where bucket = ?1"
            " union all select max(until - ?2, ?3), places from in_use where bucket = ?1 order by 1",
            (bucket, spare, at + 50_000),
        ).fetchall()
        over = sum(places for _, places in rows) - most
        for until, places in rows:
            if over < 0:
                break
            over -= places
            if over < 0:
                return from_micros(until)
        return None

    def take(self, scope: str, bucket: str, window: timedelta, now: datetime) -> Place:
        """Put one place of ``bucket`` to use."""
        length = window // timedelta(microseconds=1)
        until = _rounded(to_micros(now + window + IN_USE), length)
        self._add("in_use", (scope, bucket, until, length, 1), "scope, bucket, until")
        return Place(bucket=bucket, until=until)

    def give(self, scope: str, place: Place) -> int:
        """End the use of a place; answers the length of its window, 0 where it was given up meanwhile."""
        db = self._db()
        key = (scope, place.bucket, place.until)
        where = "where scope = ? and bucket = ? and until = ?"
        row = db.execute(f"select window from in_use {where}", key).fetchone()
        db.execute(f"update in_use set places = places - 1 {where}", key)
        db.execute(f"delete from in_use {where} and places <= 0", key)
        return int(row[0]) if row else 0

    def settle(self, scope: str, place: Place, now: datetime) -> None:
        """The place was used ``now`` at the latest, and is free again when its window has passed."""
        if window := self.give(scope, place):
            self._add("taken", (place.bucket, _rounded(to_micros(now) + window, window), 1), "bucket, until")

    def bury(self, scope: str, now: datetime) -> None:
        """An earlier run of ``scope`` is dead: whatever it had in use was used by now."""
        db = self._db()
        for bucket, window, places in db.execute(
            "select bucket, window, places from in_use where scope = ?", (scope,)
        ).fetchall():
            self._add("taken", (bucket, _rounded(to_micros(now) + window, window), places), "bucket, until")
        db.execute("delete from in_use where scope = ?", (scope,))
        for table in ("taken", "in_use", "holds"):
            db.execute(f"delete from {table} where until <= ?", (to_micros(now),))

    def spent(self, bucket: str) -> int:
        """Places of a bucket that only ever fills, such as a day's."""
        row = self._db().execute("select sum(places) from taken where bucket = ?", (bucket,)).fetchone()
        return int(row[0] or 0)

    def spend(self, bucket: str, until: datetime, places: int) -> None:
        """Fill such a bucket by ``places`` (less than 0: give back); it is forgotten after ``until``."""
        self._add("taken", (bucket, to_micros(until), places), "bucket, until")

    def hold(self, bucket: str, until: datetime, why: str) -> None:
        """Shut a bucket; a longer hold stays."""
        self._db().execute(
            "insert into holds values (?, ?, ?) on conflict (bucket) do update"
            " set until = excluded.until, why = excluded.why where excluded.until > holds.until",
            (bucket, to_micros(until), why),
        )

    def release(self, bucket: str) -> int:
        """Forget the holds of a bucket and of all below it (``bucket|…``); answers how many there were."""
        done = self._db().execute(
            "delete from holds where bucket = ?1 or substr(bucket, 1, length(?1) + 1) = ?1 || '|'", (bucket,)
        )
        return done.rowcount

    def holds(self, now: datetime) -> dict[str, Hold]:
        """The buckets that are shut now."""
        if not self.path.exists():
            return {}
        with sqlite_errors(self.path):
            rows = self._db().execute("select bucket, until, why from holds where until > ?", (to_micros(now),))
            return {bucket: Hold(until=from_micros(until), why=why) for bucket, until, why in rows.fetchall()}

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _add(self, table: str, row: tuple[object, ...], key: str) -> None:
        marks = ", ".join("?" * len(row))
        self._db().execute(
            f"insert into {table} values ({marks}) on conflict ({key}) do update set places = places + excluded.places",
            row,
        )

    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_S)
            self._connection.execute("pragma journal_mode = wal")
            # What a power cut loses here is a pace, which a few seconds bring back.
            self._connection.execute("pragma synchronous = off")
            self._connection.executescript(TABLES)
        return self._connection


def _rounded(until: int, window: int) -> int:
    """Up to a hundredth of the window, so that a bucket has some hundred rows and not one for each message."""
    step = max(window // 100, 1)
    return -(-until // step) * step
