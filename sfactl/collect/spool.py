"""Keep what comes in on disk before anybody is answered; threads that write at the same time share one sync.

It refuses, rather than loses, when the disk fails, is nearly full, or what waits has reached its limit.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock

from sfactl.collect.segments import Record, Segment, begin, files_of, line, size_of

SEGMENT_BYTES = 8 << 20
SEGMENT_S = 30.0
"""A file is completed when it is so large or so old, so that it can be brought in and removed."""
KEEP_FREE = 64 << 20
"""So much of the disk is left to others."""
RECOUNT_S = 30.0
REMEMBERED = 100_000
"""Ids of the last records, so that what is said over and over does not fill the disk."""


class SpoolRefused(Exception):
    """Nothing was kept: the disk failed or is full."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Ticket:
    lines: bytes
    settled: bool = False
    error: str = ""


@dataclass(slots=True, kw_only=True)
class Spool:
    """The files of one collector in ``folder``, at most ``most_bytes`` of them. Any number of threads may add."""

    folder: Path
    now: Callable[[], datetime]
    most_bytes: int = 1 << 30
    segment_s: float = SEGMENT_S
    _segment: Segment | None = None
    _pending: list[_Ticket] = field(default_factory=list)
    _recent: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _queue: Lock = field(default_factory=Lock)
    _disk: Lock = field(default_factory=Lock)
    _others: int = 0
    _counted: float = float("-inf")

    def add(self, records: Sequence[Record]) -> int:
        """Keep ``records``; answers how many are new, once all are on the disk. Raises `SpoolRefused`."""
        with self._queue:
            fresh = [r for r in records if r.id not in self._recent]
            ticket = _Ticket(lines=b"".join(map(line, fresh)))
            if fresh:
                self._pending.append(ticket)
        if not fresh:
            return 0
        with self._disk:
            if not ticket.settled:  # nobody took it along
                self._write_pending()
        if ticket.error or not ticket.settled:
            raise SpoolRefused(ticket.error or "it could not be written")
        with self._queue:
            self._recent.update(dict.fromkeys(r.id for r in fresh))
            while len(self._recent) > REMEMBERED:
                self._recent.popitem(last=False)
        return len(fresh)

    def refusal(self) -> str:
        """Why nothing could be kept now; empty where all is well."""
        with self._disk:
            try:
                self._refuse_if_full(1)
            except OSError as err:
                return err.strerror or str(err)
        return ""

    def complete_old(self) -> None:
        """Complete the file that is written to, where it is old enough; for a collector that nobody visits."""
        with self._disk:
            if self._segment is not None and time.monotonic() - self._segment.begun > self.segment_s:
                self._complete()

    def close(self) -> None:
        """Complete the file that is written to."""
        with self._disk:
            self._complete()

    def _write_pending(self) -> None:
        with self._queue:
            tickets, self._pending = self._pending, []
        lines = b"".join(t.lines for t in tickets)
        error = ""
        try:
            self._refuse_if_full(len(lines))
            if self._segment is None:
                self._segment = begin(self.folder, self.now(), time.monotonic())
            self._segment.write(lines)
        except OSError as err:
            error = err.strerror or str(err)
            # What a failed write left behind may be half a line: nothing may ever be added to that file.
            self._complete()
        for ticket in tickets:
            ticket.error, ticket.settled = error, True
        segment = self._segment
        if segment and (segment.size > SEGMENT_BYTES or time.monotonic() - segment.begun > self.segment_s):
            self._complete()

    def _refuse_if_full(self, more: int) -> None:
        disk = os.statvfs(self.folder)
        if disk.f_bavail * disk.f_frsize < KEEP_FREE + more:
            raise OSError(0, "the disk is nearly full")
        now = time.monotonic()
        if now - self._counted > RECOUNT_S:
            own = self._segment.path if self._segment else None
            self._others, self._counted = sum(size_of(p) for p in files_of(self.folder) if p != own), now
        if self._others + (self._segment.size if self._segment else 0) + more > self.most_bytes:
            raise OSError(0, "what waits to be brought in has reached its limit")

    def _complete(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            self._counted = float("-inf")
            try:
                segment.close()
            except OSError:  # it stays as it is, and is read as one that was left behind
                return
