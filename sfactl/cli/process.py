"""``sfactl process``: how far cases keep to a process that a file describes."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import options, process_import, process_lines
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count


@click.group()
def group() -> None:
    """Processes: how far cases keep to them, where they deviate, and where the time goes.

    A process is a file processes/NAME.toml: which rows are an activity of which case, in what order they may come, and
    what must be done by when.
    """


@group.command("list")
@options.output
@pass_app
def list_(app: App, *, output: Output) -> None:
    """List the process files.

    \b
    Example:
      sfactl process list
    """
    from sfactl.processes import usecases

    output.emit(usecases.list_processes(app.session()))


@group.command()
@click.argument("files", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@options.output
@pass_app
def check(app: App, files: tuple[Path, ...], *, output: Output) -> None:
    """Check process FILES, or all of the workspace, without looking at data.

    \b
    Example:
      sfactl process check processes/ltc.toml
    """
    from sfactl.processes import usecases

    result = usecases.check(app.session(), files)
    right = f"{count(result.checked, 'process file')} checked, all right."
    said = (*result.problems, *(f"note: {note}" for note in result.notes)) if result.problems or result.notes else ()
    output.emit(
        result,
        human=lambda: said if result.problems else (*said, right),
        exit_code=2 if result.problems else 0,
    )


@group.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options.dry_run
@options.output
@pass_app
def define(app: App, file: Path, *, dry_run: bool, output: Output) -> None:
    """Check the process FILE and put it into the workspace under its own name.

    \b
    Example:
      sfactl process define ~/drafts/returns.toml
    """
    from sfactl.processes import usecases

    result = usecases.define(app.session(dry_run=dry_run), file)
    said = "is there already" if result.known else "would be defined" if dry_run else "is defined"
    head = f"Process {result.process} {said}: {count(result.activities, 'activity')}."
    output.emit(result, human=lambda: (*(f"note: {note}" for note in result.notes), head))


@group.command()
@click.argument("name")
@options.as_of
@options.output
@pass_app
def conformance(app: App, name: str, *, as_of: str | None, output: Output) -> None:
    """Show how far the cases of process NAME keep to it, how deadlines were kept, and where the time went.

    Fitness is the share of steps that the process allows: into the first activity, from one to the next, and out of
    the last where the case is over (token replay fitness of Rozinat and van der Aalst, 2008).

    \b
    Example:
      sfactl process conformance ltc
      sfactl process conformance mtl --as-of 2026-09-30 --format json
    """
    from sfactl.processes import usecases

    result = usecases.conformance(app.session(as_of=as_of), name)
    output.emit(result, human=lambda: process_lines.conformance(result))


@group.command()
@click.argument("name")
@click.option("--state", default="all", show_default=True, metavar="STATE", help="all, over, running or deviating.")
@options.limit(50)
@options.as_of
@options.output
@pass_app
def cases(app: App, name: str, *, state: str, limit: int, as_of: str | None, output: Output) -> None:
    """List the cases of process NAME: where each stands and how many deviations it has.

    \b
    Example:
      sfactl process cases ltc --state deviating
      sfactl process cases itr --limit 0 --format csv
    """
    from sfactl.processes import usecases

    session = app.session(as_of=as_of)
    process_lines.emit_rows(output, usecases.cases(session, name, state=state), limit, session.note, "cases")


@group.command()
@click.argument("name")
@click.option("--kind", default="", metavar="KIND", help="order, unfinished, 'too often', late or missed.")
@options.limit(50)
@options.fail_empty
@options.as_of
@options.output
@pass_app
def deviations(
    app: App, name: str, *, kind: str, limit: int, fail_empty: bool, as_of: str | None, output: Output
) -> None:
    """List every deviation from process NAME with the rows that show it.

    \b
    Example:
      sfactl process deviations ltc --kind late
      sfactl process deviations mtl --limit 0 --format jsonl
    """
    from sfactl.processes import usecases

    session = app.session(as_of=as_of)
    table = usecases.deviations(session, name, kind=kind)
    process_lines.emit_rows(
        output, table, limit, session.note, "deviations", exit_code=4 if fail_empty and not table.num_rows else 0
    )


@group.command()
@click.argument("name")
@options.limit(20)
@options.as_of
@options.output
@pass_app
def variants(app: App, name: str, *, limit: int, as_of: str | None, output: Output) -> None:
    """List the ways that cases of process NAME went, the commonest first.

    \b
    Example:
      sfactl process variants itr
    """
    from sfactl.processes import usecases

    session = app.session(as_of=as_of)
    process_lines.emit_rows(output, usecases.variants(session, name), limit, session.note, "ways")


@group.command()
@click.argument("name")
@click.argument("case")
@options.as_of
@options.output
@pass_app
def explain(app: App, name: str, case: str, *, as_of: str | None, output: Output) -> None:
    """Show one CASE of process NAME: its events with their rows, the time of each step, its deadlines.

    \b
    Example:
      sfactl process explain ltc lead:12
    """
    from sfactl.processes import usecases

    result = usecases.explain(app.session(as_of=as_of), name, case)
    output.emit(result, human=lambda: process_lines.explained(result))


process_import.register(group)
