"""Count what a simulation did: by step, by day, by rep. Pure: it reads the simulation's tables only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sfactl.engine.duck import Query
from sfactl.simulation.model import Day, Line, Load, Reason, RepLoad, Shift, StepCount, Way
from sfactl.strategies.book import Book

PACKAGE = "simulation"
DONE = {
    "touch": ("send",),
    "wait": ("pass",),
    "branch": ("pass",),
    "split": ("pass",),
    "task": ("task",),
    "approval": ("approval",),
    "push": ("push",),
    "stop": ("leave",),
}
"""What a step of each action does when it does what it is for."""
LOADS = {"messages": "send", "tasks": "task", "approvals": "approval", "pushes": "push", "entries": "enter"}
_SHOWN = 4


def way(query: Query, book: Book, source: str, start: datetime, zone: ZoneInfo) -> Way:
    """What the simulated wording did from ``start`` on."""
    ends = query.one(query.statement(PACKAGE, "ends"), {"start": start}) or (0,) * 7
    entered, control, goal, control_goal, exited, finished, inside = map(int, ends)
    days = by_day(query, zone)
    loads = tuple(_load(what, days) for what in LOADS)
    totals = {load.what: load.total for load in loads}
    capped = query.one("select count(*) from sim_capped") or (0,)
    return Way(
        name=book.name,
        version=book.file.version,
        source=source,
        entered=entered,
        control=control,
        goal=goal,
        control_goal=control_goal,
        exited=exited,
        finished=finished,
        inside=inside,
        messages=totals["messages"],
        tasks=totals["tasks"],
        approvals=totals["approvals"],
        pushes=totals["pushes"],
        capped=int(capped[0]),
        steps=tuple(_steps(query, book)),
        loads=loads,
        reps=tuple(_reps(query, start, zone)),
    )


def by_day(query: Query, zone: ZoneInfo) -> tuple[Day, ...]:
    """What was done on each day of the zone on which anything was."""
    found: dict[date, Counter[str]] = defaultdict(Counter)
    sql = 'select "at", action, sum(leads) from sim_counts where not is_settled group by "at", action order by 1, 2'
    names = {action: what for what, action in LOADS.items()} | {"leave": "leavers"}
    for at, action, leads in query.rows(sql):
        if action in names:
            found[_day(at, zone)][names[action]] += int(leads)
    return tuple(Day(day=day, **{what: counts[what] for what in names.values()}) for day, counts in found.items())


def lines(real: Way, edited: Way) -> tuple[Line, ...]:
    """The figures of both wordings side by side: whole first, then the steps of either."""
    figures = ("entered", "control", "messages", "tasks", "approvals", "pushes", "goal", "exited", "finished", "inside")
    found = [Line(figure=f, real=getattr(real, f), edited=getattr(edited, f)) for f in figures]
    found.append(Line(figure="goal %", real=_share(real), edited=_share(edited)))
    found.append(Line(figure="capped", real=real.capped, edited=edited.capped))
    peaks = [{load.what: load.most for load in w.loads} for w in (real, edited)]
    busiest = [max((rep.most for rep in w.reps), default=0) for w in (real, edited)]
    found.append(Line(figure="most messages a day", real=peaks[0]["messages"], edited=peaks[1]["messages"]))
    found.append(Line(figure="most tasks a day, one rep", real=busiest[0], edited=busiest[1]))
    done = [{step.step: step.done for step in w.steps} for w in (real, edited)]
    names = dict.fromkeys([*done[1], *done[0]])
    found += [Line(figure=f"step {name}", real=done[0].get(name, 0), edited=done[1].get(name, 0)) for name in names]
    return tuple(found)


def shifts(query: Query) -> tuple[Shift, ...]:
    """Leads who get more or less by the edited wording; reads people_real and people_edited."""
    rows = query.rows(query.statement(PACKAGE, "shifts"))
    return tuple(
        Shift(what=what, more=int(more), less=int(less), example_more=first, example_less=other)
        for what, more, less, first, other in rows
    )


def _steps(query: Query, book: Book) -> Iterable[StepCount]:
    arrived = _sums(query, "select to_step, '', sum(leads) from sim_counts where to_step is not null group by to_step")
    counted = _sums(
        query, "select step, action, sum(leads) from sim_counts where step is not null group by step, action"
    )
    fresh = _sums(query, "select step, '', sum(leads) from sim_counts where action = 'wait' and is_fresh group by step")
    waiting = _sums(
        query,
        "select step, '', count(*) from sim_enrolments where left_at is null and state = 'active' group by step",
    )
    reasons = query.rows(
        "select step, action, reason, sum(leads) from sim_counts where reason <> '' and (action = 'skip' or"
        " (action = 'wait' and is_fresh)) group by step, action, reason order by 4 desc, 3, 2"
    )
    steps = {step.name: step for file in reversed(book.versions) for step in file.strategy.steps}
    order = [step.name for step in book.file.strategy.steps]
    for name in [*order, *(n for n in steps if n not in order)]:
        action = steps[name].action
        yield StepCount(
            step=name,
            action=action,
            arrived=arrived.get((name, ""), 0),
            done=sum(counted.get((name, what), 0) for what in DONE[action]),
            skipped=counted.get((name, "skip"), 0),
            waits=arrived.get((name, ""), 0) if action == "wait" else fresh.get((name, ""), 0),
            waiting=waiting.get((name, ""), 0),
            reasons=tuple(
                Reason(what=what, reason=reason, leads=int(n))
                for s, what, reason, n in reasons
                if s == name and (what == "skip" or action != "wait")
            )[:_SHOWN],
        )


def _sums(query: Query, sql: str) -> Mapping[tuple[str, str], int]:
    return {(a, b): int(n) for a, b, n in query.rows(sql)}


def _load(what: str, days: Iterable[Day]) -> Load:
    counts = {day.day: getattr(day, what) for day in days if getattr(day, what)}
    on = max(counts, key=lambda day: (counts[day], -day.toordinal()), default=None)
    total = sum(counts.values())
    return Load(
        what=what, total=total, mean=total / len(counts) if counts else 0.0, most=counts[on] if on else 0, on=on
    )


def _reps(query: Query, start: datetime, zone: ZoneInfo) -> Iterable[RepLoad]:
    sql = (
        "select coalesce(owner, ''), created_at, count(*) from sim_tasks where created_at >= $start"
        " group by 1, 2 order by 1, 2"
    )
    found: dict[str, Counter[date]] = defaultdict(Counter)
    for owner, at, tasks in query.rows(sql, {"start": start}):
        found[owner][_day(at, zone)] += int(tasks)
    for owner, days in sorted(found.items(), key=lambda item: (-item[1].total(), item[0])):
        on = max(days, key=lambda day: (days[day], -day.toordinal()))
        yield RepLoad(owner=owner, tasks=days.total(), most=days[on], on=on)


def _share(counted: Way) -> float:
    return round(counted.goal / counted.entered * 100, 1) if counted.entered else 0.0


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.replace(tzinfo=UTC).astimezone(zone).date()
