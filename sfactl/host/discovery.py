"""Find installed plugins through the entry-point group ``sfactl``, and remember the answer until anything changed.

The memory is trusted only while every folder on ``sys.path`` and every ``entry_points.txt`` below it looks exactly
as it did; a memory that is missing, torn or foreign means a new scan, never an error.
"""

from __future__ import annotations

import json
import os
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from sfactl.api.hooks import ENTRY_POINT_GROUP
from sfactl.host.model import Origin

CACHE_SCHEMA = 1

RACY_NS = 2_000_000_000
"""A folder changed more recently than this may change again without a new time stamp, so it is not remembered."""


def installed(cache: Path | None = None) -> tuple[Origin, ...]:
    """Every plugin that is installed, by distribution and name. ``cache`` is a folder; None remembers nothing."""
    if cache is None or _foreign_finders():
        return _scan()
    prints = _fingerprint()
    path = cache / f"plugins-{zlib.crc32(sys.prefix.encode()):08x}.json"
    remembered = _read(path, prints)
    if remembered is not None:
        return remembered
    found = _scan()
    if max((entry[2] for entry in prints), default=0) < time.time_ns() - RACY_NS:
        _write(path, prints, found)
    return found


def cache_folder() -> Path:
    """The user's cache folder for sfactl (``SFACTL_CACHE_DIR``, else below ``XDG_CACHE_HOME``)."""
    if own := os.environ.get("SFACTL_CACHE_DIR"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sfactl"


def _scan() -> tuple[Origin, ...]:
    from importlib.metadata import entry_points  # late: 15 ms that a remembered answer does not need

    found: dict[tuple[str, str], Origin] = {}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        name = version = "unknown"
        with suppress(Exception):  # a distribution without readable metadata still has a plugin to report on
            if point.dist is not None:
                name, version = str(point.dist.metadata["Name"]), point.dist.version
        found[name, point.name] = Origin(name=point.name, value=point.value, dist=name, version=version)
    return tuple(found[key] for key in sorted(found))


def _foreign_finders() -> bool:
    return any(hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path)


def _fingerprint() -> list[list[Any]]:
    """What the answer depends on: each row is (folder, name, time stamp in ns, size)."""
    return [list(row) for folder in sys.path for row in _folder_prints(str(Path(folder or ".").absolute()))]


def _folder_prints(folder: str) -> Iterator[tuple[str, str, int, int]]:
    try:
        stat = os.stat(folder)  # noqa: PTH116 - called for every folder at every start
    except OSError:
        return
    yield folder, "", stat.st_mtime_ns, 0 if os.path.isdir(folder) else stat.st_size  # noqa: PTH112
    with suppress(OSError), os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.name.endswith((".dist-info", ".egg-info", ".egg")))
        for name in names:
            with suppress(OSError):
                points = os.stat(f"{folder}/{name}/entry_points.txt")  # noqa: PTH116
                yield folder, name, points.st_mtime_ns, points.st_size


def _read(path: Path, prints: list[list[Any]]) -> tuple[Origin, ...] | None:
    try:
        memory = json.loads(path.read_text(encoding="utf-8"))
        if memory["schema"] != CACHE_SCHEMA or memory["python"] != sys.version or memory["prints"] != prints:
            return None
        return tuple(Origin(**row) for row in memory["plugins"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, prints: list[list[Any]], found: tuple[Origin, ...]) -> None:
    import tempfile  # late: only the first run after a change writes

    memory = {
        "schema": CACHE_SCHEMA,
        "python": sys.version,
        "prints": prints,
        "plugins": [asdict(origin) for origin in found],
    }
    with suppress(OSError):  # a read-only home is no reason to fail
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(memory, file)
        Path(temporary).replace(path)
