"""``sfactl touch retry``: let dead letters be tried again; registered by ``touch``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.campaigns.usecases.retrying import RetryResult


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(retry)


@click.command()
@click.argument("key", required=False, default="")
@click.option("--campaign", metavar="NAME", default="", help="All of this campaign or strategy.")
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def retry(app: App, key: str, *, campaign: str, dry_run: bool, fail_empty: bool, output: Output) -> None:
    """Let messages be tried again that were put off until their attempts were used up. Sends nothing itself.

    What was refused for good, such as an address that does not exist, stays refused.

    \b
    Example:
      sfactl touch list --state dead
      sfactl touch retry 3f7a91c2.spring.invite.8841.1
      sfactl touch retry --campaign spring-webinar
    """
    if bool(key) == bool(campaign):
        raise click.UsageError("Say KEY, or --campaign NAME.")
    from sfactl.campaigns import usecases

    result = usecases.retry(app.session(dry_run=dry_run), key=key, campaign=campaign)
    code = 4 if fail_empty and not result.messages else 0
    output.emit(result, human=lambda: _lines(result, dry_run=dry_run), exit_code=code)


def _lines(result: RetryResult, *, dry_run: bool) -> Iterator[str]:
    verb = "could" if dry_run else "may"
    yield f"{count(result.messages, 'message')} {verb} be tried again."
    if result.refused:
        yield f"{count(result.refused, 'message')} refused for good, which no retry would change."
    if result.messages and not dry_run:
        names = ", ".join(result.campaigns)
        yield f"They leave with the next run of {names}: its newest plan resumed, or a new plan."
