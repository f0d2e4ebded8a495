"""Full disks, torn files, damaged, newer and read-only manifests: a clear error, and nothing lost."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.api.errors import NotFound, PolicyError, StorageError, UserError
from sfactl.session import Session
from sfactl.workspace import Effect, Workspace
from sfactl.workspace.collect import collect, orphans
from sfactl.workspace.verify import verify

FILL = """
import resource, signal, sys
from pathlib import Path
from sfactl.api.errors import StorageError
from sfactl.config.settings import Settings
from sfactl.session import open_session
if limit := int(sys.argv[2]):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
session = open_session(Path(sys.argv[1]), settings=Settings(), command="fill", actor="t")
rows = 1
while True:
    rows *= 3
    try:
        with session.write("leads") as tx:
            tx.upsert("leads", "select i + 1 as lead_id, uuid()::varchar as note from range($n) t(i)", {"n": rows})
            print(tx.commit().seq, rows, flush=True)
    except StorageError as err:
        print(err.message, "|", err.hint)
        break
"""


def one_lead(session: Session, lead_id: int = 1) -> None:
    with session.write("leads") as tx:
        tx.upsert("leads", pa.table({"lead_id": [lead_id], "email": ["a@example.com"]}))
        tx.commit()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of 4 MB, where the machine lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if not mounted or subprocess.run(command, capture_output=True).returncode:
        yield None
        return
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_said_and_what_was_committed_stays(small_disk: Path | None, tmp_path: Path) -> None:
    # Where nothing can be mounted, a limit on the size of files makes the same writes fail.
    folder, limit = (small_disk, 0) if small_disk else (tmp_path, 400_000)
    Workspace.create(folder / "ws").close()
    done = subprocess.run([sys.executable, "-c", FILL, str(folder / "ws"), str(limit)], capture_output=True, text=True)
    *commits, last = done.stdout.splitlines()
    assert "the disk is full" in last if small_disk else "cannot be written" in last
    assert "nothing was committed" in last.lower(), last
    with Workspace.open(folder / "ws") as workspace:
        assert workspace.head() == int(commits[-1].split()[0])
        with workspace.query() as q:
            assert q.one("select count(*)::bigint from leads") == (int(commits[-1].split()[1]),)
        assert verify(workspace).problems == ()


@pytest.mark.parametrize("spoil", ["truncate", "flip", "remove"])
def test_a_spoilt_data_file_is_named(session: Session, spoil: str) -> None:
    one_lead(session)
    (path,) = (session.workspace.private / "data" / "leads").iterdir()
    content = path.read_bytes()
    if spoil == "remove":
        path.unlink()
    else:
        half = len(content) // 2
        path.write_bytes(content[:half] if spoil == "truncate" else content[:half] + b"\0\0\0\0" + content[half + 4 :])
    (problem,) = verify(session.workspace).problems
    assert path.name in problem
    assert "restore it from a backup" in problem
    if spoil != "flip":
        with session.query() as q, pytest.raises(StorageError, match=path.name):
            q.rows("select * from leads")
    path.write_bytes(content)
    assert verify(session.workspace).problems == ()


def test_a_newer_manifest_is_refused_unchanged(session: Session) -> None:
    one_lead(session)
    path = session.workspace.manifest.path
    session.close()
    with sqlite3.connect(path) as db:
        db.execute("update meta set value = '99' where key = 'format'")
    db.close()
    with pytest.raises(StorageError, match="format 99, this sfactl reads up to 1"):
        Workspace.open(session.folder)


@pytest.mark.parametrize("garbage", [b"", b"not a database at all" * 100], ids=["empty", "garbage"])
def test_a_damaged_manifest_is_said_and_the_data_stays(session: Session, garbage: bytes) -> None:
    one_lead(session)
    path = session.workspace.manifest.path
    session.close()
    good = path.read_bytes()
    path.write_bytes(garbage)
    with pytest.raises(StorageError, match=r"manifest\.db"):
        Workspace.open(session.folder)
    path.write_bytes(good)
    with Workspace.open(session.folder) as workspace:
        assert verify(workspace).problems == ()


def test_no_workspace_and_a_second_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no workspace here"):
        Workspace.open(tmp_path)
    Workspace.create(tmp_path).close()
    with pytest.raises(UserError, match="here already"):
        Workspace.create(tmp_path)


READ_ONLY = """
import os, sys
from pathlib import Path
import duckdb, filelock, pyarrow, sfactl.workspace.compaction
from sfactl.api.errors import StorageError
from sfactl.config.settings import Settings
from sfactl.session import open_session
if os.geteuid() == 0:  # root may write anywhere; the interpreter is loaded, so give the right away
    os.setgid(65534); os.setuid(65534)
session = open_session(Path(sys.argv[1]), settings=Settings(), command="read", actor="t")
with session.query() as q:
    print(q.one("select count(*)::bigint from leads"))
try:
    with session.write("leads") as tx:
        tx.upsert("leads", "select 2 as lead_id")
        tx.commit()
except StorageError as err:
    print(err.message)
"""


def test_a_read_only_folder_can_be_read_and_says_so_when_written(session: Session, tmp_path: Path) -> None:
    one_lead(session)
    session.close()
    folder = session.folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.name.startswith(("pytest-", "popen-", "test_")):
            parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run([sys.executable, "-c", READ_ONLY, str(folder)], capture_output=True, text=True)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert done.stdout.splitlines()[0] == "(1,)", done.stderr
    assert "cannot be written to" in done.stdout.splitlines()[1]


def test_orphans_of_a_crash_are_collected_after_a_grace_period(session: Session) -> None:
    one_lead(session)
    private = session.workspace.private
    stray = private / "data" / "leads" / "000000000009-000-delta-stray.parquet"
    stray.write_bytes(b"x")
    dead = private / "stage" / "sfactl-999999999-x"
    dead.mkdir()
    alive = private / "stage" / f"sfactl-{os.getpid()}-x"
    alive.mkdir()
    assert {o.path for o in orphans(session.workspace)} == {stray, dead}
    assert collect(session.workspace).removed == 0
    assert collect(session.workspace, grace_s=0, dry_run=True).removed == 2
    assert stray.exists()
    assert collect(session.workspace, grace_s=0).removed == 2
    assert not stray.exists()
    assert alive.exists()
    assert verify(session.workspace).problems == ()


def test_a_copy_may_be_read_but_not_have_effects(session: Session, tmp_path: Path) -> None:
    one_lead(session)
    session.close()
    shutil.copytree(session.folder, tmp_path / "copy")
    with Workspace.open(tmp_path / "copy") as copy:
        assert copy.is_copy
        with copy.query() as q:
            assert q.one("select count(*)::bigint from leads") == (1,)
        with pytest.raises(PolicyError, match="looks like a copy"), copy.ledger().lease("campaign:x", run_id="r"):
            pass
        assert copy.adopt() == 2
        with copy.ledger().lease("campaign:x", run_id="r") as lease:
            assert lease.claim([Effect(key="k", kind="message", payload_hash="h")]) == ["k"]


def test_a_workspace_that_was_set_back_in_its_place_has_no_effects(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFACTL_STATE_DIR", str(tmp_path / "state"))
    one_lead(session)
    session.close()
    backup = tmp_path / "backup"
    shutil.copytree(session.folder, backup)
    with Workspace.open(session.folder) as sent, sent.ledger().lease("campaign:x", run_id="r"):
        pass
    shutil.copytree(backup, session.folder, dirs_exist_ok=True)
    with Workspace.open(session.folder) as restored:
        assert restored.is_copy
        with pytest.raises(PolicyError, match="or a backup"), restored.ledger().lease("campaign:x", run_id="r"):
            pass
        restored.adopt()
        assert not restored.is_copy
        with restored.ledger().lease("campaign:x", run_id="r"):
            pass


def test_nothing_is_refused_where_nothing_can_be_remembered(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SFACTL_STATE_DIR", str(tmp_path / "file"))
    with session.ledger.lease("campaign:x", run_id="r"):
        assert not session.workspace.is_copy


def test_a_moved_workspace_is_not_a_copy(session: Session, tmp_path: Path) -> None:
    session.close()
    session.folder.rename(tmp_path / "moved")
    with Workspace.open(tmp_path / "moved") as moved:
        assert not moved.is_copy


@pytest.fixture(autouse=True)
def plain_signals() -> Iterator[None]:
    yield
    assert signal.getsignal(signal.SIGXFSZ) in (signal.SIG_IGN, signal.SIG_DFL)


def test_locks_of_two_sessions_exclude_each_other(
    session: Session, open_again: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sfactl.api.errors import LockBusy
    from sfactl.workspace import workspace as module

    monkeypatch.setattr(module, "LOCK_WAIT_S", 0.05)
    other = open_again()
    with session.write("leads", "accounts"):
        with pytest.raises(LockBusy, match="accounts is being changed"), other.write("accounts"):
            pass
        with other.write("contacts") as tx:
            tx.upsert("contacts", "select 1 as contact_id")
            tx.commit()
