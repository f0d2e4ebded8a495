"""``sfactl status``: what is in the workspace, what happened last, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from sfactl.cli import options, tables
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.times import local
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.session import Session


UNOWNED = "select count(*) from leads where status in ('mql', 'sql') and owner is null"
"""Leads that a rep should be talking to, and that nobody owns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One commit of the history."""

    commit: int
    at: datetime
    actor: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The workspace at a commit: rows by dataset, effects by state, the last runs, and what to do next."""

    name: str
    folder: str
    time_zone: str
    commit: int
    committed_at: datetime | None
    datasets: Mapping[str, int]
    effects: Mapping[str, int]
    runs: tuple[Run, ...]
    next: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """The report for people, times in the workspace's zone."""
        at = (
            f", commit {self.commit} of {local(self.committed_at, self.time_zone)}"
            if self.committed_at
            else ", no commit yet"
        )
        yield f"Workspace {self.name} in {self.folder}{at}"
        if self.datasets:
            yield ""
            rows = [(name, f"{n:,}") for name, n in self.datasets.items()]
            yield from tables.table(("dataset", "rows"), rows, right=("rows",))
        if self.runs:
            yield ""
            runs = [(r.commit, local(r.at, self.time_zone), r.actor, r.command) for r in self.runs]
            yield from tables.table(("commit", "when", "who", "what"), runs, fit=tables.terminal_width())
        yield ""
        yield from (f"{'Next:' if i == 0 else '     '} {step}" for i, step in enumerate(self.next))


@click.command("status")
@options.as_of
@options.output
@pass_app
def group(app: App, *, as_of: str | None, output: Output) -> None:
    """Show what is in the workspace, what ran last, and what to do next.

    \b
    Example:
      sfactl status
      sfactl status --as-of 2026-09-30 --format json
    """
    found = look(app.session(as_of=as_of))
    output.emit(found, human=found.lines)


def look(session: Session, *, runs: int = 5) -> Status:
    """Read the status of the workspace at the session's snapshot, with the last ``runs`` commits."""
    from sfactl.workspace import history

    workspace = session.workspace
    seq = session.seq(session.as_of)
    with session.query(seq) as query:
        seq = query.seq
        snapshot = workspace.snapshot(seq)
        filled = [name for name in workspace.schemas if snapshot.files(name)]
        counts = {name: int((query.one(f'select count(*) from "{name}"') or (0,))[0]) for name in filled}
        unowned = int((query.one(UNOWNED) or (0,))[0]) if "leads" in counts else 0
    log = [e for e in history.log(workspace, limit=runs + workspace.head() - seq) if e.seq <= seq][:runs]
    effects = session.ledger.counts()
    return Status(
        name=session.settings.workspace.name or session.folder.name,
        folder=str(session.folder),
        time_zone=session.settings.workspace.time_zone,
        commit=seq,
        committed_at=workspace.commit_time(seq),
        datasets=counts,
        effects=effects,
        runs=tuple(Run(commit=e.seq, at=e.at, actor=e.actor, command=e.command) for e in log),
        next=tuple(next_steps(counts, effects, unowned=unowned, copy=workspace.is_copy, stopped=_stopped(session))),
    )


def _stopped(session: Session) -> str:
    from sfactl.campaigns.usecases import standstill

    found = standstill(session)
    return f"all sending is stopped by {found.by}: {found.reason}" if found else ""


def next_steps(
    counts: Mapping[str, int], effects: Mapping[str, int], *, unowned: int = 0, copy: bool = False, stopped: str = ""
) -> Iterator[str]:
    """What to do next: first what is stuck, then the first step of the loop that has not been taken."""
    if copy:
        yield "this is a copy or a backup of a workspace and sends nothing; to make it the real one: sfactl data adopt"
    if stopped:
        yield f"{stopped}; to let messages leave again: sfactl touch start"
    if held := effects.get("unknown", 0):
        yield f"{count(held, 'message')} with unknown outcome: sfactl touch list --state unknown"
    if dead := effects.get("dead", 0):
        yield f"{count(dead, 'message')} tried out, for a person to decide: sfactl touch list --state dead"
    steps = (
        ("leads", "sfactl lead import FILE"),
        ("scores", "sfactl score run"),
        ("segment_members", "sfactl segment build --all"),
        ("plans", "sfactl campaign plan NAME"),
        ("opportunities", "sfactl lead convert LEAD"),
        ("quotes", "sfactl quote create OPPORTUNITY"),
        ("orders", "sfactl quote accept QUOTE"),
    )
    for dataset, command in steps:
        if not counts.get(dataset):
            yield command
            break
    else:
        yield "sfactl report funnel"
    if unowned:
        yield f"{count(unowned, 'qualified lead')} without owner: sfactl assign run"
