"""``sfactl init``: a new workspace from a preset, or the data store for files that are there already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from sfactl.api.errors import UserError
from sfactl.cli import options
from sfactl.cli.app import Output
from sfactl.cli.words import count

NOUNS: Mapping[str, str] = {
    "stages": "pipeline",
    "scores": "score",
    "segments": "segment",
    "layers": "layer",
    "strategies": "strategy",
    "campaigns": "campaign",
    "surveys": "survey",
    "templates": "template",
    "prices": "price book",
    "sources": "source",
    "senders": "sender",
    "mailboxes": "mailbox",
    "enrichers": "enricher",
    "erp": "ERP connection",
    "mappings": "mapping",
    "calendars": "calendar",
    "forms": "form",
}
"""What one file of each folder is called."""

IGNORED = ".sfactl/\nrejects/\nreports/\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A workspace that was made: how many objects of each kind the preset brought, and every file written."""

    workspace: str
    preset: str
    objects: Mapping[str, int]
    files: tuple[str, ...]
    written: bool

    def lines(self) -> Iterator[str]:
        """The report for people."""
        counted = ", ".join(count(n, noun) for noun, n in self.objects.items())
        brought = f" (preset {self.preset}{f': {counted}' if counted else ''})" if self.preset else ""
        if not self.written:
            yield f"Would create workspace {self.workspace}{brought}. Dry run: nothing was written."
            return
        yield f"Created workspace {self.workspace}{brought}."
        here = "" if self.workspace == Path.cwd().name else f"-w {self.workspace} "
        yield f"Next: sfactl {here}lead import FILE      or      sfactl demo to see the whole loop on made-up data"


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--preset", default="b2b", show_default=True, metavar="NAME", help="The preset to begin with.")
@options.dry_run
@options.output
def group(folder: Path, *, preset: str, dry_run: bool, output: Output) -> None:
    """Create a workspace in DIR from a preset.

    A folder that has a sfactl.toml but no data yet, such as a fresh clone, keeps its files and gets its data store.

    \b
    Example:
      sfactl init acme --preset b2b
    """
    made = create(folder, preset=preset, dry_run=dry_run)
    output.emit(made, human=made.lines)


def create(folder: Path, *, preset: str, dry_run: bool = False) -> Created:
    """Make the workspace. Raises `UserError` where there is one, or where a file of the preset would be overwritten."""
    if (folder / ".sfactl" / "manifest.db").exists():
        raise UserError(
            f"{folder}: there is a workspace here already", hint=f"Look at it with: sfactl -w {folder} status"
        )
    cloned = (folder / "sfactl.toml").is_file()
    files = {} if cloned else _preset_files(folder, preset)
    if not dry_run:
        from sfactl.config.layers import load_settings
        from sfactl.schemas import Schemas
        from sfactl.workspace import Workspace

        _write(folder, files)
        Workspace.create(folder, schemas=Schemas(load_settings(folder).fields)).close()
    return Created(
        workspace=str(folder) if folder.name else folder.resolve().name,
        preset="" if cloned else preset,
        objects=_counted(files),
        files=tuple(sorted(files)),
        written=not dry_run,
    )


def _preset_files(folder: Path, preset: str) -> dict[str, bytes]:
    """What the preset writes, by path inside the workspace; ``sfactl.toml`` comes last."""
    from sfactl.config.presets import preset_folder

    source = preset_folder(preset)
    paths = sorted(p for p in source.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    files = {p.relative_to(source).as_posix(): p.read_bytes() for p in paths}
    files.setdefault(".gitignore", IGNORED.encode())
    files["sfactl.toml"] = _named(files.pop("sfactl.toml"), preset, folder.resolve().name)
    taken = [name for name, data in files.items() if (folder / name).exists() and (folder / name).read_bytes() != data]
    if taken:
        raise UserError(
            f"{folder}: would overwrite {', '.join(taken[:3])}{' …' if len(taken) > 3 else ''}",
            hint="Choose an empty folder, or move these files away.",
        )
    return files


def _named(text: bytes, preset: str, name: str) -> bytes:
    """The preset's ``sfactl.toml`` with the name of the preset and of the workspace in it."""
    from sfactl.config.edit import edited

    where = f"preset {preset}"
    return edited(edited(text.decode("utf-8"), ["preset"], preset, where), ["workspace", "name"], name, where).encode()


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _counted(files: Mapping[str, bytes]) -> dict[str, int]:
    kinds = Counter(name.split("/")[0] for name in files if "/" in name)
    return {noun: kinds[folder] for folder, noun in NOUNS.items() if kinds[folder]}
