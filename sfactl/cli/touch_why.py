"""``sfactl touch why``: why a person got a message or did not; registered by the group ``touch``."""

from __future__ import annotations

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(why)


@click.command()
@click.argument("contact")
@click.option("--campaign", "only", default="", metavar="NAME", help="Only of this campaign or strategy.")
@click.option("--all", "everything", is_flag=True, help="Also campaigns and strategies that are not for the person.")
@options.limit(30)
@options.as_of
@options.output
@pass_app
def why(app: App, contact: str, only: str, everything: bool, limit: int, as_of: str | None, output: Output) -> None:
    """Say why CONTACT got messages, or did not, and what comes next, over all campaigns and strategies.

    CONTACT is a lead (8841, lead:8841), a contact (contact:12), an e-mail address or a phone number. Shown are whether
    we may write to them and who said so, what happened, and what each campaign and strategy would do now, and why.

    \b
    Example:
      sfactl touch why lead:8841
      sfactl touch why wang@example.com --campaign spring-webinar
    """
    from sfactl.cli.why_lines import why_lines
    from sfactl.reach import usecases

    session = app.session(as_of=as_of)
    result = usecases.why(session, contact, only=only, limit=limit)
    zone = session.settings.workspace.time_zone
    output.emit(result, human=lambda: why_lines(result, zone, everything=everything or bool(only)))
