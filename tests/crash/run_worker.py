"""Forks children that do what is due, so that a test can kill or stop each of them cheaply.

Reads ``DAY FOLDER`` lines on stdin and answers the child's pid; ``wait`` answers the exit code of the last one. With a
minus before the day the child stops itself in the midst of its first job, before it commits; with a plus when it has
claimed its first messages, before they leave.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb  # noqa: F401  imported before the forks, so that each is cheap
import pyarrow
import pyarrow.compute  # noqa: F401

from sfactl.api.errors import SfactlError
from sfactl.runs.model import Done, Job
from sfactl.runs.usecases import batch
from sfactl.session import Session
from sfactl.workspace.ledger import Effect, Lease
from tests.crash import run_world

NOTHING_DUE = 42


def stop_first(session: Session, job: Job) -> Done:
    """Stop until somebody wakes this process, then do the job as if nothing had happened."""
    os.kill(os.getpid(), signal.SIGSTOP)
    return batch_perform(session, job)


batch_perform = batch.perform
lease_claim = Lease.claim


def stop_after_claim(lease: Lease, effects: Sequence[Effect]) -> list[str]:
    """Claim, then stop until somebody wakes this process."""
    claimed = lease_claim(lease, effects)
    Lease.claim = lease_claim  # type: ignore[method-assign]
    os.kill(os.getpid(), signal.SIGSTOP)
    return claimed


def work(day: str, folder: Path) -> int:
    """Do what is due. Answers 42 where nothing is."""
    if day.startswith("-"):
        batch.perform = stop_first  # type: ignore[assignment]
    if day.startswith("+"):
        Lease.claim = stop_after_claim  # type: ignore[method-assign, assignment]
    return 0 if run_world.run(folder, abs(int(day))).jobs else NOTHING_DUE


def main() -> None:
    """Serve jobs until stdin ends."""
    child = 0
    for line in sys.stdin:
        day, _, folder = line.rstrip("\n").partition(" ")
        if day == "wait":
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = work(day, Path(folder))
            except SfactlError as err:
                print(f"{day}: {err.message}", file=sys.stderr, flush=True)
                code = err.exit_code
            finally:
                os._exit(code)
        print(child, flush=True)


if __name__ == "__main__":
    main()
