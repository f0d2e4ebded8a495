"""The group ``report``: reports for managers, on paper and on the screen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.insight.model import Cohort, FunnelReport, OutcomeReport

F = TypeVar("F", bound=Callable[..., Any])
DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def group() -> None:
    """Reports for managers.

    \b
    Example:
      sfactl report funnel --by source
      sfactl report html --output report.html
    """


def period(*names: str) -> Callable[[F], F]:
    """``--from DAY`` and ``--until DAY`` (and further ``names`` for it): leads first met in between, both included."""

    def add(command: F) -> F:
        until = click.option(
            "--until", *names, "until", type=DAY, metavar="DAY", callback=_day, help="Only leads first met until DAY."
        )
        since = click.option(
            "--from", "since", type=DAY, metavar="DAY", callback=_day, help="Only leads first met from DAY on."
        )
        return since(until(command))

    return add


def _day(_ctx: click.Context, _param: click.Parameter, value: datetime | None) -> date | None:
    return value.date() if value else None


@group.command()
@click.option("--by", default="", metavar="FIELD", help="Part by source, channel, country, owner, campaign or month.")
@click.option("--drill", "stage", default="", metavar="STAGE", help="List the leads that came to STAGE.")
@click.option("--part", default="", metavar="VALUE", help="With --drill and --by: only this part.")
@period("--to")
@options.as_of
@options.output
@pass_app
def funnel(
    app: App,
    *,
    by: str,
    stage: str,
    part: str,
    since: date | None,
    until: date | None,
    as_of: str | None,
    output: Output,
) -> None:
    """Show how many leads came how far: mql, sql, opportunity, quote, order, paid.

    \b
    Example:
      sfactl report funnel --from 2026-01-01 --to 2026-03-31
      sfactl report funnel --by source --drill order --part expo
    """
    from sfactl.insight import tables, usecases

    if part and not by:
        raise click.UsageError("--part needs --by FIELD")
    session = app.session(as_of=as_of)
    if stage:
        output.emit(usecases.drill(session, stage, by=by, part=part, since=since, until=until))
        return
    report = usecases.funnel(session, by=by, since=since, until=until)
    human = None if by else lambda: _funnel_lines(report)
    output.emit(tables.funnel_by_part(report) if by else tables.funnel(report), human=human)


@group.command()
@click.option("--by", default="source", show_default=True, metavar="FIELD", help="Part by this field of the lead.")
@click.option("--to", default="won", show_default=True, metavar="OUTCOME", help="won, or a stage of the funnel.")
@period()
@options.as_of
@options.output
@pass_app
def source(
    app: App, *, by: str, to: str, since: date | None, until: date | None, as_of: str | None, output: Output
) -> None:
    """Compare sources by how many of their leads were won, with 95 % intervals.

    \b
    Example:
      sfactl report source --to opportunity
    """
    from sfactl.insight import tables, usecases

    report = usecases.source(app.session(as_of=as_of), by=by, to=to, since=since, until=until)
    output.emit(tables.outcomes(report), human=lambda: _outcome_lines(report))


@group.command()
@period("--to")
@options.as_of
@options.output
@pass_app
def score(app: App, *, since: date | None, until: date | None, as_of: str | None, output: Output) -> None:
    """Show whether leads with more points became opportunities more often.

    \b
    Example:
      sfactl report score --as-of 2026-09-30
    """
    from sfactl.insight import tables, usecases

    output.emit(tables.scores(usecases.score(app.session(as_of=as_of), since=since, until=until)))


@group.command()
@period("--to")
@options.as_of
@options.output
@pass_app
def campaign(app: App, *, since: date | None, until: date | None, as_of: str | None, output: Output) -> None:
    """Show what campaigns sent, what came back, and how the control group did.

    \b
    Example:
      sfactl report campaign --format csv
    """
    from sfactl.insight import tables, usecases

    output.emit(tables.campaigns(usecases.campaign(app.session(as_of=as_of), since=since, until=until)))


@group.command()
@period("--to")
@options.as_of
@options.output
@pass_app
def money(app: App, *, since: date | None, until: date | None, as_of: str | None, output: Output) -> None:
    """Show what was ordered and what was paid, by currency.

    \b
    Example:
      sfactl report money --from 2026-01-01
    """
    from sfactl.insight import tables, usecases

    output.emit(tables.turnover(usecases.money(app.session(as_of=as_of), since=since, until=until)))


@group.command()
@options.as_of
@options.output
@pass_app
def pipeline(app: App, *, as_of: str | None, output: Output) -> None:
    """Show deals by stage, with their value and their weighted value.

    \b
    Example:
      sfactl report pipeline
    """
    from sfactl.insight import tables, usecases

    output.emit(tables.pipeline(usecases.pipeline(app.session(as_of=as_of))))


@group.command()
@options.as_of
@options.output
@pass_app
def ageing(app: App, *, as_of: str | None, output: Output) -> None:
    """Show what customers owe, by days since it was due.

    \b
    Example:
      sfactl report ageing --as-of 2026-09-30
    """
    from sfactl.insight import tables, usecases

    output.emit(tables.ages(usecases.ageing(app.session(as_of=as_of))))


@group.command()
@click.option(
    "--output", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write to FILE."
)
@period("--to")
@options.as_of
@options.dry_run
@pass_app
def html(
    app: App, *, file: Path | None, since: date | None, until: date | None, as_of: str | None, dry_run: bool
) -> None:
    """Write all reports as one HTML file that needs no network.

    \b
    Example:
      sfactl report html --output report.html
    """
    from sfactl.insight import usecases

    written = usecases.html(app.session(as_of=as_of, dry_run=dry_run), file, since=since, until=until)
    said = "Would write" if dry_run else "Wrote"
    click.echo(f"{said} {written.file} ({written.leads:,} leads, commit {written.seq}, {written.size / 1000:,.0f} kB)")


def _funnel_lines(report: FunnelReport) -> list[str]:
    stages = report.funnels[0].stages
    lines = [f"Funnel of {stages[0].leads:,} leads{_period(report.cohort)}, commit {report.cohort.seq}"]
    lines.append(f"  {'':12} {'leads':>9}  {'':24} {'of stage before':>15} {'of leads':>9} {'median days':>12}")
    for stage in stages:
        bar = "█" * round(24 * (stage.of_leads or 0))
        days = "" if stage.median_days is None else f"{stage.median_days:,.0f}"
        before = "" if stage is stages[0] else _percent(stage.of_previous)
        lines.append(
            f"  {stage.stage:12} {stage.leads:>9,}  {bar:24} {before:>15} {_percent(stage.of_leads):>9} {days:>12}"
        )
    lines.append("Who is behind a number: sfactl report funnel --drill STAGE")
    return lines


def _outcome_lines(report: OutcomeReport) -> list[str]:
    width = max([len(report.by), *(len(p.part) for p in report.parts)])
    lines = [f"Leads that came to {report.outcome}, by {report.by}{_period(report.cohort)}, commit {report.cohort.seq}"]
    lines.append(f"  {report.by:{width}} {'leads':>9} {report.outcome:>11} {'rate':>8}   95 % interval    under way")
    for part in report.parts:
        share = part.share
        interval = f"{_percent(share.low)} – {_percent(share.high)}"
        lines.append(
            f"  {part.part:{width}} {share.of:>9,} {share.hits:>11,} {_percent(share.rate):>8}   {interval:16} "
            f"{part.under_way:>9,}"
        )
    total = report.total
    lines.append(f"  {'all':{width}} {total.of:>9,} {total.hits:>11,} {_percent(total.rate):>8}")
    return lines


def _period(cohort: Cohort) -> str:
    if cohort.since is None and cohort.until is None:
        return ""
    return f" first met {cohort.since or '…'} to {cohort.until or '…'}"


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate * 100:.1f} %"
