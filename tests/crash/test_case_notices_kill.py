"""Runs that open cases from mail and tell customers, killed -9 anywhere: one case and one notice for each mail."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sfactl.workspace.verify import verify

from . import campaign_world as world

pytestmark = pytest.mark.crash

KILLS = int(os.environ.get("SFACTL_KILLS", "0")) or 3
MAILS = 40
OUT_OF_WORK = 42
PRESET = Path(__file__).resolve().parents[2] / "configs/b2b"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "acme"
    world.make(path, leads=MAILS // 2, sender='use = "maildir"\n')
    rules = (PRESET / "cases.toml").read_text(encoding="utf-8").replace('"outbox"', '"post"')
    (path / "cases.toml").write_text(rules, encoding="utf-8")
    for template in (PRESET / "templates").glob("case-*.toml"):
        shutil.copy(template, path / "templates")
    with world.opened(path) as session:
        session.reserve("lead", MAILS)
    (path / "mails").mkdir()
    for n in range(1, MAILS + 1):  # half of the writers are strangers
        (path / "mails" / f"{n}.eml").write_text(
            f"From: u{n}@example.com\nSubject: It broke\nMessage-ID: <{n}@x.y>\n\n!"
        )
    return path


def test_killed_runs_open_and_tell_once(folder: Path) -> None:
    script = Path(__file__).with_name("campaign_worker.py")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    worker = subprocess.Popen([sys.executable, script], text=True, **pipes)  # type: ignore[call-overload]

    def ask(line: str) -> int:
        worker.stdin.write(f"{line}\n")
        worker.stdin.flush()
        return int(worker.stdout.readline())

    chance, code = random.Random(20261122), 0
    for _ in range(KILLS):
        pid = ask(f"cases {folder}")
        # The moment of the kill is what is random here: from the first mail to the last notice.
        time.sleep(chance.uniform(0.2, 1.2))
        os.kill(pid, signal.SIGKILL)
        ask("wait")
    for _ in range(10):
        ask(f"cases {folder}")
        if (code := ask("wait")) == OUT_OF_WORK:
            break
    worker.communicate()
    assert code == OUT_OF_WORK

    with world.opened(folder) as session, session.query() as query:
        held = session.ledger.rows()
        assert query.rows("select count(*), count(distinct message_id), count(lead_id) from cases") == [(MAILS,) * 3]
        assert query.rows("select count(*) from leads") == [(MAILS,)]
        assert query.rows("select count(*) - count(distinct event_id) from case_events") == [(0,)]
        told = query.one("select count(*), count(distinct message_key), count(distinct lead_id) from messages")
        assert told == (MAILS - len(held),) * 3
        assert {row.state for row in held} <= {"unknown"}
        assert not verify(session.workspace).problems
    assert MAILS - len(held) <= len(list((folder / "outbox" / "new").iterdir())) <= MAILS
