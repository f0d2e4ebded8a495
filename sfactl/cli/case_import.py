"""``sfactl case import``: cases of other systems, with their history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.cases.usecases.importing import CaseImport

_REASONS = 6


def register(group: click.Group) -> None:
    """Add the command to the group ``case``."""
    group.add_command(import_)


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--mapping", "--map", "mapping", metavar="NAME", help="A mapping: its name in mappings/, or a file.")
@click.option("--source", metavar="NAME", help="Whose numbers these are [default: the mapping's name, or import].")
@click.option("--notify", is_flag=True, help="Tell customers of what is new, with the next case ack.")
@options.dry_run
@options.output
@pass_app
def import_(
    app: App,
    files: tuple[Path, ...],
    *,
    mapping: str | None,
    source: str | None,
    notify: bool,
    dry_run: bool,
    output: Output,
) -> None:
    """Import cases from FILES (CSV, Excel, JSON …): one row a case, or a log with a row for each move.

    Rows with the same number are one case. A row needs that number and a time; with a status it says what the case
    became then. The same file twice adds nothing, a grown one adds what is new. It is history: nobody is told of it.
    Rows that cannot be taken are written to rejects/, with the reason.

    \b
    Example:
      sfactl case import tickets.csv --source desk --dry-run
      sfactl case import log.csv --mapping helpdesk
    """
    from sfactl.cases import usecases

    session = app.session(dry_run=dry_run)
    done = usecases.import_cases(session, files, mapping=mapping, source=source, notify=notify)
    code = 3 if any(one.rejected for one in done) else 0
    output.emit(done, human=lambda: (line for one in done for line in _lines(one)), exit_code=code)


def _lines(done: CaseImport) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    yield f"{done.file}: {', '.join(f'{columns}→{field}' for field, columns in done.mapped.items())}"
    if done.not_mapped:
        yield f"  Not mapped: {', '.join(done.not_mapped)}"
    yield (
        f"  {count(done.rows, 'row')}, {count(done.cases, 'case')} · {done.new:,} new · {done.changed:,} changed"
        f" · {done.unchanged:,} unchanged · {count(done.events, 'event')} · {count(done.rejected, 'row')} rejected"
    )
    for reason in done.reasons[:_REASONS]:
        yield f"  Rejected: {reason.rows:,} {reason.reason}"
    if len(done.reasons) > _REASONS:
        yield f"  … and {len(done.reasons) - _REASONS:,} more reasons"
    if done.rejects_file:
        yield f"  Rejected rows: {done.rejects_file}"
    if done.of_nobody:
        yield f"  {count(done.of_nobody, 'case')} of nobody we know: their customers cannot be told."
    if done.not_allowed:
        yield f"  {count(done.not_allowed, 'move')} that cases.toml would not allow (first: {done.example})"
    yield from (f"  {note}" for note in done.notes)
    if done.commit:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"
        yield "Next: sfactl process conformance itr"
    elif not done.dry_run:
        yield "Nothing new, nothing was written."
