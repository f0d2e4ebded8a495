"""A service as a process of its own on loopback, so that a sender is tested against code that shares nothing with it.

The script is yours: it imports nothing of sfactl, prints its port as the first line, and answers
under ``/_/`` what it took and what it is to do wrong next.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import Request, urlopen

_WAIT_S = 30.0


@dataclass(slots=True)
class ServiceProcess:
    """Runs ``script`` while it is used as a context manager; ``url`` is its address.

    The script prints its port, serves until its stdin is closed, and answers ``GET /_/state`` with a JSON object and
    ``POST /_/next`` with the JSON it is given: how its next answers go wrong; ``POST /_/reset`` forgets everything.
    """

    script: Path
    _process: subprocess.Popen[str] | None = None
    _port: int = field(default=0)

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        if not self._port:
            raise RuntimeError("the service is not running: use it in a with statement")
        return f"http://127.0.0.1:{self._port}"

    def state(self) -> Any:
        """What the service has seen and taken."""
        return self._ask("GET", "state")

    def next(self, *answers: Mapping[str, Any]) -> None:
        """How the next answers go wrong, one each."""
        self._ask("POST", "next", list(answers))

    def reset(self) -> None:
        """Forget all that was taken and all that is to go wrong."""
        self._ask("POST", "reset", {})

    def __enter__(self) -> Self:
        """Start it and wait for its port."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(self.script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.strip().isdigit():
            self._stop()
            raise RuntimeError(f"{self.script} did not print its port but {line!r}")
        self._port = int(line)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop it."""
        self._stop()

    def _stop(self) -> None:
        process, self._process, self._port = self._process, None, 0
        if process is not None:
            process.kill()
            process.communicate(timeout=_WAIT_S)

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}/_/{what}", data=data, method=method), timeout=_WAIT_S) as answer:  # noqa: S310
            return json.loads(answer.read())
