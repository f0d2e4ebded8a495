"""``sfactl survey``: ask customers what they think, bring their answers in, and say what may be said from them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from sfactl.cli import options
from sfactl.cli import survey_lines as lines
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.report_scope import period

SPLITS = ("account", "owner", "country", "industry", "tier", "question", "month", "quarter", "half", "year")
PERIODS = ("month", "quarter", "half", "year")


@click.group()
def group() -> None:
    """Surveys: satisfaction (CSAT), recommendation (NPS) and effort (CES), asked as campaigns."""


@group.command("list")
@options.as_of
@options.fail_empty
@options.output
@pass_app
def list_(app: App, *, as_of: str | None, fail_empty: bool, output: Output) -> None:
    """List surveys, when they ask, and how many were asked and answered.

    \b
    Example:
      sfactl survey list
    """
    from sfactl.surveys import usecases

    found = usecases.surveys(app.session(as_of=as_of))
    output.emit(found, exit_code=4 if fail_empty and not found else 0)


@group.command()
@click.argument("name")
@options.as_of
@options.output
@pass_app
def show(app: App, name: str, *, as_of: str | None, output: Output) -> None:
    """Show what survey NAME asks, of whom and when.

    \b
    Example:
      sfactl survey show satisfaction
    """
    from sfactl.surveys import usecases

    shown = usecases.show(app.session(as_of=as_of), name)
    output.emit(shown, human=lambda: lines.shown_lines(shown))


@group.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.output
@pass_app
def check(app: App, names: tuple[str, ...], output: Output) -> None:
    """Check surveys, their templates, audience and senders.

    \b
    Example:
      sfactl survey check
    """
    from sfactl.surveys import usecases

    found = usecases.check(app.session(), names)
    marks = {"ok": "✓", "warning": "!", "error": "✗"}
    output.emit(
        found,
        human=lambda: [f"{marks[f.severity]} {f.campaign}: {f.message}" for f in found] or ["There are no surveys."],
        exit_code=2 if any(f.severity == "error" for f in found) else 0,
    )


@group.command()
@click.argument("name")
@click.option("--days", type=click.IntRange(min=0), default=0, metavar="N", help="Only what comes within N days.")
@options.limit(20)
@options.as_of
@options.fail_empty
@options.output
@pass_app
def schedule(
    app: App, name: str, *, days: int, limit: int, as_of: str | None, fail_empty: bool, output: Output
) -> None:
    """Show whom survey NAME asks when, and why not the others. Asks nobody.

    \b
    Example:
      sfactl survey schedule satisfaction
      sfactl survey schedule satisfaction --days 30 --limit 0 --format csv
    """
    from sfactl.surveys import usecases

    session = app.session(as_of=as_of)
    found = usecases.schedule(session, name, days=days)
    shown = found.people.slice(0, limit) if limit else found.people
    zone = session.settings.workspace.time_zone
    exit_code = 4 if fail_empty and not found.people.num_rows else 0
    output.emit(shown, human=lambda: lines.schedule_lines(found, shown, zone), exit_code=exit_code)


@group.command()
@click.argument("name")
@click.option("--override", metavar="REASON", default="", help="Go on though too much came back; it is recorded.")
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def send(app: App, name: str, *, override: str, dry_run: bool, fail_empty: bool, output: Output) -> None:
    """Ask everybody whose time has come. Consent, caps and quiet hours hold as for every campaign.

    It is the campaign of the same name: plans, approvals and messages are seen with sfactl campaign status NAME. Who
    was asked is not asked again before the next occasion, however often this is run or killed.

    \b
    Example:
      sfactl survey send satisfaction --dry-run
      sfactl survey send satisfaction
    """
    from sfactl.surveys import usecases

    session = app.session(dry_run=dry_run)
    done = usecases.send(session, name, override=override)
    zone = session.settings.workspace.time_zone
    partly = done.waits or (done.applied is not None and done.applied.partly)
    nothing = fail_empty and not done.plan.sends
    output.emit(done, human=lambda: lines.sent_lines(done, zone), exit_code=3 if partly else 4 if nothing else 0)


@group.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--survey", default="", metavar="NAME", help="The survey of rows that name none.")
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def import_(app: App, *, file: Path, survey: str, dry_run: bool, fail_empty: bool, output: Output) -> None:
    """Bring in answers from a CSV FILE: asked by phone, on paper, or by another tool.

    Its columns are survey, lead, at, score, question, comment, channel, message and key. The same file again brings
    nothing. Rows that cannot be taken are listed, the others are brought in.

    \b
    Example:
      sfactl survey import calls.csv --survey satisfaction --dry-run
    """
    from sfactl.surveys import usecases

    done = usecases.import_answers(app.session(dry_run=dry_run), file, survey=survey)
    code = 3 if done.rejected else 4 if fail_empty and not done.new else 0
    output.emit(done, human=lambda: lines.imported_lines(done), exit_code=code)


@group.command()
@click.argument("name")
@click.option("--lead", default="", metavar="REF", help="Only of this lead: a number or an e-mail address.")
@click.option("--question", default="", help="Only to this question.")
@click.option("--most", type=int, default=None, metavar="N", help="Only those of at most N.")
@options.limit(50)
@options.as_of
@options.fail_empty
@options.output
@pass_app
def answers(
    app: App,
    name: str,
    *,
    lead: str,
    question: str,
    most: int | None,
    limit: int,
    as_of: str | None,
    fail_empty: bool,
    output: Output,
) -> None:
    """List what was answered to survey NAME, the newest on top. Of several answers to one message the newest counts.

    \b
    Example:
      sfactl survey answers satisfaction --most 2
    """
    from sfactl.surveys import usecases

    session = app.session(as_of=as_of)
    found = usecases.answers(session, name, lead=lead, question=question, most=most)
    shown = found.slice(0, limit) if limit else found
    zone = session.settings.workspace.time_zone
    exit_code = 4 if fail_empty and not found.num_rows else 0
    output.emit(shown, human=lambda: lines.local_lines(shown, zone), exit_code=exit_code)


@group.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def alert(app: App, names: tuple[str, ...], *, dry_run: bool, fail_empty: bool, output: Output) -> None:
    """Open a case for every bad answer and every account whose figure falls, once.

    What is bad is said in [alert] of the survey's file. The customer is told nothing of the case.

    \b
    Example:
      sfactl survey alert --dry-run
      sfactl survey alert satisfaction
    """
    from sfactl.surveys import usecases

    done = usecases.alert(app.session(dry_run=dry_run), names)
    nothing = fail_empty and not done.opened
    output.emit(done, human=lambda: lines.alert_lines(done), exit_code=4 if nothing else 0)


@group.command()
@click.argument("name")
@click.option("--by", type=click.Choice(SPLITS), default=None, help="Split by this.")
@click.option(
    "--trend", type=click.Choice(PERIODS), default=None, help="Compare the newest two periods of this length."
)
@click.option("--question", default="", help="The question it is about [default: the first].")
@period(what="answers given")
@options.as_of
@options.fail_empty
@options.output
@pass_app
def report(
    app: App,
    name: str,
    *,
    by: str | None,
    trend: str | None,
    question: str,
    since: date | None,
    until: date | None,
    as_of: str | None,
    fail_empty: bool,
    output: Output,
) -> None:
    """Report the figure of survey NAME with its interval, who answered, and how it moved.

    CSAT is the share of answers in the two highest boxes, NPS that of promoters less that of detractors, CES the mean.
    Where fewer answered than the survey's minimum, there is no figure.

    \b
    Example:
      sfactl survey report satisfaction --by quarter
      sfactl survey report satisfaction --by account --trend half
    """
    from sfactl.cli.report_lines import emit_sheet
    from sfactl.surveys import usecases
    from sfactl.surveys.usecases.reporting import Asked

    asked = Asked(by=by or "", question=question, trend=trend, since=since, until=until)  # type: ignore[arg-type]
    sheet = usecases.report(app.session(as_of=as_of), name, asked)
    if fail_empty and not sheet.table.num_rows:
        output.emit(sheet.table, exit_code=4)
    emit_sheet(output, sheet)
