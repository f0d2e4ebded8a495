"""A workspace: a folder with the user's files, and ``.sfactl`` with the manifest and the data."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfactl.api.errors import NotFound, UserError
from sfactl.engine.duck import Limits, Query
from sfactl.schemas import Schemas, core_schemas
from sfactl.workspace.manifest import Manifest, disk_error, dump, from_micros, to_micros
from sfactl.workspace.snapshot import Snapshot
from sfactl.workspace.witness import remember, was_set_back

if TYPE_CHECKING:
    from sfactl.workspace.fence import Fence
    from sfactl.workspace.ledger import Ledger
    from sfactl.workspace.transaction import Author, Transaction

PRIVATE = ".sfactl"
LOCK_WAIT_S = 60.0


class Workspace:
    """The data of one workspace, open in this process. Use it as a context manager."""

    def __init__(self, folder: Path, manifest: Manifest, schemas: Schemas, limits: Limits) -> None:
        self.folder = folder
        self.schemas = schemas
        self.limits = limits
        self.manifest = manifest
        self.private = folder / PRIVATE

    @classmethod
    def create(cls, folder: Path, *, schemas: Schemas | None = None, limits: Limits | None = None) -> Workspace:
        """Make an empty workspace in ``folder``, which may hold the user's files already.

        Raises `UserError` if there is one already, `StorageError` if the disk refuses.
        """
        private = folder.resolve() / PRIVATE
        if (private / "manifest.db").exists():
            raise UserError(f"{folder}: there is a workspace here already")
        try:
            for part in ("data", "stage", "locks", "tmp"):
                (private / part).mkdir(parents=True, exist_ok=True)
            private.chmod(0o700)
        except OSError as err:
            raise disk_error(err, private) from err
        half = private / f"manifest-{uuid4().hex}.db"
        manifest = Manifest.create(half, {"id": uuid4().hex, "epoch": "1"})
        with manifest.writing() as db:
            db.execute("insert into meta values ('home', ?)", (dump(_home(half)),))
        manifest.close()
        half.rename(private / "manifest.db")  # a workspace is there whole or not at all
        return cls.open(folder, schemas=schemas, limits=limits)

    @classmethod
    def open(cls, folder: Path, *, schemas: Schemas | None = None, limits: Limits | None = None) -> Workspace:
        """Open the workspace in ``folder``. Raises `NotFound` if there is none, `StorageError` if it is damaged."""
        folder = folder.resolve()
        path = folder / PRIVATE / "manifest.db"
        if not path.exists():
            raise NotFound(f"{folder}: there is no workspace here", hint="Make one with: sfactl init DIR")
        given = limits or Limits(spill=folder / PRIVATE / "tmp")
        return cls(folder, Manifest.open(path), schemas or core_schemas(), given)

    @cached_property
    def id(self) -> str:
        """The workspace's own id; part of every outside key."""
        return self.manifest.meta("id") or ""

    def link_secret(self, *, dry_run: bool = False) -> str:
        """The workspace's own key for the links in messages, made on first use; nobody else may read its file.

        A dry run makes no file: where there is no key yet, it gets one that nobody keeps.
        """
        path = self.private / "link.key"
        if dry_run and not path.exists():
            return secrets.token_hex(32)
        fresh = path.with_name(f"link-{uuid4().hex}.key")
        if not path.exists():
            try:
                with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(secrets.token_hex(32))
                    file.flush()
                    os.fsync(file.fileno())
                with suppress(FileExistsError):  # another process was first: its key counts
                    os.link(fresh, path)
            except OSError as err:
                raise disk_error(err, path) from err
            finally:
                fresh.unlink(missing_ok=True)
        return path.read_text(encoding="utf-8")

    def head(self) -> int:
        """Number of the newest commit; 0 in a fresh workspace."""
        return self.manifest.head()

    def snapshot(self, seq: int | None = None) -> Snapshot:
        """What was known at commit ``seq`` (default: now). Raises `NotFound` for a number that is not there yet."""
        head = self.head()
        if seq is None:
            seq = head
        if not 0 <= seq <= head:
            raise NotFound(f"there is no commit {seq}", hint=f"The newest is {head}. See: sfactl data log")
        return Snapshot(self.private, self.manifest, self.schemas, seq)

    def seq_at(self, at: datetime) -> int:
        """The last commit before anything later than ``at`` (naive UTC) was learned."""
        row = self.manifest.one("select min(seq) - 1 from commits where at > ?", to_micros(at))
        return self.head() if row is None or row[0] is None else int(row[0])

    def commit_time(self, seq: int) -> datetime | None:
        """When commit ``seq`` was made; None where there is no such commit."""
        row = self.manifest.one("select at from commits where seq = ?", seq)
        return None if row is None else from_micros(row[0])

    def query(self, seq: int | None = None) -> Query:
        """A query on the snapshot of commit ``seq`` (default: now)."""
        return Query(self.snapshot(seq), self.limits)

    @contextmanager
    def transaction(
        self,
        author: Author,
        *datasets: str,
        key: str | None = None,
        dry_run: bool = False,
        op: str = "write",
        undoes: int | None = None,
    ) -> Iterator[Transaction]:
        """Hold the locks of ``datasets``, read the newest snapshot, and collect one commit; see `Transaction`."""
        from contextlib import nullcontext

        from sfactl.workspace.locks import locked
        from sfactl.workspace.transaction import Place, Transaction

        place = Place(folder=self.private, manifest=self.manifest, schemas=self.schemas)
        hold = nullcontext() if dry_run else locked(self.private / "locks", datasets, wait_s=LOCK_WAIT_S)
        with hold, self.query() as query:
            tx = Transaction(place, author, query, locked=datasets, key=key, dry_run=dry_run, op=op, undoes=undoes)
            try:
                yield tx
            finally:
                tx.discard()

    def reserve(self, kind: str, n: int = 1, *, dry_run: bool = False) -> int:
        """The first of ``n`` numbers that nobody else gets; gaps are fine. A dry run only looks."""
        if dry_run:
            row = self.manifest.one("select next from counters where kind = ?", kind)
            return int(row[0]) if row else 1
        with self.manifest.writing() as db:
            db.execute("insert or ignore into counters values (?, 1)", (kind,))
            (first,) = db.execute("select next from counters where kind = ?", (kind,)).fetchone()
            db.execute("update counters set next = next + ? where kind = ?", (n, kind))
        return int(first)

    def cursor(self, name: str) -> Mapping[str, Any] | None:
        """How far the source ``name`` was read, or None."""
        row = self.manifest.one("select value from cursors where name = ? order by seq desc limit 1", name)
        return None if row is None or row[0] is None else dict(json.loads(row[0]))

    def ledger(self, now: Callable[[], datetime] | None = None, fence: Fence | None = None) -> Ledger:
        """The ledger of outside effects; with ``fence`` for the runner of that token only."""
        from sfactl.workspace.ledger import Ledger

        return Ledger(self.manifest, self.private / "locks", now or _utc_now, lambda: self.is_copy, fence)

    @property
    def is_copy(self) -> bool:
        """True where the manifest is not the file, or not on the machine, that it was made on, or was set back."""
        home = self.manifest.meta("home")
        if home is None:
            return False
        return json.loads(home) != _home(self.manifest.path) or was_set_back(self.manifest)

    def adopt(self) -> int:
        """Declare that this is the one workspace that may have effects. Answers the new epoch."""
        with self.manifest.writing() as db:
            (epoch,) = db.execute("select value from meta where key = 'epoch'").fetchone()
            db.execute("update meta set value = ? where key = 'epoch'", (str(int(epoch) + 1),))
            db.execute("update meta set value = ? where key = 'home'", (dump(_home(self.manifest.path)),))
        remember(self.manifest)
        return int(epoch) + 1

    def close(self) -> None:
        """Close the manifest."""
        self.manifest.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _home(path: Path) -> dict[str, Any]:
    machine = Path("/etc/machine-id")
    try:
        name = machine.read_text(encoding="ascii").strip()
    except OSError:
        name = ""
    return {"inode": path.stat().st_ino, "machine": name}


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
