"""The commands of ``strategy`` that tell what happened: status, log and feeds; and the word of an approval."""

from __future__ import annotations

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


def register(group: click.Group) -> None:
    """Add the commands to the group ``strategy``."""
    for command in (status, log, decide, feed):
        group.add_command(command)


@click.command()
@click.argument("name")
@options.as_of
@options.output
@pass_app
def status(app: App, name: str, as_of: str | None, output: Output) -> None:
    """Show who stands where in strategy NAME, its plans, and what came of those who left.

    \b
    Example:
      sfactl strategy status wake-up
    """
    from sfactl.cli.strategy_lines import status_lines
    from sfactl.strategies import usecases

    session = app.session(as_of=as_of)
    result = usecases.status(session, name)
    zone = session.settings.workspace.time_zone
    output.emit(result, human=lambda: status_lines(result, zone))


@click.command()
@click.argument("contact")
@click.option("--strategy", "name", default="", metavar="NAME", help="Only of this strategy.")
@click.option("--why", is_flag=True, help="Say what would happen now, and why it does or does not.")
@options.as_of
@options.output
@pass_app
def log(app: App, contact: str, name: str, why: bool, as_of: str | None, output: Output) -> None:
    """Show what strategies did with CONTACT (8841, lead:8841 or an e-mail), and decided about it.

    \b
    Example:
      sfactl strategy log lead:8841
      sfactl strategy log amy@client.example --strategy wake-up --why
    """
    from sfactl.cli.strategy_lines import log_lines
    from sfactl.strategies import usecases

    session = app.session(as_of=as_of)
    result = usecases.log(session, contact, strategy=name, why=why)
    zone = session.settings.workspace.time_zone
    output.emit(result, human=lambda: log_lines(result, zone))


@click.command()
@click.argument("name")
@click.argument("contact")
@click.argument("word", type=click.Choice(["approve", "refuse"]))
@options.dry_run
@options.output
@pass_app
def decide(app: App, name: str, contact: str, word: str, dry_run: bool, output: Output) -> None:
    """Approve or refuse what strategy NAME asks about CONTACT, who goes on with the next run.

    \b
    Example:
      sfactl strategy decide wake-up lead:8841 approve
    """
    from sfactl.strategies import usecases

    result = usecases.decide(app.session(dry_run=dry_run), name, contact, approved=word == "approve")
    text = f"{result.title}: {result.result} for lead {result.lead_id}."
    output.emit(result, human=lambda: [text, f"Next: sfactl strategy plan {name}"])


@click.command()
@click.argument("feed")
@click.option("--since", metavar="WHEN", default=None, help="Only what was told since this date or time.")
@click.option("--correct", is_flag=True, help="Tell the differences to the orders as they are now.")
@options.dry_run
@options.output
@pass_app
def feed(app: App, feed: str, since: str | None, correct: bool, dry_run: bool, output: Output) -> None:
    """Show or export what strategies told FEED: orders, each counted once, with corrections.

    With --format csv, jsonl or parquet it exports every row; their amounts sum up to the orders.

    \b
    Example:
      sfactl strategy feed marketing
      sfactl strategy feed marketing --correct
      sfactl strategy feed marketing --format csv --output roi.csv
    """
    from sfactl.cli.strategy_lines import feed_lines
    from sfactl.strategies import usecases

    session = app.session(dry_run=dry_run)
    result = usecases.feed_totals(session, feed, correct=correct)
    if output.format in ("csv", "jsonl", "parquet"):
        output.emit(usecases.feed_rows(session, feed, since=since))
        return
    output.emit(result, human=lambda: feed_lines(result))
