"""The command ``report drivers``: what goes with an outcome."""

from __future__ import annotations

from dataclasses import replace
from shlex import quote

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.report_lines import emit_sheet
from sfactl.cli.report_scope import Asked, drill, scoped


def register(group: click.Group) -> None:
    """Add the commands to the group ``report``."""
    group.add_command(drivers)


@click.command()
@click.option(
    "--to",
    "--outcome",
    default="won",
    show_default=True,
    metavar="OUTCOME",
    help="won, a stage of the funnel, or a condition about the lead.",
)
@click.option("--min-n", type=int, default=20, show_default=True, metavar="N", help="Only traits of N leads or more.")
@click.option("--fields", default="", metavar="A,B", help="Only these fields of the lead; did: what leads did.")
@drill("FIELD=LEVEL/leads or FIELD=LEVEL/OUTCOME")
@options.limit(30)
@scoped()
@options.output
@pass_app
def drivers(app: App, *, to: str, min_n: int, fields: str, cell: str, limit: int, asked: Asked, output: Output) -> None:
    """Show which traits of leads, and what they did before, go with an outcome.

    Leads with the trait are compared with all others: lift is how many times as often they come to the outcome, with
    its 95 % interval. p is the chance of such a difference without a reason (chi-squared, Fisher for few), q corrects
    it for asking about so many traits. Columns that follow from the outcome, such as owner and status, are left out.

    \b
    Example:
      sfactl report drivers --to sql --min-n 50
      sfactl report drivers --to "converted = true"
      sfactl report drivers --drill source=expo/won
    """
    from sfactl.insight import usecases
    from sfactl.insight.usecases.driving import outcome_column

    session, scope = asked.open(app)
    if cell:
        output.emit(usecases.drivers_drill(session, cell, to=to, min_n=min_n, fields=fields, scope=scope))
        return
    sheet = usecases.drivers(session, to=to, min_n=min_n, fields=fields, scope=scope)
    more = sheet.table.num_rows - limit
    if limit and more > 0:
        sheet = replace(sheet, table=sheet.table.slice(0, limit), notes=(*sheet.notes, f"{more:,} more with --limit 0"))
    emit_sheet(output, sheet, drill=f"sfactl report drivers --to {quote(to)} --drill TRAIT/{outcome_column(to)}")
