"""Serve the collector: all it needs is read at the start, and the workspace is not touched while it serves."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sfactl.api.errors import UserError
from sfactl.collect.collector import EVENTS, Collector
from sfactl.collect.forms import read_forms
from sfactl.collect.pages import Topic
from sfactl.collect.segments import adopt
from sfactl.collect.spool import Spool
from sfactl.collect.surveying import SurveyDesk
from sfactl.collect.usecases.hearing import listeners_of
from sfactl.config.surveys import read_survey, survey_names
from sfactl.workspace.manifest import disk_error

if TYPE_CHECKING:
    from sfactl.session import Session

COUNTS = "counts.json"
LINKS, POSTS, ANSWERS, TOLD = "links", "posts", "answers", "told"
PARTS = (LINKS, POSTS, ANSWERS, TOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where the collector listens, and what it serves."""

    address: str
    url: str
    spool: str
    forms: tuple[str, ...]
    topics: tuple[str, ...]
    surveys: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    dry_run: bool = False


def spool_of(session: Session) -> Path:
    """The folder of what was collected: ``[collect] spool``, by default the workspace's own."""
    said = session.settings.collect.spool
    return session.folder / Path(said).expanduser() if said else session.workspace.private / "collect"


def open_collector(session: Session) -> Collector:
    """Everything the collector needs, read from the workspace. Raises `ConfigError` and `StorageError`."""
    said, folder = session.settings.collect, spool_of(session)
    most = said.spool_mb << 20
    try:
        if not session.dry_run:
            for part in PARTS:
                (folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)
                adopt(folder / part)
        counts = read_counts(folder)
    except OSError as err:
        raise disk_error(err, folder) from err
    return Collector(
        signer=session.links,
        spool=Spool(folder=folder / LINKS, now=session.now, most_bytes=most),
        posts=Spool(folder=folder / POSTS, now=session.now, most_bytes=most),
        surveys=SurveyDesk(
            spool=Spool(folder=folder / ANSWERS, now=session.now, most_bytes=most),
            now=session.now,
            surveys={name: read_survey(session.folder, name) for name in survey_names(session.folder)},
        ),
        now=session.now,
        forms=read_forms(session.folder),
        told=Spool(folder=folder / TOLD, now=session.now, most_bytes=most),
        listeners=listeners_of(session),
        address=said.url,
        topics=topics_of(session),
        sender=session.settings.workspace.name,
        base=urlsplit(said.url).path.rstrip("/"),
        tongue=session.settings.workspace.language,
        counts=Counter(counts),
    )


def topics_of(session: Session) -> tuple[Topic, ...]:
    """What people may choose between."""
    return tuple(
        Topic(name=name, title=said.title or name, titles=said.titles, description=said.summary)
        for name, said in session.settings.topics.items()
    )


def serve(session: Session, *, host: str, port: int, threads: int, started: Callable[[Served], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; ``started`` is told once it listens. The workspace is closed meanwhile.

    A dry run reads all that is needed and tells what would be served. Raises `UserError` where the address is taken.
    """
    from sfactl.collect.server import server_of, stopped_by_signal

    collector, folder = open_collector(session), spool_of(session)
    served = Served(
        address=f"http://{host}:{port}",
        url=session.settings.collect.url,
        spool=str(folder),
        forms=tuple(collector.forms),
        topics=tuple(t.name for t in collector.topics),
        surveys=tuple(collector.surveys.surveys),
        services=tuple(f"{collector.address.rstrip('/')}/{EVENTS}/{name}" for name in collector.listeners),
        dry_run=session.dry_run,
    )
    if session.dry_run:
        started(served)
        return
    session.workspace.close()
    kept = Kept(collector=collector, folder=folder)
    try:
        server = server_of(collector, host=host, port=port, threads=threads, every=kept.look_after)
    except (OSError, ValueError, OverflowError) as err:
        raise UserError(
            f"{host}:{port} cannot be listened to: {err}", hint="Choose another with --host and --port."
        ) from None
    try:
        with stopped_by_signal():
            started(replace(served, address=f"http://{server.effective_host}:{server.effective_port}"))
            server.run()
    finally:
        server.end()
        collector.spool.close()
        collector.posts.close()
        collector.surveys.spool.close()
        if collector.told is not None:
            collector.told.close()
        kept.write()


@dataclass(slots=True, kw_only=True)
class Kept:
    """What is looked after beside the requests: old files are completed, and the counts are written down."""

    collector: Collector
    folder: Path
    _written: Mapping[str, int] = field(default_factory=dict)

    def look_after(self) -> None:
        """Called every second."""
        self.collector.spool.complete_old()
        self.collector.posts.complete_old()
        self.collector.surveys.spool.complete_old()
        if self.collector.told is not None:
            self.collector.told.complete_old()
        self.write()

    def write(self) -> None:
        """Write the counts where they changed. They are no events: a disk that refuses them stops nothing."""
        now = dict(self.collector.counts)
        if now == self._written:
            return
        self._written = now
        fresh = self.folder / f".{COUNTS}.{os.getpid()}"
        try:
            fresh.write_text(json.dumps(now, indent=1, sort_keys=True), encoding="utf-8")
            fresh.replace(self.folder / COUNTS)
        except OSError:
            fresh.unlink(missing_ok=True)


def read_counts(folder: Path) -> dict[str, int]:
    """What the collector counted so far; nothing where it never ran or the file is damaged."""
    try:
        said = json.loads((folder / COUNTS).read_text(encoding="utf-8"))
        return {str(name): int(n) for name, n in said.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
