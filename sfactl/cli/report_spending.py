"""Commands of the group ``report`` on what leads cost and who brought them: roi, event, referral."""

from __future__ import annotations

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.report_lines import emit_sheet
from sfactl.cli.report_scope import Asked, drill, scoped


def register(group: click.Group) -> None:
    """Add the commands to the group ``report``."""
    for command in (roi, event, referral):
        group.add_command(command)


@click.command()
@click.option("--by", default="channel", show_default=True, metavar="FIELD", help="channel, source, campaign or event.")
@drill("PART/leads, PART/sql, PART/customers, PART/cost or PART/revenue; PART may be all")
@scoped("--to")
@options.output
@pass_app
def roi(app: App, *, by: str, cell: str, asked: Asked, output: Output) -> None:
    """Show what leads and customers cost, and what their deals brought in.

    Costs of the days --from to --to are set against the leads first met in them. Each cost is turned into the
    workspace's currency at the rate of its own day. What has no rate is named and left out of the sums.

    \b
    Example:
      sfactl report roi --by source --from 2026-07-01 --to 2026-09-30
      sfactl report roi --drill cpc/cost
    """
    _spending(app, by, cell, asked, output, f"sfactl report roi --by {by} --drill PART/cost")


@click.command()
@drill("EVENT/leads, EVENT/sql, EVENT/customers, EVENT/cost or EVENT/revenue")
@scoped("--to")
@options.output
@pass_app
def event(app: App, *, cell: str, asked: Asked, output: Output) -> None:
    """Show leads by trade show or event, and what each lead of it cost; none are those met elsewhere.

    \b
    Example:
      sfactl report event --drill 'Medica 2026/leads'
    """
    _spending(app, "event", cell, asked, output, "sfactl report event --drill EVENT/leads")


def _spending(app: App, by: str, cell: str, asked: Asked, output: Output, say: str) -> None:
    from sfactl.insight import usecases

    session, scope = asked.open(app)
    if cell:
        output.emit(usecases.roi_drill(session, cell, by=by, scope=scope))
        return
    emit_sheet(output, usecases.roi(session, by=by, scope=scope), drill=say)


@click.command()
@drill("REFERRER/leads, REFERRER/opportunities or REFERRER/won")
@scoped("--to")
@options.output
@pass_app
def referral(app: App, *, cell: str, asked: Asked, output: Output) -> None:
    """Show who referred leads, how many were won, and what their deals brought in.

    \b
    Example:
      sfactl report referral --drill lead:8841/won
    """
    from sfactl.insight import usecases

    session, scope = asked.open(app)
    if cell:
        output.emit(usecases.referral_drill(session, cell, scope=scope))
        return
    emit_sheet(output, usecases.referral(session, scope=scope), drill="sfactl report referral --drill REFERRER/won")
