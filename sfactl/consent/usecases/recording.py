"""Record what people said about mail: at the prompt, or from a file. Each word is one touchpoint and stays for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound
from sfactl.consent.model import House
from sfactl.consent.words import Kind, Reading, Rejected, Word, moment_of, person_of, read_words

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.session import Session

_MET = "where lead_id is not null"
_STRANGERS = (
    "select row, coalesce(value, 'lead ' || cast(asked as varchar)) from said"
    " where lead_id is null and (address is null or kind <> 'unsubscribe') order by row"
)
_EVENTS = (
    "select event_id, \"at\", kind, lead_id, 'inbound' as direction, channel, evidence as text, $actor as actor, topic"
    " from said"
)
NAMES = ("row", "lead_id", "address", "value", "kind", "topic", "at", "evidence", "channel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was recorded of ``rows``. ``known`` words were there before; ``listed`` addresses of nobody we know went on
    the list, and ``lifted`` ones came off it."""

    rows: int
    new: int = 0
    known: int = 0
    listed: int = 0
    lifted: int = 0
    leads: tuple[int, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    dry_run: bool = False
    commit: int | None = None


def grant(
    session: Session, who: str, *, topic: str = "", evidence: str = "", at: str = "", confirmed: bool = True
) -> Recorded:
    """``who`` agreed to mail about ``topic`` (empty: about all); unless ``confirmed`` they only asked for it.

    Raises `NotFound` where nobody has the address, `ConfigError` for an unknown topic, `UserError`.
    """
    return _one(session, who, "consent" if confirmed else "subscribe", topic, evidence, at)


def withdraw(session: Session, who: str, *, topic: str = "", evidence: str = "", at: str = "") -> Recorded:
    """``who`` wants no mail about ``topic`` (empty: none at all). An address of nobody we know goes on the list."""
    return _one(session, who, "unsubscribe", topic, evidence, at)


def import_words(session: Session, file: Path, *, reading: Reading, encoding: str = "utf-8") -> Recorded:
    """Record every word in ``file``; the same file again adds nothing. Raises `DataError`."""
    words, rejected, rows = read_words(file, reading, encoding)
    done = _record(session, words, reason=f"consents of {file.name}")
    every = sorted([*rejected, *done.rejected], key=lambda r: r.row)
    return replace(done, rows=rows, leads=(), rejected=tuple(every))


def _one(session: Session, who: str, kind: Kind, topic: str, evidence: str, at: str) -> Recorded:
    House(touch=session.settings.touch, topics=session.settings.topics).terms(topic, where="--topic")
    now = session.now()
    when = moment_of(at, kind, session.zone, now) if at else now
    person = person_of(who, session.settings.workspace.country)
    word = Word(row=1, who=person, kind=kind, topic=topic, at=when, evidence=evidence, channel="")
    done = _record(session, [word], reason=f"{kind} of {who}")
    if done.rejected:
        raise NotFound(f"there is no lead {who!r}", hint="See: sfactl lead list")
    return done


def _record(session: Session, words: Sequence[Word], *, reason: str) -> Recorded:
    """Append what is new; put strangers who said no on the list, and take those off it who now say yes."""
    with session.write("suppressions", reason=reason) as tx:
        query = tx.query
        query.register("words", _table(words))
        for name in ("said", "unknown_no", "lifted"):
            query.run(f"create temp table {name} as {query.statement('consent', name)}")
        found = query.one(
            "select count(*) filter (where not known), count(*) filter (where known),"
            " (select count(*) from unknown_no), (select count(*) from lifted) from said where lead_id is not null"
        )
        new, known, listed, lifted = found or (0, 0, 0, 0)
        done = Recorded(
            rows=len(words),
            new=new,
            known=known,
            listed=listed,
            lifted=lifted,
            leads=tuple(r[0] for r in query.rows(f"select distinct lead_id from said {_MET} order by 1")),
            rejected=tuple(Rejected(row=r, reason=f"no lead has {who}") for r, who in query.rows(_STRANGERS)),
            dry_run=session.dry_run,
        )
        if new or listed or lifted:
            tx.append("touchpoints", f"{_EVENTS} {_MET} and not known", {"actor": session.actor})
            tx.upsert("suppressions", "select * from unknown_no")
            tx.delete("suppressions", "select kind, value, scope from lifted")
            done = replace(done, commit=tx.commit(new=new, listed=listed, lifted=lifted).seq)
    return done


def _table(words: Sequence[Word]) -> pa.Table:
    import pyarrow as pa

    rows = [
        (w.row, w.who.lead_id, w.who.kind, w.who.value or None, w.kind, w.topic, w.at, w.evidence, w.channel)
        for w in words
    ]
    types = [pa.int64(), pa.int64(), *[pa.string()] * 4, pa.timestamp("us"), *[pa.string()] * 2]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(types)
    return pa.table({n: pa.array(c, t) for n, c, t in zip(NAMES, columns, types, strict=True)})
