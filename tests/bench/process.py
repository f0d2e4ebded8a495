"""Run a process and measure it: wall time, and the peak memory of that process alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SFACTL = [sys.executable, "-m", "sfactl"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a process went."""

    seconds: float
    rss_mb: float
    out: str


class BenchFailed(Exception):
    """The work to be measured did not end well."""


def ran(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    ok: tuple[int, ...] = (0,),
) -> Ran:
    """Run ``command`` to its end. Raises `BenchFailed` with its last words if its code is not in ``ok``."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        child = subprocess.Popen(
            [str(c) for c in command], stdout=out, stderr=err, cwd=cwd, env={**os.environ, **(env or {})}
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text = out.read().decode(errors="replace")
        if child.returncode not in ok:
            said = (err.read().decode(errors="replace") or text)[-2000:]
            raise BenchFailed(f"{' '.join(map(str, command[:8]))} … ended with {child.returncode}:\n{said}")
    # Linux counts kilobytes, macOS bytes.
    scale = 1024 if sys.platform != "darwin" else 1024 * 1024
    return Ran(seconds=seconds, rss_mb=usage.ru_maxrss / scale, out=text)


def best(command: Sequence[str | Path], times: int, **options: object) -> Ran:
    """The fastest of ``times`` runs: what the work costs when nothing disturbs it."""
    return min((ran(command, **options) for _ in range(times)), key=lambda r: r.seconds)  # type: ignore[arg-type]


def here(module: str, *arguments: str | Path | int | float) -> list[str]:
    """A command that runs ``python -m tests.bench.<module>``."""
    return [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)]
