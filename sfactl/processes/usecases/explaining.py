"""Why a case stands where it stands: its events with their rows, its steps with their times, its deadlines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sfactl.api.errors import NotFound, UserError
from sfactl.processes.files import named
from sfactl.processes.model import Process
from sfactl.processes.results import CaseExplained, Event, Promise
from sfactl.processes.usecases.conformance import step_said
from sfactl.processes.usecases.replay import Replay, replayed
from sfactl.session import Session

_MICROSECOND = timedelta(microseconds=1)


def explain(session: Session, name: str, case: str) -> CaseExplained:
    """The case ``case`` (``lead:12``, or ``12``) of the process ``name``. Raises `NotFound`, `UserError`."""
    with replayed(session, name, only=_number(session, name, case)) as replay:
        process = replay.process
        found = replay.query.table("select * from replayed").to_pylist()
        if not found:
            raise NotFound(
                f"no row belongs to {process.case} {case.rpartition(':')[2]} of process {name}",
                hint=f"See: sfactl process cases {name}",
            )
        head = found[0]
        deviations = replay.query.table("select * from deviations order by place, kind, number").to_pylist()
        return CaseExplained(
            process=name,
            case=f"{process.case}:{head['case_id']}",
            state="over" if head["is_over"] else "running",
            fitness=1 - head["wrong"] / head["steps"] if head["steps"] else None,
            total_us=head["worked_us"],
            waiting_us=_waiting(replay, head),
            events=_events(replay),
            promises=_promises(replay),
            reopened=replay.query.rows(replay.query.statement("processes", "reopened"))[0][0],
            problems=tuple(f"{row['kind']}: {step_said(process, row)}" for row in deviations),
        )


def _number(session: Session, name: str, case: str) -> str:
    """The case's id without the word for a case before it."""
    kind = named(session.folder, name).case
    head, colon, rest = case.partition(":")
    if colon and head == kind:
        case = rest
    if not case:
        raise UserError("an empty text names no case", hint=f"Write {kind}:ID")
    return case


def _waiting(replay: Replay, head: dict[str, Any]) -> int | None:
    if head["is_over"] or head["last_step_at"] is None:
        return None
    return int((replay.at - head["last_step_at"]) // _MICROSECOND)


def _events(replay: Replay) -> tuple[Event, ...]:
    process = replay.process
    rows = replay.query.table("select * from trace order by place").to_pylist()
    return tuple(
        Event(
            at=row["moment"],
            activity=process.label(row["number"]),
            row=f"{row['dataset']} {row['row_key']}",
            actor=row["actor"],
            wait_us=row["wait_us"],
            verdict=_verdict(process, row),
        )
        for row in rows
    )


def _verdict(process: Process, row: dict[str, Any]) -> str:
    if row["anytime"]:
        return "any time"
    if row["allowed"]:
        return "ok"
    before = process.label(row["number_before"])
    return "may not be the first" if before == "begin" else f"may not follow {before}"


def _promises(replay: Replay) -> tuple[Promise, ...]:
    process = replay.process
    rows = replay.query.table("select * from kept order by set_at, deadline").to_pylist()
    return tuple(
        Promise(
            what=f"{d.start} → {d.end} within {d.within}",
            set_at=row["set_at"],
            due_at=row["due_at"],
            met_at=row["met_at"] if row["state"] != "void" else None,
            state=row["state"],
        )
        for row in rows
        for d in [process.deadlines[row["deadline"]]]
    )
