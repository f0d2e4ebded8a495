"""Collect what crashed processes left behind: files that no commit knows. History is never touched."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from sfactl.workspace.workspace import Workspace

GRACE_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A file or folder that no commit knows. ``age_s`` is since it was last written or moved."""

    path: Path
    bytes: int
    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What was removed, and what is too young to be sure."""

    removed: int
    bytes: int
    kept: int


def orphans(workspace: Workspace) -> list[Orphan]:
    """Data files without a manifest row, and staged files whose process is gone, oldest first."""
    private = workspace.private
    on_disk = list((private / "data").glob("*/*.parquet"))
    known = {str(r[0]) for r in workspace.manifest.rows("select path from files")}
    lost = [p for p in on_disk if str(p.relative_to(private)) not in known]
    lost += [p for p in (private / "stage").iterdir() if not _is_alive(p)]
    lost += [p for p in (private / "tmp").iterdir() if p.name.startswith("duckdb_temp")]
    return sorted((_orphan(p) for p in lost if p.exists()), key=lambda o: (-o.age_s, str(o.path)))


def collect(workspace: Workspace, *, grace_s: float = GRACE_S, dry_run: bool = False) -> Collected:
    """Remove orphans older than ``grace_s`` seconds; a younger one may belong to a commit that is just being made."""
    found = orphans(workspace)
    old = [o for o in found if o.age_s >= grace_s]
    for o in [] if dry_run else old:
        if o.path.is_dir():
            shutil.rmtree(o.path, ignore_errors=True)
        else:
            o.path.unlink(missing_ok=True)
    return Collected(removed=len(old), bytes=sum(o.bytes for o in old), kept=len(found) - len(old))


def _is_alive(stage: Path) -> bool:
    """Stage folders are named after their process."""
    pid = stage.name.split("-")[1] if stage.name.startswith("sfactl-") else ""
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _orphan(path: Path) -> Orphan:
    stat = path.stat()
    size = sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else stat.st_size
    # A rename moves only the change time, and that is what says how old the place is.
    return Orphan(path=path, bytes=size, age_s=time.time() - max(stat.st_mtime, stat.st_ctime))
