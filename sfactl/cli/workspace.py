"""``sfactl workspace``: compare this workspace with another, and bring rules from one to the other by a patch."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.transfer.comparing import Difference


@click.group()
def group() -> None:
    """Compare workspaces, and bring rules from one to another: from dev to prod as a file that is reviewed."""


@group.command()
@click.argument("other", type=click.Path(exists=True, path_type=Path), metavar="OTHER")
@click.option("--other-env", metavar="NAME", default=None, help="The environment of OTHER; --env is that of this one.")
@click.option(
    "--patch",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the patch that makes the rules of OTHER like these.",
)
@click.option("--remove", is_flag=True, help="The patch also removes what only OTHER has.")
@options.fail_empty
@options.output
@pass_app
def diff(
    app: App,
    other: Path,
    *,
    other_env: str | None,
    patch: Path | None,
    remove: bool,
    fail_empty: bool,
    output: Output,
) -> None:
    """Show what it takes to make OTHER like this workspace: rules key by key, then settings.

    OTHER is the folder of a workspace, or a file of strategy export. The patch holds rules only, in git's form;
    settings and connections belong to each place, and secrets are shown as references only.

    \b
    Example:
      sfactl workspace diff ../prod
      sfactl --env dev workspace diff ../prod --other-env prod
      sfactl workspace diff ../prod --patch to-prod.patch
    """
    from sfactl.transfer import usecases

    found, text = usecases.differences(app.folder(), other, env=app.env, other_env=other_env, remove=remove)
    if patch is not None:
        patch.parent.mkdir(parents=True, exist_ok=True)
        patch.write_bytes(text)
    output.emit(found, human=lambda: _lines(found, other, patch), exit_code=4 if fail_empty and not found else 0)


@group.command()
@click.argument("patch", type=click.Path(dir_okay=False, path_type=Path), metavar="PATCH")
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def apply(app: App, patch: Path, *, dry_run: bool, fail_empty: bool, output: Output) -> None:
    """Change the rules of this workspace as PATCH says, which workspace diff wrote: wholly or not at all.

    A file that is not as it was when the patch was made leaves with 5, and a rule that would not be right with 2;
    then nothing is written. A dry run tells too who would join and leave segments, and which prices would change.

    \b
    Example:
      sfactl -w prod workspace apply to-prod.patch --dry-run
      sfactl -w prod workspace apply to-prod.patch
    """
    from sfactl.cli.files import rule_problems
    from sfactl.cli.rule_transfer import effect_lines, placed_lines
    from sfactl.transfer import usecases

    done = usecases.apply_patch(app.session(dry_run=dry_run), patch, rule_problems)
    output.emit(
        done,
        human=lambda: [*placed_lines(done.files, written=done.written), *effect_lines(done.effects)],
        exit_code=4 if fail_empty and not done.changed else 0,
    )


def _lines(found: tuple[Difference, ...], other: Path, patch: Path | None) -> Iterator[str]:
    if not found:
        yield f"{other} has the same rules and settings."
    for place, rows in groupby(found, key=lambda d: d.place):
        yield from _place(place, tuple(rows))
    if patch is not None:
        rules = any(d.what not in ("setting", "only there") for d in found)
        then = f"Next: sfactl -w {other} workspace apply {patch}" if rules else "No rule is to be changed."
        yield f"Wrote {patch}. {then}"


def _place(place: str, rows: tuple[Difference, ...]) -> Iterator[str]:
    mark = {"new": "+", "only there": "−"}.get(rows[0].what, "~")
    note = {"only there": "  (only there)", "comments": "  (comments)"}.get(rows[0].what, "")
    yield f"{mark} {place}{note}"
    for row in rows:
        if row.key:
            yield from _key(row)


def _key(row: Difference) -> Iterator[str]:
    """A key with its values; of long texts only the lines that differ."""
    there, here = _text(row.there), _text(row.here)
    if len(there) + len(here) <= 100 and "\n" not in there + here:
        yield f"    {row.key}: {there} → {here}"
        return
    yield f"    {row.key}:"
    for line in difflib.ndiff(there.splitlines(), here.splitlines()):
        if line[0] in "+-":
            yield f"      {line}"


def _text(value: Any) -> str:
    from sfactl.cli.values import cell, to_json

    if value is None:
        return "not set"
    if isinstance(value, str) and "\n" in value:
        return value.strip()
    return to_json(value) if isinstance(value, (dict, list, tuple)) else cell(value) or '""'
