"""``sfactl touch import``: load what people did from files; registered by the group ``touch``."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.lead_lines import imported_lines


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(import_)


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--mapping", "--map", "mapping", metavar="NAME", help="A mapping: its name in mappings/, or a file.")
@click.option("--source", metavar="NAME", help="Whose external ids these are; the source of leads that forms make.")
@options.dry_run
@options.output
@pass_app
def import_(
    app: App, files: tuple[Path, ...], *, mapping: str | None, source: str | None, dry_run: bool, output: Output
) -> None:
    """Import touchpoints from FILES: visits, forms, calls and whatever else people did.

    Rows are matched to leads by lead_id, external_id or e-mail. A row of nobody we know is rejected, but a form
    filled in with a valid e-mail address makes a lead.

    \b
    Example:
      sfactl touch import web-events.csv --mapping web
    """
    from sfactl.leads.usecases import import_touches

    result = import_touches(app.session(dry_run=dry_run), files, mapping=mapping, source=source)
    output.emit(result, human=lambda: imported_lines(result), exit_code=3 if result.rejected else 0)
