"""Bring in what e-mail and SMS services tell of messages, as they post it or as it was kept in files.

An event is known by what the service calls it, so that what is told again adds nothing. What is told of a message whose
outcome was unknown settles it: the service has it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import ConfigError, DataError, InternalError, LockBusy, NotFound, UserError
from sfactl.api.offers import TouchpointSenderOffer
from sfactl.api.protocols import EventReader, TouchpointSender
from sfactl.api.records import Receipt
from sfactl.feedback.postings import Report, told_table
from sfactl.feedback.usecases.mail import SOFT_DAYS, WITHIN

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.session import Session
    from sfactl.workspace import Transaction

PAGE = 20_000
"""Events that land in one commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldCount:
    """How many new events of a kind came to a step of a campaign; both empty where they are about none of ours."""

    kind: str
    campaign: str
    step: str
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceResult:
    """What was told. ``strangers`` are events of nobody we know, ``settled`` messages that had been unknown."""

    events: int = 0
    new: int = 0
    known: int = 0
    strangers: int = 0
    suppressed: int = 0
    settled: int = 0
    kinds: tuple[ToldCount, ...] = ()
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A sender of the workspace that can read what its service posts."""

    name: str
    use: str
    channel: str
    reader: EventReader
    sender: TouchpointSender


def open_services(session: Session) -> tuple[Service, ...]:
    """The senders whose files say how to tell genuine postings of their services. Raises `ConfigError`."""
    able = _able(session)
    names = [name for name, table in sorted(session.settings.senders.items()) if table.get("use") in able]
    made = [_open(session, name) for name in names]
    for one in made:
        one.sender.close()  # nothing is sent through it
    return tuple(one for one in made if one.reader.listens)


def open_service(session: Session, name: str) -> Service:
    """The sender ``name`` as a reader of events. Raises `NotFound` for the name, `ConfigError` if it can read none."""
    table = session.settings.senders.get(name)
    if table is None:
        known = ", ".join(sorted(session.settings.senders)) or "none"
        raise NotFound(f"there is no senders/{name}.toml", hint=f"There are: {known}")
    session.host.find("touchpoint_sender", str(table.get("use", "")))  # says what is wrong with the name
    able = _able(session)
    if table.get("use") not in able:
        raise ConfigError(
            f"senders/{name}.toml: {table.get('use')} cannot read what its service posts",
            hint=f"These can: {', '.join(able)}" if able else "pip install sfactl-sender-http",
        )
    found = _open(session, name)
    found.sender.close()
    return found


def _open(session: Session, name: str) -> Service:
    table = session.settings.senders[name]
    use, where = str(table.get("use", "")), str(session.folder / "senders" / f"{name}.toml")
    offer = session.host.find("touchpoint_sender", use).offer
    made = session.host.make("touchpoint_sender", use, table, where=where)
    if not isinstance(offer, TouchpointSenderOffer) or not isinstance(made, EventReader):
        raise InternalError(f"{use} offers to read events, and does not")
    return Service(name=name, use=use, channel=offer.channel, reader=made, sender=made)


def _able(session: Session) -> list[str]:
    """The names of installed senders that read what their services post."""
    offers = (found.offer for found in session.host.offers("touchpoint_sender").values())
    return sorted(o.name for o in offers if isinstance(o, TouchpointSenderOffer) and "events" in o.capabilities)


def read_events(session: Session, name: str, paths: Sequence[Path]) -> ServiceResult:
    """Bring in the postings in ``paths`` that the service of the sender ``name`` made.

    A file holds one posting as it came, or one in every line. Raises `UserError` for a file that is not there,
    `DataError` naming file and line of what is no posting; then nothing of that file was brought in.
    """
    total = Collected(session)
    found = open_service(session, name)
    for path in paths:
        total.add(_reports(session, found, path))
    return total.result()


def _reports(session: Session, found: Service, path: Path) -> list[Report]:
    if not path.is_file():
        raise UserError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    reports = []
    for place, body in _bodies(path.read_bytes()):
        try:
            told = found.reader.events(body, session.now())
        except DataError as err:
            raise DataError(f"{path}{place}: {err.message}") from None
        reports += [Report(use=found.use, channel=found.channel, event=event) for event in told]
    return reports


def _bodies(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """The postings in a file, with where they stand."""
    try:
        json.loads(raw)
        yield "", raw
        return
    except (ValueError, RecursionError):
        pass
    for number, line in enumerate(raw.splitlines(), 1):
        if line.strip():
            yield f", line {number}", line


class Collected:
    """Stores page after page of reports and counts."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sums: Counter[str] = Counter()
        self._kinds: Counter[tuple[str, str, str]] = Counter()
        self._commit: int | None = None

    def add(self, reports: Sequence[Report]) -> None:
        """Store what is new of ``reports``."""
        for start in range(0, len(reports), PAGE):
            page = reports[start : start + PAGE]
            table = told_table(page)
            with self._session.write("touchpoints", "suppressions", reason="services told of messages") as tx:
                self._sums["known"] += len(page) - self._store(tx, table)
                if tx.touched():
                    self._commit = tx.commit(told=table.num_rows).seq
            self._settle(table)
        self._sums["events"] += len(reports)

    def result(self) -> ServiceResult:
        """All pages together."""
        names = ("events", "new", "known", "strangers", "suppressed", "settled")
        return ServiceResult(
            **{name: self._sums[name] for name in names},
            kinds=tuple(
                ToldCount(kind=k, campaign=c, step=s, events=n) for (k, c, s), n in sorted(self._kinds.items())
            ),
            dry_run=self._session.dry_run,
            commit=self._commit,
        )

    def _store(self, tx: Transaction, table: pa.Table) -> int:
        """Put what is new into the transaction; answers how many events that is."""
        query = tx.query
        query.register("told", table)
        query.register("given_held", _held(self._session))
        query.run(f"create or replace temp table reported as {query.statement('feedback', 'reported')}")
        # Who complains or whose mailbox is gone is left in peace, whether we know their name or not.
        query.run(
            "create or replace temp table returned as select *, recipient as written_to from reported"
            " where recipient like '%@%'"
        )
        now = self._session.now()
        params = {"soft_days": SOFT_DAYS, "since": now - WITHIN, "now": now}
        self._sums["suppressed"] += tx.upsert("suppressions", query.statement("feedback", "refused"), params)
        self._sums["suppressed"] += tx.upsert(
            "suppressions", query.statement("feedback", "refused_phones"), {"now": now}
        )
        tx.append("touchpoints", "select * exclude (recipient) from reported where lead_id is not null")
        counted = "select kind, coalesce(campaign, ''), coalesce(step, ''), count(*) from reported"
        for kind, campaign, step, events in query.rows(f"{counted} where lead_id is not null group by 1, 2, 3"):
            self._kinds[kind, campaign, step] += events
            self._sums["new"] += events
        (strangers, fresh) = query.one("select count(*) filter (where lead_id is null), count(*) from reported") or (
            0,
            0,
        )
        self._sums["strangers"] += strangers
        return int(fresh)

    def _settle(self, table: pa.Table) -> None:
        """What a service tells of a message of which nobody knew whether it arrived: it has it."""
        told = set(table.column("key").to_pylist())
        rows = [r for r in self._session.ledger.rows(state="unknown") if r.key in told]
        self._sums["settled"] += len(rows)
        if rows and not self._session.dry_run:
            self._resolve(rows)

    def _resolve(self, rows: Sequence[Any]) -> None:
        for scope in sorted({r.scope for r in rows}):
            words = [
                Receipt(key=r.key, outcome="accepted", detail="its service told of it")
                for r in rows
                if r.scope == scope
            ]
            try:
                with self._session.ledger.lease(scope, run_id=self._session.run_id):
                    self._session.ledger.resolve_all(words)
            except LockBusy:  # that run will be told when the same comes again; until then they stay unknown
                self._sums["settled"] -= len(words)


def _held(session: Session) -> pa.Table:
    """Messages in the ledger that are not folded yet."""
    import pyarrow as pa

    rows = [r for r in session.ledger.rows() if r.kind == "message"]
    columns: dict[str, Any] = {
        "message_key": pa.array([r.key for r in rows], pa.string()),
        "provider_id": pa.array([r.provider_id for r in rows], pa.string()),
    }
    for name in ("campaign", "step", "channel"):
        columns[name] = pa.array([r.meta.get(name) for r in rows], pa.string())
    columns["lead_id"] = pa.array([r.meta.get("lead_id") for r in rows], pa.int64())
    columns["at"] = pa.array([r.settled_at or r.planned_at for r in rows], pa.timestamp("us"))
    return pa.table(columns)
