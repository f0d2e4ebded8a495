"""Put files of rules into a workspace: tried first on a copy of its rules, then written, what others name first.

Killed between two files, the same command goes on where it stopped: a file that is there already is left alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sfactl.api.errors import ConfigError
from sfactl.config.edit import replace_file
from sfactl.session import Session
from sfactl.transfer.model import rank, rule_files
from sfactl.transfer.usecases.effects import Effect, effects

Check = Callable[[Session], Collection[str]]
"""Every mistake in the rules that a session reads, as messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One file and what becomes of it: new, changed, removed or same."""

    path: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """What became of each file; in a dry run also what the rules would do on the data of now."""

    files: tuple[Placed, ...]
    effects: tuple[Effect, ...] = ()


def place(session: Session, files: Mapping[str, bytes | None], check: Check) -> Placing:
    """Write ``files`` (None: remove) into the workspace; in a dry run only try them.

    Raises `ConfigError` with every mistake that the rules would have and do not have now; then nothing is written.
    """
    now = rule_files(session.folder)
    moving = {path: new for path, new in files.items() if now.get(path) != new}
    found = _rehearse(session, now, moving, check) if moving else ()
    if not session.dry_run:
        _write(session.folder, moving)
    done = tuple(Placed(path=path, what=_what(now.get(path), files[path])) for path in sorted(files))
    return Placing(files=done, effects=found)


def _rehearse(
    session: Session, now: Mapping[str, bytes], moving: Mapping[str, bytes | None], check: Check
) -> tuple[Effect, ...]:
    """Check the rules as they would be; in a dry run, answer what they would do."""
    with tempfile.TemporaryDirectory(prefix="sfactl-") as name:
        folder = Path(name).resolve()
        _write(folder, {path: new for path, new in {**now, **moving}.items() if new is not None})
        then = session.over(folder)
        found = set(check(then)) - set(check(session))
        if found:
            first, *others = sorted(found)
            raise ConfigError(
                first + (f" (and {len(others)} more: {'; '.join(others)[:1000]})" if others else ""),
                hint="Nothing was written. Bring what is missing, or change it where it comes from.",
            )
        return effects(session, then, moving) if session.dry_run else ()


def _write(folder: Path, files: Mapping[str, bytes | None]) -> None:
    removed = [path for path, content in files.items() if content is None]
    for path in sorted(files, key=rank):
        content = files[path]
        if content is not None:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            replace_file(folder / path, content)
    for path in sorted(removed, key=rank, reverse=True):
        (folder / path).unlink(missing_ok=True)


def _what(old: bytes | None, new: bytes | None) -> str:
    if old == new:
        return "same"
    return "new" if old is None else "removed" if new is None else "changed"
