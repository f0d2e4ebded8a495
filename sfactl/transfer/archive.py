"""Write rules into a zip file and read them back: the same rules are the same bytes, on any machine and day.

An archive comes from elsewhere, so that nothing in it is believed: paths, sizes and hashes are checked before use.
"""

from __future__ import annotations

import io
import json
import tomllib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sfactl.api.errors import ConfigError, DataError
from sfactl.config.objects import SCHEMA, build, check_version
from sfactl.transfer.model import LARGEST, MOST, Archive, Contents, check_path, digest, rank

CONTENTS = "contents.toml"
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_BROKEN = (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError, ValueError)
"""What reading a zip file may fail with, encrypted entries among it."""


def pack(archive: Archive) -> bytes:
    """The zip file of ``archive``."""
    files = {path: archive.files[path] for path in sorted(archive.files, key=rank)}
    contents = Contents(
        kind=archive.kind,
        names=archive.names,
        needs=archive.needs,
        files={path: digest(content) for path, content in files.items()},
    )
    buffer = io.BytesIO()
    # Stored, not deflated: what a compressor writes depends on its version.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for path, content in {CONTENTS: _toml(contents), **files}.items():
            entry = zipfile.ZipInfo(path, _EARLIEST)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            target.writestr(entry, content)
    return buffer.getvalue()


def unpack(path: Path) -> Archive:
    """The rules in the zip file ``path``. Raises `DataError` for what is no such file, or not whole."""
    try:
        with zipfile.ZipFile(path) as source:
            read = _read(source, str(path))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except _BROKEN as err:
        raise DataError(
            f"{path}: is no archive of rules ({err})", hint="Make one with: sfactl strategy export"
        ) from None
    contents = _contents(read.pop(CONTENTS, None), str(path))
    missing = [name for name in contents.files if name not in read]
    unsaid = [name for name in read if name not in contents.files]
    changed = [name for name, content in read.items() if digest(content) != contents.files.get(name)]
    for what, names in (("is missing", missing), (f"is not in its {CONTENTS}", unsaid), ("was changed", changed)):
        if names:
            raise DataError(f"{path}: {names[0]} {what}", hint="Export it again.")
    return Archive(kind=contents.kind, names=contents.names, needs=contents.needs, files=read)


def _read(source: zipfile.ZipFile, where: str) -> dict[str, bytes]:
    entries = source.infolist()
    if len(entries) > MOST or sum(e.file_size for e in entries) > LARGEST:
        raise DataError(f"{where}: holds more than {MOST:,} files or {LARGEST // 1024**2} MB")
    read: dict[str, bytes] = {}
    for entry in entries:
        if entry.filename != CONTENTS:
            check_path(entry.filename, where=where)
        # Two names that one file system takes for one would overwrite each other.
        if entry.filename.casefold() in {name.casefold() for name in read}:
            raise DataError(f"{where}: {entry.filename} is in it twice")
        read[entry.filename] = source.read(entry)
    return read


def _contents(content: bytes | None, where: str) -> Contents:
    if content is None:
        raise DataError(f"{where}: is no archive of rules: it has no {CONTENTS}")
    try:
        raw = tomllib.loads(content.decode("utf-8"))
        check_version(raw, where=f"{where}: {CONTENTS}")
        del raw["schema"]
        return build(Contents, raw, where=f"{where}: {CONTENTS}")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ConfigError) as err:
        raise DataError(f"{where}: {CONTENTS} cannot be read ({err})") from None


def _toml(contents: Contents) -> bytes:
    raw = asdict(contents)
    lines = [f"schema = {SCHEMA}", f"kind = {_text(contents.kind)}", f"names = {_text(list(contents.names))}", ""]
    lines += ["[needs]", f"senders = {_text(list(contents.needs.senders))}", ""]
    for key, table in (("needs.fields", contents.needs.fields), ("files", raw["files"])):
        lines += [f"[{key}]", *_pairs(table), ""]
    return "\n".join(lines).encode()


def _pairs(table: Mapping[str, str]) -> list[str]:
    return [f"{_text(key)} = {_text(value)}" for key, value in table.items()]


def _text(value: Any) -> str:
    # Strings and lists of strings are written the same in JSON and TOML.
    return json.dumps(value, ensure_ascii=False)
