"""Listen to the services that post events about messages, and bring in what they told, each thing once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import PolicyError
from sfactl.api.records import MessageEvent, Posting
from sfactl.collect import segments
from sfactl.collect.model import Heard, Listener
from sfactl.feedback.postings import Report, event_id
from sfactl.feedback.usecases.postings import Collected, Service, ServiceResult, open_services

if TYPE_CHECKING:
    from sfactl.session import Session


def listeners_of(session: Session) -> Mapping[str, Listener]:
    """The senders whose services may post, by name. Raises `ConfigError` for a key that is not there, or is none."""
    services = open_services(session)
    for one in services:
        with suppress(PolicyError):  # nobody signed this: only what is wrong with the key is of interest
            one.reader.verify(Posting(body=b"", headers={}, at=session.now(), url=session.settings.collect.url or "-"))
    return {one.name: _listener(one) for one in services}


def _listener(service: Service) -> Listener:
    def hear(posting: Posting) -> Sequence[Heard]:
        service.reader.verify(posting)
        events = service.reader.events(posting.body, posting.at)
        reports = [Report(use=service.use, channel=service.channel, event=event) for event in events]
        return [
            Heard(
                id=event_id(r),
                at=posting.at,
                use=r.use,
                channel=r.channel,
                event={**asdict(r.event), "at": r.event.at.isoformat()},
            )
            for r in reports
        ]

    return Listener(hear=hear)


def import_told(session: Session, folder: Path) -> tuple[ServiceResult, int, list[str]]:
    """Bring in what waits in ``folder``: what was told, the files that are done with, and the damage in them.

    A file is removed after the commit that holds what was in it; what is brought in again adds nothing.
    """
    total, files, damaged, start = Collected(session), 0, list[str](), ""
    while True:
        with segments.reading(folder, start) as chunk:
            total.add([_report(r) for f in chunk.files for r in f.records if isinstance(r, Heard)])
            done = [f for f in chunk.files if f.ours]
            files += len(done)
            damaged += segments.clear(done, keep=session.dry_run)
            start = f"{chunk.files[-1].path.name} " if chunk.files else ""
        if not chunk.more:
            return total.result(), files, damaged


def _report(heard: Heard) -> Report:
    fields = {**heard.event, "at": datetime.fromisoformat(heard.event["at"])}
    return Report(use=heard.use, channel=heard.channel, event=MessageEvent(**fields))
