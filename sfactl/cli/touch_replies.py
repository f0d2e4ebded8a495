"""``sfactl touch replies``: read answers to messages; registered by the group ``touch``."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.mail_lines import mail_lines


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(replies)


@click.command()
@click.argument("mailboxes", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.dry_run
@options.output
@pass_app
def replies(app: App, mailboxes: tuple[Path, ...], *, dry_run: bool, output: Output) -> None:
    """Read answers to our messages from MAILBOXES: maildir, mbox or .eml files.

    A person's reply becomes a touchpoint, once, and ends the sequences whose exit_on names it. Answers of machines,
    such as notes of absence, are kept apart and end nothing. Whoever only writes that they want no more mail, or sends
    the mail that a link to unsubscribe makes, gets no marketing any more.

    \b
    Example:
      sfactl touch replies ~/Maildir
      sfactl touch replies sales.mbox --dry-run
    """
    from sfactl.feedback import usecases

    result = usecases.read_replies(app.session(dry_run=dry_run), mailboxes)
    output.emit(result, human=lambda: mail_lines(result))
