"""The commands of ``touch`` that stop all sending, let it begin again, and tell how fast it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.campaigns.usecases.stopping import StopResult


def register(group: click.Group) -> None:
    """Add the commands to the group ``touch``."""
    for command in (stop, start, pace):
        group.add_command(command)


@click.command()
@click.option("--reason", required=True, help="Why, for everybody who wonders.")
@options.dry_run
@options.output
@pass_app
def stop(app: App, reason: str, dry_run: bool, output: Output) -> None:
    """Stop all sending: no message of any campaign or strategy leaves until it is started again.

    Runs under way stop before their next batch, which is 20 messages for each connection.

    \b
    Example:
      sfactl touch stop --reason "wrong price in the spring letter"
    """
    from sfactl.campaigns import usecases

    session = app.session(dry_run=dry_run)
    result = usecases.stop(session, reason=reason)
    zone = session.settings.workspace.time_zone
    output.emit(result, human=lambda: [_stopped(result, zone), "Let messages leave again with: sfactl touch start"])


@click.command()
@click.option("--reason", default="", help="What has changed since.")
@options.dry_run
@options.output
@pass_app
def start(app: App, reason: str, dry_run: bool, output: Output) -> None:
    """Let messages leave again after a stop. This itself sends nothing: runs are gone on with by their resume.

    \b
    Example:
      sfactl touch start
      sfactl touch start --reason "price corrected"
    """
    from sfactl.campaigns import usecases

    session = app.session(dry_run=dry_run)
    result = usecases.start(session, reason=reason)
    zone = session.settings.workspace.time_zone
    output.emit(result, human=lambda: [_started(result, zone)])


@click.command()
@click.option("--release", metavar="SENDER", default="", help="Forget that receivers asked this sender to wait.")
@options.dry_run
@options.output
@pass_app
def pace(app: App, release: str, dry_run: bool, output: Output) -> None:
    """Show how fast each sender may be used, what it sent today, and who asked us to wait.

    \b
    Example:
      sfactl touch pace
      sfactl touch pace --release sendgrid
    """
    from sfactl.campaigns import usecases

    session = app.session(dry_run=dry_run)
    if release:
        freed = usecases.release(session, release)
        session.note(f"{'Would forget' if dry_run else 'Forgot'} {freed:,} requests to wait.")
    output.emit(usecases.use_of_senders(session))


def _stopped(result: StopResult, zone: str) -> str:
    from sfactl.cli.times import local

    if result.changed:
        return f"All sending is stopped: {result.reason}"
    return f"All sending was stopped already, by {result.by} on {local(result.since, zone)}: {result.reason}"


def _started(result: StopResult, zone: str) -> str:
    from sfactl.cli.times import local

    if not result.changed:
        return "Sending was not stopped."
    return f"Messages may leave again. It was stopped by {result.by} on {local(result.since, zone)}: {result.reason}"
