"""``sfactl touch fetch``: read the mailboxes of the workspace; registered by the group ``touch``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.mail_lines import mail_lines

if TYPE_CHECKING:
    from sfactl.feedback.usecases.fetching import FetchResult


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(fetch)


@click.command()
@click.argument("mailboxes", nargs=-1)
@click.option("--check", is_flag=True, help="Only say whether each mailbox can be read.")
@options.dry_run
@options.output
@pass_app
def fetch(app: App, mailboxes: tuple[str, ...], *, check: bool, dry_run: bool, output: Output) -> None:
    """Read what came in at MAILBOXES, by default at all in mailboxes/: bounces, complaints and replies.

    Each goes on where it was read last. Bounces and complaints do what touch bounces does, answers what touch replies
    does. Nothing is changed in the mailbox. With a schedule in its file a mailbox is read by sfactl run --due.

    \b
    Example:
      sfactl touch fetch
      sfactl touch fetch sales --dry-run
    """
    from sfactl.feedback.usecases import fetching

    session = app.session(dry_run=dry_run)
    if check:
        states = fetching.check_mailboxes(session, mailboxes)
        bad = any(not state.ok for state in states)
        lines = [f"{'✓' if s.ok else '✗'} {s.mailbox} ({s.use}): {s.said}" for s in states]
        output.emit(states, human=lambda: lines, exit_code=3 if bad else 0)
        return
    result = fetching.fetch(session, mailboxes)
    output.emit(result, human=lambda: _lines(result), exit_code=3 if result.partly else 0)


def _lines(result: FetchResult) -> Iterator[str]:
    for box in result.mailboxes:
        first, *rest = mail_lines(box.read)
        yield f"{box.mailbox}: {first}"
        yield from rest
        if box.problem:
            yield f"  ✗ {box.problem}"
        if box.hint:
            yield f"    {box.hint}"
