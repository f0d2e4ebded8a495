"""The commands of ``sfactl identity`` about what is known: show, links, and the review of pairs in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.tables import table, terminal_width
from sfactl.cli.values import shown as shown_value
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.identity.answers import Decision, DecisionsRead, IdentityShown, LinkReport, ReviewPair

ENTITIES = ("lead", "account", "contact")


def register(group: click.Group) -> None:
    """Add the commands to the group ``identity``."""
    for command in (show, links, review):
        group.add_command(command)


def entity_of(*refs: str) -> str:
    """The entity that references like ``account:3`` name; a bare number or address is a lead's."""
    named = {ref.partition(":")[0] for ref in refs if ref.partition(":")[0] in ENTITIES and ":" in ref}
    if len(named) > 1:
        raise click.UsageError(f"{' and '.join(refs)} are of different kinds.")
    return named.pop() if named else "lead"


@click.command()
@click.argument("ref")
@options.as_of
@options.output
@pass_app
def show(app: App, ref: str, *, as_of: str | None, output: Output) -> None:
    """Show every number and key that leads to REF, and the merges it took part in.

    \b
    Example:
      sfactl identity show lead:8841
    """
    from sfactl.identity.usecases.links import show_identity

    result = show_identity(app.session(as_of=as_of), entity_of(ref), ref)
    output.emit(result, human=lambda: shown_lines(result))


def shown_lines(result: IdentityShown) -> Iterator[str]:
    """One record: its numbers, its keys, its merges."""
    record = f"{result.entity}:{result.record_id}"
    old = ", ".join(f"{result.entity}:{n}" for n in result.numbers)
    yield f"{record}, also known as {old}" if old else record
    for key in result.keys:
        where = f" of {key.namespace}" if key.namespace else ""
        was = "" if key.own else "  (earlier, or of a merged lead)"
        yield f"  {key.kind.replace('_', ' '):<12} {key.value}{where}{was}"
    for merge in result.merges:
        undone = "" if merge.state == "merged" else ", undone"
        yield (
            f"  merge {merge.merge_id}: {result.entity}:{merge.merged_id} → {result.entity}:{merge.survivor_id},"
            f" {merge.at:%Y-%m-%d %H:%M} by {merge.actor}{undone}"
        )


@click.command()
@click.option("--lost", metavar="DATASET", help="List the rows of this dataset that name a record which is not there.")
@options.limit(50)
@options.as_of
@options.output
@pass_app
def links(app: App, *, lost: str | None, limit: int, as_of: str | None, output: Output) -> None:
    """Show how the rows of every dataset lead to leads, accounts and contacts.

    Each row leads to one record, or to nobody, or is lost: it names a record that is not there. Exits with 3 where rows
    are lost, with 1 where merged numbers do not lead to one record.

    \b
    Example:
      sfactl identity links
      sfactl identity links --lost touchpoints --format csv
    """
    from sfactl.identity.usecases import links as usecases

    session = app.session(as_of=as_of)
    if lost is not None:
        output.emit(usecases.lost_rows(session, lost, limit=limit))
        return
    result = usecases.links(session)
    code = 1 if result.problems else 3 if any(line.lost for line in result.links) else 0
    if output.format == "json":
        output.emit(result, exit_code=code)
    else:
        output.emit(result.links, human=lambda: link_lines(result), exit_code=code)


def link_lines(result: LinkReport) -> Iterator[str]:
    """A line a dataset and column, and what is wrong."""
    names = ["rows of", "by", "rows", "one record", "through a merge", "nobody", "lost"]
    rows = [
        [
            x.dataset,
            f"{x.field} ({x.entity})" if x.field == "entity_id" else x.field,
            x.rows,
            x.resolved,
            x.by_merge,
            x.nobody,
            x.lost,
        ]
        for x in result.links
    ]
    if not rows:
        yield "No dataset names a record yet."
        return
    yield from table(names, rows, fit=terminal_width())
    lost = [x.dataset for x in result.links if x.lost]
    if lost:
        yield f"See the lost ones with: sfactl identity links --lost {lost[0]}"
    yield from result.problems


@click.group()
def review() -> None:
    """Pairs that a plan of duplicates is in doubt about, for people to decide."""


@review.command("list")
@click.option("--plan", metavar="PLAN", help="Pairs of this plan [default: the newest].")
@options.limit(20)
@options.fail_empty
@options.output
@pass_app
def list_(app: App, *, plan: str | None, limit: int, fail_empty: bool, output: Output) -> None:
    """List the pairs that nobody decided yet, the surest first, both records side by side.

    \b
    Example:
      sfactl identity review list --limit 5
    """
    from sfactl.identity.usecases.review import list_reviews

    found = list_reviews(app.session(), plan=plan, limit=limit)
    output.emit(found, human=lambda: review_lines(found), exit_code=4 if fail_empty and not found else 0)


def review_lines(pairs: tuple[ReviewPair, ...]) -> Iterator[str]:
    """Pair by pair."""
    if not pairs:
        yield "No pair is left to decide."
        return
    for pair in pairs:
        note = f" · {pair.note}" if pair.note else ""
        yield f"{pair.entity}:{pair.a} and {pair.entity}:{pair.b}, the same with {pair.probability:.0%}{note}"
        rows = [[f.field, _value(f.a), _value(f.b)] for f in pair.fields if f.a != f.b]
        width = terminal_width()
        names = ["differs in", str(pair.a), str(pair.b)]
        yield from (f"  {line}" for line in table(names, rows, fit=None if width is None else width - 2))
        if same := [f"{f.field} {_value(f.a)}" for f in pair.fields if f.a == f.b]:
            yield f"  the same: {' · '.join(same)}"
    first = pairs[0]
    two = f"{first.entity}:{first.a} {first.entity}:{first.b}"
    yield f"Decide with: sfactl identity review decide {two} --same   (or --different)"
    yield f"Why in doubt: sfactl identity explain {two}"


def _value(value: object) -> str:
    return "–" if value is None else shown_value(value)


@review.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--same", "decision", flag_value="same", help="They are one.")
@click.option("--different", "decision", flag_value="different", help="They are two.")
@click.option("--reason", metavar="TEXT", help="Why, for those who ask later.")
@options.dry_run
@options.output
@pass_app
def decide(
    app: App, a: str, b: str, *, decision: str | None, reason: str | None, dry_run: bool, output: Output
) -> None:
    """Say that A and B are the same, or different. The next plan follows it; nothing is merged by this.

    \b
    Example:
      sfactl identity review decide 12 845 --different --reason "two brothers"
    """
    if decision is None:
        raise click.UsageError("Say --same or --different.")
    from sfactl.identity.usecases.review import decide as use_case

    result = use_case(app.session(dry_run=dry_run), entity_of(a, b), a, b, decision, reason=reason)
    output.emit(result, human=lambda: decided_lines(result))


def decided_lines(result: Decision) -> Iterator[str]:
    """What is known now, and how to go on."""
    two = f"{result.entity}:{result.a} and {result.entity}:{result.b}"
    said = "the same" if result.decision == "same" else "different"
    if result.dry_run:
        yield "Dry run: nothing is written."
    yield f"{two} are {said}." if result.changed else f"{two} were decided to be {said} before. Nothing to do."
    if result.decision == "same" and result.changed:
        yield f"Merge them with: sfactl {result.entity} merge {result.a} {result.b}"
    if result.commit is not None:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"


@review.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--plan", metavar="PLAN", help="Pairs of this plan [default: the newest].")
@options.limit(0)
@options.dry_run
@options.output
@pass_app
def export(app: App, file: Path, *, plan: str | None, limit: int, dry_run: bool, output: Output) -> None:
    """Write the open pairs to FILE as CSV, to be decided in a spreadsheet: fill in the column decision.

    \b
    Example:
      sfactl identity review export doubts.csv
    """
    from sfactl.identity.usecases.review import sheet

    found = sheet(app.session(), plan=plan, limit=limit)
    if not dry_run:
        Output(format="csv", columns=(), file=file, command="identity review export").emit(found)
    result = SheetWritten(file=str(file), pairs=found.num_rows, dry_run=dry_run)
    output.emit(result, human=lambda: written_lines(result))


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetWritten:
    """A review sheet: where it is, and how many pairs are in it."""

    file: str
    pairs: int
    dry_run: bool


def written_lines(result: SheetWritten) -> Iterator[str]:
    """Where the sheet is, and what to do with it."""
    if result.dry_run:
        yield f"Dry run: {count(result.pairs, 'pair')} would be written to {result.file}."
        return
    yield f"Wrote {count(result.pairs, 'pair')} to {result.file}."
    yield f"Fill in the column decision, then: sfactl identity review import {result.file}"


@review.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@options.dry_run
@options.output
@pass_app
def import_(app: App, file: Path, *, dry_run: bool, output: Output) -> None:
    """Take over the decisions of FILE: same or different in the column decision; rows left blank stay open.

    Exits with 3 where rows could not be understood; they are listed.

    \b
    Example:
      sfactl identity review import doubts.csv
    """
    from sfactl.identity.usecases.review import read_sheet

    result = read_sheet(app.session(dry_run=dry_run), file)
    output.emit(result, human=lambda: read_lines(result), exit_code=3 if result.refused else 0)


def read_lines(result: DecisionsRead) -> Iterator[str]:
    """How many decisions, and what could not be read."""
    if result.dry_run:
        yield "Dry run: nothing is written."
    yield (
        f"{count(result.rows, 'row')} · {result.changed:,} decided · {result.unchanged:,} known before ·"
        f" {result.blank:,} left open · {len(result.refused):,} refused"
    )
    for row in result.refused[:20]:
        yield f"  line {row.row}: {row.reason}"
    if result.commit is not None:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"
