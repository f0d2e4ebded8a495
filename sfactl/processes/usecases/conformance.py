"""How far cases keep to a process: the whole, the cases, the deviations, the variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfactl.api.errors import UserError
from sfactl.engine.conditions.source import nearest
from sfactl.processes.model import Process
from sfactl.processes.results import Conformance, Keeping, Kind, Reopened, StepTime, Told
from sfactl.processes.usecases.replay import SQL, Replay, replayed

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.session import Session

STATES = ("all", "over", "running", "deviating")


def conformance(session: Session, name: str) -> Conformance:
    """How far the cases of the process ``name`` keep to it at ``--as-of``. Raises `NotFound`, `ConfigError`."""
    with replayed(session, name) as replay:
        row = replay.query.rows(replay.query.statement(SQL, "summary"))[0]
        cases, over, fitting, events, steps, wrong, total_us = row
        return Conformance(
            process=name,
            case=replay.process.case,
            at=replay.at,
            seq=replay.query.seq,
            cases=cases,
            over=over,
            fitting=fitting,
            events=events,
            steps=steps,
            wrong=wrong,
            fitness=1 - wrong / steps if steps else None,
            total_us=total_us,
            activities=_told(replay),
            deviations=_kinds(replay),
            deadlines=_deadlines(replay),
            times=_times(replay),
            reopened=_reopened(replay),
        )


def cases(session: Session, name: str, *, state: str = "all") -> pa.Table:
    """One row a case: case, began_at, last_at, days, events, stands_at, state, fitness, deviations."""
    if state not in STATES:
        raise UserError(f"--state: there is no {state!r}.{nearest(state, STATES)} Choose from {', '.join(STATES)}")
    with replayed(session, name) as replay:
        _lay_names(replay)
        return replay.query.table(
            replay.query.statement(SQL, "case_list"), {"state": state, "prefix": f"{replay.process.case}:"}
        )


def deviations(session: Session, name: str, *, kind: str = "") -> pa.Table:
    """One row a deviation: case, kind, what, at, the row that shows it, the row before, and the days over."""
    with replayed(session, name) as replay:
        _lay_names(replay)
        return replay.query.table(
            replay.query.statement(SQL, "deviation_list"), {"kind": kind, "prefix": f"{replay.process.case}:"}
        )


def variants(session: Session, name: str) -> pa.Table:
    """One row a variant, the commonest first: way, cases, share, up_to, allowed, median_days, example."""
    import pyarrow as pa

    with replayed(session, name) as replay:
        found = replay.table("variants").to_pylist()
        process = replay.process
    total, running, rows = sum(row["cases"] for row in found), 0, []
    for row in found:
        running += row["cases"]
        rows.append(
            {
                "way": " → ".join(process.label(int(number)) for number in row["way"].split()),
                "cases": row["cases"],
                "share": row["cases"] / total,
                "up_to_rate": running / total,
                "allowed": row["allowed"],
                "median_days": row["median_us"] / 86_400_000_000,
                "example": f"{process.case}:{row['example']}",
            }
        )
    kinds = {
        "way": pa.string(),
        "cases": pa.int64(),
        "share": pa.float64(),
        "up_to_rate": pa.float64(),
        "allowed": pa.bool_(),
        "median_days": pa.float64(),
        "example": pa.string(),
    }
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in kinds.items()})


def _lay_names(replay: Replay) -> None:
    import pyarrow as pa

    process = replay.process
    numbers = [-1, 0, *range(1, len(process.activities) + 1)]
    names = {"number": pa.array(numbers), "name": pa.array([process.label(n) for n in numbers])}
    replay.query.register("activity_name", pa.table(names))
    within = [d.within for d in process.deadlines]
    limits = {"deadline": pa.array(range(len(within)), pa.int64()), "within": pa.array(within, pa.string())}
    replay.query.register("deadline_name", pa.table(limits))


def _told(replay: Replay) -> tuple[Told, ...]:
    counted = {row[0]: row[1:] for row in replay.query.rows(replay.query.statement(SQL, "told_count"))}
    return tuple(
        Told(activity=a.name, dataset=a.dataset, rows=linked, unlinked=unlinked)
        for number, a in enumerate(replay.process.activities, start=1)
        for linked, unlinked in [counted.get(number, (0, 0))]
    )


def _kinds(replay: Replay) -> tuple[Kind, ...]:
    rows = replay.table("deviation_kinds").to_pylist()
    process = replay.process
    return tuple(
        Kind(
            kind=row["kind"],
            what=step_said(process, row),
            times=row["times"],
            cases=row["cases"],
            example=f"{process.case}:{row['example']}",
        )
        for row in rows
    )


def step_said(process: Process, row: dict[str, Any]) -> str:
    """A deviation in words."""
    if row["kind"] in ("late", "missed"):
        within = process.deadlines[row["deadline"]].within
        return f"{process.label(row['number_before'])} → {process.label(row['number'])} within {within}"
    if row["kind"] == "too often":
        activity = process.activities[row["number"] - 1]
        return f"{activity.name} more than {'once' if activity.at_most == 1 else f'{activity.at_most} times'}"
    return f"{process.label(row['number_before'])} → {process.label(row['number'])}"


def _deadlines(replay: Replay) -> tuple[Keeping, ...]:
    counted = {row["deadline"]: row for row in replay.table("kept_count").to_pylist()}
    empty = dict.fromkeys(("kept", "late", "missed", "waiting", "void"), 0)
    found = []
    for place, d in enumerate(replay.process.deadlines):
        row = counted.get(place, empty)
        due = row["kept"] + row["late"] + row["missed"]
        found.append(
            Keeping(
                what=f"{d.start} → {d.end}",
                within=d.within,
                kept=row["kept"],
                late=row["late"],
                missed=row["missed"],
                waiting=row["waiting"],
                void=row["void"],
                share=row["kept"] / due if due else None,
            )
        )
    return tuple(found)


def _times(replay: Replay) -> tuple[StepTime, ...]:
    process = replay.process
    return tuple(
        StepTime(
            what=f"{process.label(row['number_before'])} → {process.label(row['number'])}",
            times=row["times"],
            cases=row["cases"],
            total_us=row["total_us"],
            median_us=row["median_us"],
            allowed=row["allowed"],
        )
        for row in replay.table("times").to_pylist()
    )


def _reopened(replay: Replay) -> Reopened | None:
    if replay.process.reopen is None:
        return None
    times, found, closed = replay.query.rows(replay.query.statement(SQL, "reopened"))[0]
    return Reopened(times=times, cases=found, closed=closed)
