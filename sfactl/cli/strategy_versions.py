"""The commands of ``strategy`` that bring leads, and old files, to the newest version."""

from __future__ import annotations

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count


def register(group: click.Group) -> None:
    """Add the commands to the group ``strategy``."""
    for command in (switch,):
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
