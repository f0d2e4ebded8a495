"""Runners that are killed -9 at random while they plan, claim, send, settle and fold; the receiver remembers keys."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfactl.workspace.verify import verify

from . import campaign_world as world

pytestmark = pytest.mark.crash

KILLS = int(os.environ.get("SFACTL_KILLS", "0")) or 12
LEADS = 200
OUT_OF_WORK = 42


class Worker:
    """The process that forks runners."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("campaign_worker.py")
        self._process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, job: str, folder: Path) -> int:
        return int(self._ask(f"{job} {folder}"))

    def wait(self) -> int:
        return int(self._ask("wait"))

    def close(self) -> None:
        self._process.communicate()

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


def test_killed_runners_lose_nobody_and_double_nobody(tmp_path: Path, worker: Worker) -> None:
    folder = tmp_path / "acme"
    world.make(folder, leads=LEADS, sender='use = "maildir"\n')
    chance = random.Random(20261121)
    kills = rotation = 0
    while kills < KILLS:
        rotation += 1
        world.rotate(folder, rotation)
        while True:
            pid = worker.start(chance.choice(["plan", "apply"]), folder)
            # The moment of the kill is what is random here: from the first statement to the last commit.
            time.sleep(chance.uniform(0, 0.9))
            os.kill(pid, signal.SIGKILL)
            code = worker.wait()
            kills += code == -signal.SIGKILL
            if kills >= KILLS or code == OUT_OF_WORK:
                break
    for _ in range(10):
        worker.start("plan", folder)
        if worker.wait() == OUT_OF_WORK:
            break
    else:
        pytest.fail("the campaign does not come to an end")

    with world.opened(folder) as session, session.query() as query:
        assert not session.ledger.rows()
        sent = Counter(
            dict(query.rows("select message_key, count(*) from messages where state = 'accepted' group by 1"))
        )
        touched = query.rows("select count(*), count(distinct event_id) from touchpoints")
        last = query.rows(f"select count(distinct lead_id) from messages where message_key like '%.{rotation}'")
        assert not verify(session.workspace).problems
    assert set(sent.values()) == {1}
    assert last == [(LEADS,)]
    assert len(list((folder / "outbox" / "new").iterdir())) == len(sent)
    assert touched == [(len(sent), len(sent))]
