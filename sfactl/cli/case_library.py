"""``sfactl case-library``: won deals kept as examples, and strategies drafted after them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.processes.playbook import Playbook


@click.group()
def group() -> None:
    """The library of good cases: won deals with the way that led there, to be gone again."""


@group.command()
@click.argument("opportunity")
@click.option("--name", default="", metavar="NAME", help="Name of the case [default: opp-NUMBER].")
@click.option("--note", default="", metavar="TEXT", help="Why it is a good example.")
@options.dry_run
@options.output
@pass_app
def add(app: App, opportunity: str, *, name: str, note: str, dry_run: bool, output: Output) -> None:
    """Keep the won deal OPPORTUNITY (opp:12 or 12) with its way and the rows that tell it.

    \b
    Example:
      sfactl case-library add opp:12 --name laser-tw --note "demo in week 2"
    """
    from sfactl.engine.references import number_of
    from sfactl.processes import usecases

    result = usecases.add_case(app.session(dry_run=dry_run), number_of("opp", opportunity), name=name, note=note)
    head = "Would keep" if dry_run else "Kept"
    said = f"{head} case {result.name}: {count(result.steps, 'step')} in {result.days:,.0f} days"
    output.emit(result, human=lambda: [f"{said}. Next: sfactl case-library show {result.name}"])


@group.command("list")
@options.as_of
@options.output
@pass_app
def list_(app: App, *, as_of: str | None, output: Output) -> None:
    """List the cases, the newest win first.

    \b
    Example:
      sfactl case-library list --columns name,won_at,days
    """
    from sfactl.processes import usecases

    found = usecases.list_cases(app.session(as_of=as_of))
    output.emit(
        found,
        human=lambda: (
            [_line(case) for case in found] or ["There are no cases. Keep one: sfactl case-library add opp:12"]
        ),
    )


@group.command()
@click.argument("name")
@options.as_of
@options.output
@pass_app
def show(app: App, name: str, *, as_of: str | None, output: Output) -> None:
    """Show the case NAME: what the customer was like, and each step with the row that tells it.

    \b
    Example:
      sfactl case-library show laser-tw
    """
    from sfactl.processes import usecases

    result = usecases.show_case(app.session(as_of=as_of), name)
    output.emit(result, human=lambda: _shown(result))


@group.command()
@click.argument("name")
@click.option("--as", "strategy", required=True, metavar="STRATEGY", help="Name of the strategy to draft.")
@click.option("--owner", default="", metavar="REP", help="Whose the tasks are [default: you].")
@options.dry_run
@options.output
@pass_app
def use(app: App, name: str, *, strategy: str, owner: str, dry_run: bool, output: Output) -> None:
    """Draft a strategy that goes the way of the case NAME with leads like its lead.

    \b
    Example:
      sfactl case-library use laser-tw --as laser-again --owner mei
    """
    from sfactl.processes import usecases

    result = usecases.use_case(app.session(dry_run=dry_run), name, strategy=strategy, owner=owner)
    if dry_run:
        output.emit(result, human=result.text.splitlines)
        return
    output.emit(
        result,
        human=lambda: [
            f"Wrote {result.file}, a draft of {count(result.steps, 'step')}.",
            f"Next: sfactl strategy check {strategy}, then sfactl strategy plan {strategy}",
        ],
    )


def _line(case: Playbook) -> str:
    worth = f"{case.currency or ''} {case.amount:,.0f}".strip() if case.amount is not None else ""
    return f"{case.name}  won {case.won_at:%Y-%m-%d} in {case.days:,.0f} days  {worth}  {case.note}".rstrip()


def _shown(case: Playbook) -> Iterator[str]:
    yield _line(case)
    yield f"  lead:{case.lead_id}, opp:{case.opportunity_id}; " + ", ".join(f"{k} {v}" for k, v in case.traits.items())
    for stage in case.path:
        yield f"  day {stage.day:>6.1f}  {stage.what:<20}  {stage.row}"
    yield f"Go this way again: sfactl case-library use {case.name} --as STRATEGY"
