"""``export`` and ``import`` of the groups ``strategy`` and ``campaign``: rules as one file, with all that they need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.transfer.usecases.archiving import Exported, Imported
    from sfactl.transfer.usecases.effects import Effect
    from sfactl.transfer.usecases.placing import Placed

SHOWN = 30
MARKS = {"new": "+", "changed": "~", "removed": "−", "same": "="}
_FILE = click.Path(dir_okay=False, path_type=Path)


Kind = Literal["strategy", "campaign"]


def register(group: click.Group, kind: Kind) -> None:
    """Add the two commands to the group of ``kind``."""
    plural, example = ("strategies", "wake-up") if kind == "strategy" else ("campaigns", "spring-webinar")
    group.add_command(_export(kind, plural, example))
    group.add_command(_import(kind, plural, example))


def _export(kind: Kind, plural: str, example: str) -> click.Command:
    @click.command(
        "export",
        help=f"""Write {plural} with all they need into one file: templates, pictures, segments, scores, layers, tests.

        Without a NAME all of them. Senders, fields of your own and data are not in it; secrets never are. The same
        files make the same bytes.

        \b
        Example:
          sfactl {kind} export {example} --into {example}.zip
        """,
    )
    @click.argument("names", nargs=-1, metavar="[NAME]...")
    @click.option("--into", type=_FILE, metavar="FILE", help=f"The file [default: exports/{plural}.zip].")
    @options.dry_run
    @options.output
    @pass_app
    def export(app: App, names: tuple[str, ...], into: Path | None, dry_run: bool, output: Output) -> None:
        from sfactl.transfer import usecases

        session = app.session(dry_run=dry_run)
        stem = names[0] if len(names) == 1 else plural
        done = usecases.export_rules(session, kind, names, into or session.folder / "exports" / f"{stem}.zip")
        output.emit(done, human=lambda: _exported(done))

    return export


def _import(kind: Kind, plural: str, example: str) -> click.Command:
    @click.command(
        "import",
        help=f"""Put the {plural} of FILE, which export wrote, into this workspace, byte for byte.

        All is tried first: where a rule would not be right here, or another file has the name, nothing is written.
        A dry run tells too who would join and leave segments.

        \b
        Example:
          sfactl {kind} import {example}.zip --dry-run
          sfactl {kind} import {example}.zip
        """,
    )
    @click.argument("file", type=_FILE, metavar="FILE")
    @click.option("--replace", is_flag=True, help="Take the file's rules where others of the same name are here.")
    @options.dry_run
    @options.output
    @pass_app
    def import_(app: App, file: Path, replace: bool, dry_run: bool, output: Output) -> None:
        from sfactl.cli.files import rule_problems
        from sfactl.transfer import usecases

        session = app.session(dry_run=dry_run)
        done = usecases.import_rules(session, kind, file, replace=replace, check=rule_problems)
        output.emit(done, human=lambda: _imported(done))

    return import_


def _exported(done: Exported) -> Iterator[str]:
    yield from (f"  {path}" for path in done.files)
    if done.needs.senders:
        yield f"Needs where it goes: {', '.join(f'senders/{name}.toml' for name in done.needs.senders)}"
    if done.needs.fields:
        yield f"Needs the fields: {', '.join(f'{name} ({kind})' for name, kind in done.needs.fields.items())}"
    written = "Wrote" if done.written else "Dry run: would write"
    yield f"{written} {done.file}: {', '.join(done.names)}; {count(len(done.files), 'file')}"


def _imported(done: Imported) -> Iterator[str]:
    yield from placed_lines(done.files, written=done.written)
    yield from effect_lines(done.effects)
    if done.written:
        yield from (f"Tested by: sfactl strategy test {f.path}" for f in done.files if f.path.startswith("tests/"))
        yield from (f"Next: sfactl {done.kind} plan {name}" for name in done.names[:3])


def effect_lines(effects: tuple[Effect, ...]) -> Iterator[str]:
    """What rules would do on the data of now; at most so many lines."""
    if effects:
        yield "On the data of now:"
    for effect in effects[:SHOWN]:
        before, after = ("none" if n is None else f"{n:,}" for n in (effect.before, effect.after))
        if effect.kind == "segment":
            yield f"  segment {effect.name}: {before} → {after} leads, +{effect.joined:,} −{effect.left:,}"
        else:
            yield f"  price {effect.name}: {before} → {after} {effect.currency}"
    if len(effects) > SHOWN:
        yield f"  … and {len(effects) - SHOWN:,} more; see all with --format json"


def placed_lines(files: tuple[Placed, ...], *, written: bool) -> Iterator[str]:
    """What became of each file, and what it comes to."""
    yield from (f"  {MARKS[file.what]} {file.path}" for file in files)
    said = {what: sum(1 for f in files if f.what == what) for what in MARKS}
    parts = ", ".join(f"{number} {what}" for what, number in said.items() if number)
    done = parts or "nothing to do"
    yield f"{done}." if written else f"Dry run: nothing is written. It would be: {done}."
