"""Check the collector from inside: can it be reached, can it keep what comes, what waits, and what did it turn away."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import SfactlError
from sfactl.collect import segments
from sfactl.collect.forms import Form, read_forms
from sfactl.collect.segments import Read, files_of, size_of
from sfactl.collect.spool import KEEP_FREE
from sfactl.collect.usecases.serving import PARTS, read_counts, spool_of

if TYPE_CHECKING:
    from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What there is. ``waiting`` counts acts and posts on disk, some of which may be brought in already."""

    url: str
    spool: str
    forms: tuple[str, ...] = ()
    serving: bool = False
    waiting: int = 0
    waiting_bytes: int = 0
    free_bytes: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def check(session: Session) -> Checked:
    """Look at settings, forms, secret, disk and what waits; opens no connection."""
    folder = spool_of(session)
    problems = [*_settings(session), *_disk(session, folder)]
    forms: Mapping[str, Form] = {}
    try:
        forms = read_forms(session.folder)
        problems += [f"forms/{name}.toml: {text}" for name, form in forms.items() for text in _form(session, form)]
    except SfactlError as err:
        problems.append(err.message.replace(f"{session.folder}{os.sep}", ""))
    serving, waiting, size = False, 0, 0
    for part in PARTS:
        if not (folder / part).is_dir():
            continue
        size += sum(map(size_of, files_of(folder / part)))
        for read in _reads(folder / part):
            serving = serving or not read.ours
            waiting += len(read.records)
            if read.damaged:
                problems.append(f"{read.path.name}: line {read.damaged[0]} is damaged")
        problems += [f"{p.name}: kept aside because of damage" for p in sorted((folder / part).glob("*.damaged"))]
    free = os.statvfs(folder if folder.is_dir() else session.folder)
    return Checked(
        url=session.settings.collect.url,
        spool=str(folder),
        forms=tuple(forms),
        serving=serving,
        waiting=waiting,
        waiting_bytes=size,
        free_bytes=free.f_bavail * free.f_frsize,
        counts=read_counts(folder),
        problems=tuple(problems),
    )


def _reads(folder: Path) -> Iterator[Read]:
    start, more = "", True
    while more:
        with segments.reading(folder, start) as chunk:
            yield from chunk.files
            more = chunk.more
            start = f"{chunk.files[-1].path.name} " if chunk.files else ""


def _settings(session: Session) -> Iterator[str]:
    said = session.settings.collect
    if not said.url:
        yield 'sfactl.toml: collect.url: it is not set, so no message links to the collector: url = "https://go.…"'
    elif not said.url.startswith("https://"):
        yield f"sfactl.toml: collect.url: {said.url} is not https, which one-click unsubscribing needs (RFC 8058)"
    try:
        _ = session.links
    except SfactlError as err:
        yield err.message


def _form(session: Session, form: Form) -> Iterator[str]:
    if form.mapping and not (session.folder / "mappings" / f"{form.mapping}.toml").is_file():
        yield f"mapping: there is no mappings/{form.mapping}.toml"
    known = session.settings.topics
    for name, one in form.fields.items():
        if one.topic and one.topic not in known:
            yield f"fields.{name}.topic: there is no [topics.{one.topic}] in sfactl.toml"


def _disk(session: Session, folder: Path) -> Iterator[str]:
    near = folder if folder.is_dir() else session.folder
    free = os.statvfs(near)
    if free.f_bavail * free.f_frsize < KEEP_FREE:
        yield f"{near}: the disk is nearly full: the collector takes nothing"
    if not os.access(near, os.W_OK):
        yield f"{near}: cannot be written to"
