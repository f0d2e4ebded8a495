"""The entry of ``sfactl``: global options, lazy groups, and the last word on errors and exit codes."""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import click

from sfactl.cli import faults
from sfactl.cli.app import App
from sfactl.cli.groups import LazyGroups

PROGRAM = "sfactl"


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from sfactl import __version__

        click.echo(f"{PROGRAM} {__version__}")
        ctx.exit()


@click.command(cls=LazyGroups, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-w", "--workspace", type=click.Path(path_type=Path), metavar="DIR", help="The workspace folder.")
@click.option("--env", metavar="NAME", envvar="SFACTL_ENV", help="Use the settings of [env.NAME].")
@click.option("--no-plugin", "no_plugins", multiple=True, metavar="NAME", help="Leave this plugin out.")
@click.option("--actor", metavar="NAME", envvar="SFACTL_ACTOR", help="Who is acting, for the history.")
@click.option("--seed", type=int, default=0, envvar="SFACTL_SEED", metavar="N", help="Seed of all chance.")
@click.option("--quiet", "-q", is_flag=True, help="No notes and no progress.")
@click.option("--debug", is_flag=True, envvar="SFACTL_DEBUG", help="Show tracebacks.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@click.pass_context
def root(
    ctx: click.Context,
    *,
    workspace: Path | None,
    env: str | None,
    no_plugins: tuple[str, ...],
    actor: str | None,
    seed: int,
    quiet: bool,
    debug: bool,
) -> None:
    """Sales force automation as code: from a lead to cash.

    \b
    Example:
      sfactl init acme --preset b2b
      sfactl -w acme lead import expo.xlsx
    """
    ctx.obj = App(
        workspace=workspace,
        env=env,
        no_plugins=no_plugins,
        actor=actor or _user(),
        seed=seed,
        quiet=quiet,
        debug=debug,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def main(args: Sequence[str]) -> int:
    """Run one command line (without the program's name) and answer the exit code."""
    args = list(args)
    ctx: click.Context | None = None
    try:
        with root.make_context(PROGRAM, list(args)) as ctx:
            root.invoke(ctx)
        sys.stdout.flush()
    except BaseException as error:  # everything ends in words and a code, our own bugs too
        return faults.report(error, command=_said(args, error), as_json=_wants_json(args), debug=_wants_debug(args))
    return 0


def run() -> NoReturn:
    """The console script: run the command line of this process and exit."""
    if instruction := os.environ.get("_SFACTL_COMPLETE"):
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(root, {}, PROGRAM, "_SFACTL_COMPLETE", instruction))
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError as error:
        code = faults.report(error, command="", as_json=False, debug=False)
    sys.exit(code)


def _said(args: Sequence[str], error: BaseException) -> str:
    """The command that was running, as far as it can be known."""
    ctx = getattr(error, "ctx", None) or click.get_current_context(silent=True)
    if ctx is not None:
        return str(ctx.command_path).partition(" ")[2]
    with contextlib.suppress(Exception):  # a group that cannot be imported is what is being reported
        return " ".join(_words(args))
    return ""


def _words(args: Sequence[str]) -> list[str]:
    command: click.Command | None = root
    words: list[str] = []
    ctx = click.Context(root, info_name=PROGRAM, resilient_parsing=True)
    rest = iter(args)
    for arg in rest:
        if arg in _VALUED:
            next(rest, None)
        elif not arg.startswith("-"):
            command = command.get_command(ctx, arg) if isinstance(command, click.Group) else None
            if command is None:
                break
            words.append(arg)
    return words


_VALUED = {"-w", "--workspace", "--env", "--no-plugin", "--actor", "--seed"}


def _wants_json(args: Sequence[str]) -> bool:
    return "--format=json" in args or any(a == "--format" and b == "json" for a, b in pairwise(args))


def _wants_debug(args: Sequence[str]) -> bool:
    return "--debug" in args or bool(os.environ.get("SFACTL_DEBUG"))
