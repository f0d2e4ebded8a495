"""``sfactl segment``: groups of leads that meet a condition."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.tables import pad, width
from sfactl.cli.values import shown

if TYPE_CHECKING:
    from sfactl.segments.model import BuildResult, Explanation, TermAnswer

MARKS = {True: "✓", False: "✗", None: "?"}
LONG_TERM = 60


@click.group()
def group() -> None:
    """Segments: groups of leads that meet a condition."""


@group.command("list")
@options.as_of
@options.output
@pass_app
def list_(app: App, *, as_of: str | None, output: Output) -> None:
    """List the segments and how many members each has.

    \b
    Example:
      sfactl segment list
    """
    from sfactl.segments import usecases

    output.emit(usecases.list_segments(app.session(as_of=as_of)))


@group.command()
@click.argument("files", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@options.output
@pass_app
def check(app: App, files: tuple[Path, ...], *, output: Output) -> None:
    """Check segment FILES, or all of the workspace, without running them.

    \b
    Example:
      sfactl segment check segments/hot.toml
    """
    from sfactl.segments import usecases

    result = usecases.check(app.session(), files)
    right = f"{result.checked} segment{'' if result.checked == 1 else 's'} checked, all right."
    output.emit(result, human=lambda: result.problems or (right,), exit_code=2 if result.problems else 0)


@group.command()
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Build all segments.")
@click.option("--full", is_flag=True, help="Look at every lead, not only at those whose data changed.")
@click.option("--layers", is_flag=True, help="Run the layers first that the segments ask for.")
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def build(
    app: App,
    names: tuple[str, ...],
    *,
    every: bool,
    full: bool,
    layers: bool,
    dry_run: bool,
    fail_empty: bool,
    output: Output,
) -> None:
    """Decide anew who is a member of the segments NAMES, and of those they depend on.

    Many segments are built in one pass over the data, only leads are looked at for whom something changed since the
    last build, and only changes are written.

    \b
    Example:
      sfactl segment build --all
      sfactl segment build hot-b2b --dry-run
    """
    if bool(names) == every:
        raise click.UsageError("Name the segments to build, or say --all.")
    from sfactl.segments import usecases
    from sfactl.segments.usecases import layer_needs

    session = app.session(dry_run=dry_run)
    if layers:
        for run in layer_needs.refresh(session, names):
            session.note(f"Layer {run.layer}: {run.customers:,} customers as of {run.at:%Y-%m-%d %H:%M}")
    for name in layer_needs.never_run(session, names):
        session.note(f"The layer {name!r} holds nobody yet, so that terms with it are unknown; see --layers")
    result = usecases.build(session, names, full=full)
    output.emit(result, human=lambda: _built(result), exit_code=4 if fail_empty and not result.changed else 0)


@group.command()
@click.argument("name")
@click.option("--computed", is_flag=True, help="Ask the condition about the data then, whatever was stored.")
@options.limit(50)
@options.as_of
@options.output
@pass_app
def members(app: App, name: str, *, computed: bool, limit: int, as_of: str | None, output: Output) -> None:
    """List the members of the segment NAME: those that the last build stored, or with --computed those who meet it.

    With --as-of T stored members are those of the last build before T; computed ones are found with the condition as
    it is in the file now, in the data as it was known at T.

    \b
    Example:
      sfactl segment members hot-b2b --limit 0 --format csv
      sfactl segment members hot-b2b --as-of 2026-10-01 --computed
    """
    from sfactl.segments import usecases

    session = app.session(as_of=as_of)
    table = usecases.computed_members(session, name) if computed else usecases.members(session, name)
    total = table.num_rows
    if as_of and computed:
        session.note(f"Computed with the condition as it is now, in the data known at {as_of}")
    elif as_of:
        session.note(f"Stored by the last build before {as_of}; who met the condition then: --computed")
    if limit and total > limit:
        table = table.slice(0, limit)
        session.note(f"{limit:,} of {total:,} members; see all with --limit 0")
    output.emit(table)


@group.command()
@click.argument("name")
@options.as_of
@options.output
@pass_app
def size(app: App, name: str, *, as_of: str | None, output: Output) -> None:
    """Count the leads that meet the condition of segment NAME, without storing them.

    \b
    Example:
      sfactl segment size hot-b2b --as-of 2026-10-01
    """
    from sfactl.segments import usecases

    result = usecases.size(app.session(as_of=as_of), name)
    counted = f"{result.members:,} lead{'' if result.members == 1 else 's'}"
    output.emit(
        result, human=lambda: [f"{counted} meet{'s' if result.members == 1 else ''} {name} ({result.stored:,} stored)"]
    )


@group.command()
@click.argument("name")
@click.argument("lead")
@options.as_of
@options.output
@pass_app
def explain(app: App, name: str, lead: str, *, as_of: str | None, output: Output) -> None:
    """Say which terms of segment NAME hold for LEAD (lead:8841 or 8841).

    \b
    Example:
      sfactl segment explain hot-b2b lead:8841
    """
    from sfactl.engine.references import number_of
    from sfactl.segments import usecases

    result = usecases.explain(app.session(as_of=as_of), name, number_of("lead", lead))
    output.emit(result, human=lambda: _explained(result))


@group.command("why-not")
@click.argument("name")
@click.argument("lead")
@options.as_of
@options.output
@pass_app
def why_not(app: App, name: str, lead: str, *, as_of: str | None, output: Output) -> None:
    """Say why LEAD is not a member of segment NAME, the smallest change that would admit it, and when time alone does.

    Neither is guessed: it is tried on a copy of the lead's data, and the whole condition is asked again.

    \b
    Example:
      sfactl segment why-not hot-b2b lead:8841
    """
    from sfactl.engine.references import number_of
    from sfactl.segments import usecases

    session = app.session(as_of=as_of)
    result = usecases.why_not(session, name, number_of("lead", lead))
    output.emit(result, human=lambda: [*_explained(result), *_admission(result, session.settings.workspace.time_zone)])


@group.command()
@click.argument("name")
@click.option("--from", "start", required=True, metavar="WHEN", help="A commit number, a date or a time.")
@click.option("--to", "end", default=None, metavar="WHEN", help="The same; by default now.")
@options.output
@pass_app
def diff(app: App, name: str, *, start: str, end: str | None, output: Output) -> None:
    """List who joined and who left the stored segment NAME between two moments, and which terms turned for each.

    \b
    Example:
      sfactl segment diff hot-b2b --from 2026-11-01
    """
    from sfactl.segments import usecases

    output.emit(usecases.diff(app.session(), name, start, end))


def _built(result: BuildResult) -> Iterator[str]:
    if not result.segments:
        yield "There are no segments. Write one to segments/NAME.toml"
        return
    if result.dry_run:
        yield "Dry run: nothing is written."
    longest = max(width(built.name) for built in result.segments)
    for built in result.segments:
        change = f"+{built.joined:,} −{built.left:,}" if built.joined or built.left else "unchanged"
        noun = "member " if built.members == 1 else "members"
        yield f"  {pad(built.name, longest)}  {built.members:>9,} {noun}  {change}"
    if result.commit is not None:
        yield f"Commit {result.commit}."
    elif not result.changed:
        yield "Nothing changed, nothing was written."


def _explained(result: Explanation) -> Iterator[str]:
    if result.lead:
        yield result.lead
    total = len(result.terms)
    if result.member:
        yield f"A member of {result.segment}. {'Its term holds.' if total == 1 else f'All {total} terms hold.'}"
    else:
        yield f"Not a member of {result.segment}. {result.held} of {total} terms hold."
    widths = [width(term.text) for term in result.terms]
    column = max([w for w in widths if w <= LONG_TERM], default=LONG_TERM)
    for term in result.terms:
        yield f"  {MARKS[term.holds]} {pad(term.text, column)}  {_actual(term)}".rstrip()
    if result.member != result.stored:
        yield f"The last build stored it as {'' if result.stored else 'not '}a member; build the segment again."


def _actual(term: TermAnswer) -> str:
    if not term.has_value:
        return "unknown: a value is missing" if term.holds is None else ""
    return "(empty)" if term.actual is None else shown(term.actual)


def _admission(result: Explanation, zone: str) -> Iterator[str]:
    if result.member:
        return
    yield from _changes(result)
    if result.by_itself is not None:
        from sfactl.cli.times import local
        from sfactl.cli.words import count

        days = (result.by_itself - result.at).total_seconds() / 86_400
        when = "less than a day" if days < 1 else count(int(days), "day")
        yield f"By itself, if nothing happens until then: from {local(result.by_itself, zone)} on (in {when})."


def _changes(result: Explanation) -> Iterator[str]:
    if result.admission is None:
        yield "No change of single values was found that would admit it. These would have to hold:"
        yield from (f"  {term.text}" for term in result.terms if not term.holds)
        return
    if len(result.admission) == 1:
        yield f"Smallest change that would admit it: {result.admission[0].text}."
    else:
        yield "Smallest changes that would admit it, all of them:"
        yield from (f"  {change.text}" for change in result.admission)
    yield "Tried on a copy of its data: it would be a member."


import_module("sfactl.cli.segment_export").register(group)
import_module("sfactl.cli.segment_layers").register(group)
