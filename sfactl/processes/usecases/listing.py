"""List and check process files; nothing here looks at data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sfactl.api.errors import PolicyError, SfactlError
from sfactl.processes import events
from sfactl.processes.files import FOLDER, paths, read_process
from sfactl.processes.model import END, Process
from sfactl.processes.results import Checked, Defined, Listed
from sfactl.session import Session


def list_processes(session: Session) -> tuple[Listed, ...]:
    """Every process file, by name. Raises `ConfigError`."""
    return tuple(
        Listed(
            name=process.name,
            case=process.case,
            activities=len(process.activities),
            deadlines=len(process.deadlines),
            summary=process.summary,
        )
        for process in map(read_process, paths(session.folder))
    )


def check(session: Session, files: Sequence[Path] = ()) -> Checked:
    """Read process files (default: all of the workspace) and check them against the datasets; collects problems.

    Notes name what is allowed but can hardly be meant: an activity that nothing leads to, or from which none ends.
    """
    chosen = list(files) or paths(session.folder)
    problems: list[str] = []
    notes: list[str] = []
    for path in chosen:
        where = f"{FOLDER}/{path.name}" if path.parent.name == FOLDER else str(path)
        try:
            process = read_process(path)
            events.statement(process, schemas=session.workspace.schemas, now=session.now(), where=where)
        except SfactlError as err:
            problems.append(err.message)
        else:
            notes += [f"{where}: {note}" for note in _dead_ends(process)]
    return Checked(checked=len(chosen), problems=tuple(problems), notes=tuple(notes))


def _dead_ends(process: Process) -> Iterator[str]:
    steps = process.allowed()
    onward = [(a, b) for a, b in steps if b != END]
    begun = _spread({0}, onward)
    finishing = _spread({END}, [(b, a) for a, b in steps])
    for number, activity in enumerate(process.activities, start=1):
        if activity.anytime:
            continue
        if number not in begun:
            yield f"activity {activity.name!r}: no allowed way leads there"
        if any(a.end for a in process.activities) and number not in finishing:
            yield f"activity {activity.name!r}: no allowed way leads from there to an end"


def _spread(start: set[int], steps: Sequence[tuple[int, int]]) -> set[int]:
    reached: set[int] = set()
    fresh = set(start)
    while fresh:
        reached |= fresh
        fresh = {b for a, b in steps if a in fresh} - reached
    return reached


def define(session: Session, path: Path) -> Defined:
    """Check the process file ``path`` and put it into the workspace under its own name.

    Raises `ConfigError` and `ConditionError`, and `PolicyError` where another process has that name.
    """
    process = read_process(path)
    events.statement(process, schemas=session.workspace.schemas, now=session.now(), where=str(path))
    target = session.folder / FOLDER / path.name
    text = path.read_bytes()
    known = target.exists()
    if known and target.read_bytes() != text:
        raise PolicyError(f"{FOLDER}/{path.name} is there already and says something else", hint="Edit it, or rename.")
    if not known and not session.dry_run:
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(text)
    return Defined(
        process=process.name,
        activities=len(process.activities),
        notes=tuple(_dead_ends(process)),
        known=known,
        dry_run=session.dry_run,
    )
