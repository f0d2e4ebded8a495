"""Read what jobs are made from: the settings, the objects' own files, and the calendars."""

from __future__ import annotations

import os
from typing import Literal

from sfactl.api.errors import ConfigError, SfactlError
from sfactl.campaigns.files import campaign_names
from sfactl.config.calendars import read_calendars
from sfactl.engine.calendars import Calendar
from sfactl.engine.schedules import ScheduleError, parse_schedule
from sfactl.runs.jobs import Ground, Owned, all_jobs
from sfactl.runs.model import Job
from sfactl.session import Session
from sfactl.strategies.files import read_strategy, strategy_names


def jobs_of(session: Session) -> tuple[list[Job], tuple[str, ...]]:
    """Every job of the workspace in its order, and what is wrong with files that say when theirs is due."""
    sources, mailboxes = _named(session, "sources"), _named(session, "mailboxes")
    strategies = _strategies(session)
    ground = Ground(
        run=session.settings.run,
        objects={
            "source": sources,
            "mailbox": mailboxes,
            "strategy": strategies,
            "campaign": tuple(Owned(name=name) for name in campaign_names(session.folder)),
            "erp": tuple(Owned(name=name) for name in session.settings.erp),
        },
        calendars=_calendars(session),
    )
    return all_jobs(ground), tuple(owned.problem for owned in (*sources, *mailboxes, *strategies) if owned.problem)


def check(session: Session) -> tuple[str, ...]:
    """What is wrong with schedules and jobs, as messages."""
    try:
        return jobs_of(session)[1]
    except SfactlError as err:
        return (err.message,)


def _calendars(session: Session) -> dict[str, Calendar]:
    """The calendars, where any job asks for one: a broken one stops nobody else."""
    run = session.settings.run
    said = (run.jobs, run.sources, run.strategies, run.campaigns, run.mailboxes, run.erp)
    if not any(job.calendar for jobs in said for job in jobs.values()):
        return {}
    return {name: file.calendar(session.zone) for name, file in read_calendars(session.folder).items()}


def _owned(where: str, name: str, schedule: str, minutes: float = 0.0) -> Owned:
    try:
        if schedule:
            parse_schedule(schedule)
    except ScheduleError as err:
        return Owned(name=name, problem=f"{where}: schedule: {err.message}")
    return Owned(name=name, schedule=schedule, minutes_per_item=minutes)


def _named(session: Session, folder: Literal["sources", "mailboxes"]) -> tuple[Owned, ...]:
    """The files of a folder of named tables, each with the schedule that it says."""
    tables, found = getattr(session.settings, folder), []
    for name in tables:
        try:
            said = tables[name].get("schedule", "")
            if not isinstance(said, str):
                raise ConfigError(f"{folder}/{name}.toml: schedule: {said!r} is not text")
            found.append(_owned(f"{folder}/{name}.toml", name, said))
        except ConfigError as err:
            found.append(Owned(name=name, problem=_from_here(session, err)))
    return tuple(found)


def _strategies(session: Session) -> tuple[Owned, ...]:
    """The strategies, those of a higher priority first: they have the first call on whom only one may have."""
    found: list[tuple[int, Owned]] = []
    for name in strategy_names(session.folder):
        try:
            strategy = read_strategy(session.folder, name).strategy
        except SfactlError as err:
            found.append((0, Owned(name=name, problem=_from_here(session, err))))
            continue
        owned = _owned(f"strategies/{name}.toml", name, strategy.schedule, strategy.minutes_saved)
        found.append((strategy.priority, owned))
    return tuple(owned for _, owned in sorted(found, key=lambda one: (-one[0], one[1].name)))


def _from_here(session: Session, err: SfactlError) -> str:
    """The message with files named as the workspace does, wherever it lies."""
    return err.message.replace(f"{session.folder}{os.sep}", "")
