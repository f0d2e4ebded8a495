"""The mails in a file, a folder or a mailbox, one at a time: .eml files, maildir and mbox."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator
from pathlib import Path

from sfactl.api.errors import UserError

LARGEST = 10 * 1024 * 1024
"""Bytes of one mail that are read; a returned copy may be larger, what the server says stands before it."""


def mails_in(path: Path) -> Iterator[bytes]:
    """The raw mails in ``path``, in the order of their names. Raises `UserError` where there is nothing to read."""
    if path.is_dir():
        if (path / "cur").is_dir() or (path / "new").is_dir():
            folders = [p for name in ("new", "cur") for p in [path / name] if p.is_dir()]
            yield from (_head(p) for folder in folders for p in sorted(folder.iterdir()) if p.is_file())
            return
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in (".eml", ".msg", ".txt", "") and p.is_file())
        if not files:
            raise UserError(f"{path}: no mails in this folder", hint="Name a maildir, an mbox file or .eml files.")
        yield from (_head(p) for p in files)
        return
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    with path.open("rb") as file:
        start = file.read(5)
    if start == b"From " and path.suffix.lower() != ".eml":
        box = mailbox.mbox(path, create=False)
        try:
            for key in box.iterkeys():
                yield box.get_bytes(key)[:LARGEST]
        finally:
            box.close()
        return
    yield _head(path)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST)
