"""``sfactl doctor``: look at everything that can be out of order, and name the remedy of each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import click

from sfactl.api.errors import SfactlError
from sfactl.cli import options, tables
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.session import Session

State = Literal["ok", "warn", "fail"]
SIGNS = {"ok": "✓", "warn": "!", "fail": "✗"}
LEAST_FREE = 200 * 2**20
LOW_FREE = 2 * 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at: what was found, and what to do where it is not in order."""

    name: str
    state: State
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Every check, and how many warn or fail."""

    checks: tuple[Check, ...]
    warnings: int
    failures: int

    def lines(self) -> Iterator[str]:
        """The report for people."""
        width = max(tables.width(check.name) for check in self.checks)
        for check in self.checks:
            yield f"{SIGNS[check.state]} {tables.pad(check.name, width)}  {check.detail}"
            if check.remedy and check.state != "ok":
                yield f"  {' ' * width}  → {check.remedy}"
        if self.failures or self.warnings:
            yield f"{len(self.checks)} checks: {self.failures} failed, {self.warnings} to look at."
        else:
            yield f"{len(self.checks)} checks, all in order."


@click.command("doctor")
@click.option("--quick", is_flag=True, help="Compare sizes of data files instead of reading them.")
@click.option("--unhandled", is_flag=True, help="List open leads and cases that nobody looks after, oldest first.")
@options.as_of
@options.output
@pass_app
def group(app: App, *, quick: bool, unhandled: bool, as_of: str | None, output: Output) -> None:
    """Check data, settings, plugins, clock, disk and what is stuck.

    Exits with 3 when something is to be looked at, with 1 when something is broken. With --unhandled it lists every
    open lead without an owner, or whose owner did not follow up when it was due, and every unsettled case that nobody
    works on, with age and why; --as-of is for that list.

    \b
    Example:
      sfactl doctor
      sfactl doctor --unhandled --format csv
    """
    if unhandled:
        from sfactl.reps import usecases

        found = usecases.unhandled(app.session(as_of=as_of))
        output.emit(found, exit_code=3 if found.num_rows else 0)
        return
    diagnosis = examine(app, quick=quick)
    output.emit(diagnosis, human=diagnosis.lines, exit_code=1 if diagnosis.failures else 3 if diagnosis.warnings else 0)


def examine(app: App, *, quick: bool = False) -> Diagnosis:
    """Run every check. One that cannot be run is a failure of its own and does not stop the others."""
    checks = list(_attempt("settings", lambda: _settings(app)))
    try:
        session = app.session()
    except SfactlError as err:
        checks.append(Check(name="workspace", state="fail", detail=err.message, remedy=err.hint or ""))
    else:
        for name, check in _CHECKS.items():
            checks += _attempt(name, lambda check=check: check(session, quick))  # type: ignore[misc]
    return Diagnosis(
        checks=tuple(checks),
        warnings=sum(c.state == "warn" for c in checks),
        failures=sum(c.state == "fail" for c in checks),
    )


def _attempt(name: str, check: Callable[[], Check]) -> Iterator[Check]:
    try:
        yield check()
    except SfactlError as err:
        yield Check(name=name, state="fail", detail=err.message, remedy=err.hint or "")


def _settings(app: App) -> Check:
    from sfactl.cli.files import check_files

    report = check_files(app)
    if not report.problems:
        return Check(name="settings", state="ok", detail=f"{count(report.files, 'file')}, no mistakes")
    more = f" (and {len(report.problems) - 1} more)" if len(report.problems) > 1 else ""
    return Check(name="settings", state="fail", detail=report.problems[0].message + more, remedy="sfactl config check")


def _data(session: Session, quick: bool) -> Check:
    from sfactl.workspace.verify import verify

    found = verify(session.workspace, quick=quick)
    if found.problems:
        more = f" (and {len(found.problems) - 1} more)" if len(found.problems) > 1 else ""
        return Check(name="data", state="fail", detail=found.problems[0] + more, remedy="sfactl data verify")
    detail = f"{count(found.rows, 'row')} in {count(found.files, 'file')}, {count(found.commits, 'commit')}"
    return Check(name="data", state="ok", detail=detail)


def _orphans(session: Session, _quick: bool) -> Check:
    from sfactl.workspace.collect import GRACE_S, orphans

    old = [o for o in orphans(session.workspace) if o.age_s >= GRACE_S]
    if not old:
        return Check(name="left-overs", state="ok", detail="none")
    size = sum(o.bytes for o in old)
    detail = f"{count(len(old), 'file')} of crashed commands, {size / 2**20:,.1f} MB"
    return Check(name="left-overs", state="warn", detail=detail, remedy="sfactl data gc")


def _private(session: Session, _quick: bool) -> Check:
    private = session.workspace.private
    if os.name == "posix" and private.stat().st_mode & 0o077:
        return Check(
            name="rights", state="warn", detail="others may read the data store", remedy=f"chmod 700 {private}"
        )
    if not os.access(private, os.W_OK):
        return Check(name="rights", state="warn", detail="the workspace can only be read, not written to")
    return Check(name="rights", state="ok", detail="the data store is private")


def _disk(session: Session, _quick: bool) -> Check:
    free = shutil.disk_usage(session.folder).free
    detail = f"{free / 2**30:,.1f} GB free"
    if free < LOW_FREE:
        state: State = "fail" if free < LEAST_FREE else "warn"
        return Check(name="disk", state=state, detail=detail, remedy="Free some space; sfactl data gc may help.")
    return Check(name="disk", state="ok", detail=detail)


def _clock(session: Session, _quick: bool) -> Check:
    zone = session.settings.workspace.time_zone
    last = session.workspace.commit_time(session.workspace.head())
    now = session.now()
    if last is not None and now < last - timedelta(minutes=1):
        return Check(
            name="clock",
            state="fail",
            detail=f"it is {now:%Y-%m-%d %H:%M} UTC, but the last commit says {last:%Y-%m-%d %H:%M}",
            remedy="Set the clock of this machine.",
        )
    local = session.today()
    return Check(name="clock", state="ok", detail=f"today is {local} in {zone}")


def _plugins(session: Session, _quick: bool) -> Check:
    plugins = session.host.plugins()
    wrong = [p for p in plugins if p.state == "broken" or p.faults or p.clashes]
    if wrong:
        names = ", ".join(p.origin.name for p in wrong)
        return Check(name="plugins", state="warn", detail=f"not in order: {names}", remedy="sfactl plugin check")
    return Check(name="plugins", state="ok", detail=f"{len(plugins)} found")


def _effects(session: Session, _quick: bool) -> Check:
    if session.workspace.is_copy:
        return Check(
            name="effects",
            state="warn",
            detail="this is a copy or a backup of a workspace and sends nothing",
            remedy="To make it the real one: sfactl data adopt",
        )
    unknown = session.ledger.counts().get("unknown", 0)
    if unknown:
        remedy = "sfactl touch list --state unknown"
        return Check(name="effects", state="warn", detail=f"{unknown:,} with unknown outcome, held", remedy=remedy)
    return Check(name="effects", state="ok", detail="none with unknown outcome")


def _owners(session: Session, _quick: bool) -> Check:
    from sfactl.cli.status import UNOWNED

    with session.query() as query:
        unowned = int((query.one(UNOWNED) or (0,))[0])
    if unowned:
        return Check(
            name="owners",
            state="warn",
            detail=f"{count(unowned, 'qualified lead')} without one",
            remedy="sfactl assign run",
        )
    return Check(name="owners", state="ok", detail="every qualified lead has one")


def _identity(session: Session, _quick: bool) -> Check:
    from sfactl.identity.usecases.links import problems_of

    if found := problems_of(session):
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        remedy = "Restore the workspace from a backup, or undo the last commits: sfactl data log"
        return Check(name="identity", state="fail", detail=found[0] + more, remedy=remedy)
    return Check(name="identity", state="ok", detail="every merged number leads to one record")


_CHECKS: dict[str, Callable[[Session, bool], Check]] = {
    "data": _data,
    "left-overs": _orphans,
    "rights": _private,
    "disk": _disk,
    "clock": _clock,
    "plugins": _plugins,
    "effects": _effects,
    "owners": _owners,
    "identity": _identity,
}
