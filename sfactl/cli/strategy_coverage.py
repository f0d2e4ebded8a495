"""``sfactl strategy coverage|conflicts|lint``: whom strategies leave out, catch twice, or can never reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.report_lines import grid
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.strategies.conflicts import Conflict
    from sfactl.strategies.usecases.covering import Coverage

MARKS = {"error": "✗", "warning": "!", "info": "·"}
KINDS = {
    "settled": "one group: the first gets them",
    "capped": "same channel, within caps",
    "clash": "same channel, no caps",
    "tasks": "both make work for reps",
    "apart": "do different things",
}


def register(group: click.Group) -> None:
    """Add the commands to the group ``strategy``."""
    for command in (coverage, conflicts, lint):
        group.add_command(command)


@click.command()
@click.option("--journey", default="", metavar="NAME", help="Which journey [default: the only one there is].")
@options.as_of
@options.output
@pass_app
def coverage(app: App, *, journey: str, as_of: str | None, output: Output) -> None:
    """Show which active strategy would take whom today, by node of the journey, and who is left out or taken twice.

    \b
    Example:
      sfactl strategy coverage
      sfactl strategy coverage --as-of 2026-09-30 --format json
    """
    from sfactl.strategies.usecases import covering

    result = covering.coverage(app.session(as_of=as_of), journey)
    output.emit(result, human=lambda: _coverage(result))


@click.command()
@click.option("--no-data", is_flag=True, help="Look at the files only, not at the leads.")
@click.option(
    "--all", "every", is_flag=True, help="Also what is harmless: terms that say nothing, doubles of segments."
)
@options.as_of
@options.output
@pass_app
def conflicts(app: App, *, no_data: bool, every: bool, as_of: str | None, output: Output) -> None:
    """Find rules that can never hold, ways nobody takes, strategies in the shadow of another, and doubles.

    What is said to be impossible is proven from the conditions, with the terms that clash; what is not proven is not
    said. Exits with 2 where there is an error.

    \b
    Example:
      sfactl strategy conflicts
      sfactl strategy conflicts --no-data --all
    """
    from sfactl.strategies.usecases import covering

    found = covering.find_conflicts(app.session(as_of=as_of), with_data=not no_data)
    if not every:
        found = tuple(c for c in found if c.severity != "info" or c.kind == "nobody today")
    wrong = any(c.severity == "error" for c in found)
    output.emit(found, human=lambda: _conflicts(found), exit_code=2 if wrong else 0)


@click.command()
@click.option(
    "--min-samples", type=click.IntRange(min=0), default=0, metavar="N",
    help="Fewest leads that a score must have learned from, where the strategy itself states none.",
)  # fmt: skip
@options.as_of
@options.output
@pass_app
def lint(app: App, *, min_samples: int, as_of: str | None, output: Output) -> None:
    """Check strategies whose conditions ask for a score that learns: has it learned from enough leads?

    A strategy states min_samples and a fallback; below that number its fallback decides who enters, not the score.
    Exits with 2 where a rule relies on too few samples and has no fallback.

    \b
    Example:
      sfactl strategy lint --min-samples 200
    """
    from sfactl.strategies.usecases import sampling

    found = sampling.lint(app.session(as_of=as_of), min_samples=min_samples)
    marks = {"ok": "✓", "falls back": "!", "too few": "✗"}
    output.emit(
        found,
        human=lambda: (
            [f"{marks[f.verdict]} {f.where}: {f.message}" for f in found]
            or ["No strategy asks for a score that learns."]
        ),
        exit_code=2 if any(f.verdict == "too few" for f in found) else 0,
    )


def _coverage(result: Coverage) -> Iterator[str]:
    on = f"journey {result.journey} × " if result.journey else ""
    active = count(len(result.strategies), "active strategy")
    yield f"Coverage: {on}{active}, {count(result.leads, 'lead')}, commit {result.seq}"
    caught = {(c.node, c.strategy): c.leads for c in result.caught}
    used = [name for name in result.strategies if name not in result.idle]
    rows: list[dict[str, Any]] = [
        {
            "node": n.node,
            "leads": n.leads,
            "by none": n.by_none,
            "strategies": ", ".join(f"{name} {caught[n.node, name]:,}" for name in used if (n.node, name) in caught),
        }
        for n in result.nodes
        if n.leads or n.node != "(no node yet)"
    ]
    yield from grid(rows, ["node", "leads", "by none", "strategies"])
    bare = [n.node for n in result.nodes if n.leads and not n.strategies]
    if bare:
        yield f"Nodes with customers and no strategy: {', '.join(bare)}"
    for n in result.nodes:
        if n.sample:
            yield f"  {n.node}: {n.by_none:,} caught by none, such as {_leads(n.sample)}"
    if result.overlaps:
        yield "Caught by two"
        for o in result.overlaps:
            yield f"  {o.one} and {o.other}: {o.leads:,}, {KINDS[o.kind]}; such as {_leads(o.sample)}"
    if result.idle:
        yield f"Strategies that would take nobody today: {', '.join(result.idle)}"


def _conflicts(found: tuple[Conflict, ...]) -> Iterator[str]:
    for c in found:
        yield f"{MARKS[c.severity]} {c.where}: {c.message}"
        yield from (f"    {term}" for term in c.terms)
    if not found:
        yield "Nothing contradicts itself or another."


def _leads(numbers: tuple[int, ...]) -> str:
    return ", ".join(f"lead:{n}" for n in numbers)
