"""How runs are told: to people at the prompt, and as the Markdown that CI shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sfactl.cli.tables import markdown, pad, table, width
from sfactl.cli.times import local, local_and_utc
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.runs.model import JobLine, JobRun, Saving, Summary

MARKS = {
    "due": " ",
    "started": " ",
    "nothing": "·",
    "failed": "✗",
    "skipped": "–",
    "missed": "–",
    "partly": "!",
    "waiting": "…",
    "interrupted": "✗",
}


def summary_lines(result: Summary) -> Iterator[str]:
    """What a run did."""
    zone = ZoneInfo(result.time_zone)
    env = f", environment {result.env}" if result.env else ""
    name = "Dry run: nothing is done." if result.dry_run else f"Run {result.batch}"
    yield f"{name} at {local(result.at, zone)} {result.time_zone}{env}" if not result.dry_run else name
    if result.taken_over:
        yield f"Took over from {result.taken_over}."
    yield from _job_rows(result.jobs, zone)
    for problem in result.problems:
        yield f"  ✗ cannot be read: {problem}"
    yield from (
        f"Waits since {local(one.since, zone)}: {one.detail}" for one in result.waiting if _is_older(one, result)
    )
    yield _total(result)
    if result.next_at is not None:
        yield f"Next: {result.next_job} at {local_and_utc(result.next_at, zone)}"
    elif not result.jobs:
        yield "No job has a schedule. See: sfactl run list --all"


def summary_markdown(result: Summary) -> str:
    """The same as GitHub-flavoured Markdown."""
    zone = ZoneInfo(result.time_zone)
    env = f" · {result.env}" if result.env else ""
    title = "dry run" if result.dry_run else f"run {result.batch}"
    lines = [f"## sfactl {title}{env} · {local(result.at, zone)} {result.time_zone}", ""]
    if result.jobs:
        heads = ["", "job", "state", "due", "what", "note"]
        rows = [
            [MARKS.get(r.state, "✓"), r.job, r.state, local(r.due_at, zone), _counts(r), _plain(r.detail)]
            for r in result.jobs
        ]
        lines += [*markdown(heads, rows), ""]
    lines += [f"- cannot be read: {_plain(problem)}" for problem in result.problems]
    if result.waiting:
        lines += ["### Waiting for an approval", ""]
        lines += [f"- **{one.job}**: {_plain(one.detail)}" for one in result.waiting]
        lines.append("")
    lines += [f"Took over from {_plain(result.taken_over)}.", ""] if result.taken_over else []
    following = f" Next: {result.next_job} at {local_and_utc(result.next_at, zone)}." if result.next_at else ""
    return "\n".join([*lines, f"{_total(result)}{following}", ""])


def due_lines(runs: Sequence[JobRun], zone: ZoneInfo) -> list[str]:
    """What is due."""
    return list(_job_rows(runs, zone)) or ["Nothing is due."]


def job_lines(jobs: Sequence[JobLine], zone: ZoneInfo) -> Iterator[str]:
    """A listing of jobs."""
    if not jobs:
        yield "No job has a schedule. See: sfactl run list --all"
        return
    rows = [
        [
            job.job,
            job.schedule,
            job.said_in,
            job.note or (local(job.next_at, zone) if job.next_at else "never again"),
            job.due or "",
            f"{job.last_state} {local(job.last_due_at, zone)}" if job.last_due_at else "",
        ]
        for job in jobs
    ]
    yield from table(["job", "schedule", "in", "next", "due", "last"], rows)


def log_lines(runs: Sequence[JobRun], zone: ZoneInfo) -> Iterator[str]:
    """A listing of runs."""
    if not runs:
        yield "Nothing was run yet."
        return
    rows = [
        [run.run_id[:6], run.batch, run.env, run.job, local(run.due_at, zone), run.state, _counts(run), run.detail]
        for run in runs
    ]
    heads = ["run", "batch", "env", "job", "due", "state", "what", "note"]
    if not any(run.env for run in runs):
        heads, rows = _without(2, heads), [_without(2, row) for row in rows]
    yield from table(heads, rows)


def run_lines(runs: Sequence[JobRun], zone: ZoneInfo) -> Iterator[str]:
    """Everything about some runs."""
    for place, run in enumerate(runs):
        if place:
            yield ""
        yield f"{run.job}  {run.state}  run {run.run_id[:6]} of batch {run.batch}"
        stands = f", for {run.slots:,} slots since {local(run.first_due_at, zone)}" if run.slots > 1 else ""
        facts: list[tuple[str, str]] = [
            ("due", f"{local(run.due_at, zone)}{stands}"),
            ("attempt", str(run.attempt)),
            ("began", local(run.started_at, zone) if run.started_at else ""),
            ("ended", local(run.ended_at, zone) if run.ended_at else ""),
            ("what", _counts(run)),
            ("note", run.detail),
            ("error", run.error),
            ("plan", run.plan_id[:6] if run.plan_id else ""),
            ("commits", _commits(run)),
            ("by", f"{run.actor}{f', environment {run.env}' if run.env else ''}"),
            ("saved", _saved(run)),
        ]
        yield from (f"  {name:8} {value}" for name, value in facts if value)


def saving_lines(rows: Sequence[Saving]) -> Iterator[str]:
    """Hours saved, with what they are computed from."""
    if not rows:
        yield "No run did anything in that time."
        return
    heads = ["job", "runs", "min/run", "items", "min/item", "minutes", "hours"]
    cells: list[list[Any]] = [
        [r.job, r.runs, f"{r.minutes_per_run:g}", r.items, f"{r.minutes_per_item:g}", *_time(r.minutes)] for r in rows
    ]
    total = sum(r.minutes for r in rows)
    cells.append(["total", sum(r.runs for r in rows), "", sum(r.items for r in rows), "", *_time(total)])
    yield from table(heads, cells)
    yield "minutes = runs × min/run + items × min/item; the minutes of hand work are declared in [run], not measured."
    silent = sorted({r.job for r in rows if not r.minutes_per_run and not r.minutes_per_item})
    if silent:
        yield f"Nothing is declared for: {', '.join(silent)}"


def _job_rows(runs: Iterable[JobRun], zone: ZoneInfo) -> Iterator[str]:
    runs = list(runs)
    longest = max([width(run.job) for run in runs], default=0)
    states = max([width(run.state) for run in runs], default=0)
    for run in runs:
        note = " · ".join(text for text in (_counts(run), run.detail) if text)
        mark = MARKS.get(run.state, "✓")
        yield f"  {mark} {pad(run.job, longest)}  {pad(run.state, states)}  {local(run.due_at, zone)}  {note}".rstrip()


def _total(result: Summary) -> str:
    if not result.jobs:
        return "Nothing is due."
    if result.dry_run:
        return f"{count(sum(run.state != 'missed' for run in result.jobs), 'job')} would be done."
    counted: Mapping[str, int] = {}
    for run in result.jobs:
        counted = {**counted, run.state: counted.get(run.state, 0) + 1}
    return f"{count(len(result.jobs), 'job')}: {', '.join(f'{n} {state}' for state, n in counted.items())}."


def _is_older(one: Any, result: Summary) -> bool:
    return not any(run.plan_id == one.plan_id for run in result.jobs)


def _counts(run: JobRun) -> str:
    return " · ".join(f"{n:,} {name}" for name, n in run.counts.items() if isinstance(n, int))


def _commits(run: JobRun) -> str:
    if run.first_commit is None:
        return ""
    return f"{run.first_commit}" if run.first_commit == run.last_commit else f"{run.first_commit} to {run.last_commit}"


def _saved(run: JobRun) -> str:
    if not run.minutes_saved:
        return ""
    items = f"{run.items:,} × {run.minutes_per_item:g} for the items"
    return f"{run.minutes_saved:g} min ({run.minutes_per_run:g} for the run, {items}; as declared)"


def _time(minutes: float) -> tuple[str, str]:
    return f"{minutes:,.1f}", f"{minutes / 60:,.1f}"


def _plain(text: str) -> str:
    """Text that Markdown takes as it is: no markup from a file or another machine."""
    return text.replace("<", "&lt;").replace("\n", " ")


def _without(place: int, row: Sequence[Any]) -> list[Any]:
    return [*row[:place], *row[place + 1 :]]
