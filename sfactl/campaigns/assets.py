"""Files that go along with messages: pictures inside, documents attached; each named by what is in it.

A picture stands in HTML as ``cid:FILE``, a document in ``attach``; both are files of ``assets/``. Their hashes are part
of a campaign's version, so that a plan says exactly what would be sent.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from sfactl.api.errors import ConfigError
from sfactl.api.records import Attachment
from sfactl.campaigns.model import Template

FOLDER = "assets"
LARGEST = 15 * 1024**2
"""Bytes that one message may carry; as base64 they are a third more, and large providers take 25 MB in all."""

_CID = re.compile(r"""(?<![\w-])cid:([^\s"'<>)]+)""")
# A table of our own: the machine's would make a message differ from one machine to the next.
_TYPES: Mapping[str, str] = {
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".gif": "image/gif",
    ".ics": "text/calendar",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}


def assets_of(template: Template, folder: Path, *, where: str) -> dict[str, tuple[Attachment, ...]]:
    """What goes along with each wording of a template, by language: pictures first.

    Raises `ConfigError` naming the file: one that is missing, empty, outside of ``assets/``, or too large together.
    """
    read: dict[str, Attachment] = {}
    found = {}
    for language, wording in template.wordings.items():
        at = f"{where}: {language}"
        pictures = [_file(folder, name, f"{at}.html", read) for name in dict.fromkeys(_CID.findall(wording.html))]
        attached = template.attach if wording.attach is None else wording.attach
        documents = [_file(folder, name, f"{at}.attach", read) for name in dict.fromkeys(attached or ())]
        both = (*(replace(p, inline=True) for p in pictures), *documents)
        size = sum(len(a.content) for a in both)
        if size > LARGEST:
            raise ConfigError(
                f"{at}: {_megabytes(size)} go along with the message, more than {_megabytes(LARGEST)}",
                hint="Put large files on a web site, and link to them.",
            )
        found[language] = both
    return found


def with_pictures(html: str, attachments: Sequence[Attachment]) -> str:
    """``html`` with each ``cid:FILE`` as the mail will call it."""
    ids = {a.name: a.content_id for a in attachments if a.inline}
    return _CID.sub(lambda m: f"cid:{ids.get(m[1], m[1])}", html) if ids else html


def _file(folder: Path, name: str, where: str, read: dict[str, Attachment]) -> Attachment:
    if name not in read:
        read[name] = _attachment(folder / FOLDER, name, where)
    return read[name]


def _attachment(folder: Path, name: str, where: str) -> Attachment:
    if "{" in name:
        raise ConfigError(f"{where}: cid:{name}: name the file itself, so that a plan can say what is sent")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or PurePosixPath(name).is_absolute():
        raise ConfigError(f"{where}: {name!r} is not in {FOLDER}/")
    if not path.is_file():
        known = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        raise ConfigError(f"{where}: there is no file {FOLDER}/{name}", hint=_nearest(name, known))
    if path.stat().st_size > LARGEST:
        raise ConfigError(
            f"{where}: {FOLDER}/{name} has {_megabytes(path.stat().st_size)}, more than {_megabytes(LARGEST)}"
        )
    content = path.read_bytes()
    if not content:
        raise ConfigError(f"{where}: {FOLDER}/{name} is empty")
    return Attachment(
        name=name,
        content_type=_TYPES.get(path.suffix.lower(), "application/octet-stream"),
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"Did you mean {near[0]!r}?" if near else f"Pictures and documents are files in {FOLDER}/."


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.1f} MB"
