"""``sfactl touch bounces``: read returned mail; registered by the group ``touch``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.feedback.usecases import BounceResult


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(bounces)


@click.command()
@click.argument("mailboxes", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.dry_run
@options.output
@pass_app
def bounces(app: App, mailboxes: tuple[Path, ...], *, dry_run: bool, output: Output) -> None:
    """Read returned mail from MAILBOXES: maildir, mbox or .eml files.

    Bounces, complaints and answers of machines become touchpoints, each once. An address that does not exist, or whose
    owner complained, is suppressed at once; one to which mail came back on five days within thirty, too.

    \b
    Example:
      sfactl touch bounces ~/Maildir/.bounces
      sfactl touch bounces bounces.mbox --dry-run
    """
    from sfactl.feedback import usecases

    result = usecases.read_bounces(app.session(dry_run=dry_run), mailboxes)
    output.emit(result, human=lambda: _lines(result))


def _lines(result: BounceResult) -> Iterator[str]:
    yield (
        f"{count(result.mails, 'mail')} · {count(result.notices, 'notice')} · {result.new:,} new ·"
        f" {result.known:,} known · {result.no_report:,} without a report"
    )
    for row in result.reasons:
        weight = {"bounce": "hard" if row.hard else "soft"}.get(row.kind, "")
        yield f"  {row.kind:<10} {weight:<5} {row.reason:<16} {row.notices:>6,}"
    if result.strangers:
        yield f"  {count(result.strangers, 'notice')} of addresses that no lead has: no touchpoint"
    if result.suppressed:
        yield f"  {count(result.suppressed, 'address')} will not be written to any more"
    if result.commit:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"
