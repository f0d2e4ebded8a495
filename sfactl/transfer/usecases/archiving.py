"""Export rules with all that they need, and import them into another workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sfactl.api.errors import ConfigError, NotFound, UserError
from sfactl.config.objects import read_toml
from sfactl.config.secrets import check_secrets
from sfactl.session import Session
from sfactl.strategies.model import near
from sfactl.transfer.archive import pack, unpack
from sfactl.transfer.model import ASSETS, FOLDERS, Archive, Kind, Needs
from sfactl.transfer.references import References
from sfactl.transfer.usecases.effects import Effect
from sfactl.transfer.usecases.placing import Check, Placed, place


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written into an archive, and what a workspace needs before it can take it."""

    kind: Kind
    names: tuple[str, ...]
    file: str
    files: tuple[str, ...]
    needs: Needs
    size: int
    written: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import put in place, file by file; in a dry run, what the rules would do on the data of now."""

    kind: Kind
    names: tuple[str, ...]
    files: tuple[Placed, ...]
    written: bool
    effects: tuple[Effect, ...] = ()


def export_rules(session: Session, kind: Kind, names: Sequence[str], into: Path) -> Exported:
    """Write the rules ``names`` of ``kind`` (none: all) into the archive ``into``, with every file they need.

    The same files give the same bytes. Raises `NotFound`, or `ConfigError` for what cannot be read or holds a secret.
    """
    folder = session.folder
    known = sorted(p.stem for p in (folder / FOLDERS[kind]).glob("*.toml"))
    for name in names:
        if name not in known:
            raise NotFound(f"there is no {kind} {name!r}", hint=near(name, known).strip())
    chosen = sorted(set(names or known))
    if not chosen:
        raise NotFound(f"there is no {kind} to export")
    found = References(folder, session.workspace.schemas, session.settings.fields)
    for name in chosen:
        found.follow(f"{FOLDERS[kind]}/{name}.toml")
    found.tests()
    files = {path: (folder / path).read_bytes() for path in sorted(found.paths)}
    for path in files:
        if not path.startswith(f"{ASSETS}/"):
            check_secrets(read_toml(folder / path), where=path)
    content = pack(Archive(kind=kind, names=tuple(chosen), needs=found.needs, files=files))
    if not session.dry_run:
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_bytes(content)
    return Exported(
        kind=kind,
        names=tuple(chosen),
        file=str(into),
        files=tuple(files),
        needs=found.needs,
        size=len(content),
        written=not session.dry_run,
    )


def import_rules(session: Session, kind: Kind, path: Path, *, replace: bool, check: Check) -> Imported:
    """Put the rules of the archive ``path`` in place, byte by byte as they were exported.

    Raises `DataError` for what is no whole archive, `ConfigError` for what this workspace lacks or what would not be
    right in it, and `UserError` for files that are otherwise here, unless ``replace``. Then nothing is written.
    """
    archive = unpack(path)
    if archive.kind != kind:
        raise UserError(f"{path}: holds a {archive.kind}", hint=f"See: sfactl {archive.kind} import {path}")
    _check_needs(session, archive.needs, path)
    files = [(name, session.folder / name) for name in archive.files]
    others = [name for name, file in files if file.is_file() and file.read_bytes() != archive.files[name]]
    if others and not replace:
        raise UserError(
            f"{path}: {', '.join(others)}: there is another file of this name here",
            hint=f"See what differs: sfactl workspace diff {path}. To take those of the archive: --replace",
        )
    placed = place(session, archive.files, check)
    return Imported(
        kind=kind,
        names=archive.names,
        files=placed.files,
        written=not session.dry_run,
        effects=placed.effects,
    )


def _check_needs(session: Session, needs: Needs, path: Path) -> None:
    """Refuse rules that could not work here. Raises `ConfigError` naming all that is missing."""
    missing = [f"senders/{name}.toml" for name in needs.senders if name not in session.settings.senders]
    for name, kind in needs.fields.items():
        dataset, _, field = name.partition(".")
        here = session.settings.fields.get(dataset, {}).get(field)
        if here != kind:
            missing.append(f"fields.{name} = {kind!r}" + (f" (here it is {here!r})" if here else ""))
    if missing:
        raise ConfigError(
            f"{path}: this workspace lacks {', '.join(missing)}",
            hint="Connections and fields are not brought along: make them first, see sfactl config set --help.",
        )
