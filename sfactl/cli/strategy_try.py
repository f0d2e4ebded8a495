"""The commands of ``strategy`` that show its messages: preview, and try, which sends them to oneself."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


def register(group: click.Group) -> None:
    """Add the commands to the group ``strategy``."""
    for command in (preview, try_):
        group.add_command(command)


@click.command()
@click.argument("name")
@click.argument("lead", type=int)
@click.option("--step", metavar="STEP", default="", help="Only the message of this step.")
@options.html_page
@options.as_of
@options.output
@pass_app
def preview(app: App, name: str, lead: int, *, step: str, html: Path | None, as_of: str | None, output: Output) -> None:
    """Show every message of strategy NAME as LEAD would get it. Sends nothing.

    \b
    Example:
      sfactl strategy preview wake-up 8841
      sfactl strategy preview wake-up 8841 --step news --html news.html
    """
    from sfactl.cli.message_lines import emit_previews
    from sfactl.strategies import usecases

    shown = usecases.preview(app.session(as_of=as_of), name, lead, step=step)
    emit_previews(output, shown, html)


@click.command("try")
@click.argument("name")
@click.option("--to", metavar="ADDRESS", required=True, help="Where it goes: an e-mail address, or a phone.")
@click.option("--as", "lead", type=int, metavar="LEAD", required=True, help="Write it as for this lead.")
@click.option("--step", metavar="STEP", default="", help="Only the message of this step.")
@click.option("--again", is_flag=True, help="Send it once more, although the same was sent before.")
@options.dry_run
@options.output
@pass_app
def try_(app: App, name: str, *, to: str, lead: int, step: str, again: bool, dry_run: bool, output: Output) -> None:
    """Send the messages of strategy NAME to ADDRESS, to see them arrive. It counts for nobody and moves nobody.

    \b
    Example:
      sfactl strategy try wake-up --to me@acme.example --as 8841
    """
    from sfactl.cli.message_lines import sample_lines
    from sfactl.strategies import usecases

    session = app.session(dry_run=dry_run)
    results = usecases.send_test(session, name, to=to, lead_id=lead, step=step, again=again)
    failed = any(r.failed for r in results)
    output.emit(results, human=lambda: [x for r in results for x in sample_lines(r)], exit_code=3 if failed else 0)
