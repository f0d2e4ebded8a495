"""``sfactl config``: read, change and explain settings, and check every file of the workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.config.edit import Change
    from sfactl.config.explain import Difference, Explanation
    from sfactl.config.layers import Layer


@click.group()
def group() -> None:
    """Read, change and explain settings.

    A setting is named by its key path, for instance workspace.time_zone or senders.smtp.host. It comes from the
    strongest of: default, preset, workspace, environment (--env), SFACTL_ variable, flag.
    """


@group.command("get")
@click.argument("key")
@options.output
@pass_app
def get(app: App, key: str, *, output: Output) -> None:
    """Print the value of KEY as it applies now.

    \b
    Example:
      sfactl config get workspace.time_zone
    """
    from sfactl.config.explain import explain

    found = explain(_layers(app), key)
    output.emit(found, human=lambda: [_text(found.value)])


@group.command("set")
@click.argument("key")
@click.argument("value")
@options.dry_run
@options.output
@pass_app
def set_(app: App, key: str, value: str, *, dry_run: bool, output: Output) -> None:
    """Set KEY to VALUE in the workspace, in [env.NAME] with --env NAME.

    Comments stay as they are. A value that is not valid is refused and the file is left as it was.

    \b
    Example:
      sfactl config set workspace.time_zone Asia/Taipei
      sfactl --env prod config set senders.smtp.host mail.example.com
    """
    from sfactl.config.edit import set_value
    from sfactl.config.layers import check_layer, nested, parse_value
    from sfactl.schemas.dataset import Schemas

    if key.startswith("fields."):
        fields = nested(key, parse_value(key, value))["fields"]
        check_layer({"fields": fields}, where=key)
        _ = [Schemas(fields)[name] for name in fields]
    change = set_value(app.folder(), key, value, env=app.env, dry_run=dry_run)
    output.emit(change, human=lambda: _changed(app, change))


def _changed(app: App, change: Change) -> Iterator[str]:
    before = "not set" if change.before is None else _text(change.before)
    done = "" if change.written else " (dry run: nothing was written)"
    yield f"{change.key}: {before} → {_text(change.after)} in {change.file}{done}"
    if change.written:
        from sfactl.config.explain import explain

        winner = explain(_layers(app), change.key).layers[-1]
        if winner.value != change.after:
            yield f"It does not apply yet: {winner.where} says {_text(winner.value)}."


@group.command("explain")
@click.argument("key")
@options.output
@pass_app
def explain_(app: App, key: str, *, output: Output) -> None:
    """Show every place that sets KEY, and which one won.

    \b
    Example:
      sfactl config explain workspace.currency
    """
    from sfactl.config.explain import explain

    found = explain(_layers(app), key)
    output.emit(found, human=lambda: _explained(found))


def _explained(found: Explanation) -> Iterator[str]:
    from sfactl.cli.tables import pad, width

    yield f"{found.key} = {_text(found.value)}"
    layers = max(width(layer.layer) for layer in found.layers)
    values = max(width(_text(layer.value)) for layer in found.layers)
    for layer in found.layers:
        mark = "→" if layer.wins else " "
        yield f"{mark} {pad(layer.layer, layers)}  {pad(_text(layer.value), values)}  {layer.where}".rstrip()


@group.command("list")
@click.argument("prefix", required=False, default="")
@options.output
@pass_app
def list_(app: App, prefix: str, *, output: Output) -> None:
    """List every setting, its value and where it comes from; with PREFIX only those below it.

    \b
    Example:
      sfactl config list
      sfactl config list workspace --format json
    """
    from sfactl.config.explain import list_settings

    rows = [s for s in list_settings(_layers(app)) if not prefix or f"{s.key}.".startswith(f"{prefix}.")]
    output.emit(tuple(rows))


@group.command("diff")
@click.argument("one", metavar="ENV")
@click.argument("other", metavar="[ENV]", required=False)
@options.output
@pass_app
def diff(app: App, one: str, other: str | None, *, output: Output) -> None:
    """Show the settings in which two environments differ; with one ENV, how it differs from none.

    A file of the answer is what a promotion from one to the other changes. Secrets appear as references only.

    \b
    Example:
      sfactl config diff dev prod
      sfactl config diff prod --format csv --output prod.csv
    """
    from sfactl.config.explain import compare, layers_of

    def layers(env: str | None) -> list[Layer]:
        return layers_of(app.folder(), env=env, environ=os.environ, no_plugins=app.no_plugins)

    found = compare(layers(one if other else None), layers(other or one))
    names = (one, other) if other else ("no environment", one)
    output.emit(found, human=lambda: _differences(found, *names))


def _differences(found: tuple[Difference, ...], one: str, other: str) -> Iterator[str]:
    from sfactl.cli.tables import pad, width
    from sfactl.cli.words import count

    if not found:
        yield f"{one} and {other} have the same settings."
        return
    yield f"{count(len(found), 'setting')} of {one} → {other}:"
    longest = max(width(d.key) for d in found)
    for d in found:
        before, after = ("not set" if value is None else _text(value) for value in (d.one, d.other))
        yield f"  {pad(d.key, longest)}  {before} → {after}"


@group.command("check")
@options.output
@pass_app
def check(app: App, *, output: Output) -> None:
    """Check sfactl.toml and every object file; all mistakes are listed.

    \b
    Example:
      sfactl config check
    """
    from sfactl.cli.files import check_files

    report = check_files(app)
    output.emit(report, human=report.lines, exit_code=2 if report.problems else 0)


def _layers(app: App) -> list[Layer]:
    from sfactl.config.explain import layers_of

    return layers_of(app.folder(), env=app.env, environ=os.environ, no_plugins=app.no_plugins)


def _text(value: Any) -> str:
    from sfactl.cli.values import cell, to_json

    if isinstance(value, (list, tuple)):
        return to_json(value)
    return cell(value) or '""'
