"""Import what leads cost, and the rates that make costs of several currencies comparable. One commit a file.

A cost or a rate that is told again replaces what was told before; the same file twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sfactl.api.errors import UserError
from sfactl.engine.duck import Query
from sfactl.leads import costs, rates, rejects
from sfactl.leads.cleaning.clean import Cleaned, clean
from sfactl.leads.cleaning.expression import literal
from sfactl.leads.files.kinds import stage
from sfactl.leads.files.staging import Staged
from sfactl.leads.mapping import load_mapping
from sfactl.leads.model import FileImport, ImportResult, Plan, Reason
from sfactl.leads.usecases.imports import (
    Order,
    bounded,
    defaults_of,
    digest,
    make_plan,
    placed,
    reading_of,
    work_folder,
)
from sfactl.leads.usecases.past import record
from sfactl.session import Session

_TOTAL = r"(?i)^(grand )?totals?\b|^(合計|合计|總計|总计|gesamt)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What one file says: SQL of one row a key with ``n``, the rows it came of, and the columns that are compared."""

    dataset: str
    key: tuple[str, ...]
    rows: str
    compared: tuple[str, ...]
    notes: tuple[str, ...] = ()


def import_costs(
    session: Session,
    files: Sequence[Path],
    *,
    mapping: str | None = None,
    currency: str | None = None,
    source: str | None = None,
    channel: str | None = None,
) -> ImportResult:
    """Import costs of channels and campaigns from ``files`` into ``costs``.

    ``currency`` (ISO 4217), ``source`` and ``channel`` go on every row. Errors as for leads, and `ConfigError` where no
    column holds an amount or a day.
    """
    if not files:
        raise UserError("name at least one file", hint="sfactl source import-cost FILE …")
    order = Order(mapping=load_mapping(mapping, session.folder, dataset="costs"), where=mapping or "mapping")
    done = []
    for path in files:
        with work_folder(session) as scratch, session.query() as query, bounded(query):
            staged = stage(reading_of(path, scratch, query, order, "costs"))
            headers = staged.columns
            if order.mapping is None:
                staged = replace(staged, columns=tuple(costs.without_currency(c) for c in headers))
            plan = make_plan(
                session.workspace.schemas["costs"], staged, defaults_of(session, path.name, order), order.mapping,
                reserved=costs.KEPT,
            )  # fmt: skip
            default = session.settings.workspace.currency
            plan = costs.complete(plan, headers, currency=currency, default=default, source=source, channel=channel)
            cleaned = clean(query, staged, plan, scratch / "clean.parquet")
            done.append(_write_costs(session, path, staged, plan, cleaned))
    return _together(session, done)


def import_rates(session: Session, files: Sequence[Path], *, base: str | None = None) -> ImportResult:
    """Import exchange rates from ``files`` into ``rates``: a table of days and currencies, or one rate a row.

    ``base`` is the currency of which one unit is told; a column may say so, else it is EUR, as the European Central
    Bank tells them.
    """
    if not files:
        raise UserError("name at least one file", hint="sfactl source import-rates FILE …")
    order = Order(mapping=None, where="the file")
    done = []
    for path in files:
        with work_folder(session) as scratch, session.query() as query, bounded(query):
            read = stage(reading_of(path, scratch, query, order, "rates"))
            staged = rates.one_a_row(query, read, scratch / "long.parquet", base=base)
            schema = session.workspace.schemas["rates"]
            plan = make_plan(schema, staged, defaults_of(session, path.name, order), None, reserved=("updated_at",))
            plan = replace(plan, notes=())
            cleaned = clean(query, staged, plan, scratch / "clean.parquet")
            done.append(_write_rates(session, path, staged, plan, cleaned))
    return _together(session, done)


def _write_costs(session: Session, path: Path, staged: Staged, plan: Plan, cleaned: Cleaned) -> FileImport:
    judged = costs.judged(cleaned.source, cleaned.fields, currencies())
    rows = costs.keyed(judged, cleaned.fields, plan.namespace)
    found = _Found(
        dataset="costs",
        key=("cost_id",),
        rows=costs.folded(rows, plan.namespace),
        compared=("amount", "impressions", "clicks", "note"),
    )
    return _write(session, path, staged, plan, cleaned, judged, found)


def _write_rates(session: Session, path: Path, staged: Staged, plan: Plan, cleaned: Cleaned) -> FileImport:
    judged = rates.judged(cleaned.source, currencies())
    found = _Found(dataset="rates", key=rates.KEY, rows=rates.folded(judged), compared=("rate",))
    return _write(session, path, staged, plan, cleaned, judged, found)


def currencies() -> tuple[str, ...]:
    """All codes of ISO 4217."""
    from babel.numbers import list_currencies

    return tuple(sorted(list_currencies()))


def _write(
    session: Session, path: Path, staged: Staged, plan: Plan, cleaned: Cleaned, judged: str, found: _Found
) -> FileImport:
    keys, own = ", ".join(found.key), "using (" + ", ".join(found.key) + ")"
    differs = " or ".join(f"f.{c} is distinct from e.{c}" for c in found.compared)
    with session.write(found.dataset, reason=f"{found.dataset} of {path.name}") as tx, bounded(tx.query):
        query = tx.query
        query.run(f"create or replace temp table told as {found.rows}")
        query.run(
            f"create or replace temp table states as select {keys}, f.n, e.updated_at is null as fresh,"
            f" e.updated_at is not null and ({differs}) as moved from told f left join {found.dataset} e {own}"
        )
        query.run(f"create or replace temp view usable as select _row from {judged} where _reason is null")
        rejects.collect(query, judged, "not usable", "usable")
        totals = _totals(query, staged)
        reasons = rejects.reasons(query)
        counts = _counts(query, reasons)
        rejects_file = _rejects(session, query, staged, path) if counts["rejected"] else None
        tx.upsert(
            found.dataset,
            f"select told.* exclude (n), cast($now as timestamp) as updated_at from told join states {own}"
            " where fresh or moved",
            {"now": session.now()},
        )
        reasons = placed(query, reasons, staged)
        record(
            session, tx, name=path.name, kind=found.dataset, digest=digest(path), counts=counts, rejects=rejects_file
        )
        added = query.one("select count(*), sum(n)::bigint from told where n > 1") or (0, 0)
        commit = tx.commit(**counts)
    return FileImport(
        file=path.name,
        rows=counts["rows"],
        new=counts["new"],
        updated=counts["updated"],
        unchanged=counts["unchanged"],
        rejected=counts["rejected"],
        rejects_file=rejects_file,
        reasons=reasons,
        columns=len(staged.columns),
        mapped={t.field: " + ".join(t.names) for t in plan.targets if t.names},
        not_mapped=plan.unmapped,
        facts=staged.facts,
        notes=(*staged.notes, *plan.notes, *cleaned.notes, *found.notes, *_said(totals, *added)),
        commit=commit.seq,
    )


def _said(totals: int, groups: int, rows: int | None) -> tuple[str, ...]:
    said = [f"{totals} row{'s' if totals > 1 else ''} of totals left out"] if totals else []
    if groups:
        several = f"{groups:,} costs" if groups > 1 else "one cost"
        said.append(f"{rows:,} rows are parts of {several} (the same campaign and days), and were added up")
    return tuple(said)


def _totals(query: Query, staged: Staged) -> int:
    """Take the rows of totals, which reports put below their rows, out of ``rejects``; answers how many."""
    cells = " or ".join(f"regexp_matches(s.c{i}, {literal(_TOTAL)})" for i in range(min(len(staged.columns), 6)))
    query.run(
        f"create or replace temp table totals as select r._row from rejects r join {staged.source} s using (_row)"
        f" where r._reason in ('no day', 'no amount', 'spent_on is not a date') and ({cells})"
    )
    query.run("delete from rejects where _row in (select _row from totals)")
    return int((query.one("select count(*) from totals") or (0,))[0])


def _counts(query: Query, reasons: Sequence[Reason]) -> dict[str, int]:
    new, updated, unchanged = query.one(
        "select coalesce(sum(n) filter (where fresh), 0)::bigint, coalesce(sum(n) filter (where moved), 0)::bigint,"
        " coalesce(sum(n) filter (where not fresh and not moved), 0)::bigint from states"
    ) or (0, 0, 0)
    rejected = sum(r.rows for r in reasons)
    return {
        "rows": new + updated + unchanged + rejected,
        "new": new,
        "updated": updated,
        "unchanged": unchanged,
        "rejected": rejected,
    }


def _rejects(session: Session, query: Query, staged: Staged, path: Path) -> str:
    into = session.folder / "rejects" / f"{path.stem}.csv"
    if not session.dry_run:
        rejects.write_rejects(query, staged, into)
    return f"rejects/{into.name}"


def _together(session: Session, done: Sequence[FileImport]) -> ImportResult:
    total = {k: sum(getattr(f, k) for f in done) for k in ("rows", "new", "updated", "unchanged", "rejected")}
    return ImportResult(**total, dry_run=session.dry_run, files=tuple(done))
