"""``sfactl run``: do what is due, and look at what was and will be done."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.runs.model import Summary

ONLY = click.option(
    "--only", multiple=True, metavar="JOB", help="Only this job, or jobs of this kind; may be repeated."
)
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable in which GitHub Actions names the file that it shows with a job."""


@click.group(invoke_without_command=True)
@click.option("--due", "is_due", is_flag=True, help="Do everything that is due.")
@ONLY
@click.option("--wait", metavar="PERIOD", default="", help="Wait so long for a run at work, for instance 10min.")
@click.option("--summary", "summary_file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write what was done as Markdown to FILE.")  # fmt: skip
@options.fail_empty
@options.dry_run
@options.output
@pass_app
@click.pass_context
def group(
    ctx: click.Context,
    app: App,
    *,
    is_due: bool,
    only: tuple[str, ...],
    wait: str,
    summary_file: Path | None,
    fail_empty: bool,
    dry_run: bool,
    output: Output,
) -> None:
    """Do what is due, once, in the order in which jobs build on each other; look at what was and will be done.

    Jobs: sources, mailboxes, collect, dedupe, scores, segments, qualify, pool, assign, sla, tags, strategies,
    campaigns, ERPs. Schedules stand in sources/, mailboxes/ and strategies/, and for the rest in [run] of sfactl.toml.
    Only one run works at a time. What fails stops only what builds on it, and is tried again; the exit code is 3 then.
    Plans that need an approval are left waiting.

    \b
    Example:
      sfactl run --due --dry-run
      sfactl run --due --wait 10min --summary run.md --format json
    """
    if ctx.invoked_subcommand is not None:
        if is_due or only or wait or summary_file or dry_run:
            raise click.UsageError(f"--due and its options do not go with {ctx.invoked_subcommand!r}.")
        return
    if not is_due:
        raise click.UsageError("Say --due to do what is due, or name a command.")
    from sfactl.cli import run_lines
    from sfactl.engine.periods import parse_period
    from sfactl.runs import usecases

    waits = parse_period(wait) if wait else None
    if waits is not None and waits.months:
        raise click.UsageError(f"--wait {wait}: write it in days, hours or minutes.")
    if summary_file is not None and not summary_file.parent.is_dir():  # before anything is done
        raise click.UsageError(f"--summary {summary_file}: there is no folder {summary_file.parent}")
    session = app.session(dry_run=dry_run, command="run --due")
    result = usecases.run_due(session, env=app.env or "", only=only, wait_s=waits.seconds if waits else 0)
    _write_summaries(result, summary_file)
    nothing = 4 if fail_empty and not result.jobs else 0
    output.emit(result, human=lambda: run_lines.summary_lines(result), exit_code=nothing if result.well else 3)


@group.command("list")
@click.option("--all", "every", is_flag=True, help="Jobs without a schedule, too.")
@options.as_of
@options.output
@pass_app
def list_(app: App, *, every: bool, as_of: str | None, output: Output) -> None:
    """List the jobs that have a schedule: where it stands, when it comes next, and what came of the last run.

    \b
    Example:
      sfactl run list
    """
    from sfactl.cli import run_lines
    from sfactl.runs import usecases

    session = app.session(as_of=as_of)
    found = usecases.list_jobs(session, env=app.env or "", every=every)
    output.emit(found, human=lambda: run_lines.job_lines(found, session.zone))


@group.command()
@ONLY
@options.as_of
@options.fail_empty
@options.output
@pass_app
def due(app: App, *, only: tuple[str, ...], as_of: str | None, fail_empty: bool, output: Output) -> None:
    """List what is due, in the order in which it would be done. Does nothing.

    \b
    Example:
      sfactl run due --fail-empty
    """
    from sfactl.cli import run_lines
    from sfactl.runs import usecases

    session = app.session(as_of=as_of)
    found = usecases.due_now(session, env=app.env or "", only=only)
    lines = run_lines.due_lines(found, session.zone)
    output.emit(found, human=lambda: lines, exit_code=4 if fail_empty and not found else 0)


@group.command("next")
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True, metavar="N", help="N of each job.")
@options.as_of
@options.output
@pass_app
def next_(app: App, jobs: tuple[str, ...], *, count: int, as_of: str | None, output: Output) -> None:
    """List the next times at which JOBs come due, in the workspace's zone and in UTC.

    \b
    Example:
      sfactl run next scores --count 3
    """
    from sfactl.runs import usecases

    found = usecases.next_slots(app.session(as_of=as_of), only=jobs, count=count)
    lines = [f"{slot.local}  {slot.due_at:%m-%d %H:%M} UTC  {slot.job}" for slot in found]
    output.emit(found, human=lambda: lines or ["Nothing comes."])


@group.command()
@click.option("--job", default="", metavar="JOB", help="Only this job, or jobs of this kind.")
@click.option("--state", "states", multiple=True, metavar="STATE", help="Only runs in this state; may be repeated.")
@options.limit(30)
@options.as_of
@options.output
@pass_app
def log(app: App, *, job: str, states: tuple[str, ...], limit: int, as_of: str | None, output: Output) -> None:
    """List what was done, the newest first.

    \b
    Example:
      sfactl run log --state failed
      sfactl run log --job campaign --format csv --limit 0
    """
    from sfactl.cli import run_lines
    from sfactl.runs import usecases

    session = app.session(as_of=as_of)
    found = usecases.log(session, env=app.env, job=job, states=states, limit=limit)
    output.emit(found, human=lambda: run_lines.log_lines(found, session.zone))


@group.command()
@click.argument("run")
@options.as_of
@options.output
@pass_app
def show(app: App, run: str, *, as_of: str | None, output: Output) -> None:
    """Show everything about RUN: the number of a run, or the id of one job's run.

    \b
    Example:
      sfactl run show 12
      sfactl run show 3fa9c1
    """
    from sfactl.cli import run_lines
    from sfactl.runs import usecases

    session = app.session(as_of=as_of)
    found = usecases.show(session, run)
    output.emit(found, human=lambda: run_lines.run_lines(found, session.zone))


@group.command()
@click.option("--from", "since", metavar="WHEN", help="Only slots from this date or time on.")
@click.option("--to", "until", metavar="WHEN", help="Only slots up to this date or time.")
@options.as_of
@options.output
@pass_app
def report(app: App, *, since: str | None, until: str | None, as_of: str | None, output: Output) -> None:
    """Count the hand work that was saved: runs and items times the minutes that were declared for them.

    The minutes are what minutes_per_run and minutes_per_item of a job said when it ran; they are stated, not measured.

    \b
    Example:
      sfactl run report --from 2026-11-01 --to 2026-11-30
    """
    from sfactl.cli import run_lines
    from sfactl.runs import usecases

    session = app.session(as_of=as_of)
    start = None if since is None else session.moment(f"{since}T00:00" if len(since) == 10 else since)
    found = usecases.savings(session, since=start, until=None if until is None else session.moment(until))
    output.emit(found, human=lambda: run_lines.saving_lines(found))


def _write_summaries(result: Summary, file: Path | None) -> None:
    """Write the Markdown summary where it was asked for, and where GitHub Actions looks for it."""
    from sfactl.cli.emit import write_file
    from sfactl.cli.run_lines import summary_markdown

    text = summary_markdown(result).encode("utf-8", "replace")
    if file is not None:
        write_file(file, text)
    if shown := os.environ.get(STEP_SUMMARY):
        with Path(shown).open("ab") as step:
            step.write(text)
