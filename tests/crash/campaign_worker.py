"""Forks children that apply the campaign or the strategy, or tell of cases, so that a test can kill each cheaply.

Reads ``JOB FOLDER`` lines on stdin, answers the child's pid; ``wait`` answers the exit code of the last one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import duckdb  # noqa: F401  imported before the forks, so that each is cheap
import pyarrow
import pyarrow.compute  # noqa: F401

from sfactl.api.errors import SfactlError
from sfactl.campaigns import usecases
from sfactl.cases import usecases as cases
from sfactl.config.layers import load_settings
from sfactl.session import Session, open_session
from sfactl.strategies import usecases as strategies

OUT_OF_WORK = 42


def work(job: str, folder: Path) -> int:
    """Apply the newest open plan, or with ``plan`` make a new one first. Answers 42 when nothing is left to send."""
    settings = load_settings(folder, env=None, environ={}, no_plugins=())
    with open_session(folder, settings=settings, command=job, actor="worker", quiet=True) as session:
        if job == "walk":
            return walk(session)
        if job == "cases":
            cases.read_case_mail(session, [folder / "mails"])
            return 0 if cases.acknowledge(session).notices else OUT_OF_WORK
        if job == "plan":
            made = usecases.plan(session, "spring")
            if made.sends == 0:
                return OUT_OF_WORK
            plan_id = made.plan_id
        else:
            with session.query() as query:
                found = query.one(
                    "select plan_id from plans where state in ('planned', 'partly') order by planned_at desc limit 1"
                )
            if found is None:
                return 0
            plan_id = found[0]
        usecases.apply(session, plan_id)
    return 0


def walk(session: Session) -> int:
    """Plan the strategy and apply the plan. Answers 42 when there is nothing left to do."""
    planned = strategies.plan(session, "spring")
    if planned.effects + planned.moves == 0:
        return OUT_OF_WORK
    strategies.apply(session, planned.plan_id)
    return 0


def main() -> None:
    """Serve jobs until stdin ends."""
    child = 0
    for line in sys.stdin:
        job, _, folder = line.rstrip("\n").partition(" ")
        if job == "wait":
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = work(job, Path(folder))
            except SfactlError as err:
                print(f"{job}: {err.message}", file=sys.stderr, flush=True)
            finally:
                os._exit(code)
        print(child, flush=True)


if __name__ == "__main__":
    main()
