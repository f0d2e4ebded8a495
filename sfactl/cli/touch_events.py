"""``sfactl touch events``: what e-mail and SMS services told of messages; registered by the group ``touch``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.feedback.usecases.postings import ServiceResult


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(events)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--sender", metavar="NAME", required=True, help="Whose service posted them: a file in senders/.")
@options.dry_run
@options.output
@pass_app
def events(app: App, files: tuple[Path, ...], *, sender: str, dry_run: bool, output: Output) -> None:
    """Bring in what an e-mail or SMS service posted about messages.

    FILES hold one posting each, as it came, or one in every line.
    What arrived, came back, was complained about, opened or followed becomes touchpoints, each once, however often it
    is told. Addresses that do not exist, and those of people who complained, are suppressed. The collector takes the
    same postings as they come, and only genuine ones; FILES are taken at their word.

    \b
    Example:
      sfactl touch events postings.jsonl --sender sendgrid
    """
    from sfactl.feedback.usecases.postings import read_events

    result = read_events(app.session(dry_run=dry_run), sender, files)
    output.emit(result, human=lambda: service_lines(result))


def service_lines(result: ServiceResult) -> Iterator[str]:
    """What was told, for people."""
    told = [count(result.events, "event"), f"{result.new:,} new"]
    parts = ((result.known, "known"), (result.strangers, "of people who are no leads"))
    yield " · ".join([*told, *(f"{n:,} {what}" for n, what in parts if n)])
    for row in result.kinds:
        about = " / ".join(filter(None, (row.campaign, row.step)))
        yield f"  {row.kind:<16} {row.events:>7,}{f'  {about}' if about else ''}"
    if result.suppressed:
        yield f"{result.suppressed:,} suppressed"
    if result.settled:
        yield f"{count(result.settled, 'unknown message')} settled as accepted: the service has it"
    if result.commit:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"
