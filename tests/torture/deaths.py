"""Decides how a runner dies: by another's hand at a moment or at the receiver's count, or at a point of its own work.

Some are only interrupted, as Ctrl-C does it, and have to leave everything settled.

The second half runs inside the runner. It counts fsyncs, renames, commits, sends and answers, and ends the process with
SIGKILL just before or just after the one that was chosen, so that nothing of the product knows about it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
By = Literal["moment", "count", "interrupt", "fsync", "rename", "commit", "send", "answer"]
POINTS: dict[By, int] = {"fsync": 6, "rename": 3, "commit": 9, "send": 30, "answer": 30}
"""The kinds of points, and how many of each a short life has: the one that kills is drawn from as many."""

LONGEST_S = 1.0
DEATH = "TORTURE_DEATH"
NOTE = "TORTURE_NOTE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """One way to die. ``n`` is the number of the point, ``after_s`` the moment; ``after`` tells before from after."""

    by: By
    n: int = 0
    after: bool = False
    after_s: float = 0.0

    @property
    def at_a_point(self) -> bool:
        """Whether the runner kills itself."""
        return self.by in POINTS

    def environment(self, note: Path) -> dict[str, str]:
        """What a runner has to be told."""
        said = f"{self.by}:{self.n}:{int(self.after)}" if self.at_a_point else ""
        return {DEATH: said, NOTE: str(note)}


def draw(chance: random.Random) -> Death:
    """A death by lot: five of eight at a point of the runner's own work."""
    by = chance.choice(("moment", "count", "interrupt", *POINTS))
    if by in ("moment", "interrupt"):
        return Death(by=by, after_s=chance.uniform(0, LONGEST_S))
    return Death(by=by, n=chance.randint(1, POINTS.get(by, 1)), after=chance.random() < 0.5)


def holders(pid: int) -> list[int]:
    """Inodes of the files that the process holds locks on."""
    lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    fields = [line.split() for line in lines if "->" not in line]
    return [int(f[5].rpartition(":")[2]) for f in fields if f[1] == "FLOCK" and int(f[4]) == pid]


@dataclass(slots=True)
class _Doom:
    """The chosen point of this process, and how many of its kind have passed."""

    pid: int = 0
    by: str = ""
    n: int = 0
    after: bool = False
    passed: int = 0

    def look(self, by: str, *, after: bool) -> None:
        """Pass a point, or die there."""
        if self.pid != os.getpid():
            self.pid = os.getpid()
            self.by, _, rest = os.environ.get(DEATH, "").partition(":")
            self.n, self.after = (int(part) for part in rest.split(":")) if rest else (0, False)
        if by == self.by and after == self.after:
            self.passed += 1
            if self.passed == self.n:
                note = json.dumps({"locks": holders(self.pid)})
                Path(os.environ[NOTE]).write_text(note, encoding="ascii")
                os.kill(self.pid, signal.SIGKILL)


_doom = _Doom()


def _doomed(by: str, call: Callable[P, T]) -> Callable[P, T]:
    def passing(*args: P.args, **kwargs: P.kwargs) -> T:
        _doom.look(by, after=False)
        answer = call(*args, **kwargs)
        _doom.look(by, after=True)
        return answer

    return passing


class _Connection(sqlite3.Connection):
    """Counts commits."""

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if sql.strip().lower() != "commit":
            return super().execute(sql, *args)
        _doom.look("commit", after=False)
        answer = super().execute(sql, *args)
        _doom.look("commit", after=True)
        return answer


def install() -> None:
    """Let this process and its forks die at the point that their environment names."""
    connect = sqlite3.connect
    os.fsync = _doomed("fsync", os.fsync)
    os.rename = _doomed("rename", os.rename)
    os.replace = _doomed("rename", os.replace)
    sqlite3.connect = lambda *args, **kwargs: connect(*args, **{"factory": _Connection, **kwargs})  # type: ignore[assignment]
    socket.socket.sendall = _doomed("send", socket.socket.sendall)  # type: ignore[method-assign]
    socket.socket.recv_into = _doomed("answer", socket.socket.recv_into)  # type: ignore[method-assign]


if __name__ == "__main__":
    install()
    from sfactl.cli.main import main

    sys.exit(main(sys.argv[1:]))
