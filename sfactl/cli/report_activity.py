"""Commands of the group ``report`` on what goes on: speed, people, sleeping, trend, handling, content."""

from __future__ import annotations

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.report_lines import emit_sheet
from sfactl.cli.report_scope import Asked, drill, scoped

PARTS = "source, channel, direction, event, country, owner, campaign, month, week or quarter"


def register(group: click.Group) -> None:
    """Add the commands to the group ``report``."""
    for command in (speed, people, sleeping, trend, handling, content):
        group.add_command(command)


@click.command()
@click.option("--by", default="", metavar="FIELD", help=f"Part by {PARTS}.")
@click.option(
    "--clock", default="calendar", show_default=True, metavar="CLOCK", help="calendar or business: working time only."
)
@click.option(
    "--calendar", default="", metavar="NAME", help="Whose working time [default: the only calendar there is]."
)
@drill("STEP/begun, STEP/done or STEP/waiting; with --by PART:STEP/…")
@scoped("--to")
@options.output
@pass_app
def speed(app: App, *, by: str, clock: str, calendar: str, cell: str, asked: Asked, output: Output) -> None:
    """Show how long leads take from stage to stage, and to their first touch by a person of ours.

    Those who are still waiting count for as long as they have been seen waiting, so that young leads do not make us
    look faster than we are. Given up (lost or disqualified) ends the waiting.

    \b
    Example:
      sfactl report speed --by source
      sfactl report speed --drill 'lead to first touch/waiting'
    """
    from sfactl.insight import usecases

    session, scope = asked.open(app)
    if cell:
        output.emit(usecases.speed_drill(session, cell, by=by, clock=clock, calendar=calendar, scope=scope))
        return
    sheet = usecases.speed(session, by=by, clock=clock, calendar=calendar, scope=scope)
    emit_sheet(output, sheet, drill=f"sfactl report speed --drill '{'PART:' if by else ''}lead to first touch/waiting'")


@click.command()
@click.option("--calendar", default="", metavar="NAME", help="Working time of reps who have no calendar of their own.")
@drill("REP/active, REP/touches, REP/sql, REP/opportunities or REP/won")
@scoped("--to", what="what was done")
@options.output
@pass_app
def people(app: App, *, calendar: str, cell: str, asked: Asked, output: Output) -> None:
    """Show what each rep got done for each day at work, by default in the last four weeks.

    A day at work is a full day of the calendar; part time, absences and public holidays count for their part. Without
    calendars people work Monday to Friday.

    \b
    Example:
      sfactl report people --from 2026-10-01 --to 2026-10-31
      sfactl report people --drill mei/active
    """
    from sfactl.insight import usecases

    session, scope = asked.open(app)
    if cell:
        output.emit(usecases.people_drill(session, cell, calendar=calendar, scope=scope))
        return
    emit_sheet(
        output, usecases.people(session, calendar=calendar, scope=scope), drill="sfactl report people --drill REP/won"
    )


@click.command()
@click.option("--by", default="owner", show_default=True, metavar="FIELD", help=f"owner, stage, {PARTS}.")
@click.option("--days", type=int, default=30, show_default=True, metavar="N", help="Asleep after N days.")
@drill("PART/open, PART/sleeping, PART/never or PART/30-59; PART may be all")
@scoped("--to")
@options.output
@pass_app
def sleeping(app: App, *, by: str, days: int, cell: str, asked: Asked, output: Output) -> None:
    """Show open leads with which nothing has happened for a while.

    Open are leads that are neither dropped nor deals yet. Ages are in days: once, twice, three times and six times N.

    \b
    Example:
      sfactl report sleeping --by source --days 14
      sfactl report sleeping --drill nobody/never
    """
    from sfactl.insight import usecases

    session, scope = asked.open(app)
    if cell:
        output.emit(usecases.sleeping_drill(session, cell, by=by, days=days, scope=scope))
        return
    sheet = usecases.sleeping(session, by=by, days=days, scope=scope)
    emit_sheet(output, sheet, drill=f"sfactl report sleeping --by {by} --days {days} --drill PART/sleeping")


@click.command()
@click.option("--by", default="week", show_default=True, metavar="PERIOD", help="day, week, month or quarter.")
@drill("PERIOD/leads or PERIOD/STAGE; PERIOD may be all")
@scoped("--to", what="what happened")
@options.output
@pass_app
def trend(app: App, *, by: str, cell: str, asked: Asked, output: Output) -> None:
    """Show how many leads came to each stage, week by week.

    A lead counts in the week in which it came to the stage for the first time. Weeks begin on Monday and are numbered
    by ISO 8601, so that the days around New Year may belong to a week of the other year.

    \b
    Example:
      sfactl report trend --from 2026-07-01
      sfactl report trend --drill 2026-W30/sql
    """
    from sfactl.insight import usecases

    session, scope = asked.open(app)
    if cell:
        output.emit(usecases.trend_drill(session, cell, by=by, scope=scope))
        return
    sheet = usecases.trend(session, by=by, scope=scope)
    emit_sheet(output, sheet, drill=f"sfactl report trend --by {by} --drill PERIOD/leads")


@click.command()
@click.option("--entity", default="lead", show_default=True, metavar="WHAT", help="lead or opportunity.")
@click.option("--by", default="handler", show_default=True, metavar="VIEW", help="handler, transfers or case.")
@drill("HANDLER/stays; with --by case NUMBER/stays")
@scoped("--to")
@options.output
@pass_app
def handling(app: App, *, entity: str, by: str, cell: str, asked: Asked, output: Output) -> None:
    """Show who had leads or deals for how long, and how often they went from one person to another.

    The stays of a case add up to its duration: from first contact to conversion or drop for a lead, from start to close
    for a deal, and to now for what is still open. To be given out for the first time is no transfer.

    \b
    Example:
      sfactl report handling --by transfers
      sfactl report handling --entity opportunity --drill mei/stays
    """
    from sfactl.insight import usecases

    session, scope = asked.open(app)
    if cell:
        output.emit(usecases.handling_drill(session, cell, entity=entity, by=by, scope=scope))
        return
    sheet = usecases.handling(session, entity=entity, by=by, scope=scope)
    emit_sheet(output, sheet, drill=f"sfactl report handling --entity {entity} --drill HANDLER/stays")


@click.command()
@click.option("--bounce", is_flag=True, help="Worst bounce rate first.")
@drill("CONTENT/sessions, CONTENT/bounced; CONTENT may be all")
@scoped("--to", what="visits")
@options.output
@pass_app
def content(app: App, *, bounce: bool, cell: str, asked: Asked, output: Output) -> None:
    """Show which content visitors of the web site come in by, and how many leave at once.

    A session bounced if it had exactly one pageview.

    \b
    Example:
      sfactl report content --bounce --from 2026-10-01
      sfactl report content --drill /pricing/bounced
    """
    from sfactl.insight import usecases

    session, scope = asked.open(app)
    if cell:
        output.emit(usecases.content_drill(session, cell, scope=scope))
        return
    sheet = usecases.content(session, worst_first=bounce, scope=scope)
    emit_sheet(output, sheet, drill="sfactl report content --drill CONTENT/bounced")
