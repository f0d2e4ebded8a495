"""The command ``report budget``: where the next money for leads would bring most."""

from __future__ import annotations

from decimal import Decimal

import click

from sfactl.cli import options, params
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.report_lines import emit_sheet
from sfactl.cli.report_scope import Asked, scoped


def register(group: click.Group) -> None:
    """Add the command to the group ``report``."""
    group.add_command(budget)


@click.command()
@click.option("--total", type=params.amount, metavar="AMOUNT", help="To be spent in a period [default: as ever].")
@click.option("--by", default="channel", show_default=True, metavar="FIELD", help="channel, source, campaign or event.")
@click.option(
    "--result", "to", default="leads", show_default=True, metavar="WHAT", help="leads, or an outcome: mql, sql … won."
)
@click.option("--every", default="month", show_default=True, metavar="PERIOD", help="week, month or quarter.")
@scoped("--to", what="costs and leads first met")
@options.output
@pass_app
def budget(app: App, *, total: Decimal | None, by: str, to: str, every: str, asked: Asked, output: Output) -> None:
    """Share out a budget among channels where past results say it brings most.

    A curve that flattens is fitted to the costs and results of each channel, where its periods show one; no channel is
    planned beyond what was nearly tried. The amount is in the workspace's currency.

    \b
    Example:
      sfactl report budget --total 20000
      sfactl report budget --by source --result sql --every week --from 2026-01-01
    """
    from sfactl.insight import usecases

    session, scope = asked.open(app)
    emit_sheet(output, usecases.budget(session, total, by=by, to=to, every=every, scope=scope))
