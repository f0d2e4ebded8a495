"""``sfactl lead link``: web addresses that say who followed them; registered by the group ``lead``."""

from __future__ import annotations

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(link)


@click.command()
@click.argument("url")
@click.argument("refs", nargs=-1, metavar="[REF]...")
@click.option("--segment", metavar="NAME", help="The members of this segment instead of leads by name.")
@options.as_of
@options.output
@pass_app
def link(app: App, url: str, refs: tuple[str, ...], *, segment: str | None, as_of: str | None, output: Output) -> None:
    """Print URL for each lead with a signed number, so that its visits are known as the lead's.

    Visits become known when the web server's log is imported: sfactl touch import access.log --log combined

    \b
    Example:
      sfactl lead link https://acme.example/prices lead:8841
      sfactl lead link https://acme.example/prices --segment hot-b2b --format csv
    """
    from sfactl.leads.usecases import make_links

    output.emit(make_links(app.session(as_of=as_of), url, refs, segment=segment))
