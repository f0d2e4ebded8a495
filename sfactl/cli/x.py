"""``sfactl x NAME``: commands that plugins add. They stand apart, so that none can take the place of a built-in one."""

from __future__ import annotations

from typing import Any

import click

from sfactl.api.errors import SfactlError
from sfactl.cli.app import App
from sfactl.cli.plugin import open_host

RUNNING = f"{__name__}.running"


class PluginCommands(click.Group):
    """Knows its commands by their offers and imports one only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands that are offered."""
        return list(open_host(_app(ctx)).offers("command"))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the offers' summaries, without importing a command."""
        rows = [(name, found.offer.summary) for name, found in open_host(_app(ctx)).offers("command").items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows or [("(none)", "No installed plugin adds a command.")])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The plugin's command. Raises `NotFound` with the nearest name, and `PluginError` for what the plugin does."""
        host = open_host(_app(ctx))
        command, ctx.obj = host.command(args[0])
        ctx.meta[RUNNING] = lambda error: host.blame(host.find("command", args[0]), error)
        return args[0], command, args[1:]

    def invoke(self, ctx: click.Context) -> Any:
        """Run it. What goes wrong inside is the plugin's fault, not a bug of sfactl."""
        try:
            return super().invoke(ctx)
        except (SfactlError, click.ClickException, click.exceptions.Exit, click.Abort, OSError):
            raise
        except Exception as error:
            raise ctx.meta[RUNNING](error) if RUNNING in ctx.meta else error from error


def _app(ctx: click.Context) -> App:
    return ctx.find_object(App) or App()


@click.group("x", cls=PluginCommands)
def group() -> None:
    """Commands that plugins add.

    \b
    Example:
      sfactl x --help
    """
