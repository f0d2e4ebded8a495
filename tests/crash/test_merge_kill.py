"""A merge, an unmerge or a whole plan that is killed at any moment leaves all of it or nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sfactl.config.settings import Settings
from sfactl.identity.usecases.links import problems_of
from sfactl.session import Session, open_session
from sfactl.workspace import Workspace

pytestmark = pytest.mark.crash

LEADS, KILLS = 40, int(os.environ.get("SFACTL_KILLS", "0")) or 6

WORKER = """
import os, sys
from pathlib import Path
import duckdb, pyarrow
from sfactl.config.settings import Settings
from sfactl.identity.usecases.apply import apply
from sfactl.identity.usecases.merge import merge
from sfactl.identity.usecases.unmerge import unmerge
from sfactl.session import open_session

def work(folder):
    session = open_session(Path(folder), settings=Settings(), command="merge", actor="mei", quiet=True)
    while True:
        with session.query() as query:
            living = [n for (n,) in query.rows("select lead_id from leads order by lead_id")]
            made = [n for (n,) in query.rows("select merge_id from merges where state = 'merged' order by merge_id")]
            plan = query.rows("select count(*) from merges where plan_id is not null")
        if not plan[0][0]:
            apply(session, "plan")
        elif len(living) > 12:
            merge(session, "lead", [str(n) for n in living[:3]])
        else:
            unmerge(session, "lead", str(made[len(made) // 2]))
        os.write(1, b"done\\n")

for line in sys.stdin:
    if (pid := os.fork()) == 0:
        try:
            work(line.strip())
        finally:
            os._exit(1)
    os.write(1, b"pid %d\\n" % pid)
    os.waitpid(pid, 0)
"""

WHOLE = {
    "every lead is there, or merged": "select n from range(1, 41) t(n) where n not in (select lead_id from leads)"
    " and n not in (select id from record_aliases)",
    "no lead is both": "select lead_id from leads where lead_id in (select id from record_aliases)",
    "every task is somebody's": "select task_id from tasks where lead_id not in (select lead_id from leads)",
    "every event is somebody's": "select event_id from touchpoints where lead_id not in (select lead_id from leads)",
    "a merge that stands has its alias": "select merge_id from merges where state = 'merged'"
    " and merged_id not in (select id from record_aliases where merge_id = merges.merge_id)",
    "what moved is written down": "select task_id from tasks where task_id <> 't' || lead_id and not exists (select 1"
    " from merge_moves m where m.dataset = 'tasks' and m.\"key\" = '{\"task_id\":\"' || task_id || '\"}')",
}


def opened(folder: Path) -> Session:
    return open_session(folder, settings=Settings(), command="test", actor="mei", quiet=True)


def check(folder: Path) -> int:
    """All of it holds; answers the newest commit."""
    with opened(folder) as session:
        assert problems_of(session) == []
        with session.query() as query:
            for what, sql in WHOLE.items():
                assert query.rows(sql) == [], what
            assert query.rows("select count(*) from tasks") == [(LEADS,)]
        return session.workspace.head()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Workspace.create(tmp_path / "ws").close()
    with opened(tmp_path / "ws") as session, session.write("leads", "tasks", "dedupe_plans", "dedupe_pairs") as tx:
        n = {"n": LEADS + 1}
        tx.upsert(
            "leads", "select i as lead_id, 'new' as status, 'p' || i || '@x.example' as email from range(1, $n) t(i)", n
        )
        tx.upsert("tasks", "select 't' || i as task_id, i as lead_id from range(1, $n) t(i)", n)
        tx.append(
            "touchpoints",
            "select 'e' || i as event_id, now()::timestamp as \"at\", i as lead_id from range(1, $n) t(i)",
            n,
        )
        tx.upsert("dedupe_plans", "select 'plan' as plan_id, 'lead' as entity, 1 as seq, 0 as reviews")
        tx.upsert(
            "dedupe_pairs",
            "select 'plan' as plan_id, i as a, i + 20 as b, 'lead' as entity, 'merge' as decision, i as cluster_id,"
            " 0.9 as probability from range(1, 6) t(i)",
        )
        tx.commit()
    return tmp_path / "ws"


def test_a_killed_merge_leaves_all_or_nothing(folder: Path) -> None:
    draw = random.Random(11)
    server = subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    newest = 0
    try:
        for _ in range(KILLS):
            server.stdin.write(f"{folder}\n")
            server.stdin.flush()
            while not (said := server.stdout.readline()).startswith("pid"):
                continue
            for _ in range(draw.choice((0, 0, 1, 1, 2))):
                assert server.stdout.readline() == "done\n"
            time.sleep(draw.uniform(0.0, 0.6))
            pid = int(said.split()[1])
            os.kill(pid, signal.SIGKILL)
            while Path(f"/proc/{pid}").exists():
                time.sleep(0.002)
            newest = check(folder)
    finally:
        server.stdin.close()
        server.wait(10)
        server.stdout.close()
    assert newest > 2, "something was merged between the kills"
