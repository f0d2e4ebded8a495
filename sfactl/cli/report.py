"""The group ``report``: reports for managers, on paper and on the screen."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from sfactl.cli import (
    options,
    report_activity,
    report_attribution,
    report_budget,
    report_conversion,
    report_drivers,
    report_gaps,
    report_spending,
)
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.report_scope import Asked, period


@click.group()
def group() -> None:
    """Reports for managers.

    \b
    Example:
      sfactl report funnel --by source
      sfactl report html --output report.html
    """


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

    session, scope = Asked(since=since, until=until, as_of=as_of).open(app)
    output.emit(tables.scores(usecases.score(session, scope=scope)))


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

    session, scope = Asked(since=since, until=until, as_of=as_of).open(app)
    output.emit(tables.campaigns(usecases.campaign(session, scope=scope)))


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

    session, scope = Asked(since=since, until=until, as_of=as_of).open(app)
    output.emit(tables.turnover(usecases.money(session, scope=scope)))


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
    from sfactl.insight.model import Scope

    session = app.session(as_of=as_of, dry_run=dry_run)
    written = usecases.html(session, file, scope=Scope(since=since, until=until))
    said = "Would write" if dry_run else "Wrote"
    click.echo(f"{said} {written.file} ({written.leads:,} leads, commit {written.seq}, {written.size / 1000:,.0f} kB)")


for commands in (
    report_conversion,
    report_attribution,
    report_drivers,
    report_activity,
    report_spending,
    report_budget,
    report_gaps,
):
    commands.register(group)
