"""``sfactl touch import``: load what people did from files; registered by the group ``touch``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

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
@click.option(
    "--log",
    "form",
    type=click.Choice(("combined", "common", "json")),
    help="FILES are access logs of a web server in this form.",
)
@click.option("--form", "posts_to", metavar="PATH", multiple=True, help="A POST to PATH in a log is a form filled in.")
@options.dry_run
@options.output
@pass_app
def import_(
    app: App,
    files: tuple[Path, ...],
    *,
    mapping: str | None,
    source: str | None,
    form: Literal["combined", "common", "json"] | None,
    posts_to: tuple[str, ...],
    dry_run: bool,
    output: Output,
) -> None:
    """Import touchpoints from FILES: visits, forms, calls and whatever else people did.

    Rows are matched to leads by lead_id, external_id or e-mail. A row of nobody we know is rejected, but a form
    filled in with a valid e-mail address makes a lead. Of access logs every page a person opened is kept; what known
    visitors opened becomes touchpoints, at once or when a form or a signed link says who they are. So do forms at the
    paths of --form: a log tells that they were posted, not what.

    \b
    Example:
      sfactl touch import web-events.csv --mapping web
      sfactl touch import access.log.1.gz access.log --log combined
      sfactl touch import access.log --log combined --form /contact
    """
    from sfactl.leads.usecases import import_logs, import_touches

    if posts_to and not form:
        raise click.UsageError("--form names a path in an access log; say its form with --log.")
    if form and (mapping or source):
        raise click.UsageError("An access log has no mapping and no source; leave out --mapping and --source.")
    session = app.session(dry_run=dry_run)
    if form:
        result = import_logs(session, files, form=form, posts_to=posts_to)
    else:
        result = import_touches(session, files, mapping=mapping, source=source)
    output.emit(result, human=lambda: imported_lines(result), exit_code=3 if result.rejected else 0)
