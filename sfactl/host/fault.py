"""Turn what a plugin raised into a record, and remember the faults that a later command cannot see by itself."""

from __future__ import annotations

import json
import os
import traceback
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from sfactl.api.errors import SfactlError
from sfactl.host.model import Fault, Origin

CONTAINED = (Exception, SystemExit)
"""What stays with the plugin that raised it. Ctrl-C and the like are the user's and go through."""

JOURNAL = Path(".sfactl") / "tmp" / "plugin-faults.jsonl"
JOURNAL_ROWS = 50


def fault_of(origin: Origin, stage: str, err: BaseException, *, at: str = "") -> Fault:
    """The record of ``err``, raised by the plugin at ``origin``."""
    own = isinstance(err, SfactlError)
    said = str(err) or type(err).__name__
    return Fault(
        plugin=origin.name,
        dist=origin.dist,
        version=origin.version,
        stage=stage,
        message=said if own else f"{type(err).__name__}: {said}",
        traceback="".join(traceback.format_exception(err)),
        hint=(err.hint or "") if isinstance(err, SfactlError) else "",
        at=at,
    )


def remember(folder: Path, fault: Fault) -> None:
    """Keep ``fault`` in the workspace for ``sfactl plugin list|check``. Never fails: it is only a convenience."""
    path = folder / JOURNAL
    with suppress(OSError, ValueError):
        if not (folder / ".sfactl").is_dir():
            return
        path.parent.mkdir(mode=0o700, exist_ok=True)
        rows = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        rows = [*rows[-JOURNAL_ROWS + 1 :], json.dumps(asdict(fault))]
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.touch(mode=0o600)
        temporary.write_text("\n".join(rows) + "\n", encoding="utf-8")
        temporary.replace(path)


def remembered(folder: Path) -> tuple[Fault, ...]:
    """The faults kept by `remember`, oldest first. Rows that cannot be read are left out."""
    faults: list[Fault] = []
    with suppress(OSError, UnicodeDecodeError):
        for row in (folder / JOURNAL).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError, TypeError):
                faults.append(Fault(**json.loads(row)))
    return tuple(faults)
