"""Bring in what was collected: every act becomes a touchpoint once, every posted form a lead and a touchpoint once.

The events' ids settle what is new, so files are removed only after the commit that holds what was in them, and a
process that is killed in between does nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.collect import segments
from sfactl.collect.forms import Form, read_forms
from sfactl.collect.model import Act, Post
from sfactl.collect.segments import Read
from sfactl.collect.usecases.serving import LINKS, POSTS, spool_of
from sfactl.engine.robots import is_scanner

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

SETTLED = timedelta(seconds=60)
"""Clicks and opens wait so long, until all is there by which scanners are told."""
EVIDENCE = 2 * SETTLED
"""A file stays so long after its newest act: what it holds may speak about an act that still waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """How many events of a kind were brought in; ``reason`` is why they were no person's."""

    kind: str
    reason: str
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FormCount:
    """What became of the postings of one form. ``problem`` is why none could be brought in; they wait."""

    form: str
    posts: int
    new: int = 0
    updated: int = 0
    rejected: int = 0
    rejects_file: str | None = None
    problem: str = ""


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
    files: int = 0
    damaged: tuple[str, ...] = ()
    dry_run: bool = False
    commit: int | None = None

    @property
    def well(self) -> bool:
        """Whether nothing is left that somebody must look at."""
        return not self.damaged and not any(f.problem or f.rejected for f in self.forms)


def import_spool(session: Session, folder: Path | None = None) -> Imported:
    """Bring in what waits in ``folder``, by default where the workspace's own collector keeps it.

    Unsubscribes and confirmations are brought in at once, clicks and opens when they are a minute old.
    """
    folder = folder or spool_of(session)
    result = _import_acts(session, folder / LINKS)
    forms, files, damaged = _import_posts(session, folder / POSTS)
    return replace(result, forms=forms, files=result.files + files, damaged=(*result.damaged, *damaged))


def _import_acts(session: Session, folder: Path) -> Imported:
    with session.write("touchpoints", reason="collected") as tx, segments.reading(folder) as files:
        acts = [r for f in files for r in f.records if isinstance(r, Act)]
        result = Imported(new=0, dry_run=session.dry_run)
        if acts:
            result = _add(session, tx, acts)
        if result.new:
            result = replace(result, commit=tx.commit(new=result.new).seq)
        until = session.now() - EVIDENCE
        done = [f for f in files if f.ours and all(r.at <= until or not _is_judged(r) for r in f.records)]
        damaged = _clear(session, done)
    return replace(result, files=len(done), damaged=damaged)


def _is_judged(record: Act | Post) -> bool:
    return isinstance(record, Act) and record.deed in ("open", "click", "look")


def _add(session: Session, tx: Transaction, acts: Sequence[Act]) -> Imported:
    query = tx.query
    query.register("given_acts", _table(acts))
    query.run("create temp table acts as select * from given_acts qualify row_number() over (partition by id) = 1")
    first, last = min(a.at for a in acts), max(a.at for a in acts)
    # A confirmation has the same id whenever it is said again; the others have the time in theirs.
    query.run(
        'create temp table known as select event_id from touchpoints where "at" between $first and $last'
        " and event_id like 'link:%' union select event_id from touchpoints where kind = 'consent'",
        {"first": first - timedelta(minutes=1), "last": last + timedelta(minutes=1)},
    )
    for name in ("bursts", "trapped", "hasty", "judged"):
        query.run(f"create temp table {name} as {query.statement('collect', name)}")
    settled = {"settled": session.now() - SETTLED}
    query.run(f"create temp table collected as {query.statement('collect', 'events')}", settled)
    new = tx.append("touchpoints", "select * from collected")
    (waiting, strangers) = query.one(
        "select count(*) filter (where deed in ('open', 'click') and \"at\" > $settled),"
        " count(*) filter (where (deed in ('unsubscribe', 'subscribe', 'consent')"
        " or deed in ('open', 'click') and \"at\" <= $settled) and id not in (select event_id from collected))"
        " from acts where id not in (select event_id from known)",
        settled,
    ) or (0, 0)
    return Imported(new=new, waiting=waiting, strangers=strangers, kinds=tuple(_kinds(query)), dry_run=session.dry_run)


def _kinds(query: Query) -> Iterator[KindCount]:
    rows = query.rows("select kind, coalesce(text, ''), count(*) from collected group by 1, 2 order by 1, 2")
    for kind, reason, events in rows:
        yield KindCount(kind=kind, reason=reason, events=events)


def _table(acts: Sequence[Act]) -> pa.Table:
    import pyarrow as pa

    rows = [{**asdict(a), "robot": is_scanner(a.agent, picture=a.deed == "open")} for a in acts]
    types = {"at": pa.timestamp("us"), "lead_id": pa.int64(), "ahead": pa.bool_(), "robot": pa.bool_()}
    return pa.Table.from_pylist(rows, pa.schema([(name, types.get(name, pa.string())) for name in rows[0]]))


def _import_posts(session: Session, folder: Path) -> tuple[tuple[FormCount, ...], int, tuple[str, ...]]:
    """Postings become leads as those of a file do; a file of the spool is removed when all in it was brought in."""
    forms = read_forms(session.folder)
    with segments.reading(folder) as files:
        ours = [f for f in files if f.ours]  # the collector completes the others within seconds
        posts = [r for f in ours for r in f.records if isinstance(r, Post)]
        counts = [_import_form(session, forms.get(name), name, posts) for name in sorted({p.form for p in posts})]
        waiting = {c.form for c in counts if c.problem}
        done = [f for f in ours if not waiting & {r.form for r in f.records if isinstance(r, Post)}]
        damaged = _clear(session, done)
    return tuple(counts), len(done), damaged


def _import_form(session: Session, form: Form | None, name: str, posts: Sequence[Post]) -> FormCount:
    from sfactl.api.errors import SfactlError
    from sfactl.leads.usecases import import_files
    from sfactl.leads.usecases.imports import work_folder

    mine = [p for p in posts if p.form == name]
    if form is None:
        return FormCount(form=name, posts=len(mine), problem=f"there is no forms/{name}.toml any more")
    with work_folder(session) as scratch:
        path = scratch / f"form-{name}-{mine[0].at:%Y%m%dT%H%M%S}-{mine[0].id[:8]}.jsonl"
        path.write_text("".join(_posting(p) for p in mine), encoding="utf-8")
        try:
            made = import_files(session, [path], mapping=form.mapping or None, source=form.source, form=name)
        except SfactlError as err:
            return FormCount(form=name, posts=len(mine), problem=err.message)
    (file,) = made.files
    return FormCount(
        form=name,
        posts=len(mine),
        new=made.new,
        updated=made.updated,
        rejected=made.rejected,
        rejects_file=file.rejects_file,
    )


def _posting(post: Post) -> str:
    row = {"submission_id": post.id, "submitted_at": f"{post.at.isoformat()}+00:00", "page": post.page, **post.fields}
    return json.dumps(row, ensure_ascii=False) + "\n"


def _clear(session: Session, done: Sequence[Read]) -> tuple[str, ...]:
    """Remove the files that were brought in; one with damage is kept under another name."""
    damaged = tuple(f"{f.path.name}: line {f.damaged[0]}" for f in done if f.damaged)
    if not session.dry_run:
        for read in done:
            if read.damaged:
                read.path.rename(read.path.with_suffix(".damaged"))
            else:
                read.path.unlink(missing_ok=True)
    return damaged
