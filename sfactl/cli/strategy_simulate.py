"""``sfactl strategy simulate``: what a strategy would have done in the past, alone or beside an edited wording."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


def register(group: click.Group) -> None:
    """Add the command to ``sfactl strategy``."""
    group.add_command(simulate)


@click.command()
@click.argument("name")
@click.option("--from", "start", required=True, metavar="WHEN", help="First day or time of the period.")
@click.option("--to", "end", required=True, metavar="WHEN", help="Last day or time of the period.")
@click.option("--every", default="", metavar="PERIOD", help="Run so often instead of at the strategy's schedule.")
@click.option("--recorded", is_flag=True, help="Play the recorded runs again, and say whether they come out alike.")
@click.option(
    "--file",
    "edited",
    type=click.Path(dir_okay=False, path_type=Path),
    help="An edited strategy file to compare with the real one.",
)
@click.option(
    "--history",
    type=click.Choice(["known", "happened"]),
    default=None,
    help="What each run sees: what was known then, or what had happened by then [default: known where commits reach].",
)
@click.option("--fresh", is_flag=True, help="Begin with nobody inside, as if the strategy had never run.")
@click.option(
    "--approvals",
    type=click.Choice(["approved", "refused", "open"]),
    default="approved",
    show_default=True,
    help="What approvals get that nobody answered in reality.",
)
@click.option("--contact", type=int, metavar="LEAD", default=None, help="Print the path of this lead, day by day.")
@click.option(
    "--show",
    type=click.Choice(["summary", "steps", "days", "reps", "leads"]),
    default="summary",
    show_default=True,
    help="What to print or export.",
)
@options.limit(50)
@options.output
@pass_app
def simulate(
    app: App,
    name: str,
    start: str,
    end: str,
    every: str,
    recorded: bool,
    edited: Path | None,
    history: str | None,
    fresh: bool,
    approvals: str,
    contact: int | None,
    show: str,
    limit: int,
    output: Output,
) -> None:
    """Simulate strategy NAME on the past with a clock of its own. Nothing is written and nothing is sent.

    \b
    Example:
      sfactl strategy simulate vip --from 2026-08-01 --to 2026-10-31
      sfactl strategy simulate vip --from 2026-08-01 --to 2026-10-31 --file e.toml
      sfactl strategy simulate vip --from 2026-10-01 --to 2026-10-31 --recorded
      sfactl strategy simulate vip --from 2026-10-01 --to 2026-10-31 --contact 7
    """
    from sfactl.cli import strategy_simulate_lines as lines
    from sfactl.simulation import usecases

    asked = usecases.Asked(
        name=name,
        start=start,
        end=end,
        every=every,
        recorded=recorded,
        file=edited,
        history=history,  # type: ignore[arg-type]
        fresh=fresh,
        approvals=approvals,
        contact=contact,
    )
    session = app.session(dry_run=True)
    if show == "leads":
        found = usecases.people(session, asked)
        output.emit(found.slice(0, limit) if limit else found)
        return
    result = usecases.simulate(session, asked)
    differs = any(not r.exact for r in result.replay)
    code = 3 if differs else 0
    if contact is not None:
        listing = output.format in ("jsonl", "csv", "parquet")
        output.emit(result.path if listing else result, human=lambda: lines.path_lines(result, contact), exit_code=code)
    elif show != "summary":
        rows = {"steps": result.real.steps, "days": result.days, "reps": result.real.reps}[show]
        output.emit(rows, exit_code=code)
    elif output.format in ("csv", "jsonl", "parquet", "md"):
        output.emit(result.lines or result.real.steps, exit_code=code)
    else:
        output.emit(result, human=lambda: lines.simulation_lines(result), exit_code=code)
