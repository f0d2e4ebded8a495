"""Runs of a strategy that are killed -9 anywhere, two at a time: every message, task and push happens once."""

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

from sfactl.workspace.verify import verify

from . import campaign_world as world

pytestmark = pytest.mark.crash

KILLS = int(os.environ.get("SFACTL_KILLS", "0")) or 8
LEADS = 120
OUT_OF_WORK = 42

STRATEGY = """
schema = 1
summary = "Spring"
owner = "amy"
where = "status = 'new'"
[touch]
sender = "post"
from = "Acme <news@acme.example>"
[[steps]]
name = "invite"
action = "touch"
template = "invite"
[[steps]]
name = "call"
action = "task"
task = { title = "Call them" }
[[steps]]
name = "tell"
action = "push"
feed = "marketing"
what = "orders"
[[steps]]
name = "thank"
action = "touch"
template = "invite"
"""


@pytest.fixture
def workers() -> Iterator[list[subprocess.Popen[str]]]:
    script = Path(__file__).with_name("campaign_worker.py")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    made = [subprocess.Popen([sys.executable, script], text=True, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    yield made
    for worker in made:
        worker.communicate()


def ask(worker: subprocess.Popen[str], line: str) -> int:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{line}\n")
    worker.stdin.flush()
    return int(worker.stdout.readline())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "acme"
    world.make(path, leads=LEADS, sender='use = "maildir"\n')
    (path / "campaigns/spring.toml").unlink()
    (path / "strategies").mkdir()
    (path / "strategies/spring.toml").write_text(STRATEGY)
    with world.opened(path) as session, session.write("orders") as tx:
        tx.upsert(
            "orders",
            "select lead_id as order_id, lead_id, timestamp '2026-01-01' as \"at\", 'paid' as status, 10 as amount from leads",
        )
        tx.commit()
    return path


def test_killed_and_doubled_runs_do_everything_once(folder: Path, workers: list[subprocess.Popen[str]]) -> None:
    chance = random.Random(20261122)
    kills = 0
    while kills < KILLS:
        pids = [ask(worker, f"walk {folder}") for worker in workers]
        # The moment of the kill is what is random here: from the first statement to the last commit.
        time.sleep(chance.uniform(0.2, 1.6))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        codes = [ask(worker, "wait") for worker in workers]
        kills += codes.count(-signal.SIGKILL)
        if OUT_OF_WORK in codes:
            break
    for _ in range(20):
        ask(workers[0], f"walk {folder}")
        if ask(workers[0], "wait") == OUT_OF_WORK:
            break
    else:
        pytest.fail("the strategy does not come to an end")

    with world.opened(folder) as session, session.query() as query:
        assert not session.ledger.rows()
        assert query.rows("select count(*), count(distinct message_key) from messages") == [(2 * LEADS, 2 * LEADS)]
        assert query.rows("select count(*), count(distinct lead_id) from tasks") == [(LEADS, LEADS)]
        assert query.rows("select count(*), sum(amount) from feeds") == [(LEADS, 10 * LEADS)]
        assert query.rows("select state, count(*) from enrolments group by 1") == [("finished", LEADS)]
        assert query.rows("select count(*) - count(distinct event_id) from enrolment_events") == [(0,)]
        assert query.rows("select what, count(*) from enrolment_events group by 1 order by 1") == [
            (what, LEADS * (2 if what == "sent" else 1)) for what in ("entered", "made", "pushed", "sent")
        ]
        assert not verify(session.workspace).problems
    assert len(list((folder / "outbox" / "new").iterdir())) == 2 * LEADS
