"""``sfactl segment export``: an audience for an advertising platform; registered by the group ``segment``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(export)


@click.command()
@click.argument("name")
@click.option(
    "--for",
    "platform",
    type=click.Choice(("linkedin", "google", "meta")),
    required=True,
    help="Whose file it is to be.",
)
@click.option(
    "--into",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file [default: exports/NAME-PLATFORM.csv].",
)
@options.dry_run
@options.output
@pass_app
def export(
    app: App,
    name: str,
    *,
    platform: Literal["linkedin", "google", "meta"],
    into: Path | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Write the members of segment NAME as an audience of LinkedIn, Google or Meta, addresses hashed.

    Left out is whoever is suppressed. Members are those of the last segment build.

    \b
    Example:
      sfactl segment export hot-b2b --for linkedin
    """
    from sfactl.segments.usecases.export import export as export_segment

    session = app.session(dry_run=dry_run)
    done = export_segment(session, name, platform, into or session.folder / "exports" / f"{name}-{platform}.csv")
    left = f"{done.suppressed:,} suppressed and {done.unreachable:,} without an address left out"
    written = "would go" if dry_run else "written"
    output.emit(done, human=lambda: [f"{done.exported:,} of {done.members:,} members {written} to {done.file}; {left}"])
