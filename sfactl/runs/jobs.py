"""Which jobs a workspace has, when they are due, and in which order they are done.

Pure: what the files say is handed in. It refuses names that do not exist and needs that go round in a circle.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

from sfactl.api.errors import ConfigError, NotFound
from sfactl.config.runs import JobSettings, RunSettings
from sfactl.engine.calendars import Calendar
from sfactl.engine.periods import parse_period
from sfactl.engine.schedules import parse_schedule
from sfactl.runs.model import Job

BEFORE_SELLING = ("mailbox", "collect", "scores", "segments", "assign", "tags")
NEEDS: Mapping[str, tuple[str, ...]] = {
    "source": (),
    "mailbox": (),
    "collect": (),
    "dedupe": ("source", "collect"),
    "scores": ("source", "collect", "dedupe"),
    "segments": ("source", "collect", "dedupe", "scores"),
    "qualify": ("scores", "segments"),
    "pool": ("qualify",),
    "assign": ("qualify", "pool"),
    "sla": ("assign",),
    "tags": ("scores", "segments"),
    "strategy": BEFORE_SELLING,
    "campaign": BEFORE_SELLING,
    "surveys": ("collect",),
    "cases": ("mailbox", "collect"),
    "erp": (),
}
"""Every kind of job in the order in which they are done, and what it builds on."""
OBJECTS: Mapping[str, str] = {
    "source": "sources",
    "mailbox": "mailboxes",
    "strategy": "strategies",
    "campaign": "campaigns",
    "erp": "erp",
}
"""Kinds with one job for each file of a folder; the others are one job each."""
FILE = "sfactl.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What an object's own file says of its job; ``problem`` is why it cannot be read."""

    name: str
    schedule: str = ""
    minutes_per_item: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What jobs are made from: the settings, the objects of each kind, and the calendars by name."""

    run: RunSettings
    objects: Mapping[str, tuple[Owned, ...]] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)


def all_jobs(ground: Ground) -> list[Job]:
    """Every job of the workspace in the order in which they are done. Raises `ConfigError`."""
    _check_names(ground)
    made: dict[str, Job] = {}
    for kind in NEEDS:
        if kind in OBJECTS:
            said = getattr(ground.run, OBJECTS[kind])
            for owned in ground.objects.get(kind, ()):
                job = _job(ground, kind, said.get(owned.name, JobSettings()), owned)
                made[job.id] = job
        else:
            made[kind] = _job(ground, kind, ground.run.jobs.get(kind, JobSettings()), None)
    return _ordered({name: replace(job, needs=_expanded(job, made)) for name, job in made.items()})


def builds_on(jobs: Iterable[Job]) -> dict[str, tuple[str, ...]]:
    """All that each job builds on, at first or second hand, in order. ``jobs`` are in their order."""
    found: dict[str, tuple[str, ...]] = {}
    for job in jobs:
        found[job.id] = tuple(dict.fromkeys(name for n in job.needs for name in (n, *found.get(n, ()))))
    return found


def chosen_jobs(jobs: Iterable[Job], only: Iterable[str]) -> list[Job]:
    """Those of ``jobs`` named in ``only``, by id or by kind; all where it names none. Raises `NotFound`."""
    jobs, wanted = list(jobs), list(only)
    for name in wanted:
        if not any(name in (job.id, job.kind) for job in jobs):
            raise NotFound(f"there is no job {name!r}.{_near(name, [j.id for j in jobs])}", hint="See: sfactl run list")
    return [job for job in jobs if not wanted or job.id in wanted or job.kind in wanted]


def _job(ground: Ground, kind: str, said: JobSettings, owned: Owned | None) -> Job:
    name = owned.name if owned else ""
    key = f"run.{OBJECTS[kind]}.{name}" if owned else f"run.jobs.{kind}"
    own_file = f"{OBJECTS[kind]}/{name}.toml" if owned else ""
    text, said_in = (said.schedule, FILE) if said.schedule else (owned.schedule if owned else "", own_file)
    idle = "" if text else "no schedule"
    if not said.active:
        idle = f"{key}.active is false"
    elif owned and owned.problem:
        idle = owned.problem
    return Job(
        id=f"{kind}:{name}" if owned else kind,
        kind=kind,
        object=name,
        schedule=parse_schedule(text) if text else None,
        said_in=said_in if text else "",
        idle=idle,
        misfire=said.misfire or ground.run.misfire,
        grace=parse_period(said.grace or ground.run.grace),
        attempts=said.attempts or ground.run.attempts,
        calendar=_calendar(ground, said.calendar, key),
        calendar_name=said.calendar,
        needs=NEEDS[kind] if said.needs is None else said.needs,
        required=said.required,
        minutes_per_run=said.minutes_per_run,
        minutes_per_item=said.minutes_per_item or (owned.minutes_per_item if owned else 0.0),
    )


def _calendar(ground: Ground, name: str, key: str) -> Calendar | None:
    if not name:
        return None
    if name not in ground.calendars:
        known = list(ground.calendars)
        raise ConfigError(f"{FILE}: {key}.calendar: there is no calendars/{name}.toml.{_near(name, known)}")
    return ground.calendars[name]


def _expanded(job: Job, jobs: Mapping[str, Job]) -> tuple[str, ...]:
    """The ids that a job needs; the name of a kind means all jobs of that kind."""
    found: dict[str, None] = {}
    for name in job.needs:
        ids = [other.id for other in jobs.values() if name in (other.id, other.kind) and other.id != job.id]
        if not ids and name not in OBJECTS:
            raise ConfigError(f"{FILE}: {job.id}: needs: there is no job {name!r}.{_near(name, [*jobs, *OBJECTS])}")
        found.update(dict.fromkeys(ids))
    return tuple(found)


def _ordered(jobs: Mapping[str, Job]) -> list[Job]:
    """In the order of kinds and names, but never before what a job needs."""
    place = {name: n for n, name in enumerate(jobs)}
    graph = TopologicalSorter({name: job.needs for name, job in jobs.items()})
    try:
        graph.prepare()
    except CycleError as err:
        raise ConfigError(f"{FILE}: run: these jobs need each other: {' → '.join(reversed(err.args[1]))}") from None
    ready: list[str] = []
    order: list[Job] = []
    while graph.is_active():
        ready = sorted([*ready, *graph.get_ready()], key=place.__getitem__)
        first = ready.pop(0)
        order.append(jobs[first])
        graph.done(first)
    return order


def _check_names(ground: Ground) -> None:
    """Refuse settings of jobs that do not exist."""
    single = [kind for kind in NEEDS if kind not in OBJECTS]
    for name in ground.run.jobs:
        if name not in single:
            raise ConfigError(f"{FILE}: run.jobs.{name}: there is no such job.{_near(name, single)}")
    for kind, folder in OBJECTS.items():
        names = [owned.name for owned in ground.objects.get(kind, ())]
        for name in getattr(ground.run, folder):
            if name not in names:
                raise ConfigError(f"{FILE}: run.{folder}.{name}: there is no {folder}/{name}.toml.{_near(name, names)}")


def _near(name: str, known: list[str]) -> str:
    found = difflib.get_close_matches(name, known, 1)
    return f" Did you mean {found[0]!r}?" if found else f" There are: {', '.join(known)}." if known else ""
