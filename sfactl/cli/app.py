"""What every command is handed: the global options, and from them the workspace folder, settings and session.

It opens nothing until a command asks, so that help and light commands stay fast.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli.emit import Output

if TYPE_CHECKING:
    from sfactl.config.settings import Settings
    from sfactl.session import Session

__all__ = ["App", "Output", "pass_app"]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The global options of one call of ``sfactl``."""

    workspace: Path | None = None
    env: str | None = None
    no_plugins: tuple[str, ...] = ()
    actor: str = ""
    seed: int = 0
    quiet: bool = False
    debug: bool = False

    def folder(self) -> Path:
        """The workspace: ``-w``, else SFACTL_WORKSPACE, else the nearest folder upwards with a ``sfactl.toml``.

        Raises `NotFound`.
        """
        from sfactl.config.layers import find_workspace

        return find_workspace(self.workspace, os.environ, Path.cwd())

    def settings(self) -> Settings:
        """The settings of the workspace with all layers applied. Raises `ConfigError`."""
        from sfactl.config.layers import load_settings

        return load_settings(self.folder(), env=self.env, environ=os.environ, no_plugins=self.no_plugins)

    def session(self, *, dry_run: bool = False, as_of: str | None = None, command: str | None = None) -> Session:
        """Open the workspace for one command; ``command`` is what the history will say, by default its name."""
        from sfactl.session import open_session

        settings = self.settings()
        session = open_session(
            self.folder(),
            settings=settings,
            command=command or command_path(),
            actor=self.actor,
            dry_run=dry_run,
            as_of=as_of,
            seed=self.seed,
            quiet=self.quiet,
            plugins_disabled=settings.plugins.disabled,
        )
        if ctx := click.get_current_context(silent=True):
            ctx.call_on_close(session.close)
        return session


def command_path() -> str:
    """The running command without the program's name, for instance ``lead import``."""
    ctx = click.get_current_context(silent=True)
    return ctx.command_path.partition(" ")[2] if ctx else ""


pass_app = click.make_pass_decorator(App)
