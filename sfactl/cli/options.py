"""Options that many commands share, so that they are named, explained and checked in one way."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sfactl.cli.emit import FORMATS, Output, output_of

F = TypeVar("F", bound=Callable[..., Any])


def dry_run(command: F) -> F:
    """``--dry-run``: say what would happen, write and send nothing."""
    return click.option("--dry-run", is_flag=True, help="Say what would happen; write and send nothing.")(command)


def as_of(command: F) -> F:
    """``--as-of``: what was known at a commit, a date or a time."""
    return click.option(
        "--as-of", metavar="WHEN", default=None, help="What was known at a commit number, a date or a time."
    )(command)


def yes(command: F) -> F:
    """``--yes``: do not ask."""
    return click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")(command)


def limit(default: int = 50) -> Callable[[F], F]:
    """``--limit N``: at most so many rows; 0 for all."""

    def add(command: F) -> F:
        return click.option(
            "--limit",
            type=click.IntRange(min=0),
            default=default,
            show_default=True,
            metavar="N",
            help="At most N rows; 0 for all.",
        )(command)

    return add


def html_page(command: F) -> F:
    """``--html FILE``: write messages as a page that a browser shows."""
    kind = click.Path(dir_okay=False, path_type=Path)
    return click.option("--html", type=kind, metavar="FILE", help="Write a page to look at in a browser.")(command)


def permits(command: F) -> F:
    """``--late`` and ``--override``: what a person allows a run of a plan."""
    late = click.option("--late", is_flag=True, help="Also a plan that is older than its max_age.")
    override = click.option(
        "--override", metavar="REASON", default="", help="Go on though too much came back; the reason is recorded."
    )
    return late(override(command))


def fail_empty(command: F) -> F:
    """``--fail-empty``: exit with 4 when there was nothing to do."""
    return click.option("--fail-empty", is_flag=True, help="Exit with 4 when there is nothing to do or show.")(command)


def output(command: F) -> F:
    """``--format``, ``--columns`` and ``--output``: handed to the command as one `Output` named ``output``."""

    @functools.wraps(command)
    def with_output(
        *args: Any, output_format: str | None, output_columns: str | None, output_file: str | None, **kw: Any
    ) -> Any:
        made: Output = output_of(click.get_current_context(), output_format, output_columns, output_file)
        return command(*args, output=made, **kw)

    decorated: Any = with_output
    for option in (
        click.option("--output", "output_file", type=click.Path(dir_okay=False), metavar="FILE", help="Write to FILE."),
        click.option(
            "--columns", "output_columns", metavar="A,B", default=None, help="Only these columns, in this order."
        ),
        click.option(
            "--format",
            "output_format",
            type=click.Choice(FORMATS),
            default=None,
            help="Form of the answer [default: table].",
        ),
    ):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]
