"""``sfactl strategy``: list, draw and check strategies, and stop them; other files run and prove them."""

from __future__ import annotations

import importlib

import click

from sfactl.cli import options, rule_transfer
from sfactl.cli.app import App, Output, pass_app


@click.group()
def group() -> None:
    """Strategies: selling rules as files, planned, reviewed, applied and tested."""


@group.command("list")
@options.output
@pass_app
def list_(app: App, output: Output) -> None:
    """List strategies, whether they run, who is in them, and what came of it.

    \b
    Example:
      sfactl strategy list
    """
    from sfactl.strategies import usecases

    output.emit(usecases.strategies(app.session()))


@group.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.output
@pass_app
def check(app: App, names: tuple[str, ...], output: Output) -> None:
    """Check strategy files, their conditions, steps, templates and senders.

    \b
    Example:
      sfactl strategy check
      sfactl strategy check wake-up
    """
    from sfactl.strategies import usecases

    found = usecases.check(app.session(), names)
    marks = {"ok": "✓", "warning": "!", "error": "✗"}
    output.emit(
        found,
        human=lambda: [f"{marks[f.severity]} {f.strategy}: {f.message}" for f in found] or ["There are no strategies."],
        exit_code=2 if any(f.severity == "error" for f in found) else 0,
    )


@group.command()
@click.argument("name")
@options.as_of
@options.output
@pass_app
def show(app: App, name: str, as_of: str | None, output: Output) -> None:
    """Draw strategy NAME: whom it is for, each step, where it leads, and who stands there.

    \b
    Example:
      sfactl strategy show wake-up
    """
    from sfactl.cli.strategy_lines import show_lines
    from sfactl.strategies import usecases

    result = usecases.show(app.session(as_of=as_of), name)
    output.emit(result, human=lambda: show_lines(result))


@group.command()
@click.argument("name")
@options.output
@pass_app
def versions(app: App, name: str, output: Output) -> None:
    """List the versions of strategy NAME and how many leads follow each.

    A lead finishes the version it began with. To move leads to the newest: sfactl strategy switch.

    \b
    Example:
      sfactl strategy versions wake-up
    """
    from sfactl.strategies import usecases

    output.emit(usecases.versions(app.session(), name))


@group.command()
@click.argument("name")
@options.dry_run
@options.output
@pass_app
def pause(app: App, name: str, dry_run: bool, output: Output) -> None:
    """Stop strategy NAME. A run under way stops before its next 20 messages.

    \b
    Example:
      sfactl strategy pause wake-up
    """
    from sfactl.strategies import usecases

    result = usecases.pause(app.session(dry_run=dry_run), name)
    output.emit(result, human=lambda: [f"{name} {'is paused now' if result.changed else 'was paused already'}."])


@group.command()
@click.argument("name")
@options.dry_run
@options.output
@pass_app
def unpause(app: App, name: str, dry_run: bool, output: Output) -> None:
    """Let strategy NAME go on.

    \b
    Example:
      sfactl strategy unpause wake-up
    """
    from sfactl.strategies import usecases

    result = usecases.unpause(app.session(dry_run=dry_run), name)
    output.emit(result, human=lambda: [f"{name} {'may go on now' if result.changed else 'was not paused'}."])


rule_transfer.register(group, "strategy")
for module in (
    "strategy_plan",
    "strategy_log",
    "strategy_versions",
    "strategy_test",
    "strategy_simulate",
    "strategy_coverage",
    "strategy_try",
):
    importlib.import_module(f"sfactl.cli.{module}").register(group)
