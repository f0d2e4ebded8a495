"""Pull leads from sources. Each page's rows and the cursor behind it land in one commit.

A run that dies begins again behind the last committed page; a page that comes twice adds nothing. One bad source does
not stop the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import DataError, LockBusy, PluginError, SfactlError, UserError
from sfactl.api.protocols import RewindableSource
from sfactl.api.records import Cursor, Page
from sfactl.leads.cleaning.clean import clean
from sfactl.leads.files.staging import Staged, staged_schema
from sfactl.leads.headers import position
from sfactl.leads.model import FileImport, LeadMapping, PullResult, SourcePull
from sfactl.leads.usecases.imports import Order, Work, bounded, defaults_of, make_plan, posting, work_folder, write
from sfactl.leads.usecases.sources import cursor_name, limit_of, mapping_of, source_of, table_of
from sfactl.session import Session
from sfactl.workspace.locks import locked

if TYPE_CHECKING:
    import pyarrow as pa


def pull(
    session: Session,
    names: Sequence[str] = (),
    *,
    every: bool = False,
    pages: int = 0,
    minutes: float = 0,
    since: str | None = None,
) -> PullResult:
    """Pull new and changed leads from the sources ``names``, or from all.

    ``pages`` and ``minutes`` limit each source (0: what its file says, else no limit). ``since``, a date or a time, has
    sources that can give all that changed from then on, whatever was pulled before. Each page is one commit. A source
    that fails is told in the result; what it gave before that is kept.
    """
    chosen = tuple(session.settings.sources) if every else tuple(dict.fromkeys(names))
    if not chosen:
        raise UserError("name a source, or say --all", hint="See: sfactl source list")
    for name in chosen:
        if name not in session.settings.sources:
            table_of(session, name)
    begin = _beginning(session, since) if since else None
    done = tuple(_pull_one(session, name, _Wanted(pages=pages, minutes=minutes, since=begin)) for name in chosen)
    result = PullResult(
        rows=sum(s.rows for s in done),
        new=sum(s.new for s in done),
        updated=sum(s.updated for s in done),
        unchanged=sum(s.unchanged for s in done),
        rejected=sum(s.rejected for s in done),
        failed=sum(1 for s in done if s.problem),
        dry_run=session.dry_run,
        sources=done,
    )
    commits = [s.commit for s in done if s.commit is not None]
    counts = {k: getattr(result, k) for k in ("rows", "new", "updated", "unchanged", "rejected")}
    session.notify(
        "sfactl_after_leads_pulled",
        {"run_id": session.run_id, "commit": commits[-1] if commits else None, "sources": list(chosen), **counts},
    )
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """How much of a source is wanted, and from when."""

    pages: float
    minutes: float
    since: datetime | None


def _beginning(session: Session, text: str) -> datetime:
    """The naive UTC time of ``text``; a date is its first moment in the workspace's zone. Raises `UserError`."""
    if len(text) == 10:
        return session.moment(f"{text}T00:00")
    return session.moment(text)


def _pull_one(session: Session, name: str, wanted: _Wanted) -> SourcePull:
    state = SourcePull(source=name, use="")
    # Two pulls of one source at a time would take its cursor back and forth.
    hold = nullcontext() if session.dry_run else locked(session.workspace.private / "locks", [f"pull-{name}"], wait_s=0)
    try:
        table = table_of(session, name)
        state = replace(state, use=str(table["use"]))
        with hold:
            return _pull_pages(session, name, table, state, wanted)
    except LockBusy:
        return replace(state, problem="another process pulls from it at this moment", code=LockBusy.code)
    except _Stopped as stop:
        err = stop.error
        return replace(stop.state, problem=err.message, hint=err.hint, code=err.code)
    except SfactlError as err:
        return replace(state, problem=err.message, hint=err.hint, code=err.code)


class _Stopped(Exception):
    """A source failed; carries what it gave before that."""

    def __init__(self, state: SourcePull, error: SfactlError) -> None:
        self.state = state
        self.error = error


def _pull_pages(
    session: Session, name: str, table: Mapping[str, Any], state: SourcePull, wanted: _Wanted
) -> SourcePull:
    where = f"sources/{name}.toml"
    order = Order(mapping=mapping_of(session, name, table), where=where, pulled=name)
    if event := table.get("event"):
        order = replace(order, event=str(event))
    most = wanted.pages or limit_of(table, "max_pages", where)
    minutes = wanted.minutes or limit_of(table, "max_minutes", where)
    source, begun = source_of(session, name, table), session.now()
    cursor = _cursor(session, name, source, wanted.since)
    try:
        with session.progress(f"Pulling {name}") as progress, closing(_pages(name, source, cursor)) as pages:
            for page in pages:
                page, absent = _padded(page, order.mapping, first=cursor is None and not state.pages)
                done = _take(session, name, page, order)
                state = _added(replace(state, absent=tuple(dict.fromkeys((*state.absent, *absent)))), done)
                progress.advance(done.rows)
                if most and state.pages >= most:
                    return replace(state, stopped=f"its limit of {most:,.0f} page{'s' if most > 1 else ''}")
                if minutes and session.now() - begun >= timedelta(minutes=minutes):
                    return replace(state, stopped=f"its limit of {minutes:g} minute{'s' if minutes != 1 else ''}")
    except SfactlError as err:
        raise _Stopped(state, err) from err
    return state


def _padded(page: Page, mapping: LeadMapping | None, *, first: bool) -> tuple[Page, tuple[str, ...]]:
    """The page with blanks for columns that the mapping names and that no record of this page has; and their names.

    Services leave out what is empty. Of the very first page a column that is missing is a mistake in the mapping.
    """
    if first or mapping is None or not page.table.num_rows:
        return page, ()
    import pyarrow as pa

    said = [n for c in mapping.columns.values() for n in ((c,) if isinstance(c, str) else c)]
    absent = tuple(n for n in dict.fromkeys(said) if position(n, page.table.column_names) is None)
    table = page.table
    for column in absent:
        table = table.append_column(column, pa.nulls(table.num_rows, pa.string()))
    return replace(page, table=table), absent


def _cursor(session: Session, name: str, source: Any, since: datetime | None) -> Cursor | None:
    """Where to go on from. Raises `UserError` where the source cannot begin at a time."""
    cursor = session.workspace.cursor(cursor_name(name))
    if since is None:
        return cursor
    if not isinstance(source, RewindableSource):
        raise UserError(
            f"source {name} cannot be pulled from a time", hint=f"From its start: sfactl source reset {name}"
        )
    return source.cursor_at(since, cursor)


def _pages(name: str, source: Any, cursor: Cursor | None) -> Generator[Page]:
    """Pages of the source; what goes wrong inside a plugin comes out as one of our errors.

    A source that sends the same page again without moving its cursor would go on for ever; it is stopped.
    """
    before: Page | None = None
    try:
        for page in source.pull(cursor):
            if before is not None and page.table.num_rows and _same(before, page):
                raise DataError(
                    f"source {name} sent the same page again and its cursor does not move",
                    hint="The source is at fault; what it sent before is kept.",
                )
            yield page
            before = page
    except SfactlError:
        raise
    except Exception as err:
        raise PluginError(f"source {name}: {type(err).__name__}: {err}") from err


def _same(one: Page, other: Page) -> bool:
    return dict(one.cursor) == dict(other.cursor) and bool(one.table.equals(other.table))


def _added(state: SourcePull, done: FileImport) -> SourcePull:
    return replace(
        state,
        pages=state.pages + 1,
        rows=state.rows + done.rows,
        new=state.new + done.new,
        updated=state.updated + done.updated,
        unchanged=state.unchanged + done.unchanged,
        rejected=state.rejected + done.rejected,
        commit=done.commit if done.commit is not None else state.commit,
    )


def _take(session: Session, name: str, page: Page, order: Order) -> FileImport:
    """One page: cleaned, matched and committed together with its cursor."""
    leads = session.workspace.schemas["leads"]
    if page.table.num_rows == 0:
        with session.write() as tx:
            tx.set_cursor(cursor_name(name), page.cursor)
            commit = tx.commit(rows=0)
        return FileImport(file=name, rows=0, new=0, updated=0, unchanged=0, rejected=0, commit=commit.seq)
    with work_folder(session) as scratch, session.query() as query, bounded(query):
        staged = stage_table(page.table, scratch / "staged.parquet")
        defaults = defaults_of(session, name, order)
        plan = make_plan(leads, staged, defaults, order.mapping)
        plan, touch = posting(session, query, staged, plan, order, defaults, scratch)
        cleaned = clean(query, staged, plan, scratch / "clean.parquet")
        content = hashlib.sha256(json.dumps(dict(page.cursor), sort_keys=True, default=str).encode()).hexdigest()
        return write(
            session,
            Work(
                name=name,
                kind="pull",
                digest=content,
                staged=staged,
                plan=plan,
                cleaned=cleaned,
                touch=touch,
                cursor_name=cursor_name(name),
                cursor=page.cursor,
            ),
        )


def stage_table(table: pa.Table, into: Path) -> Staged:
    """A page as a staged file: every column as text, nested values as JSON.

    A column ``_problem`` says why a row cannot be used; a source may add it rather than leave the row out.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = table.num_rows
    problem = _texts(table.column("_problem")) if "_problem" in table.column_names else pa.nulls(rows, pa.string())
    table = table.drop_columns(["_problem"]) if "_problem" in table.column_names else table
    columns = [_texts(c) for c in table.columns]
    numbers = pa.array(range(1, rows + 1), pa.int64())
    data = [numbers, pa.nulls(rows, pa.int64()), problem, pa.nulls(rows, pa.string()), *columns]
    pq.write_table(pa.Table.from_arrays(data, schema=staged_schema(len(columns))), into)
    return Staged(path=into, columns=tuple(table.column_names), rows=rows)


def _texts(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.string()).combine_chunks()
    return pa.array([_text(v) for v in column.to_pylist()], pa.string())


def _text(value: Any) -> str | None:
    from sfactl.leads.files.sheets import as_text

    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return "; ".join(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return as_text(value)
