"""Runs ``sfactl`` commands as forks of one process that has everything imported, so that a test can kill many of them.

A fork is a process like any other: it can be killed at any instruction and shares nothing with the next. Needs a system
that can fork.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SERVER = """
import json, os, pkgutil, sys
import duckdb, pyarrow.compute, sqlglot, sfactl
from sfactl.cli.main import main
for name in [m.name for m in pkgutil.walk_packages(sfactl.__path__, "sfactl.")] + sys.argv[1:]:
    if not name.startswith(("sfactl.testkit", "sfactl.__main__")):
        __import__(name)
for line in sys.stdin:
    asked = json.loads(line)
    if "words" not in asked:
        pid, status = os.waitpid(asked["pid"], 0 if asked["wait"] else os.WNOHANG)
        answer = os.waitstatus_to_exitcode(status) if pid else None
    elif (answer := os.fork()) == 0:
        code = 1
        try:
            for number, path in ((0, os.devnull), (1, asked["out"]), (2, asked["err"])):
                os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
            os.chdir(asked["folder"])
            os.environ.update(asked["environment"])
            code = main(asked["words"])
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    print(json.dumps(answer), flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How a command ended: its exit code (negative: the signal that ended it) and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        """What it answered with ``--format json``."""
        return json.loads(self.out)["result"]


@dataclass(slots=True, kw_only=True)
class Running:
    """A command that was started."""

    pid: int
    _commands: Commands
    _paths: tuple[Path, Path]
    _code: int | None = None

    @property
    def at_work(self) -> bool:
        """True until it has ended."""
        if self._code is None:
            self._code = self._commands._ask({"pid": self.pid, "wait": False})
        return self._code is None

    def kill(self) -> Answered:
        """End it as ``kill -9`` does, unless it has ended by itself."""
        if self.at_work:
            os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def wait(self) -> Answered:
        """Wait for its end."""
        if self._code is None:
            self._code = self._commands._ask({"pid": self.pid, "wait": True})
        out, err = (path.read_text(encoding="utf-8", errors="replace") for path in self._paths)
        return Answered(code=int(self._code or 0), out=out, err=err)


class Commands:
    """Starts ``sfactl`` command lines. Use it as a context manager; ``imports`` are loaded before the forks."""

    def __init__(self, imports: Sequence[str] = ()) -> None:
        self._imports = imports
        self._count = 0

    def __enter__(self) -> Self:
        self._said = tempfile.TemporaryDirectory(prefix="sfactl-commands-")
        command = [sys.executable, "-c", SERVER, *self._imports]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()
        self._said.cleanup()

    def start(
        self, *words: str | Path, folder: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Running:
        """Start ``sfactl WORDS`` in ``folder``; variables of ``environment`` come on top of this process's own."""
        self._count += 1
        paths = tuple(Path(self._said.name, f"{self._count}.{name}") for name in ("out", "err"))
        for path in paths:
            path.touch()  # a command may be killed before it opens them
        asked: dict[str, Any] = {"words": [str(word) for word in words], "folder": str(folder or Path.cwd())}
        asked["environment"] = dict(environment or {})
        pid = self._ask({**asked, "out": str(paths[0]), "err": str(paths[1])})
        return Running(pid=pid, _commands=self, _paths=(paths[0], paths[1]))

    def run(self, *words: str | Path, folder: Path | None = None) -> Answered:
        """Run ``sfactl WORDS`` to its end."""
        return self.start(*words, folder=folder).wait()

    def _ask(self, question: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())
