"""``sfactl touch resolve``: settle messages of which nobody knows whether they arrived; registered by ``touch``."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(resolve)


@click.command()
@click.argument("key", required=False)
@click.argument("outcome", required=False, type=click.Choice(["accepted", "refused", "retry"]))
@click.option("--note", default="", help="How you know.")
@click.option(
    "--from",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Settle many: a CSV file with the columns key, outcome and, if you like, note.",
)
@options.dry_run
@options.output
@pass_app
def resolve(
    app: App, key: str | None, outcome: str | None, *, note: str, file: Path | None, dry_run: bool, output: Output
) -> None:
    """Settle an unknown message: it was accepted, it was refused, or it may be tried again.

    For many, write down the list, look into the provider's log, and fill in a column outcome.

    \b
    Example:
      sfactl touch resolve 3f7a91c2.spring.invite.8841.1 accepted --note seen
      sfactl touch list --state unknown --limit 0 --format csv --output held.csv
      sfactl touch resolve --from held.csv
    """
    if (file is None) is not (key is not None and outcome is not None):
        raise click.UsageError("Say KEY and OUTCOME, or --from FILE.")
    from sfactl.campaigns import usecases

    session = app.session(dry_run=dry_run)
    if file is not None:
        done = usecases.resolve_file(session, file)
        text = (
            f"{done.accepted:,} accepted, {done.refused:,} refused, {done.retry:,} may be sent again by the next plan"
        )
        more = [f"{done.before:,} were settled before."] if done.before else []
        output.emit(done, human=lambda: [f"{'Would settle: ' if dry_run else ''}{text}.", *more])
        return
    result = usecases.resolve(session, key or "", outcome or "", detail=note)
    what = f"may be sent again: sfactl {result.again}" if outcome == "retry" else f"is {outcome} now"
    output.emit(result, human=lambda: [f"{key} {what}."])
