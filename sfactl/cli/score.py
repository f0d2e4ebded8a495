"""``sfactl score``: points that say who is ready to talk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.score_learn import backtest, models, promote, train
from sfactl.cli.tables import pad, table, width

if TYPE_CHECKING:
    from sfactl.scoring.answers import Explained, LeadExplained, Matrix, RunResult
    from sfactl.scoring.reasons import Reason

NO_GRADE = "–"


@click.group()
def group() -> None:
    """Scores: points that say who is ready to talk."""


@group.command("list")
@options.as_of
@options.output
@pass_app
def list_(app: App, *, as_of: str | None, output: Output) -> None:
    """List the scores and how many leads have one.

    \b
    Example:
      sfactl score list
    """
    from sfactl.scoring import usecases

    output.emit(usecases.list_scores(app.session(as_of=as_of)))


@group.command()
@click.argument("files", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@options.output
@pass_app
def check(app: App, files: tuple[Path, ...], *, output: Output) -> None:
    """Check score FILES, or all of the workspace, without running them.

    \b
    Example:
      sfactl score check scores/intent.toml
    """
    from sfactl.scoring import usecases

    result = usecases.check(app.session(), files)
    right = f"{result.checked} score{'' if result.checked == 1 else 's'} checked, all right."
    output.emit(result, human=lambda: result.problems or (right,), exit_code=2 if result.problems else 0)


@group.command()
@click.argument("names", nargs=-1)
@click.option("--matrix", "with_matrix", is_flag=True, help="Count the leads by their grades of the two scores, too.")
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def run(
    app: App, names: tuple[str, ...], *, with_matrix: bool, dry_run: bool, fail_empty: bool, output: Output
) -> None:
    """Compute the scores NAMES, or all, for every lead and store what changed.

    \b
    Example:
      sfactl score run
      sfactl score run fit intent --matrix --dry-run
    """
    from sfactl.scoring import usecases

    result = usecases.run(app.session(dry_run=dry_run), names, with_matrix=with_matrix)
    nothing = 4 if fail_empty and not result.changed else 0
    output.emit(result, human=lambda: _ran(result), exit_code=3 if result.skipped else nothing)


@group.command()
@click.argument("lead")
@options.as_of
@options.output
@pass_app
def show(app: App, lead: str, *, as_of: str | None, output: Output) -> None:
    """Show the stored scores of LEAD (lead:8841 or 8841).

    \b
    Example:
      sfactl score show lead:8841
    """
    from sfactl.engine.references import number_of
    from sfactl.scoring import usecases

    output.emit(usecases.show(app.session(as_of=as_of), number_of("lead", lead)))


@group.command()
@click.argument("lead")
@click.argument("names", nargs=-1)
@options.as_of
@options.output
@pass_app
def explain(app: App, lead: str, names: tuple[str, ...], *, as_of: str | None, output: Output) -> None:
    """Say how the scores of LEAD come about, reason by reason; all scores, or only NAMES.

    The reasons always add up to the score.

    \b
    Example:
      sfactl score explain lead:8841 intent --as-of 2026-11-01
    """
    from sfactl.engine.references import number_of
    from sfactl.scoring import usecases

    result = usecases.explain(app.session(as_of=as_of), number_of("lead", lead), names)
    output.emit(result, human=lambda: _explained(result))


@group.command()
@click.argument("fit")
@click.argument("intent")
@options.as_of
@options.output
@pass_app
def matrix(app: App, fit: str, intent: str, *, as_of: str | None, output: Output) -> None:
    """Count the leads by their grades of two scores: FIT down, INTENT across.

    \b
    Example:
      sfactl score matrix fit intent
    """
    from sfactl.scoring import usecases

    result = usecases.count_matrix(app.session(as_of=as_of), fit, intent)
    output.emit(result, human=lambda: _grid(result))


for command in (train, backtest, models, promote):
    group.add_command(command)


def _ran(result: RunResult) -> Iterator[str]:
    if not result.scores and not result.skipped:
        yield "There are no scores. Write one to scores/NAME.toml"
        return
    if result.dry_run:
        yield "Dry run: nothing is written."
    for one in result.skipped:
        yield f"  {one.name} left out: {one.reason}"
    if not result.scores:
        return
    longest = max(width(ran.name) for ran in result.scores)
    for ran in result.scores:
        moves = [
            f"{n:,} {word}"
            for n, word in ((ran.new, "new"), (ran.up, "up"), (ran.down, "down"), (ran.gone, "gone"))
            if n
        ]
        grades = "  ".join(f"{g.grade or NO_GRADE} {g.leads:,}" for g in ran.grades if g.grade or g.leads)
        line = f"  {pad(ran.name, longest)}  {ran.leads:>9,} leads  {' · '.join(moves) or 'unchanged'}"
        yield f"{line}   {grades}".rstrip()
        if ran.note:
            yield (
                f"  {'':{longest}}  with {ran.note}"
                if ran.note.startswith("model")
                else f"  {'':{longest}}  {ran.note}"
            )
    if result.matrix is not None:
        yield from _grid(result.matrix)
    if result.commit is not None:
        yield f"Commit {result.commit}."
    elif not result.changed:
        yield "Nothing changed, nothing was written."


def _explained(result: LeadExplained) -> Iterator[str]:
    totals = ", ".join(f"{s.score} {_points(s.points)}{f' ({s.grade})' if s.grade else ''}" for s in result.scores)
    cell = f" → {result.cell}" if result.cell else ""
    yield " · ".join(part for part in (result.lead or f"lead {result.lead_id}", f"{totals}{cell}") if part)
    for score in result.scores:
        lines = _lines(score)
        first = max([width(line[0]) for line in lines] + [6])
        second = max([width(line[1]) for line in lines] + [1])
        for amount, text, day, rule in lines:
            yield f"  {pad(amount, first, right=True)}  {pad(text, second)}  {day:10}  {rule}".rstrip()
        yield f"  {pad('= ' + _points(score.points), first, right=True)}  {_agreement(score)}"
        if score.note:
            yield f"  {pad('', first)}  {score.score}: {score.note}"


def _lines(score: Explained) -> list[tuple[str, str, str, str]]:
    """One line for each rule (its rows together, its cap included) and one for each group or bound."""
    known = {name: (summary, fading) for name, summary, fading in score.rules}
    groups: dict[tuple[str, str], list[Reason]] = {}
    for reason in score.reasons:
        kind: str = "rule" if reason.kind in ("event", "lead", "cap") else reason.kind
        groups.setdefault((kind, reason.name), []).append(reason)
    lines = []
    for (kind, name), reasons in groups.items():
        amount = _signed(sum((r.points for r in reasons), Decimal(0)))
        if kind != "rule":
            text = {"group": f"group {name} is capped", "ceiling": f"ceiling: {name}", "floor": f"floor: {name}"}[kind]
            lines.append((amount, text, "", f"{score.score}: {kind}"))
            continue
        summary, fading = known.get(name, ("", ""))
        rows = [r for r in reasons if r.kind != "cap"]
        times = f", {len(rows)} times" if len(rows) > 1 else ""
        detail = f" {rows[0].detail}" if len(rows) == 1 and rows[0].detail else ""
        days = [r.at for r in rows if r.at is not None]
        notes = [fading] if fading else []
        if len(rows) < len(reasons):
            notes.append(f"capped at {_points(abs(sum((r.points for r in reasons), Decimal(0))))}")
        rule = f"{score.score}.{name}" + (f" ({', '.join(notes)})" if notes else "")
        lines.append((amount, f"{summary or name}{detail}{times}", _day(max(days, default=None)), rule))
    return lines


def _agreement(score: Explained) -> str:
    if score.stored is None:
        return "not stored yet; run: sfactl score run"
    if score.agrees:
        commit = "" if score.stored_commit is None else f" (computed from commit {score.stored_commit})"
        return f"agrees with the stored score{commit}"
    stored = f"{_points(Decimal(str(score.stored)))} is stored, computed at {score.stored_at:%Y-%m-%d %H:%M}"
    if score.was_right:
        return f"{stored}, right at that time"
    return f"{stored}; the data or the rules changed since"


def _grid(result: Matrix) -> Iterator[str]:
    names = [f"{result.down} \\ {result.across}", *result.grades, "all"]
    rows: list[list[object]] = [[row.grade, *row.leads, sum(row.leads)] for row in result.rows]
    sums = [sum(column) for column in zip(*(row.leads for row in result.rows), strict=True)]
    rows.append(["all", *sums, sum(sums)])
    yield from table(names, rows)


def _points(points: Decimal) -> str:
    text = f"{points:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signed(points: Decimal) -> str:
    return f"+{_points(points)}" if points > 0 else f"−{_points(-points)}"


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else ""
