"""The files of the spool: one record a line, each with its check sum; which file may be removed, and which is in use.

A file that is written to has the ending ``.open`` and is locked by its writer; one that is complete ends in ``.jsonl``.
A last line that was cut off was never answered for, so it is left out; any other damage is told, and the file is kept.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import datetime, timedelta
from pathlib import Path
from zlib import crc32

from sfactl.collect.model import Act, Heard, Post, Response

OPEN, COMPLETE = ".open", ".jsonl"
CHUNK_BYTES, CHUNK_FILES = 32 << 20, 400
SPAN = timedelta(minutes=4)
"""What is read together is at least so long, for acts are judged by what was done around them."""
Record = Act | Post | Response | Heard


_FIELDS = {kind: tuple((f.name, f.default) for f in fields_of(kind)) for kind in (Act, Post, Response, Heard)}
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def line(record: Record) -> bytes:
    """A record as it stands in a file."""
    fields = {name: value for name, default in _FIELDS[type(record)] if (value := getattr(record, name)) != default}
    fields["at"] = record.at.isoformat()
    text = _encode(fields).encode("ascii")
    return b"%08x %s\n" % (crc32(text), text)


def read_line(raw: bytes) -> Record | None:
    """The record of a whole line, None where the line is damaged."""
    check, _, text = raw.rstrip(b"\n").partition(b" ")
    try:
        if len(check) != 8 or int(check, 16) != crc32(text):
            return None
        fields = json.loads(text)
        fields["at"] = datetime.fromisoformat(fields["at"])
        if "answers" in fields:
            return Response(**fields)
        if "event" in fields:
            return Heard(**fields)
        if "form" in fields:
            return Post(**{**fields, "asked": tuple(fields.get("asked", ()))})
        return Act(**fields)
    except (ValueError, TypeError, KeyError):
        return None


@dataclass(slots=True, kw_only=True)
class Segment:
    """A file that is being written to."""

    path: Path
    handle: int
    begun: float
    size: int = 0

    def write(self, lines: bytes) -> None:
        """Add ``lines`` and wait until they are on the disk. Raises `OSError`; then nothing was added that is read."""
        begin = self.size
        try:
            while lines:
                done = os.write(self.handle, lines)
                self.size += done
                lines = lines[done:]
            os.fdatasync(self.handle)
        except OSError:
            self.size = begin
            os.ftruncate(self.handle, begin)
            raise

    def close(self) -> None:
        """Mark it complete; an empty one is removed."""
        try:
            if self.size:
                self.path.rename(self.path.with_suffix(COMPLETE))
                sync_folder(self.path.parent)
            else:
                self.path.unlink()
        finally:
            os.close(self.handle)


def begin(folder: Path, now: datetime, begun: float) -> Segment:
    """A new file that nobody else writes to. Raises `OSError`."""
    name = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
    # Locked before it has its name: a reader that could lock it first would take it for left behind, and remove it.
    fresh = folder / f".{name}"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        path = folder / f"{name}{OPEN}"
        fresh.rename(path)
        sync_folder(folder)
    except OSError:
        os.close(handle)
        raise
    return Segment(path=path, handle=handle, begun=begun)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What stands in a file. ``ours`` means that nobody writes to it and it may be removed; ``torn`` is a last line."""

    path: Path
    records: tuple[Record, ...]
    ours: bool
    torn: bool = False
    damaged: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some of the files of a spool, in order; ``more`` come after them."""

    files: tuple[Read, ...]
    more: bool = False


@contextmanager
def reading(folder: Path, start: str = "") -> Iterator[Chunk]:
    """The files of ``folder`` from the name ``start`` on, the oldest first, as many as fit into memory.

    Those nobody writes to are held meanwhile, so that none else removes them. A chunk spans at least `SPAN`.
    """
    held: list[int] = []
    names = [p for p in files_of(folder) if p.name >= start]
    some = _some(names)
    try:
        files = tuple(read for path in some if (read := _held(path, held.append)))
        yield Chunk(files=files, more=len(some) < len(names))
    finally:
        for handle in held:
            os.close(handle)


def files_of(folder: Path) -> list[Path]:
    """The files of a spool that wait to be brought in, the oldest first."""
    return sorted(p for p in folder.glob("[!.]*") if p.suffix in (OPEN, COMPLETE))


def size_of(path: Path) -> int:
    """Its bytes; 0 where it is gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _some(paths: Sequence[Path]) -> Sequence[Path]:
    size = 0
    for n, path in enumerate(paths):
        if (n >= CHUNK_FILES or size >= CHUNK_BYTES) and _begun(path) - _begun(paths[0]) > SPAN:
            return paths[:n]
        size += size_of(path)
    return paths


def _begun(path: Path) -> datetime:
    try:
        return datetime.strptime(path.name.partition("-")[0], "%Y%m%dT%H%M%S%f")
    except ValueError:  # not named by us: it is in no order
        return datetime.min


def _held(path: Path, hold: Callable[[int], None]) -> Read | None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # it was completed, or brought in, this moment
        return None
    hold(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = path.exists()  # the one who held it before may have removed it
    except BlockingIOError:
        ours = False
    # Read after the lock was tried: what is written later is seen by the next reader.
    return _read(path, ours)


def _read(path: Path, ours: bool) -> Read:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raw, ours = b"", False
    lines = raw.split(b"\n")
    torn = bool(lines.pop())
    found = [read_line(one) for one in lines]
    damaged = tuple(n for n, record in enumerate(found, 1) if record is None)
    return Read(path=path, records=tuple(r for r in found if r), ours=ours, torn=torn, damaged=damaged)


def clear(done: Sequence[Read], *, keep: bool) -> list[str]:
    """Remove what was brought in, unless it is to be kept; damage is told, and such a file is only put aside."""
    for read in () if keep else done:
        if read.damaged:
            read.path.rename(read.path.with_suffix(".damaged"))
        else:
            read.path.unlink(missing_ok=True)
    return [f"{f.path.name}: line {f.damaged[0]}" for f in done if f.damaged]


def adopt(folder: Path) -> None:
    """Complete the files that a collector which was killed left behind. Raises `OSError`."""
    for path in folder.glob(f"[!.]*{OPEN}"):
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.rename(path.with_suffix(COMPLETE))
        except (BlockingIOError, FileNotFoundError):
            continue
        finally:
            os.close(handle)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make what was renamed or made in ``folder`` last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
