"""The commands of ``strategy`` that bring leads, and old files, to the newest version."""

from __future__ import annotations

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count


def register(group: click.Group) -> None:
    """Add the commands to the group ``strategy``."""
    for command in (switch, migrate):
        group.add_command(command)


@click.command()
@click.argument("name")
@click.option(
    "--map", "steps", multiple=True, metavar="OLD=NEW", help="Where those go on who stand at a step that is gone."
)
@options.dry_run
@options.output
@pass_app
def switch(app: App, name: str, steps: tuple[str, ...], dry_run: bool, output: Output) -> None:
    """Move everybody who is in strategy NAME to its newest version.

    Without this, leads finish the version they began with.

    \b
    Example:
      sfactl strategy switch wake-up --dry-run
      sfactl strategy switch wake-up --map remind=call
    """
    from sfactl.strategies import usecases

    pairs = {}
    for pair in steps:
        old, sign, new = pair.partition("=")
        if not (old and sign and new):
            raise click.BadParameter(f"{pair!r} is not like OLD=NEW", param_hint="--map")
        pairs[old] = new
    moved = usecases.switch(app.session(dry_run=dry_run), name, steps=pairs)

    def human() -> list[str]:
        if not moved:
            return [f"Everybody in {name} follows the newest version."]
        text = ["Dry run: nothing is written."] if dry_run else []
        return text + [
            f"  version {m.version}  {m.step} → {m.to_step or 'control'}  {count(m.leads, 'lead')}" for m in moved
        ]

    output.emit(moved, human=human)


@click.command()
@click.argument("name")
@click.option("--owner", default="", metavar="REP", help="Who gets tasks that name nobody, of leads without a rep.")
@options.dry_run
@options.output
@pass_app
def migrate(app: App, name: str, owner: str, dry_run: bool, output: Output) -> None:
    """Rewrite the file of NAME in today's form and show the difference; a campaign becomes a strategy.

    Old files load for ever. Who got a message from the campaign does not get it again from the strategy.

    \b
    Example:
      sfactl strategy migrate spring-webinar --owner sam --dry-run
      sfactl strategy migrate spring-webinar --owner sam
    """
    from sfactl.strategies import usecases

    result = usecases.migrate(app.session(dry_run=dry_run), name, owner=owner)

    def human() -> list[str]:
        if not result.diff:
            return [f"{result.file} has the newest form, {result.became}. Nothing to migrate."]
        last = f"Written. {result.file} is gone." if result.written else "Dry run: nothing is written."
        return [*result.diff, last, f"Next: sfactl strategy show {name}"]

    output.emit(result, human=human)
