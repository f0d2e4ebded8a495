"""How a simulation reads at the prompt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sfactl.cli.tables import table, terminal_width
from sfactl.cli.times import local
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.simulation.model import Line, Simulation, StepCount, Way

_PER = {"messages": "message", "tasks": "task", "approvals": "approval", "pushes": "push", "entries": "entry"}


def simulation_lines(result: Simulation) -> Iterator[str]:
    """The whole: what it ran on, what came of it, the load, and what was assumed."""
    yield from _head(result)
    yield ""
    if result.edited is not None:
        yield from _comparison(result)
    else:
        yield from _way(result.real)
    if result.replay:
        yield ""
        yield from _replay(result)
    yield ""
    yield "Assumed:"
    yield from (f"  · {text}" for text in result.assumptions)
    yield "Nothing was written or sent."


def path_lines(result: Simulation, lead: int) -> Iterator[str]:
    """One lead's way through the period."""
    yield from _head(result)
    yield ""
    if not result.path:
        yield f"Lead {lead} was never let in, and nothing was done about it in this period."
    wording = ""
    for stage in result.path:
        if stage.wording != wording and result.edited is not None:
            wording = stage.wording
            yield f"By {wording}:"
        to = {None: "", "end": " → out"}.get(stage.to_step, f" → {stage.to_step}")
        due = f", until {local(stage.due_at, result.time_zone)}" if stage.due_at and stage.what == "wait" else ""
        why = f"  {stage.reason}" if stage.reason else ""
        yield f"  {local(stage.at, result.time_zone)}  {stage.step or 'control':<12} {stage.what}{why}{due}{to}"
    yield ""
    yield "Nothing was written or sent."


def _head(result: Simulation) -> Iterator[str]:
    start, end = (local(at, result.time_zone)[:10] for at in (result.start, result.end))
    first, last = result.commits
    commits = f"commits {first} to {last}" if first != last else f"commit {last}"
    yield f"Simulated {result.strategy} from {start} to {end}: {count(result.runs, 'run')}, {result.pace}"
    yield f"History: what {'was known' if result.history == 'known' else 'had happened'} at each run ({commits})"
    yield from (f"  · {note}" for note in result.notes)


def _way(way: Way) -> Iterator[str]:
    control = f" and {way.control:,} as control group" if way.control else ""
    before = f"{way.began:,} were inside, " if way.began else ""
    yield f"{before}{way.entered:,} entered{control}. Goal {way.goal:,}{_share(way.goal, way.began + way.entered)}"
    yield f"  finished {way.finished:,} · left otherwise {way.exited:,} · inside at the end {way.inside:,}"
    if way.control:
        yield f"  of the control group {way.control_goal:,}{_share(way.control_goal, way.control)} reached the goal"
    yield ""
    yield from _steps(way.steps)
    yield ""
    for load in way.loads:
        if load.total:
            most = f", most {load.most:,} on {load.on}" if load.on else ""
            yield f"{count(load.total, _PER[load.what])}, {load.mean:,.1f} on a day that has any{most}"
    for rep in way.reps[:5]:
        yield f"  {rep.owner or 'nobody'}: {count(rep.tasks, 'task')}, most {rep.most:,} on {rep.on}"
    if len(way.reps) > 5:
        yield f"  {count(len(way.reps) - 5, 'more rep')}: --show reps"
    if way.capped:
        yield f"Caps: {way.capped:,} times somebody had to wait, because they had enough messages"


def _steps(steps: Iterable[StepCount]) -> list[str]:
    names = ("step", "action", "came", "done", "skipped", "waited", "there", "why")
    rows = [
        (s.step, s.action, s.arrived, s.done, s.skipped, s.waits, s.waiting, _why(s))
        for s in steps
        if s.arrived or s.done or s.waiting
    ]
    return table(names, rows, fit=terminal_width()) if rows else ["Nobody came to any step."]


def _why(step: StepCount) -> str:
    return " · ".join(f"{r.leads:,} {r.reason}" for r in step.reasons if r.what == "skip" or step.action == "touch")


def _comparison(result: Simulation) -> Iterator[str]:
    rows = [_line(line) for line in result.lines if line.real or line.edited]
    yield from table(
        ("", "real", "edited", "difference"),
        rows,
        fit=terminal_width(),
        right=("real", "edited", "difference"),
    )
    yield ""
    for shift in result.shifts:
        if shift.more or shift.less:
            first = f" (lead {shift.example_more} …)" if shift.example_more is not None else ""
            other = f" (lead {shift.example_less} …)" if shift.example_less is not None else ""
            yield f"{shift.what}: {shift.more:,} leads get more{first}, {shift.less:,} less{other}"


def _line(line: Line) -> tuple[str, str, str, str]:
    difference = line.difference
    return line.figure, _number(line.real), _number(line.edited), "" if not difference else _signed(difference)


def _number(value: float) -> str:
    return f"{value:,.1f}" if value != int(value) else f"{int(value):,}"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−'}{_number(abs(round(value, 1)))}"


def _replay(result: Simulation) -> Iterator[str]:
    for part in result.replay:
        agreed = "all as recorded" if part.exact else f"{part.same:,} as recorded"
        yield f"Replay: {part.recorded:,} {part.what} recorded, {part.simulated:,} simulated, {agreed}"


def _share(part: int, whole: int) -> str:
    return f" ({part / whole:.1%})" if whole else ""
