"""Read what jobs are made from: the settings, the objects' own files, and the calendars."""

from __future__ import annotations

from sfactl.api.errors import ConfigError, SfactlError
from sfactl.campaigns.files import campaign_names
from sfactl.config.calendars import read_calendars
from sfactl.runs.jobs import Ground, Owned, all_jobs
from sfactl.runs.model import Job
from sfactl.session import Session
from sfactl.strategies.files import read_strategy, strategy_names


def jobs_of(session: Session) -> tuple[list[Job], tuple[str, ...]]:
    """Every job of the workspace in its order, and what is wrong with files that say when theirs is due."""
    sources, strategies = _sources(session), _strategies(session)
    ground = Ground(
        run=session.settings.run,
        objects={
            "source": sources,
            "strategy": strategies,
            "campaign": tuple(Owned(name=name) for name in campaign_names(session.folder)),
            "erp": tuple(Owned(name=name) for name in session.settings.erp),
        },
        calendars={name: file.calendar(session.zone) for name, file in read_calendars(session.folder).items()},
    )
    return all_jobs(ground), tuple(owned.problem for owned in (*sources, *strategies) if owned.problem)


def _sources(session: Session) -> tuple[Owned, ...]:
    found = []
    for name in session.settings.sources:
        try:
            said = session.settings.sources[name].get("schedule", "")
            if not isinstance(said, str):
                raise ConfigError(f"sources/{name}.toml: schedule: {said!r} is not text")
            found.append(Owned(name=name, schedule=said))
        except ConfigError as err:
            found.append(Owned(name=name, problem=err.message))
    return tuple(found)


def _strategies(session: Session) -> tuple[Owned, ...]:
    found = []
    for name in strategy_names(session.folder):
        try:
            strategy = read_strategy(session.folder, name).strategy
        except SfactlError as err:
            found.append(Owned(name=name, problem=err.message))
            continue
        found.append(Owned(name=name, schedule=strategy.schedule, minutes_per_item=strategy.minutes_saved))
    return tuple(found)
