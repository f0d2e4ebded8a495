"""Commands of the group ``report`` on how many came how far: funnel, source, cohort, winrate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sfactl.cli import options, tables
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.report_lines import emit_sheet, footer, percent
from sfactl.cli.report_scope import Asked, drill, scoped

if TYPE_CHECKING:
    from sfactl.insight.model import Cohort, FunnelReport, OutcomeReport
    from sfactl.insight.sheet import Sheet


def register(group: click.Group) -> None:
    """Add the commands to the group ``report``."""
    for command in (funnel, source, cohort, winrate):
        group.add_command(command)


@click.command()
@click.option(
    "--by",
    default="",
    metavar="FIELD",
    help="Part by source, channel, direction, event, country, owner, campaign, month, week or quarter.",
)
@click.option("--layout", default="", metavar="NAME", help="The stages of funnels/NAME.toml instead of the usual ones.")
@click.option("--drill", "stage", default="", metavar="STAGE", help="List the leads that came to STAGE.")
@click.option("--part", default="", metavar="VALUE", help="With --drill and --by: only this part.")
@scoped("--to")
@options.output
@pass_app
def funnel(app: App, *, by: str, layout: str, stage: str, part: str, asked: Asked, output: Output) -> None:
    """Show how many leads came how far: mql, sql, opportunity, quote, order, paid.

    Who came to one stage has come to all before it, so that no stage has more leads than the one before, and the rates
    from stage to stage multiply to the rate from end to end.

    \b
    Example:
      sfactl report funnel --from 2026-01-01 --to 2026-03-31
      sfactl report funnel --by source --drill order --part expo
      sfactl report funnel --layout china
    """
    from sfactl.insight import tables, usecases

    if part and not by:
        raise click.UsageError("--part needs --by FIELD")
    session, scope = asked.open(app)
    if stage and layout:
        output.emit(usecases.layout_drill(session, layout, stage, by=by, part=part, scope=scope))
        return
    if stage:
        output.emit(usecases.drill(session, stage, by=by, part=part, scope=scope))
        return
    if layout:
        report = usecases.layout_funnel(session, layout, by=by, scope=scope)
    else:
        report = usecases.funnel(session, by=by, scope=scope)
    human = None if by else lambda: _funnel_lines(report)
    output.emit(tables.funnel_by_part(report) if by else tables.funnel(report), human=human)


@click.command()
@click.option(
    "--by",
    default="source",
    show_default=True,
    metavar="FIELD",
    help="Part by source, channel, direction, event, campaign, country, owner, month, week or quarter.",
)
@click.option("--to", default="won", show_default=True, metavar="OUTCOME", help="won, or a stage of the funnel.")
@drill("PART/leads, PART/OUTCOME or PART/under_way; PART may be all")
@scoped()
@options.output
@pass_app
def source(app: App, *, by: str, to: str, cell: str, asked: Asked, output: Output) -> None:
    """Compare sources by how many of their leads were won, with 95 % intervals.

    A lead counts once, for the source of its first touch, also after it was merged or converted. What nobody told is
    the part unknown (none for event and campaign), so that the parts add up to all leads.

    \b
    Example:
      sfactl report source --to opportunity
      sfactl report source --by direction
      sfactl report source --drill expo/won
    """
    from sfactl.insight import tables, usecases

    session, scope = asked.open(app)
    if cell:
        output.emit(usecases.source_drill(session, cell, by=by, to=to, scope=scope))
        return
    report = usecases.source(session, by=by, to=to, scope=scope)
    output.emit(tables.outcomes(report), human=lambda: _outcome_lines(report))


@click.command()
@click.option("--by", default="month", show_default=True, metavar="PERIOD", help="Cohorts of a week, month or quarter.")
@click.option(
    "--to", "--stage", default="won", show_default=True, metavar="OUTCOME", help="won, or a stage of the funnel."
)
@click.option("--window", default="", metavar="PERIOD", help="Only the conversion within PERIOD, such as '90 days'.")
@drill("COHORT/leads, COHORT/ever, COHORT/DAYS; with --window COHORT/mature, COHORT/converted")
@scoped()
@options.output
@pass_app
def cohort(app: App, *, by: str, to: str, window: str, cell: str, asked: Asked, output: Output) -> None:
    """Show how conversion grows with age: leads by the period of first contact, and days since.

    A cell is the share of a cohort's leads that had come to the outcome within so many days of their own first contact,
    that day being day 0. Steps are 7 days for weeks, 30 for months, 91 for quarters. A cell with + may still rise: not
    all leads are that old yet. With --window the rate is of those leads only that have been seen for the whole window.

    \b
    Example:
      sfactl report cohort --by quarter --to opportunity
      sfactl report cohort --window '90 days' --drill 2026-03/converted
    """
    from sfactl.insight import usecases

    session, scope = asked.open(app)
    if cell:
        output.emit(usecases.cohort_drill(session, cell, by=by, to=to, window=window, scope=scope))
    elif window:
        sheet = usecases.cohort_window(session, window, by=by, to=to, scope=scope)
        emit_sheet(output, sheet, drill=f"sfactl report cohort --window '{window}' --drill COHORT/converted")
    else:
        sheet = usecases.cohort(session, by=by, to=to, scope=scope)
        output.emit(sheet.table, human=lambda: _triangle(sheet, by))


@click.command()
@click.option(
    "--by",
    default="source",
    show_default=True,
    metavar="FIELD",
    help="rep, source, channel, direction, product, campaign, pipeline, currency or month.",
)
@click.option(
    "--denominator",
    default="all",
    show_default=True,
    metavar="WHICH",
    help="all deals, or only the closed ones: won or lost.",
)
@drill("PART/deals, PART/won, PART/lost or PART/closed; PART may be all")
@scoped("--to", what="deals made")
@options.output
@pass_app
def winrate(app: App, *, by: str, denominator: str, cell: str, asked: Asked, output: Output) -> None:
    """Show deals won ÷ deals, with the Wilson interval at 95 %.

    \b
    Example:
      sfactl report winrate --by rep --denominator closed
      sfactl report winrate --by source --drill expo/won
    """
    from sfactl.insight import usecases

    session, scope = asked.open(app)
    if cell:
        output.emit(usecases.winrate_drill(session, cell, by=by, scope=scope))
        return
    sheet = usecases.winrate(session, by=by, denominator=denominator, scope=scope)
    emit_sheet(output, sheet, drill=f"sfactl report winrate --by {by} --drill PART/won")


def _triangle(sheet: Sheet, by: str) -> Iterator[str]:
    """A row a cohort, a column an age."""
    yield f"{sheet.title}, commit {sheet.seq}"
    rows = sheet.table.to_pylist()
    ages = sorted({r["days"] for r in rows})
    found = {(r[by], r["days"]): r for r in rows}
    heads = [by, "leads", "to date", *(f"≤{days}d" for days in ages)]
    body = []
    for part in dict.fromkeys(r[by] for r in rows):
        first = next(r for r in rows if r[by] == part)
        ever = percent(first["ever"] / first["leads"] if first["leads"] else None)
        body.append([part, f"{first['leads']:,}", ever, *(_aged(found.get((part, days))) for days in ages)])
    if body:
        fit = tables.terminal_width()
        lines = tables.table(heads, body, fit=fit - 2 if fit else None, right=heads[1:])
        yield from (f"  {line}" for line in lines)
    else:
        yield "  Nothing to show."
    yield from footer(sheet, "sfactl report cohort --drill COHORT/DAYS")


def _aged(cell: dict[str, Any] | None) -> str:
    if cell is None or cell["rate"] is None:
        return ""
    return f"{cell['rate'] * 100:.1f}{' ' if cell['complete'] else '+'}"


def _funnel_lines(report: FunnelReport) -> list[str]:
    stages = report.funnels[0].stages
    wide = max(12, *(tables.width(s.stage) for s in stages))
    lines = [f"Funnel of {stages[0].leads:,} leads{_period(report.cohort)}, commit {report.cohort.seq}"]
    lines.append(f"  {'':{wide}} {'leads':>9}  {'':24} {'of stage before':>15} {'of leads':>9} {'median days':>12}")
    for stage in stages:
        bar = "█" * round(24 * (stage.of_leads or 0))
        days = "" if stage.median_days is None else f"{stage.median_days:,.0f}"
        before = "" if stage is stages[0] else percent(stage.of_previous)
        name = tables.pad(stage.stage, wide)
        lines.append(f"  {name} {stage.leads:>9,}  {bar:24} {before:>15} {percent(stage.of_leads):>9} {days:>12}")
    lines.append("Who is behind a number: sfactl report funnel --drill STAGE")
    return lines


def _outcome_lines(report: OutcomeReport) -> list[str]:
    width = max([len(report.by), *(len(p.part) for p in report.parts)])
    lines = [f"Leads that came to {report.outcome}, by {report.by}{_period(report.cohort)}, commit {report.cohort.seq}"]
    lines.append(f"  {report.by:{width}} {'leads':>9} {report.outcome:>11} {'rate':>8}   95 % interval    under way")
    for part in report.parts:
        share = part.share
        interval = _interval(share.low, share.high, share.of)
        lines.append(
            f"  {part.part:{width}} {share.of:>9,} {share.hits:>11,} {percent(share.rate):>8}   {interval:16} "
            f"{part.under_way:>9,}"
        )
    total = report.total
    under_way = sum(p.under_way for p in report.parts)
    lines.append(
        f"  {'all':{width}} {total.of:>9,} {total.hits:>11,} {percent(total.rate):>8}   "
        f"{_interval(total.low, total.high, total.of):16} {under_way:>9,}"
    )
    lines.append(f"Who is behind a number: sfactl report source --by {report.by} --drill PART/{report.outcome}")
    return lines


def _interval(low: float, high: float, of: int) -> str:
    return f"{percent(low)} – {percent(high)}" if of else "n/a"


def _period(cohort: Cohort) -> str:
    if cohort.since is None and cohort.until is None:
        return ""
    return f" first met {cohort.since or '…'} to {cohort.until or '…'}"
