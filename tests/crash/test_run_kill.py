"""Runners that are killed -9 at random, and one that is stopped and wakes after another has taken over."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfactl.runs.model import FINAL
from sfactl.workspace.verify import verify

from . import run_world

pytestmark = pytest.mark.crash

KILLS = int(os.environ.get("SFACTL_KILLS", "0")) or 8
LEADS = 40
NOTHING_DUE = 42
CONFLICT = 5
JOBS = ["campaign:spring", "qualify", "scores", "segments", "strategy:calls"]


class Worker:
    """The process that forks runners."""

    _child = 0

    def __init__(self) -> None:
        script = Path(__file__).with_name("run_worker.py")
        self._process = subprocess.Popen(
            [sys.executable, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )

    def start(self, day: str, folder: Path) -> int:
        self._child = int(self._ask(f"{day} {folder}"))
        return self._child

    def wait(self) -> int:
        code = int(self._ask("wait"))
        self._child = 0
        return code

    def close(self) -> str:
        if self._child:  # a child that was left stopped would hold the pipes open for ever
            os.kill(self._child, signal.SIGKILL)
            self.wait()
        return self._process.communicate()[1]

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.close()


def test_killed_runners_do_each_slot_once_and_lose_none(tmp_path: Path, worker: Worker) -> None:
    folder = tmp_path / "acme"
    run_world.make(folder, leads=LEADS)
    chance = random.Random(20261123)
    kills = day = 0
    while kills < KILLS:
        run_world.day(folder, day)
        while True:
            pid = worker.start(str(day), folder)
            # The moment of the kill is what is random here: from taking the lock to the last record.
            time.sleep(chance.uniform(0.1, 1.6))
            os.kill(pid, signal.SIGKILL)
            code = worker.wait()
            assert code in (0, NOTHING_DUE, -signal.SIGKILL)
            kills += code == -signal.SIGKILL
            if code == NOTHING_DUE or kills >= KILLS:
                break
        day += 1
    for _ in range(3):
        run_world.run(folder, day - 1)

    with run_world.opened(folder, day - 1) as session, session.query() as query:
        settled = query.rows(
            f"select job, due_at, count(*) from runs where state in {FINAL} group by all having count(*) <> 1"
        )
        done = query.rows(
            f"select job, count(distinct due_at) from runs where state in {FINAL} group by job order by job"
        )
        letters = query.rows("select count(*), count(distinct message_key) from messages where state = 'accepted'")
        tasks = query.rows("select count(*), count(distinct task_id) from tasks where kind = 'call'")
        left = query.rows("select * from runs where state = 'started'")
        assert not verify(session.workspace).problems
    assert settled == left == []
    assert done == [(job, day) for job in JOBS]
    assert letters == [(LEADS * day, LEADS * day)]
    assert tasks == [(LEADS * day, LEADS * day)]
    assert len(list((folder / "outbox" / "new").iterdir())) == LEADS * day


def stopped(worker: Worker, day: str, folder: Path) -> int:
    """A runner that has stopped itself, as if it had been silent for long."""
    pid = worker.start(day, folder)
    while "T" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
        time.sleep(0.01)
    (about,) = (folder / ".sfactl" / "locks").glob("run-*.json")
    os.utime(about, (0, 0))
    return pid


def test_two_runners_never_both_send(tmp_path: Path, worker: Worker) -> None:
    folder = tmp_path / "acme"
    run_world.make(folder, leads=LEADS)
    pid = stopped(worker, "+0", folder)
    (run,) = run_world.run(folder, 0).jobs
    assert (run.job, run.state) == ("campaign:spring", "skipped")
    assert "another run is at work on campaign/spring" in run.detail

    os.kill(pid, signal.SIGCONT)
    assert worker.wait() == CONFLICT
    (run,) = run_world.run(folder, 0).jobs
    assert (run.job, run.state) == ("campaign:spring", "done")
    with run_world.opened(folder, 0) as session, session.query() as query:
        sent = query.rows("select count(*), count(distinct lead_id) from messages where state = 'accepted'")
    assert sent == [(LEADS, LEADS)]
    assert len(list((folder / "outbox" / "new").iterdir())) == LEADS


def test_a_stopped_runner_that_wakes_after_the_takeover_changes_nothing(tmp_path: Path, worker: Worker) -> None:
    folder = tmp_path / "acme"
    run_world.make(folder, leads=LEADS)
    pid = stopped(worker, "-0", folder)

    summary = run_world.run(folder, 0)
    assert f"process {pid}" in summary.taken_over
    assert "gave no sign of life" in summary.taken_over
    assert sorted(run.job for run in summary.jobs) == JOBS
    assert {run.attempt for run in summary.jobs if run.job == "scores"} == {2}
    with run_world.opened(folder, 0) as session:
        head = session.workspace.head()

    os.kill(pid, signal.SIGCONT)
    assert worker.wait() == CONFLICT
    assert "another runner has taken over run" in worker.close()
    with run_world.opened(folder, 0) as session:
        assert session.workspace.head() == head
        assert not session.ledger.rows()
    assert len(list((folder / "outbox" / "new").iterdir())) == LEADS
    assert run_world.run(folder, 0).jobs == ()
