"""``sfactl touch bounces``: read returned mail; registered by the group ``touch``."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.mail_lines import bounce_lines


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
    output.emit(result, human=lambda: bounce_lines(result))
