"""Remember outside the workspace how many runs it has seen, so that one that was set back to a backup is known.

A backup that is copied over the workspace it was made of is the same file on the same machine; only somebody who stood
by can tell. Where nothing can be kept, nothing is refused.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from sfactl.workspace.manifest import Manifest


def state_folder() -> Path:
    """The user's folder for what sfactl must not forget (``SFACTL_STATE_DIR``, else below ``XDG_STATE_HOME``)."""
    if own := os.environ.get("SFACTL_STATE_DIR"):
        return Path(own)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "sfactl"


def was_set_back(manifest: Manifest) -> bool:
    """Whether the workspace had seen more runs than it knows of now."""
    with suppress(OSError, RuntimeError, ValueError):  # a machine without a home, a file that is none of ours
        return int(_path(manifest).read_text(encoding="ascii")) > _runs(manifest)
    return False


def remember(manifest: Manifest) -> None:
    """Write down how many runs the workspace has seen by now."""
    with suppress(OSError, RuntimeError):
        path = _path(manifest)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f"{path.name}-{uuid4().hex}")
        fresh.write_text(str(_runs(manifest)), encoding="ascii")
        fresh.replace(path)


def _path(manifest: Manifest) -> Path:
    # With the file's own number, so that a copy that was adopted does not stand in the way of its original.
    return state_folder() / "workspaces" / f"{manifest.meta('id')}-{manifest.path.stat().st_ino}"


def _runs(manifest: Manifest) -> int:
    """Every run that has ever had a right here took a token; they only rise."""
    row = manifest.one("select coalesce(sum(token), 0) from fences")
    return int(row[0]) if row else 0
