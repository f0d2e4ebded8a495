"""The mails in a file, a folder or a mailbox, one at a time: .eml files, maildir and mbox."""

from __future__ import annotations

import mailbox
import re
from collections.abc import Iterator
from glob import escape
from pathlib import Path

from sfactl.api.errors import UserError

LARGEST = 10 * 1024 * 1024
"""Bytes of one mail that are read; a returned copy may be larger, what the server says stands before it."""

_HEADER = re.compile(
    rb"(?:^|[\r\n])(?:from|to|subject|date|received|return-path|message-id|mime-version|content-type|delivered-to)\s*:",
    re.IGNORECASE,
)


def mails_in(path: Path) -> Iterator[bytes]:
    """The raw mails in ``path``, in the order of their names. Raises `UserError` where there is nothing to read."""
    for file in files_in(path):
        yield from mails_of(file)


def check_mail(path: Path) -> None:
    """Raises `UserError` for a file that is not named as a mail and begins with no header that mails have."""
    if not path.is_file() or path.suffix.lower() in (".eml", ".msg"):
        return
    with path.open("rb") as file:
        start = file.read(16_384)
    if start.strip() and not _HEADER.search(start):
        raise UserError(
            f"{path}: this is neither a mail nor an mbox file", hint="Name a maildir, an mbox file or .eml files."
        )


def files_in(path: Path, *, empty: bool = False) -> list[Path]:
    """The files at ``path`` that hold mails: those of a maildir or a folder, else itself.

    Raises `UserError` where there is nothing, unless the folder may be ``empty``.
    """
    if path.is_dir():
        if (path / "cur").is_dir() or (path / "new").is_dir():
            folders = [p for name in ("new", "cur") for p in [path / name] if p.is_dir()]
            return [p for folder in folders for p in sorted(folder.iterdir()) if p.is_file()]
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in (".eml", ".msg", ".txt", "") and p.is_file())
        if not files and not empty:
            raise UserError(f"{path}: no mails in this folder", hint="Name a maildir, an mbox file or .eml files.")
        return files
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    return [path]


def mails_of(path: Path) -> Iterator[bytes]:
    """The mails in one file of a mailbox; none if somebody has deleted it since."""
    path = _there(path)
    try:
        with path.open("rb") as file:
            start = file.read(5)
    except FileNotFoundError:
        return
    if not start:
        return
    if start == b"From " and path.suffix.lower() != ".eml":
        box = mailbox.mbox(path, create=False)
        try:
            for key in box.iterkeys():
                yield box.get_file(key).read(LARGEST)
        finally:
            box.close()
        return
    yield _head(path)


def changed_at(path: Path) -> int:
    """When a file got its name or its content here, in nanoseconds; no copy can bring an older time along.

    0 for a file that somebody has deleted.
    """
    try:
        return _there(path).stat().st_ctime_ns
    except FileNotFoundError:
        return 0


def _there(path: Path) -> Path:
    """Where the file is now: a mail program renames what it has seen (maildir: new/NAME becomes cur/NAME:2,S)."""
    if path.exists() or path.parent.name not in ("new", "cur"):
        return path
    base = path.name.partition(":")[0]
    return next((path.parent.parent / "cur").glob(f"{escape(base)}*"), path)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST)
