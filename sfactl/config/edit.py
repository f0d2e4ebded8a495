"""Change one setting in its file: comments and order stay, the result is checked before it replaces the file."""

from __future__ import annotations

import os
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfactl.api.errors import ConfigError
from sfactl.config.layers import FILE, check_workspace, parse_value
from sfactl.config.tables import FOLDERS, check_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting before and after. ``before`` is None where it was not set in the file."""

    key: str
    file: str
    before: Any
    after: Any
    written: bool


def set_value(folder: Path, key: str, text: str, *, env: str | None = None, dry_run: bool = False) -> Change:
    """Set ``key`` of the workspace ``folder`` to what ``text`` says, in ``[env.ENV]`` if ``env`` is given.

    ``senders.NAME.KEY`` and the like go to the file of that name. Raises `ConfigError` and leaves the file as it was
    if the value would not be valid.
    """
    value = parse_value(key, text)
    path, parts = _place(folder, key, env)
    try:
        old = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    before = _value(old, parts, where=str(path))
    new = edited(old, parts, value, where=str(path))
    _check(path, new)
    if not dry_run:
        replace_file(path, new.encode())
    return Change(key=key, file=str(path), before=before, after=value, written=not dry_run)


def _place(folder: Path, key: str, env: str | None) -> tuple[Path, list[str]]:
    """The file that ``key`` is written to, and the key path in it."""
    parts = key.split(".")
    if parts[0] in FOLDERS and env is None:
        if len(parts) < 3:
            raise ConfigError(f"{key}: name the table and the key, for instance {parts[0]}.NAME.KEY")
        return folder / parts[0] / f"{parts[1]}.toml", parts[2:]
    return folder / FILE, ["env", env, *parts] if env else parts


def edited(text: str, parts: list[str], value: Any, where: str) -> str:
    """The TOML document ``text`` with the value at the key path ``parts`` set; everything else stays as it was."""
    import tomlkit

    document = tomlkit.parse(text)
    table: Any = document
    for part in parts[:-1]:
        if part not in table:
            if table is document and not text.endswith("\n\n"):
                document.add(tomlkit.nl())
            table[part] = tomlkit.table(is_super_table=part != parts[-2])
        table = table[part]
        if not isinstance(table, dict):
            raise ConfigError(f"{where}: {part} is a value, not a table")
    if parts[-1] in table:
        table[parts[-1]] = value
        return tomlkit.dumps(document)
    # Comments at the end of a table mostly introduce the next one: a new key goes before them.
    body = table.body if table is document else table.value.body
    after: list[Any] = []
    while body and body[-1][0] is None:
        after.insert(0, body.pop()[1])
    table[parts[-1]] = value
    for item in after:
        table.add(item)
    return tomlkit.dumps(document)


def _value(text: str, parts: list[str], *, where: str) -> Any:
    try:
        found: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise ConfigError(f"{where}: {err}") from None
    for part in parts:
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _check(path: Path, text: str) -> None:
    raw = tomllib.loads(text)
    if path.name == FILE:
        check_workspace(raw, where=str(path))
    else:
        check_table(raw, where=str(path))


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of the file ``path``, wholly or not at all; a new one gets the usual mode."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
