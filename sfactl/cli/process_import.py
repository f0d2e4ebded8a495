"""``sfactl process import``: event logs of other systems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.processes.log import Imported


def register(group: click.Group) -> None:
    """Add the command to the group ``process``."""
    group.add_command(import_)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--process", "process", default="", metavar="NAME", help="Which process the events belong to.")
@click.option("--case", "case_column", default="", metavar="COLUMN", help="Column of the case.")
@click.option("--activity", "activity_column", default="", metavar="COLUMN", help="Column of the activity.")
@click.option("--time", "time_column", default="", metavar="COLUMN", help="Column of the time.")
@click.option("--actor", "actor_column", default="", metavar="COLUMN", help="Column of who did it.")
@click.option("--lead", "lead_column", default="", metavar="COLUMN", help="Column of the lead's number.")
@click.option("--dates", default="", metavar="ORDER", help="ymd, ydm, dmy, mdy, or swapped: order of the dates.")
@click.option("--tz", default="", metavar="ZONE", help="Zone of times that state none [default: the workspace's].")
@click.option("--delimiter", default="", metavar="CHAR", help="What is between the cells [default: what is there].")
@click.option("--encoding", default="", metavar="NAME", help="Encoding of the file [default: UTF-8, or its mark].")
@click.option("--distinct", is_flag=True, help="Take rows that say the same as another for one.")
@options.dry_run
@options.output
@pass_app
def import_(
    app: App, /, *, file: Path, process: str, dates: str, tz: str, delimiter: str, encoding: str, distinct: bool,
    dry_run: bool, output: Output, **columns: str,
) -> None:  # fmt: skip
    """Import the event log FILE (CSV with case, activity and time) as events of a process.

    The same file twice adds nothing. Where the dates can be read in two ways, nothing is imported: say --dates.

    \b
    Example:
      sfactl process import tickets.csv --process itr
      sfactl process import log.csv --process helpdesk --dates ydm --tz UTC
    """
    from sfactl.processes import usecases

    stated = {name.removesuffix("_column"): column for name, column in columns.items()}
    form = usecases.Form(encoding=encoding, delimiter=delimiter.replace("\\t", "\t"), dates=dates, zone=tz)
    result = usecases.import_log(
        app.session(dry_run=dry_run), file, process=process or file.stem, columns=stated, form=form, distinct=distinct
    )
    output.emit(result, human=lambda: _lines(result), exit_code=3 if result.rejected else 0)


def _lines(result: Imported) -> Iterator[str]:
    mapped = ", ".join(f"{column}→{role}" for role, column in result.columns.items())
    yield f"{result.file}: {mapped}; dates are {result.dates}"
    yield (
        f"  {count(result.rows, 'row')} · {result.new:,} new · {result.known:,} known"
        f" · {result.doubles:,} doubles · {result.rejected:,} rejected"
    )
    for r in result.reasons:
        value = f", {r.value!r}" if r.value else ""
        yield f"  Rejected: {count(r.rows, 'row')} with {r.reason} (first: row {r.first_row:,}{value})"
    if result.cases:
        when = f"{result.first_at} to {result.last_at} UTC"
        yield f"  {count(result.cases, 'case')}, {count(result.activities, 'activity')}, {when}"
    if result.dry_run:
        yield "Dry run: nothing was written."
    elif result.commit is not None:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"
        yield f"Next: sfactl process conformance {result.process}, or write processes/{result.process}.toml"
    else:
        yield "Nothing new, nothing was written."
