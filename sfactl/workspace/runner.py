"""The one runner of a workspace: who it is, whether it still lives, and how another takes over from one that does not.

A runner has a lock file of its own, which the kernel frees when its process dies, and a second file that it touches as
long as it is well. It is taken over when it is dead, or when it gave no sign of life for too long. Should it wake after
all, nothing that it writes or claims is taken: its token is no longer the newest.
"""

from __future__ import annotations

import json
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sfactl.api.errors import LockBusy
from sfactl.workspace.fence import Fence, next_token
from sfactl.workspace.manifest import Manifest

SCOPE = "run"
POLL_S = 0.2


class Runner:
    """The right to be the one that works. ``taken_over`` says from whom, where somebody was at work before."""

    def __init__(self, folder: Path, token: int, about: dict[str, Any], *, stuck_s: float, taken_over: str) -> None:
        self.token = token
        self.fence = Fence(scope=SCOPE, token=token)
        self.taken_over = taken_over
        self._path = _about_path(folder, token)
        self._about = about
        self._stuck_s = stuck_s
        self._deadline = time.monotonic() + stuck_s
        self._end = threading.Event()

    def at(self, job: str) -> None:
        """Say which job it is at. From now on it has the whole time for one job again."""
        self._deadline = time.monotonic() + self._stuck_s
        self._write(job)

    def _write(self, job: str) -> None:
        # Whole or not at all: others read it at any time. Its age is the sign of life, on the machine's own clock,
        # which goes on even where the session's stands still.
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps({**self._about, "job": job}), encoding="utf-8")
        fresh.replace(self._path)

    def _beat(self, every_s: float) -> None:
        while not self._end.wait(every_s) and time.monotonic() < self._deadline:
            with suppress(FileNotFoundError):  # taken over: who did so has cleared it away
                os.utime(self._path)

    @contextmanager
    def alive(self, every_s: float) -> Iterator[None]:
        """Give signs of life while the block works."""
        beats = threading.Thread(target=self._beat, args=(every_s,), name="sign of life", daemon=True)
        beats.start()
        try:
            yield
        finally:
            self._end.set()
            beats.join()


@contextmanager
def only_runner(
    manifest: Manifest,
    locks: Path,
    *,
    run_id: str,
    actor: str,
    since: datetime,
    takeover_s: float,
    stuck_s: float,
    wait_s: float = 0.0,
) -> Iterator[Runner]:
    """Be the one runner of the workspace while the block works.

    One that is dead is taken over at once, and so is one that gave no sign of life for ``takeover_s`` seconds, or is at
    one job for ``stuck_s`` seconds. Raises `LockBusy` saying who is at work, if it is not done within ``wait_s``.
    """
    from filelock import FileLock

    about = {"actor": actor, "host": platform.node(), "pid": os.getpid(), "since": since.isoformat(" ", "seconds")}
    until = time.monotonic() + wait_s
    while True:
        with manifest.writing() as db:  # asking and taking are one step, so that two cannot both succeed
            row = db.execute("select token from fences where scope = ?", (SCOPE,)).fetchone()
            earlier = 0 if row is None else int(row[0])
            state = _state(locks, earlier, takeover_s)
            if state != "at work":
                token = next_token(db, SCOPE, run_id)
                told = f"{_told(locks, earlier)}, which {state}" if state else ""
                runner = Runner(locks, token, about, stuck_s=stuck_s, taken_over=told)
                lock = FileLock(_lock_path(locks, token), timeout=0, mode=0o600)
                lock.acquire()
                runner.at("")
                _clear(locks, earlier)
                break
        if time.monotonic() >= until:
            raise LockBusy(
                f"another run is at work: {_told(locks, earlier)}",
                hint="Nothing was done. To wait for it: --wait 10min",
            )
        time.sleep(POLL_S)
    try:
        with runner.alive(min(takeover_s / 5, 15.0)):
            yield runner
    finally:
        _clear(locks, runner.token)
        lock.release()


def _state(locks: Path, token: int, takeover_s: float) -> str:
    """Nothing where no runner is left, else ``at work`` or what has become of it."""
    from filelock import FileLock, Timeout

    try:
        silent_s = time.time() - _about_path(locks, token).stat().st_mtime
    except FileNotFoundError:
        return ""
    probe = FileLock(_lock_path(locks, token), timeout=0, mode=0o600)
    try:
        with probe:
            return "died"
    except Timeout:
        return f"gave no sign of life for {silent_s:,.0f} seconds" if silent_s > takeover_s else "at work"


def _told(locks: Path, token: int) -> str:
    try:
        said = json.loads(_about_path(locks, token).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return f"run {token}"
    job = f", at {said['job']}" if said.get("job") else ""
    return f"run {token} of {said['actor']} on {said['host']} (process {said['pid']}) since {said['since']} UTC{job}"


def _about_path(locks: Path, token: int) -> Path:
    return locks / f"run-{token}.json"


def _lock_path(locks: Path, token: int) -> Path:
    return locks / f"run-{token}.lock"


def _clear(locks: Path, token: int) -> None:
    for path in (_about_path(locks, token), _lock_path(locks, token)):
        path.unlink(missing_ok=True)
