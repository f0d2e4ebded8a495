"""Bring in what was collected: every act becomes a touchpoint once, every posted form a lead and a touchpoint once.

The events' ids settle what is new, so files are removed only after the commit that holds what was in them, and a
process that is killed in between does nothing twice. A long backlog is brought in piece by piece.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.collect import segments
from sfactl.collect.model import Act
from sfactl.collect.segments import Chunk, Record
from sfactl.collect.usecases.answering import import_answers
from sfactl.collect.usecases.hearing import import_told
from sfactl.collect.usecases.posting import FormCount, import_posts
from sfactl.collect.usecases.serving import ANSWERS, LINKS, POSTS, TOLD, spool_of
from sfactl.engine.robots import is_scanner
from sfactl.feedback.usecases.postings import ServiceResult
from sfactl.surveys.model import SurveyCount

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.session import Session
    from sfactl.workspace import Transaction

SETTLED = timedelta(seconds=60)
"""Clicks and opens wait so long, until all is there by which scanners are told."""
EVIDENCE = 2 * SETTLED
"""A file stays so long after its newest act: what it holds may speak about an act that still waits."""
JUDGED = ("open", "click", "look")


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """How many events of a kind were brought in; ``reason`` is why they were no person's."""

    kind: str
    reason: str
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What was brought in. ``waiting`` acts are too young, ``strangers`` of leads that are not there any more.

    ``damaged`` names files with lines that cannot be read; what could be was brought in, and they are kept aside.
    """

    new: int
    waiting: int = 0
    strangers: int = 0
    kinds: tuple[KindCount, ...] = ()
    forms: tuple[FormCount, ...] = ()
    surveys: tuple[SurveyCount, ...] = ()
    services: ServiceResult = field(default_factory=ServiceResult)
    files: int = 0
    damaged: tuple[str, ...] = ()
    dry_run: bool = False
    commit: int | None = None

    @property
    def well(self) -> bool:
        """Whether nothing is left that somebody must look at."""
        return not self.damaged and not any(f.problem or f.rejected for f in self.forms)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was counted so far. ``seen`` are the ids of a dry run, which leaves no trace to know them by."""

    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    waiting: int = 0
    strangers: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    files: int = 0
    damaged: list[str] = field(default_factory=list)
    commit: int | None = None


def import_spool(session: Session, folder: Path | None = None) -> Imported:
    """Bring in what waits in ``folder``, by default where the workspace's own collector keeps it.

    Unsubscribes and confirmations are brought in at once, clicks and opens when they are a minute old.
    """
    folder = folder or spool_of(session)
    tally, start = Tally(), ""
    while True:
        # The lock comes first: of two that bring in the same, the second sees what the first has committed.
        with session.write("touchpoints", reason="collected") as tx, segments.reading(folder / LINKS, start) as chunk:
            start = _import_chunk(session, tx, chunk, tally)
        if not chunk.more:
            break
    posts = import_posts(session, folder / POSTS)
    answers = import_answers(session, folder / ANSWERS)
    services, told_files, told_damage = import_told(session, folder / TOLD)
    return Imported(
        new=sum(tally.kinds.values()),
        waiting=tally.waiting,
        strangers=len(tally.strangers),
        kinds=tuple(KindCount(kind=k, reason=r, events=n) for (k, r), n in sorted(tally.kinds.items())),
        forms=posts.forms,
        surveys=tuple(answers.surveys),
        services=services,
        files=tally.files + posts.files + answers.files + told_files,
        damaged=(*tally.damaged, *posts.damaged, *answers.damaged, *told_damage),
        dry_run=session.dry_run,
        commit=tally.commit or answers.commit,
    )


def _import_chunk(session: Session, tx: Transaction, chunk: Chunk, tally: Tally) -> str:
    """Commit what is new in ``chunk``, then remove what is done; answers where the next chunk begins."""
    acts = [r for f in chunk.files for r in f.records if isinstance(r, Act)]
    # Where more comes, the last minute of the chunk is judged with what comes.
    moment = max(a.at for a in acts) if chunk.more and acts else session.now()
    if acts:
        add_acts(session, tx, acts, moment - SETTLED, tally)
        if tx.touched():
            tally.commit = tx.commit(collected=len(acts)).seq
    old = [f for f in chunk.files if all(r.at <= moment - EVIDENCE or not _is_judged(r) for r in f.records)]
    done = [f for f in old if f.ours]
    tally.files += len(done)
    tally.damaged += segments.clear(done, keep=session.dry_run)
    later = [f.path.name for f in chunk.files if f not in old]
    last = chunk.files[-1].path.name if chunk.files else ""
    return max(later[0], f"{chunk.files[0].path.name} ") if later else f"{last} "


def _is_judged(record: Record) -> bool:
    return isinstance(record, Act) and record.deed in JUDGED


def add_acts(session: Session, tx: Transaction, acts: Sequence[Act], settled: datetime, tally: Tally) -> None:
    """Put into the transaction what is new of ``acts``; opens and clicks only where they are older than ``settled``."""
    query = tx.query
    query.register("given_acts", _table(acts))
    query.run("create temp table acts as select * from given_acts qualify row_number() over (partition by id) = 1")
    query.register("given_sent", _sent(session, acts))
    query.register("given_seen", _ids(tally.seen))
    # A confirmation has the same id whenever it is said again; the others have the time in theirs.
    query.run(
        'create temp table known as select event_id from touchpoints where "at" between $first and $last'
        " and event_id like 'link:%' union select event_id from touchpoints where kind = 'consent'"
        " union select id from given_seen",
        {"first": min(a.at for a in acts) - SETTLED, "last": max(a.at for a in acts) + SETTLED},
    )
    for name in ("bursts", "trapped", "hasty", "judged"):
        query.run(f"create temp table {name} as {query.statement('collect', name)}")
    query.run(f"create temp table collected as {query.statement('collect', 'events')}", {"settled": settled})
    tx.append("touchpoints", "select * from collected")
    for kind, reason, events in query.rows("select kind, coalesce(text, ''), count(*) from collected group by 1, 2"):
        tally.kinds[kind, reason] += events
    left = query.rows(query.statement("collect", "left_over"), {"settled": settled})
    tally.waiting = sum(young for _, young in left)
    tally.strangers |= {number for number, young in left if not young}
    if tx.dry_run:
        tally.seen |= {row[0] for row in query.rows("select event_id from collected")}


def _sent(session: Session, acts: Sequence[Act]) -> pa.Table:
    """Messages of a run that is still going on, and when they were taken."""
    import pyarrow as pa

    found = session.ledger.accepted_at(sorted({a.message_key for a in acts}))
    columns = {"message_key": pa.array(found, pa.string()), "at": pa.array(found.values(), pa.timestamp("us"))}
    return pa.table(columns)


def _ids(ids: set[str]) -> pa.Table:
    import pyarrow as pa

    return pa.table({"id": pa.array(ids, pa.string())})


def _table(acts: Sequence[Act]) -> pa.Table:
    import pyarrow as pa

    types = {"at": pa.timestamp("us"), "lead_id": pa.int64(), "ahead": pa.bool_()}
    columns = {
        f.name: pa.array([getattr(a, f.name) for a in acts], types.get(f.name, pa.string())) for f in fields(Act)
    }
    return pa.table({**columns, "robot": [is_scanner(a.agent, picture=a.deed == "open") for a in acts]})
