"""Kill -9 at random moments, with several processes at work: nothing lost, nothing torn, nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from sfactl.workspace import Workspace
from sfactl.workspace.collect import collect
from sfactl.workspace.verify import verify

pytestmark = pytest.mark.crash

KILLS = int(os.environ.get("SFACTL_KILLS", "0"))
SERVER = """
import os, sys
sys.path.insert(0, sys.argv[1])
import duckdb, filelock, pyarrow, storage_worker
import sfactl.leads.usecases.imports
from sfactl.workspace import compaction
for line in sys.stdin:
    job, folder, worker = line.rstrip("\\n").split("\\t")
    if (pid := os.fork()) == 0:
        try:
            storage_worker.run(job, folder, int(sys.argv[2]), int(worker))
        finally:
            os._exit(1)
    print(pid, flush=True)
"""


@dataclass
class Forks:
    """A process that has everything imported and forks workers, so that a kill costs little."""

    server: subprocess.Popen[str]
    read: int

    def start(self, job: str, folder: Path, worker: int) -> int:
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(f"{job}\t{folder}\t{worker}\n")
        self.server.stdin.flush()
        return int(self.server.stdout.readline())

    def acknowledged(self) -> int:
        """How many commits the writers were told are made, since the last call."""
        try:
            return os.read(self.read, 1 << 20).count(b"w")
        except BlockingIOError:
            return 0


@pytest.fixture
def forks():
    read, write = os.pipe()
    os.set_blocking(read, False)
    here = str(Path(__file__).parent)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, here, str(write)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[write],
        preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
    )
    os.close(write)
    yield Forks(server, read)
    assert server.stdin is not None
    server.stdin.close()
    server.wait(10)
    assert server.stdout is not None
    server.stdout.close()
    os.close(read)


def gone(pid: int) -> None:
    """Wait until the kernel has let go of a killed process and its locks."""
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.002)


def counts(folder: Path) -> tuple[int, int, int, int]:
    """The counter in two datasets, the number of events, and of distinct events."""
    with Workspace.open(folder) as workspace, workspace.query() as q:
        row = q.one(
            "select (select coalesce(max(employees), 0) from leads)::bigint,"
            " (select coalesce(max(employees), 0) from accounts)::bigint,"
            " (select count(*) from stage_events)::bigint, (select count(distinct event_id) from stage_events)::bigint"
        )
    assert row is not None
    return row  # type: ignore[return-value]


def test_commits_and_merges_survive_kills(forks: Forks, tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    draw = random.Random(7)
    running = {}
    for kill in range(0, KILLS or 60, 2):
        for worker in range(5):
            if worker not in running:
                running[worker] = forks.start("merge" if worker == 4 else "increment", folder, worker)
        time.sleep(draw.uniform(0.005, 0.2))
        for victim in draw.sample(sorted(running), 2):
            os.kill(running[victim], signal.SIGKILL)
            gone(running.pop(victim))
        if kill % 10 == 0:
            lead, account, events, distinct = counts(folder)
            assert lead == account == events == distinct
    for pid in running.values():
        os.kill(pid, signal.SIGKILL)
        gone(pid)
    lead, account, events, distinct = counts(folder)
    acknowledged = forks.acknowledged()
    assert lead == account == events == distinct
    assert 0 < acknowledged <= lead <= acknowledged + (KILLS or 60) + 5
    with Workspace.open(folder) as workspace:
        assert workspace.manifest.one("select count(*) from commits where op = 'write'") == (lead,)
        assert verify(workspace).problems == ()
        collect(workspace, grace_s=0)
        assert verify(workspace).orphans == 0
        assert counts(folder) == (lead, account, events, distinct)


def test_four_processes_commit_at_once_and_none_is_lost(forks: Forks, tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    pids = [forks.start("increment", folder, worker) for worker in range(4)]
    acknowledged = 0
    while acknowledged < 60:
        time.sleep(0.05)
        acknowledged += forks.acknowledged()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        gone(pid)
    acknowledged += forks.acknowledged()
    lead, account, events, distinct = counts(folder)
    assert lead == account == events == distinct
    assert acknowledged <= lead <= acknowledged + 4


def test_imports_are_whole_or_not_there(forks: Forks, tmp_path: Path) -> None:
    """Four importers of the same files, killed again and again: every file is in whole, once, or not at all."""
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    (folder / "files").mkdir()
    files, rows = 15, 40
    for f in range(files):
        lines = [f"Person {f}-{i},p{f}.{i}@example.com,Company {f}" for i in range(rows)]
        (folder / "files" / f"f{f:02d}.csv").write_text("name,email,company\n" + "\n".join(lines) + "\n")
    draw = random.Random(11)
    for _ in range((KILLS or 60) // 4):
        pids = [forks.start("take_in", folder, worker) for worker in range(4)]
        time.sleep(draw.uniform(0.05, 0.6))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            gone(pid)
        leads, emails, companies = lead_counts(folder)
        assert leads == emails == companies * rows
    deadline = time.monotonic() + 120
    pids = [forks.start("take_in", folder, worker) for worker in range(2)]
    while lead_counts(folder)[2] < files and time.monotonic() < deadline:
        time.sleep(0.2)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        gone(pid)
    assert lead_counts(folder) == (files * rows, files * rows, files)
    with Workspace.open(folder) as workspace:
        assert verify(workspace).problems == ()


def lead_counts(folder: Path) -> tuple[int, int, int]:
    """Leads, distinct addresses, and distinct companies (one a file)."""
    with Workspace.open(folder) as workspace, workspace.query() as q:
        row = q.one(
            "select count(*)::bigint, count(distinct email)::bigint, count(distinct company)::bigint from leads"
        )
    assert row is not None
    return row  # type: ignore[return-value]
