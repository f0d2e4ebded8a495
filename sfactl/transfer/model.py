"""Which files of a workspace are rules that may travel, and what an archive of them says of itself.

Rules travel, connections and settings do not: those belong to the place where they are, and they name its secrets.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from sfactl.api.errors import DataError

Kind = Literal["strategy", "campaign"]
FOLDERS: Mapping[Kind, str] = {"strategy": "strategies", "campaign": "campaigns"}
"""What can be exported by name, and the folder that it is in."""

ASSETS = "assets"
RULES = (
    *(ASSETS, "calendars", "tags", "intents", "templates", "layers", "scores", "segments", "stages", "forms", "prices"),
    *("filters", "funnels", "journeys", "mappings", "processes", "surveys", "campaigns", "strategies", "tests"),
)
"""Folders of rules: what is named by others stands before what names it."""
SINGLE = (
    *("tags.toml", "identity.toml", "qualification.toml", "assignment.toml", "pool.toml", "next_actions.toml"),
    *("approvals.toml", "cases.toml"),
)
"""Rules of which there is one set; they lie beside ``sfactl.toml``."""

LARGEST = 200 * 1024**2
"""Bytes of all files that travel together."""
MOST = 5_000

_NAME = re.compile(r"[^\W_][\w-]*\.toml")
_PART = re.compile(r"[^\\/:*?\"<>|\x00-\x1f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What rules ask of the workspace they come to: senders by name, custom fields as ``dataset.field`` with types."""

    senders: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What an archive says of itself: the rules it is of, what they need, and the hash of every file."""

    kind: Kind
    names: tuple[str, ...]
    needs: Needs
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Rules of one kind with every file they need, by path."""

    kind: Kind
    names: tuple[str, ...]
    needs: Needs
    files: Mapping[str, bytes]


def check_path(path: str, *, where: str) -> None:
    """Refuse a path that is no file of rules, or that leads out of the workspace. Raises `DataError`."""
    parts = PurePosixPath(path).parts
    safe = "/".join(parts) == path and all(_PART.fullmatch(p) and p not in (".", "..") for p in parts)
    rule = path in SINGLE or (len(parts) == 2 and parts[0] in RULES and bool(_NAME.fullmatch(parts[1])))
    asset = len(parts) > 1 and parts[0] == ASSETS and not any(p.startswith(".") for p in parts)
    if not (safe and (rule or asset)):
        raise DataError(f"{where}: {path!r} is no file of rules", hint=f"Rules lie in {', '.join(RULES)}.")


def rank(path: str) -> tuple[int, str]:
    """Where a file stands in the order of writing: what is named by others first."""
    top = PurePosixPath(path).parts[0]
    return (RULES.index(top) if top in RULES else -1, path)


def rule_files(folder: Path) -> dict[str, bytes]:
    """Every file of rules in the workspace ``folder``, by path."""
    found = {name: folder / name for name in SINGLE if (folder / name).is_file()}
    for top in RULES:
        pattern = "**/*" if top == ASSETS else "*.toml"
        for path in sorted((folder / top).glob(pattern)):
            relative = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(".") for part in relative.parts):
                found[relative.as_posix()] = path
    return {path: file.read_bytes() for path, file in sorted(found.items())}


def digest(content: bytes) -> str:
    """The hash by which an archive knows a file."""
    return hashlib.sha256(content).hexdigest()
