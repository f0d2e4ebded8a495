"""Lay out what is known of a process for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.cli.app import Output
from sfactl.cli.report_lines import grid, percent
from sfactl.cli.tables import pad, width
from sfactl.cli.words import count

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.processes.results import CaseExplained, Conformance, Keeping, StepTime

DAY_US = 86_400_000_000
MOST = 12


def emit_rows(
    output: Output, table: pa.Table, limit: int, note: Callable[[str], None], what: str, *, exit_code: int = 0
) -> None:
    """Print at most ``limit`` rows, and say how many there are."""
    total = table.num_rows
    if limit and total > limit:
        table = table.slice(0, limit)
        note(f"{limit:,} of {total:,} {what}; see all with --limit 0")
    output.emit(table, human=lambda: grid(_timed(table.to_pylist()), table.column_names), exit_code=exit_code)


def conformance(result: Conformance) -> Iterator[str]:
    """The whole process at a glance."""
    states = f"{result.over:,} over, {result.running:,} running"
    yield f"Process {result.process}: {count(result.cases, 'case')}, {states}, commit {result.seq}"
    if not result.cases:
        yield "  No row of the data belongs to a case of this process."
        yield from _unlinked(result)
        return
    allowed = f"{result.steps - result.wrong:,} of {result.steps:,} steps are allowed"
    yield f"  fitness  {percent(result.fitness):>7}  {allowed}"
    clean = f"{result.fitting:,} of {result.cases:,} cases have no deviation at all"
    yield f"  fitting  {percent(result.fitting_share):>7}  {clean}"
    if result.reopened:
        r = result.reopened
        rate = f", {percent(r.cases / r.closed)} of {r.closed:,} closed" if r.closed else ""
        yield f"  reopened {count(r.times, 'time')} in {count(r.cases, 'case')}{rate}"
    yield from _unlinked(result)
    if result.deviations:
        yield "Deviations"
        rows = [
            {"kind": d.kind, "what": d.what, "times": d.times, "cases": d.cases, "example": d.example}
            for d in result.deviations[:MOST]
        ]
        yield from grid(rows, ["kind", "what", "times", "cases", "example"])
        if len(result.deviations) > MOST:
            yield f"  and {len(result.deviations) - MOST} kinds more: --format json"
    if result.deadlines:
        yield "Deadlines"
        yield from grid([_keeping(d) for d in result.deadlines], [*_keeping(result.deadlines[0])])
    if result.times:
        yield "Where the time went"
        rows = [_step_time(s, result.total_us) for s in result.times[:MOST]]
        yield from grid(rows, [*rows[0]])
        rest = sum(s.total_us for s in result.times[MOST:])
        more = f", {took(rest)} of it in steps not shown" if rest else ""
        yield f"  All steps together take {took(result.total_us)}{more}."
    yield f"Which cases: sfactl process cases {result.process} --state deviating"


def explained(result: CaseExplained) -> Iterator[str]:
    """One case, event by event."""
    fitness = f", fitness {percent(result.fitness)}" if result.fitness is not None else ""
    yield f"{result.case} in process {result.process}: {result.state}{fitness}"
    waits = [took(e.wait_us) if e.wait_us is not None else "" for e in result.events]
    names = [e.activity for e in result.events]
    wide, wait = max(map(width, names)), max(7, *map(len, waits))
    places = max(width(e.row) for e in result.events)
    for event, waited in zip(result.events, waits, strict=True):
        mark = {"ok": "✓", "any time": "·"}.get(event.verdict, "✗")
        said = "" if event.verdict in ("ok", "any time") else f"  {event.verdict}"
        actor = f"  {event.actor}" if event.actor else ""
        row = pad(event.row, places)
        yield f"  {mark} {clock(event.at)}  {pad(event.activity, wide)}  {waited:>{wait}}  {row}{actor}{said}".rstrip()
    yield f"  = {took(result.total_us)} from the first step to the last; the steps add up to it exactly"
    if result.waiting_us is not None:
        yield f"  waiting {took(result.waiting_us)} since then"
    if result.reopened:
        yield f"  reopened {count(result.reopened, 'time')}"
    if result.promises:
        yield "Deadlines"
        for p in result.promises:
            met = f", met {clock(p.met_at)}" if p.met_at else ""
            yield f"  {p.state:<7}  {p.what}: due {clock(p.due_at)}{met}"
    for problem in result.problems:
        yield f"Deviation: {problem}"


def took(us: int) -> str:
    """A time for people."""
    from sfactl.insight.sheet import duration

    return duration(us / DAY_US) if us >= 60_000_000 or us < 0 else f"{us / 1_000_000:,.0f} s"


def clock(at: datetime) -> str:
    """A moment to the minute."""
    return f"{at:%Y-%m-%d %H:%M}"


def _unlinked(result: Conformance) -> Iterator[str]:
    for told in result.activities:
        if told.unlinked:
            rows = f"{count(told.unlinked, 'row')} of {told.dataset}"
            yield f"  Note: {rows} that would be {told.activity} belong to no {result.case}."


def _keeping(d: Keeping) -> dict[str, Any]:
    row = {"deadline": d.what, "within": d.within, "kept": d.kept, "late": d.late, "missed": d.missed}
    return {**row, "waiting": d.waiting, "void": d.void, "kept_rate": d.share}


def _step_time(s: StepTime, total_us: int) -> dict[str, Any]:
    return {
        "step": s.what if s.allowed else f"{s.what} (not allowed)",
        "times": s.times,
        "median_days": s.median_us / DAY_US,
        "all_days": s.total_us / DAY_US,
        "share": s.total_us / total_us if total_us else None,
    }


def _timed(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: _timed_cell(k, v) for k, v in row.items()} for row in rows]


def _timed_cell(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return clock(value)
    return "" if value is None and name in ("row_before", "over_days", "owner", "full_name", "company") else value
