"""The commands of ``strategy`` that make plans, compare, approve and apply them."""

from __future__ import annotations

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

ACTIONS = ("enter", "send", "task", "approval", "push", "pass", "wait", "skip", "hold", "leave")


def register(group: click.Group) -> None:
    """Add the commands to the group ``strategy``."""
    for command in (plan, diff, items, approve, apply, resume):
        group.add_command(command)


@click.command()
@click.argument("name")
@click.option("--at", metavar="TIME", default=None, help="Plan for this time (workspace zone) instead of now.")
@click.option("--diff", "show_diff", is_flag=True, help="List who differs from the plan before.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Show N leads of each step, action and reason.")
@options.dry_run
@options.as_of
@options.fail_empty
@options.output
@pass_app
def plan(
    app: App,
    name: str,
    at: str | None,
    show_diff: bool,
    sample: int | None,
    dry_run: bool,
    as_of: str | None,
    fail_empty: bool,
    output: Output,
) -> None:
    """Work out what strategy NAME would do now: who gets what, when, and why.

    Nothing is done. The same files and data give the same plan id on any machine.

    \b
    Example:
      sfactl strategy plan wake-up
      sfactl strategy plan wake-up --sample 3
      sfactl strategy plan wake-up --at 2026-11-23T09:00 --dry-run
      sfactl strategy plan wake-up --format jsonl
    """
    from sfactl.cli import strategy_lines as lines
    from sfactl.cli.campaign_lines import table_lines
    from sfactl.strategies import usecases

    session = app.session(dry_run=dry_run, as_of=as_of)
    result = usecases.plan(session, name, at=session.moment(at) if at else None)
    code = 4 if fail_empty and result.effects + result.moves == 0 else 0
    if output.format in ("jsonl", "csv", "parquet") and result.saved:
        output.emit(usecases.items(session, result.plan_id), exit_code=code)
        return

    def human() -> list[str]:
        text = list(lines.plan_lines(result))
        if sample and result.saved:
            text += ["", *table_lines(usecases.samples(session, result.plan_id, sample=sample))]
        if show_diff and result.saved and result.previous:
            found = usecases.difference(session, result.previous, result.plan_id)
            text += ["", *lines.diff_lines(found, found.slice(0, 50))]
        return text

    output.emit(result, human=human, exit_code=code)


@click.command()
@click.argument("plan")
@click.argument("other", required=False)
@options.limit(50)
@options.output
@pass_app
def diff(app: App, plan: str, other: str | None, limit: int, output: Output) -> None:
    """List what differs between PLAN and the data as it is now, or another plan.

    \b
    Example:
      sfactl strategy diff 7f3a19
      sfactl strategy diff 51c0de 7f3a19
    """
    from sfactl.cli import strategy_lines as lines
    from sfactl.strategies import usecases

    found = usecases.difference(app.session(), plan, other)
    shown = found.slice(0, limit) if limit else found
    output.emit(shown, human=lambda: lines.diff_lines(found, shown))


@click.command()
@click.argument("plan")
@click.option("--action", type=click.Choice(ACTIONS), default=None, help="Only these.")
@click.option("--lead", type=int, default=0, metavar="ID", help="Only this lead.")
@options.limit(50)
@options.output
@pass_app
def items(app: App, plan: str, action: str | None, lead: int, limit: int, output: Output) -> None:
    """Show what PLAN decides about each lead, step by step.

    \b
    Example:
      sfactl strategy items 7f3a19 --action skip
      sfactl strategy items 7f3a19 --lead 8841
    """
    from sfactl.strategies import usecases

    output.emit(usecases.items(app.session(), plan, action=action or "", lead_id=lead, limit=limit))


@click.command()
@click.argument("plan")
@click.option("--effects", type=int, metavar="N", help="Approve only if the plan has exactly N effects.")
@options.dry_run
@options.output
@pass_app
def approve(app: App, plan: str, effects: int | None, dry_run: bool, output: Output) -> None:
    """Approve exactly PLAN and its number of effects. Any other plan needs an approval of its own.

    \b
    Example:
      sfactl strategy approve 7f3a19
      sfactl strategy approve 7f3a19 --effects 8412
    """
    from sfactl.strategies import usecases

    row = usecases.approve(app.session(dry_run=dry_run), plan, effects=effects)
    text = f"Plan {row.short} ({row.effects:,} effects) approved by {row.approved_by}."
    output.emit(row, human=lambda: [text, f"Next: sfactl strategy apply {row.short}"])


@click.command()
@click.argument("plan")
@options.permits
@options.dry_run
@options.output
@pass_app
def apply(app: App, plan: str, *, late: bool, override: str, dry_run: bool, output: Output) -> None:
    """Do exactly what PLAN says, or leave with 5 and say what moved since.

    Nothing happens twice, however often this is run or killed.

    \b
    Example:
      sfactl strategy apply 7f3a19 --dry-run
      sfactl strategy apply 7f3a19
    """
    from sfactl.cli import strategy_lines as lines
    from sfactl.strategies import usecases

    session = app.session(dry_run=dry_run)
    result = usecases.apply(session, plan, late=late, override=override)
    zone = session.settings.workspace.time_zone
    output.emit(result, human=lambda: lines.apply_lines(result, zone), exit_code=3 if result.partly else 0)


@click.command()
@click.argument("plan")
@click.option("--missing", is_flag=True, help="Also a plan that was done: reach exactly those who got nothing yet.")
@options.permits
@options.dry_run
@options.output
@pass_app
def resume(app: App, plan: str, *, missing: bool, late: bool, override: str, dry_run: bool, output: Output) -> None:
    """Go on with PLAN where it was interrupted; only what is missing is done.

    \b
    Example:
      sfactl strategy resume 7f3a19
      sfactl strategy resume 7f3a19 --missing
      sfactl strategy resume 7f3a19 --override "one company closed"
    """
    from sfactl.cli import strategy_lines as lines
    from sfactl.strategies import usecases

    session = app.session(dry_run=dry_run)
    result = usecases.resume(session, plan, missing=missing, late=late, override=override)
    zone = session.settings.workspace.time_zone
    output.emit(result, human=lambda: lines.apply_lines(result, zone), exit_code=3 if result.partly else 0)
