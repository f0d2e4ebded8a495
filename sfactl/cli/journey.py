"""``sfactl journey``: where each customer stands, derived from the data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfactl.cli import options, process_lines
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.report_lines import grid
from sfactl.cli.tables import pad, width
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.processes.standing import Customer, Derived, Status

MARKS = {"here": "●", "passed": "✓", "after the fact": "·", "skipped": "✗", "not yet": " "}

journey_option = click.option(
    "--journey", "name", default="", metavar="NAME", help="Which journey [default: the only one there is]."
)


@click.group()
def group() -> None:
    """Journeys: the nodes that customers come to, and who stands where.

    A journey is a file journeys/NAME.toml: nodes in their order, each with the data that show when a customer came to
    it. Nobody types where a customer stands.
    """


@group.command("list")
@options.output
@pass_app
def list_(app: App, *, output: Output) -> None:
    """List the journey files and their nodes.

    \b
    Example:
      sfactl journey list
    """
    from sfactl.processes import usecases

    found = usecases.list_journeys(app.session())
    output.emit(
        found,
        human=lambda: (f"{j.name}: {' → '.join(node.name for node in j.nodes)}  {j.summary}".rstrip() for j in found),
    )


@group.command()
@click.argument("files", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@options.output
@pass_app
def check(app: App, files: tuple[Path, ...], *, output: Output) -> None:
    """Check journey FILES, or all of the workspace, without looking at data.

    \b
    Example:
      sfactl journey check journeys/customer.toml
    """
    from sfactl.processes import usecases

    result = usecases.check_journeys(app.session(), files)
    right = f"{count(result.checked, 'journey file')} checked, all right."
    output.emit(result, human=lambda: result.problems or (right,), exit_code=2 if result.problems else 0)


@group.command()
@click.argument("customer", required=False, default="")
@journey_option
@options.as_of
@options.output
@pass_app
def status(app: App, customer: str, *, name: str, as_of: str | None, output: Output) -> None:
    """Show who is at which node now, or where CUSTOMER (lead:12 or account:3) stands and since when.

    \b
    Example:
      sfactl journey status
      sfactl journey status account:3
    """
    from sfactl.processes import usecases

    session = app.session(as_of=as_of)
    if customer:
        found = usecases.customer(session, customer, name)
        output.emit(found, human=lambda: (line for one in found for line in _customer(one)))
        return
    result = usecases.status(session, name)
    output.emit(result, human=lambda: _status(result))


@group.command()
@journey_option
@options.as_of
@options.output
@pass_app
def funnel(app: App, *, name: str, as_of: str | None, output: Output) -> None:
    """Show how many customers got how far, and how long they stayed at each node before they went on.

    \b
    Example:
      sfactl journey funnel --as-of 2026-09-30
    """
    from sfactl.processes import usecases

    result = usecases.status(app.session(as_of=as_of), name)
    output.emit(result, human=lambda: _funnel(result))


@group.command()
@click.option("--node", default="", metavar="NODE", help="Only those at this node.")
@click.option("--overdue", is_flag=True, help="Only those who have been there too long.")
@journey_option
@options.limit(50)
@options.as_of
@options.output
@pass_app
def customers(app: App, *, node: str, overdue: bool, name: str, limit: int, as_of: str | None, output: Output) -> None:
    """List customers and the node at which they are, those who have been there longest first.

    \b
    Example:
      sfactl journey customers --node demo --overdue
    """
    from sfactl.processes import usecases

    session = app.session(as_of=as_of)
    table = usecases.customers(session, name, node=node, overdue=overdue)
    process_lines.emit_rows(output, table, limit, session.note, "customers")


@group.command()
@click.argument("customer")
@journey_option
@options.as_of
@options.output
@pass_app
def explain(app: App, customer: str, *, name: str, as_of: str | None, output: Output) -> None:
    """Say why CUSTOMER (lead:12 or account:3) stands where it does: what each node asks of the data, and the answer.

    \b
    Example:
      sfactl journey explain lead:12
    """
    from sfactl.processes import usecases

    found = usecases.customer(app.session(as_of=as_of), customer, name)
    output.emit(found, human=lambda: (line for one in found for line in _customer(one, why=True)))


@group.command()
@journey_option
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def run(app: App, *, name: str, dry_run: bool, fail_empty: bool, output: Output) -> None:
    """Derive where every customer stands and store it, so that conditions can ask for it.

    Then has(journeys) filter (where node = 'demo') holds for who is at that node. Only what changed is written.

    \b
    Example:
      sfactl journey run
    """
    from sfactl.processes import usecases

    result = usecases.run(app.session(dry_run=dry_run), name)
    changed = result.moved or result.gone or result.commit
    output.emit(result, human=lambda: _derived(result), exit_code=4 if fail_empty and not changed else 0)


def _status(result: Status) -> Iterator[str]:
    yield f"Journey {result.journey}: {count(result.customers, 'customer')} on it, commit {result.seq}"
    rows = [
        {"node": _name(n.node, n.title), "here": n.here, "for_days": n.so_far_days, "overdue": n.overdue}
        for n in result.nodes
    ]
    yield from grid(rows, ["node", "here", "for_days", "overdue"])
    if result.before:
        yield f"  {count(result.before, 'lead')} {'has' if result.before == 1 else 'have'} come to no node yet."
    fullest = max(result.nodes, key=lambda n: n.here)
    yield f"Who they are: sfactl journey customers --node {fullest.node}"


def _funnel(result: Status) -> Iterator[str]:
    yield f"Journey {result.journey}: how far {count(result.customers, 'customer')} got, commit {result.seq}"
    rows: list[dict[str, Any]] = [
        {
            "node": _name(n.node, n.title),
            "got_here": n.got_here,
            "of_previous": n.of_previous if at else 1.0 if n.got_here else None,
            "skipped": n.skipped,
            "went_on": n.went_on,
            "stayed_days": n.stayed_days,
        }
        for at, n in enumerate(result.nodes)
    ]
    yield from grid(rows, [*rows[0]])
    yield "  skipped: got past the node without the data that would show it; stayed: median of those who went on"


def _customer(one: Customer, *, why: bool = False) -> Iterator[str]:
    where = f"at {one.node} since {process_lines.clock(one.since)}" if one.node and one.since else "at no node yet"
    yield f"lead:{one.lead_id} {one.name}: {where}"
    names = [_name(s.node, s.title) for s in one.standings]
    wide = max(map(width, names))
    for label, s in zip(names, one.standings, strict=True):
        at = process_lines.clock(s.reached_at) if s.reached_at else ""
        dwell = process_lines.took(s.dwell_us) if s.dwell_us is not None else ""
        line = f"  {MARKS[s.state]} {pad(label, wide)}  {at:<16}  {dwell:>8}  {s.state}".rstrip()
        yield line
        if why:
            answer = process_lines.clock(s.told_at) if s.told_at else "nothing"
            fails = "" if s.holds else ", but its where does not hold"
            yield f"      {s.told_by}"
            yield f"      = {answer}{fails}"
    if one.node:
        yield f"  = {process_lines.took(one.total_us)} since the first node; the stays add up to it exactly"


def _derived(result: Derived) -> Iterator[str]:
    if result.dry_run:
        yield "Dry run: nothing is written."
    gone = f", {result.gone:,} no longer on it" if result.gone else ""
    moved = f"{result.moved:,} at another node than before"
    yield f"Journey {result.journey}: {count(result.customers, 'customer')}, {moved}{gone}"
    if result.commit is not None:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"
    elif not result.dry_run:
        yield "Nothing changed, nothing was written."


def _name(node: str, title: str) -> str:
    return f"{node} {title}".rstrip()
