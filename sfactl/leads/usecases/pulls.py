"""Pull leads from sources. Each page's rows and the cursor behind it land in one commit.

A run that dies begins again behind the last committed page; a page that comes twice adds nothing. One bad source does
not stop the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import ConfigError, NotFound, SfactlError, UserError
from sfactl.api.records import Page
from sfactl.config.objects import build
from sfactl.leads.cleaning.clean import clean
from sfactl.leads.files.options import FileOptions
from sfactl.leads.files.staging import Staged, staged_schema
from sfactl.leads.mapping import load_mapping
from sfactl.leads.model import FileImport, LeadMapping, PullResult, SourceCheck, SourcePull, SourceRow
from sfactl.leads.usecases.imports import Order, Work, bounded, defaults_of, make_plan, work_folder, write
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

OURS = ("mapping", "event")
"""Keys of a source's file that are the core's, beside ``use``."""


def list_sources(session: Session) -> tuple[SourceRow, ...]:
    """The sources of the workspace, and how far each was pulled."""
    rows = []
    for name in session.settings.sources:
        try:
            table = session.settings.sources[name]
        except ConfigError as err:
            rows.append(SourceRow(source=name, use="", problem=err.message))
            continue
        cursor = session.workspace.cursor(_cursor_name(name))
        rows.append(SourceRow(source=name, use=str(table["use"]), cursor=_short(cursor)))
    return tuple(rows)


def check_sources(session: Session, names: Sequence[str] = ()) -> tuple[SourceCheck, ...]:
    """Ask each source whether it answers, without pulling. Raises `NotFound` for a name that does not exist."""
    checks = []
    for name in names or tuple(session.settings.sources):
        use = ""
        if name not in session.settings.sources:
            _table(session, name)
        try:
            table = _table(session, name)
            use = str(table["use"])
            _mapping(session, name, table)
            report = _source(session, name, table).check()
        except SfactlError as err:
            checks.append(SourceCheck(source=name, use=use, ok=False, problems=(err.message,)))
            continue
        problems = tuple(report.problems)
        checks.append(SourceCheck(source=name, use=use, ok=not problems, facts=dict(report.facts), problems=problems))
    return tuple(checks)


def pull(session: Session, names: Sequence[str] = (), *, every: bool = False, pages: int = 0) -> PullResult:
    """Pull new and changed leads from the sources ``names``, or from all. ``pages`` limits each source (0: no limit).

    Each page is one commit. A source that fails is told in the result; what it gave before that is kept.
    """
    chosen = tuple(session.settings.sources) if every else tuple(names)
    if not chosen:
        raise UserError("name a source, or say --all", hint="See: sfactl source list")
    for name in chosen:
        if name not in session.settings.sources:
            _table(session, name)
    done = tuple(_pull_one(session, name, pages) for name in chosen)
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


def _pull_one(session: Session, name: str, pages: int) -> SourcePull:
    state = SourcePull(source=name, use="")
    try:
        table = _table(session, name)
        state = replace(state, use=str(table["use"]))
        order = Order(mapping=_mapping(session, name, table), where=f"sources/{name}.toml", pulled=name)
        if event := table.get("event"):
            order = replace(order, event=str(event))
        source = _source(session, name, table)
        with session.progress(f"Pulling {name}") as progress:
            for page in _pages(session, name, source):
                done = _take(session, name, page, order)
                state = _added(state, done)
                progress.advance(done.rows)
                if pages and state.pages >= pages:
                    break
    except SfactlError as err:
        return replace(state, problem=err.message, hint=err.hint, code=err.code)
    return state


def _pages(session: Session, name: str, source: Any) -> Iterator[Page]:
    """Pages of the source; what goes wrong inside a plugin comes out as one of our errors."""
    from sfactl.api.errors import PluginError

    try:
        yield from source.pull(session.workspace.cursor(_cursor_name(name)))
    except SfactlError:
        raise
    except Exception as err:
        raise PluginError(f"source {name}: {type(err).__name__}: {err}") from err


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
            tx.set_cursor(_cursor_name(name), page.cursor)
            commit = tx.commit(rows=0)
        return FileImport(file=name, rows=0, new=0, updated=0, unchanged=0, rejected=0, commit=commit.seq)
    with work_folder(session) as scratch, session.query() as query, bounded(query):
        staged = stage_table(page.table, scratch / "staged.parquet")
        plan = make_plan(leads, staged, defaults_of(session, name, order), order.mapping)
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
                cursor_name=_cursor_name(name),
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


def _table(session: Session, name: str) -> Mapping[str, Any]:
    try:
        return session.settings.sources[name]
    except KeyError:
        known = ", ".join(session.settings.sources) or "none yet"
        raise NotFound(f"there is no source {name!r}", hint=f"sources/*.toml: {known}") from None


def _mapping(session: Session, name: str, table: Mapping[str, Any]) -> LeadMapping | None:
    """The source's mapping: a table in its file, or the name of a mapping."""
    said = table.get("mapping")
    if said is None or isinstance(said, str):
        return load_mapping(said, session.folder)
    where = f"sources/{name}.toml"
    mapping = build(LeadMapping, said, where=where, path="mapping", inject={"name": name})
    if mapping.file != FileOptions(time_zone=mapping.file.time_zone, day_month_order=mapping.file.day_month_order):
        raise ConfigError(f"{where}: mapping.file: a source gives rows; only time_zone and day_month_order apply")
    return mapping


def _source(session: Session, name: str, table: Mapping[str, Any]) -> Any:
    settings = {k: v for k, v in table.items() if k not in OURS}
    return session.host.make("lead_source", str(table["use"]), settings, where=f"sources/{name}.toml")


def _cursor_name(name: str) -> str:
    return f"source:{name}"


def _short(cursor: Mapping[str, Any] | None) -> str | None:
    if cursor is None:
        return None
    text = json.dumps(cursor, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"
