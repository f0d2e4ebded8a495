"""``sfactl touch senders``: the ways to send and whether they work; registered by the group ``touch``."""

from __future__ import annotations

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(senders)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--check", is_flag=True, help="Reach each sender, log in, and send nothing.")
@options.output
@pass_app
def senders(app: App, names: tuple[str, ...], *, check: bool, output: Output) -> None:
    """List the senders, by default all; with --check, reach each.

    The column if_lost says what becomes of a message whose answer was lost: it is held for a person, looked up at the
    receiver, or sent again where the receiver takes the same message once.

    \b
    Example:
      sfactl touch senders
      sfactl touch senders --check
    """
    from sfactl.campaigns import usecases

    found = usecases.senders(app.session(), names, check=check)
    output.emit(found, exit_code=3 if any(s.state == "error" for s in found) else 0)
