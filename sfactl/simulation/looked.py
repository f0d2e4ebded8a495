"""Whom a run of a simulation must look at: those whose time has come, and those for whom something changed.

It may name too many, never too few: whoever is not named would stand where they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sfactl.engine.conditions.model import CompiledMany, Window
from sfactl.engine.conditions.passing import Passed, moved
from sfactl.engine.duck import Query
from sfactl.engine.periods import Period, PeriodError
from sfactl.simulation.world import LINK, LOOKED

EVERYBODY = "select lead_id from leads"
INSIDE = "select lead_id from sim_enrolments where left_at is null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitive:
    """What can change the answer of some conditions: changes of ``relations``, and time (None: in any way)."""

    relations: frozenset[str] = frozenset()
    windows: frozenset[Window] | None = frozenset()

    @classmethod
    def of(cls, compiled: Iterable[CompiledMany]) -> Sensitive:
        """Of all conditions compiled."""
        relations: set[str] = set()
        windows: set[Window] = set()
        clocked = False
        for one in compiled:
            relations |= set(one.relations)
            clocked |= one.windows is None
            windows |= set(one.windows or ())
        return cls(relations=frozenset(relations), windows=None if clocked else frozenset(windows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """When somebody may enter who is not inside: never ``again``, or so long after leaving; at most ``limit`` a run."""

    again: Period | None = None
    limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """SELECTs of the leads that a dataset's changes since the last run concern, by dataset; None: it may be all."""

    leads: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What has to be watched so that nobody is overlooked who may enter, or move on before their time.

    ``longest`` says how long one may stay inside, by version.
    """

    audience: Sensitive = field(default_factory=Sensitive)
    inside: Sensitive = field(default_factory=Sensitive)
    entrance: Entrance = field(default_factory=Entrance)
    longest: tuple[tuple[str, Period], ...] = ()

    @property
    def relations(self) -> frozenset[str]:
        """All datasets whose changes matter."""
        return self.audience.relations | self.inside.relations


def look(query: Query, watched: Watched, *, then: datetime, now: datetime, changes: Changes) -> bool:
    """Make the table of the leads to look at for a run at ``now`` after one at ``then``; False where it is everybody.

    The query's names stand for the whole world at ``now``.
    """
    entrance = watched.entrance
    params: dict[str, object] = {"at": now}
    try:
        entering = _passed(watched.audience, then, now, "a")
        staying = _passed(watched.inside, then, now, "i")
    except PeriodError:
        return False
    changed = {what: _changed(what, changes) for what in (watched.audience, watched.inside)}
    if entering is None or changed[watched.audience] is None:
        return False
    if changed[watched.inside] is None:
        staying = None
    parts = [f"select {LINK} from sim_due where due_at <= $at"]
    if staying is None:
        parts.append(INSIDE)
    else:
        inside = [*(changed[watched.inside] or ()), f"select {LINK} from sim_touched where stays"]
        parts.append(f"select {LINK} from ({' union all '.join(inside)}) where {LINK} in ({INSIDE})")
    outside = [*(changed[watched.audience] or ()), f"select {LINK} from sim_touched where enters"]
    parts.append(f"select {LINK} from ({' union all '.join(outside)}) where {LINK} not in ({_shut_out(entrance)})")
    parts.append(f"select {LINK} from (select {LINK} from sim_door order by place limit {entrance.limit})")
    if entrance.again is not None:
        params |= {"left_now": entrance.again.before(now), "left_then": entrance.again.before(then)}
        parts.append(f"select {LINK} from sim_enrolments where left_at > $left_then and left_at <= $left_now")
    for number, (version, stay) in enumerate(watched.longest):
        params |= {f"stay{number}": stay.before(now), f"version{number}": version}
        parts.append(
            f"select {LINK} from sim_enrolments where left_at is null and version = $version{number}"
            f" and entered_at <= $stay{number}"
        )
    touched = _touched(entering, staying or {}, params)
    query.run(
        f"create or replace temp table {LOOKED} as with sim_touched as ({touched})"
        f" select distinct {LINK} from ({' union all '.join(parts)}) where {LINK} is not null",
        params,
    )
    _take_in_namesakes(query)
    return True


def _passed(what: Sensitive, then: datetime, now: datetime, mark: str) -> dict[str, list[Passed]] | None:
    """What time alone took into or out of windows, by dataset; None where that may be anything."""
    if what.windows is None:
        return None
    found: dict[str, list[Passed]] = {}
    for number, window in enumerate(sorted(what.windows, key=str)):
        found.setdefault(window.dataset, []).append(moved(window, f"{mark}{number}", then, now))
    return found


def _changed(what: Sensitive, changes: Changes) -> list[str] | None:
    """SELECTs of those for whom something was learned; None where it may be everybody."""
    parts: list[str] = []
    for dataset in sorted(what.relations):
        changed = changes.leads.get(dataset, "")
        if changed is None:
            return None
        if changed:
            parts.append(f"select {LINK} from ({changed})")
    return parts


def _touched(
    entering: Mapping[str, list[Passed]], staying: Mapping[str, list[Passed]], params: dict[str, object]
) -> str:
    """A SELECT of the leads whose rows came into a window or left one: each dataset is read once, by time alone.

    ``enters`` says that it matters to who may enter, ``stays`` to who is inside.
    """
    parts = [f"select cast(null as bigint) as {LINK}, false as enters, false as stays where false"]
    for dataset in sorted({*entering, *staying}):
        asked = {"enters": entering.get(dataset, []), "stays": staying.get(dataset, [])}
        spans = " or ".join(dict.fromkeys(passed.span for found in asked.values() for passed in found))
        told = ", ".join(f"{' or '.join(p.sql for p in found) or 'false'} as {name}" for name, found in asked.items())
        parts.append(f"select {LINK}, {told} from {dataset} where {spans}")
        for found in asked.values():
            for passed in found:
                params |= passed.bounds
    return " union all ".join(parts)


def _shut_out(entrance: Entrance) -> str:
    """Those for whom it makes no difference that they would be wanted now."""
    return "select lead_id from sim_enrolments" if entrance.again is None else INSIDE


def _take_in_namesakes(query: Query) -> None:
    """Look at everybody too who shares an address with somebody looked at, and so on."""
    added = 1
    while added:
        (before,) = query.one(f"select count(*) from {LOOKED}") or (0,)
        query.run(f"insert into {LOOKED} {query.statement('simulation', 'namesakes')}")
        (after,) = query.one(f"select count(*) from {LOOKED}") or (0,)
        added = after - before
