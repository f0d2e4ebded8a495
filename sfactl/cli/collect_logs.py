"""``sfactl collect logs``: what access logs tell of signed links; registered by the group ``collect``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.collect.usecases.logs import LogsImported


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(logs)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--log",
    "form",
    type=click.Choice(("combined", "common", "json")),
    default="combined",
    show_default=True,
    help="The form of FILES.",
)
@options.dry_run
@options.output
@pass_app
def logs(
    app: App, files: tuple[Path, ...], *, form: Literal["combined", "common", "json"], dry_run: bool, output: Output
) -> None:
    """Bring in clicks, opens, unsubscribes and confirmations from access logs of web servers, plain or gzip.

    Needed where a web server answers the links of messages itself, or to fill what the collector missed: an act that
    both know counts once. Only a POST unsubscribes; scanners are told as the collector tells them.

    \b
    Example:
      sfactl collect logs /var/log/nginx/access.log.1.gz /var/log/nginx/access.log
    """
    from sfactl.collect.usecases.logs import import_link_logs

    result = import_link_logs(app.session(dry_run=dry_run), files, form=form)
    output.emit(result, human=lambda: _lines(result), exit_code=3 if result.unread else 0)


def _lines(result: LogsImported) -> Iterator[str]:
    left = (
        ("forged", result.forged),
        ("not answered well", result.refused),
        ("of leads that are not there", result.strangers),
    )
    said = [f"{n:,} {what}" for what, n in left if n]
    yield " · ".join(
        [
            f"{count(result.lines, 'line')}, {result.links:,} with a link",
            f"{count(result.new, 'touchpoint')} new",
            *said,
        ]
    )
    for row in result.kinds:
        yield f"  {row.kind:<12} {row.events:>7,}{f'  {row.reason}' if row.reason else ''}"
    if result.preferences:
        yield f"  {count(result.preferences, 'time')} preferences were saved, of which only the collector knows"
    if result.unread:
        yield f"  {count(result.unread, 'line')} could not be read"
    if result.commit:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"
