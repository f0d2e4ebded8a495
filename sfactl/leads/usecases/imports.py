"""Import files of leads: each file is read, cleaned, matched and written in one commit, or not at all."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sfactl.api.errors import ConfigError, DataError, UserError
from sfactl.config.objects import read_object
from sfactl.engine.duck import Query
from sfactl.leads import collisions, identities, matching, merging, posts, rejects, set_aside, suggest
from sfactl.leads.cleaning.clean import Cleaned, clean
from sfactl.leads.cleaning.expression import literal, name
from sfactl.leads.files.kinds import stage
from sfactl.leads.files.options import FileOptions, Reading
from sfactl.leads.files.staging import Staged
from sfactl.leads.headers import count_known, position
from sfactl.leads.mapping import RESERVED, Defaults, load_mapping, plan_by_headers, plan_mapping, unknown_fields
from sfactl.leads.model import FileImport, ImportResult, LeadMapping, Plan, Reason
from sfactl.leads.usecases.past import record, since_last
from sfactl.schemas import Dataset
from sfactl.session import Session
from sfactl.workspace import Transaction

MEMORY = "1000MiB"
"""An import works in streams; more memory than this would not make it faster."""

FEW_ROWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the caller wants: the mapping and what it says beside it."""

    mapping: LeadMapping | None
    where: str
    source: str | None = None
    event: str | None = None
    pulled: str | None = None
    form: str | None = None


def import_files(
    session: Session,
    files: Sequence[Path],
    *,
    mapping: str | None = None,
    source: str | None = None,
    event: str | None = None,
    form: str | None = None,
    add_fields: bool = False,
) -> ImportResult:
    """Import leads from ``files``, one commit a file.

    ``mapping`` is a file or a name in ``mappings/``; without it columns are recognised by their headers. ``source`` and
    ``event`` go on every lead. ``form`` says that the rows are postings of that form, each an event of its lead, too;
    a mapping's ``[touchpoint]`` says the same. ``add_fields`` declares fields that the mapping uses and nobody
    declared, as text.
    Errors: `DataError` for a file that is ambiguous or unreadable, `ConfigError` for a mapping; then nothing of that
    file is written, and files before it stay imported.
    """
    if not files:
        raise UserError("name at least one file", hint="sfactl lead import FILE …")
    read = load_mapping(mapping, session.folder, dataset="leads")
    if read is not None and add_fields:
        _declare(session, read)
    order = Order(mapping=read, where=mapping or "mapping", source=source, event=event, form=form)
    done = tuple(import_one(session, path, order) for path in files)
    result = ImportResult(
        rows=sum(f.rows for f in done),
        new=sum(f.new for f in done),
        updated=sum(f.updated for f in done),
        unchanged=sum(f.unchanged for f in done),
        rejected=sum(f.rejected for f in done),
        dry_run=session.dry_run,
        files=done,
    )
    session.notify("sfactl_after_leads_imported", summary(session, result))
    return result


def summary(session: Session, result: ImportResult) -> dict[str, object]:
    """What plugins are told."""
    counts = {k: getattr(result, k) for k in ("rows", "new", "updated", "unchanged", "rejected")}
    commits = [f.commit for f in result.files if f.commit is not None]
    return {"run_id": session.run_id, "commit": commits[-1] if commits else None, **counts}


def import_one(session: Session, path: Path, order: Order) -> FileImport:
    """One file, one commit."""
    leads = session.workspace.schemas["leads"]
    with work_folder(session) as scratch, session.query() as query, bounded(query):
        before = still(path)
        reading = reading_of(path, scratch, query, order, "leads")
        with session.progress(f"Reading {path.name}"), ThreadPoolExecutor(max_workers=1) as pool:
            content = pool.submit(digest, path)
            staged = stage(reading)
        if still(path) != before:
            raise DataError(f"{path.name} changed while it was read", hint="Import it when it is complete.")
        alone(query, staged.rows)
        defaults = defaults_of(session, path.name, order)
        plan = make_plan(leads, staged, defaults, order.mapping)
        if order.mapping is None:
            plan = replace(plan, notes=(*plan.notes, *_suggested(session, staged)))
        with session.progress(f"Cleaning {staged.rows:,} rows"):
            plan, touch = posting(session, query, staged, plan, order, defaults, scratch)
            cleaned = clean(query, staged, plan, scratch / "clean.parquet")
        return write(
            session,
            Work(
                name=path.name,
                kind="file",
                digest=content.result(),
                staged=staged,
                plan=plan,
                cleaned=cleaned,
                touch=touch,
            ),
        )


def _suggested(session: Session, staged: Staged) -> tuple[str, ...]:
    """Which mapping of the workspace the file was made for; one that cannot be read is told by ``config check``."""
    known = []
    for path in sorted((session.folder / "mappings").glob("*.toml")):
        with suppress(ConfigError):
            known.append(read_object(LeadMapping, path, inject={"name": path.stem}))
    return suggest.said(suggest.fitting(known, staged.columns))


def posting(
    session: Session, query: Query, staged: Staged, plan: Plan, order: Order, defaults: Defaults, scratch: Path
) -> tuple[Plan, Cleaned | None]:
    """The lead's plan with what the posting says of its origin, and the clean events; None where rows are none."""
    rules = order.mapping.touchpoint if order.mapping else None
    if rules is None and order.form is None:
        return plan, None
    if rules is None:
        rules = posts.rules_of(staged.columns, order.form or "")
    elif order.form:
        rules = replace(rules, constants={**rules.constants, "content": order.form})
    touch = posts.plan(rules, order.mapping, session.workspace.schemas["touchpoints"], staged.columns, defaults)
    return posts.with_origin(plan, touch), clean(query, staged, touch, scratch / "touch.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A cleaned file on its way into the leads; ``touch`` are the events that its rows are, too.

    ``cursor`` lands in the same commit, under ``cursor_name``.
    """

    name: str
    kind: str
    digest: str
    staged: Staged
    plan: Plan
    cleaned: Cleaned
    touch: Cleaned | None = None
    cursor_name: str | None = None
    cursor: Mapping[str, object] | None = None


def write(session: Session, work: Work) -> FileImport:
    """Match the clean rows with the leads and commit what is new: leads, their first stage, and the import itself."""
    source = work.cleaned.source
    fields = tuple(work.cleaned.fields)
    plan = work.plan
    names = ("leads", "identities", *(("visitors",) if work.touch else ()))
    with session.write(*names, reason=f"{work.kind} {work.name}") as tx, bounded(tx.query):
        query = tx.query
        alone(query, work.staged.rows)
        existing = bool(query.rows("select 1 from leads limit 1"))
        matching.prepare(query, source, plan, fields)
        matching.assign(query, plan, existing)
        keys = collisions.guarded_keys(session.folder, work.kind) if existing and not work.touch else ()
        if keys and (free := collisions.guarded(query, source, fields, keys, now=session.now(), actor=session.actor)):
            source = free
            matching.prepare(query, source, plan, fields)
            matching.assign(query, plan, existing)
        reasons = rejects.collect(query, source, matching.no_key_reason(plan.keys))
        fresh = matching.fresh_leads(query)
        matching.number_leads(query, plan, session.reserve("lead", fresh) if fresh else 1)
        source = identities.silence(query, source, fields)
        source = set_aside.silence(query, source, fields, session.workspace.schemas["leads"].types)
        values = merging.stated(fields, plan)
        merging.find_changes(query, source, values, plan, existing)
        new, updated, unchanged = merging.count_rows(query, source, values, plan, existing)
        refused = sum(r.rows for r in reasons)
        reasons = placed(query, reasons, work.staged)
        rejects_file = _write_rejects(session, query, work) if refused else None
        counts = {"rows": work.staged.rows, "new": new, "updated": updated, "unchanged": unchanged, "rejected": refused}
        result = FileImport(
            file=work.name,
            **counts,
            rejects_file=rejects_file,
            reasons=reasons,
            cleaned=work.cleaned.counts,
            columns=len(work.staged.columns) - len(work.staged.empty),
            mapped=_mapped(plan),
            not_mapped=plan.unmapped,
            facts=work.staged.facts,
            notes=(*work.staged.notes, *plan.notes, *work.cleaned.notes),
        )
        _stage_rows(session, tx, source, values, plan, fresh=new, changed=updated)
        result = _with_events(session, tx, work, result)
        result = _recorded(session, tx, work, result)
        if work.cursor_name is not None:
            tx.set_cursor(work.cursor_name, work.cursor or {})
        commit = tx.commit(**counts)
    return replace(result, commit=commit.seq)


def _with_events(session: Session, tx: Transaction, work: Work, result: FileImport) -> FileImport:
    """Append the events that the rows are; the result tells their number."""
    if work.touch is None:
        return result
    columns = session.workspace.schemas["touchpoints"].types
    added, timeless = posts.append(tx, work.staged, work.touch, work.plan.namespace, columns)
    rows = "1 row" if timeless == 1 else f"{timeless:,} rows"
    told = (f"{rows} without a time: the lead was taken, the event was not",) if timeless else ()
    return replace(result, cleaned={**result.cleaned, "events": added}, notes=(*result.notes, *work.touch.notes, *told))


def _recorded(session: Session, tx: Transaction, work: Work, result: FileImport) -> FileImport:
    """Record the import; the result tells what is other than in the last such file."""
    columns = work.staged.columns if work.cursor_name is None else ()
    changed = since_last(tx.query, work.name, columns)
    counts = {k: getattr(result, k) for k in ("rows", "new", "updated", "unchanged", "rejected")}
    record(
        session,
        tx,
        name=work.name,
        kind=work.kind,
        digest=work.digest,
        counts=counts,
        rejects=result.rejects_file,
        columns=columns,
    )
    return replace(result, notes=(*result.notes, *changed))


def _stage_rows(
    session: Session, tx: Transaction, source: str, values: Mapping[str, str], plan: Plan, *, fresh: int, changed: int
) -> None:
    """Upsert new and changed leads, and append the first stage of the new ones."""
    columns = session.workspace.schemas["leads"].types
    merged = merging.merged(source, values, plan)
    now = {"now": session.now()}
    parts = []
    if fresh:
        parts.append(f"select {_fresh_row(columns, values, plan)} from ({merged}) m where m.fresh")
    if changed:
        parts.append(
            f"select {_changed_row(columns, values, plan)} from ({merged}) m join leads e using (lead_id)"
            " where m.lead_id in (select lead_id from changes)"
        )
    none = f"select {', '.join(f'cast(null as {t}) as {name(c)}' for c, t in columns.items())} limit 0"
    rows = " union all ".join(parts) or none
    if parts:
        tx.upsert("leads", rows, now)
    identities.remember(tx, plan, rows, session.now())
    if fresh:
        tx.append(
            "stage_events",
            "select 'lead:' || lead_id || ':new' as event_id, $now as at, 'lead' as entity, lead_id as entity_id,"
            " 'new' as to_stage, $actor as actor, $cause as cause"
            " from (select distinct lead_id from assigned where fresh)",
            {**now, "actor": session.actor, "cause": session.command},
        )


def _fresh_row(columns: Mapping[str, str], values: Mapping[str, str], plan: Plan) -> str:
    made = {c: f"m.{name(c)}" if c in values else f"cast(null as {t})" for c, t in columns.items()}
    made |= {"lead_id": "m.lead_id", "status": "'new'", "created_at": "$now", "updated_at": "$now"}
    made["source"] = f"coalesce({made['source']}, {literal(plan.source)})"
    made["direction"] = f"coalesce({made['direction']}, 'unknown')"
    return ", ".join(f"{sql} as {name(c)}" for c, sql in made.items())


def _changed_row(columns: Mapping[str, str], values: Mapping[str, str], plan: Plan) -> str:
    made = {
        c: merging.kept(c, plan, f"m.{name(c)}", f"e.{name(c)}") if c in values else f"e.{name(c)}" for c in columns
    }
    made["updated_at"] = "$now"
    return ", ".join(f"{sql} as {name(c)}" for c, sql in made.items())


def placed(query: Query, reasons: tuple[Reason, ...], staged: Staged) -> tuple[Reason, ...]:
    """Reasons of one row with where it stands in the file."""
    places = rejects.with_places(query, reasons, staged)
    return tuple(
        replace(r, reason=f"{r.reason} ({places[r.example_row]})") if r.rows == 1 and r.example_row in places else r
        for r in reasons
    )


def _write_rejects(session: Session, query: Query, work: Work) -> str:
    into = session.folder / "rejects" / f"{Path(work.name).stem}.csv"
    if not session.dry_run:
        rejects.write_rejects(query, work.staged, into)
    return f"rejects/{into.name}"


def _mapped(plan: Plan) -> dict[str, str]:
    return {t.field: " + ".join(t.names) for t in plan.targets if t.names}


def make_plan(
    dataset: Dataset,
    staged: Staged,
    defaults: Defaults,
    mapping: LeadMapping | None,
    *,
    reserved: Sequence[str] = RESERVED,
) -> Plan:
    """The mapping, or what the headers say, laid over the staged columns. ``reserved`` fields nobody may set."""
    if mapping is not None:
        plan = plan_mapping(mapping, dataset, staged.columns, defaults, reserved=reserved)
    else:
        plan = plan_by_headers(dataset, staged.columns, defaults, without=staged.empty, reserved=reserved)
    return replace(plan, unmapped=tuple(c for c in plan.unmapped if c not in staged.empty))


def defaults_of(session: Session, file: str, order: Order) -> Defaults:
    """What the command line and the workspace say."""
    settings = session.settings.workspace
    return Defaults(
        file=file,
        source=order.source,
        event=order.event,
        pulled=order.pulled,
        country=settings.country,
        zone=settings.time_zone,
    )


def reading_of(path: Path, scratch: Path, query: Query, order: Order, headers: str) -> Reading:
    """How ``path`` is to be read."""
    wanted = None
    if order.mapping is not None and order.mapping.columns:
        names = [n for said in order.mapping.columns.values() for n in ((said,) if isinstance(said, str) else said)]
        wanted = partial(_count_wanted, tuple(names))
    return Reading(
        path=path,
        into=scratch / "staged.parquet",
        options=order.mapping.file if order.mapping else FileOptions(),
        query=query,
        known=partial(count_known, headers),
        wanted=wanted,
        where=order.where,
        scratch=scratch,
    )


def _count_wanted(names: Sequence[str], cells: Sequence[str]) -> int:
    return sum(1 for n in names if position(n, cells) is not None)


def still(path: Path) -> tuple[int, int]:
    """Size and time of a file: what moves while somebody still writes it. Raises `DataError` where there is none."""
    try:
        found = path.stat()
    except OSError as err:
        raise DataError(f"{path}: no such file ({err.strerror})") from None
    return found.st_size, found.st_mtime_ns


def digest(path: Path) -> str:
    """SHA-256 of the file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def work_folder(session: Session) -> Iterator[Path]:
    """A folder for what is staged on the way; in a dry run outside the workspace."""
    base = None if session.dry_run else session.workspace.private / "tmp"
    if base is not None:
        base.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="import-", dir=base) as folder:
        yield Path(folder)


@contextmanager
def bounded(query: Query) -> Iterator[None]:
    """Hold the engine to `MEMORY` meanwhile; what `alone` set is taken back too."""
    memory, threads = query.one("select current_setting('memory_limit'), current_setting('threads')") or ("", 1)
    query.run(f"set memory_limit = '{MEMORY}'")
    try:
        yield
    finally:
        query.run(f"set memory_limit = '{memory}'")
        query.run(f"set threads = {threads}")


def alone(query: Query, rows: int) -> None:
    """Work on few rows in one thread: a second one would only be waited for. Use it inside `bounded`."""
    if rows <= FEW_ROWS:
        query.run("set threads = 1")


def _declare(session: Session, mapping: LeadMapping) -> None:
    """Declare the fields the mapping fills and nobody declared; a dry run knows them without writing them down."""
    from sfactl.config.edit import set_value
    from sfactl.schemas import Schemas

    missing = unknown_fields(mapping, session.workspace.schemas["leads"])
    for field in missing:
        set_value(session.folder, f"fields.leads.{field}", "text", dry_run=session.dry_run)
        said = "would declare" if session.dry_run else "declared"
        session.note(f'{said} in sfactl.toml: [fields.leads] {field} = "text"')
    known = dict(session.settings.fields)
    known["leads"] = {**known.get("leads", {}), **dict.fromkeys(missing, "text")}
    session.workspace.schemas = Schemas(known, zone=session.settings.workspace.time_zone)
