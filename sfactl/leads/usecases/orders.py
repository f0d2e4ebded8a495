"""Import the history of orders from files: of a shop, an ERP, a marketplace.

An order is known again by its number within ``source``, so that a file twice changes nothing and a corrected file
corrects. Customers are found by lead number, id or e-mail, or made; orders of nobody in particular are kept without a
lead. What is imported is history: it is never pushed to an ERP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sfactl.api.errors import ConfigError, UserError
from sfactl.engine.duck import Query
from sfactl.leads import order_rows, rejects
from sfactl.leads.cleaning.clean import clean
from sfactl.leads.cleaning.expression import name
from sfactl.leads.files.kinds import stage
from sfactl.leads.files.staging import Staged
from sfactl.leads.identities import are_there, known_keys
from sfactl.leads.mapping import Defaults, load_mapping, plan_by_headers, plan_mapping
from sfactl.leads.model import FileImport, ImportResult, LeadMapping, Plan
from sfactl.leads.usecases.imports import Order, bounded, defaults_of, digest, placed, reading_of, work_folder
from sfactl.session import Session
from sfactl.workspace import Transaction

SOURCE = "orders"
"""Whose numbers and ids these are where nobody says."""
ANY_ID = (
    "select external_id as k, min(lead_id) as lead_id from leads where external_id is not null"
    " group by external_id having count(*) = 1"
)
"""Where nobody says whose ids they are, an id that only one lead has means that lead."""
KEYS = ("lead_id", "external_id", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many rows of the file are of new, changed and unchanged orders, and what else there is to tell."""

    new: int
    updated: int
    unchanged: int
    facts: dict[str, int]


def import_orders(
    session: Session,
    files: Sequence[Path],
    *,
    mapping: str | None = None,
    source: str | None = None,
    known_only: bool = False,
) -> ImportResult:
    """Import orders from ``files``, one commit a file; rows are lines of orders, or orders.

    A row needs an order number and the time of the order. ``source`` says whose order numbers and customer ids these
    are. A customer whom nobody knows becomes a lead; with ``known_only`` the row is refused. Errors as for leads.
    """
    if not files:
        raise UserError("name at least one file", hint="sfactl order import FILE …")
    read = load_mapping(mapping, session.folder, dataset="orders")
    order = Order(mapping=read, where=mapping or "mapping", pulled=source or SOURCE)
    done = tuple(_import_one(session, path, order, known_only=known_only) for path in files)
    return ImportResult(
        rows=sum(f.rows for f in done),
        new=sum(f.new for f in done),
        updated=sum(f.updated for f in done),
        unchanged=sum(f.unchanged for f in done),
        rejected=sum(f.rejected for f in done),
        dry_run=session.dry_run,
        files=done,
    )


def _import_one(session: Session, path: Path, order: Order, *, known_only: bool) -> FileImport:
    with work_folder(session) as scratch, session.query() as query, bounded(query):
        staged = stage(reading_of(path, scratch, query, order, "orders"))
        plan = _plan(staged.columns, defaults_of(session, path.name, order), order.mapping)
        cleaned = clean(query, staged, plan, scratch / "clean.parquet")
        names = ("orders", "order_lines", "leads")
        with session.write(*names, reason=f"orders of {path.name}") as tx, bounded(tx.query):
            made = _read(
                session, tx.query, order_rows.rows_sql(cleaned.source, cleaned.fields, "$now"), plan, known_only
            )
            reasons = placed(tx.query, rejects.collect(tx.query, "every_row", "nobody we know", "good"), staged)
            rejects_file = _write_rejects(session, tx.query, staged, path) if reasons else None
            counts = _write(session, tx, plan, made)
            rejected = sum(r.rows for r in reasons)
            commit = tx.commit(rows=staged.rows, new=counts.new, rejected=rejected, content_hash=digest(path))
    return FileImport(
        file=path.name,
        rows=staged.rows,
        new=counts.new,
        updated=counts.updated,
        unchanged=counts.unchanged,
        rejected=rejected,
        rejects_file=rejects_file,
        reasons=reasons,
        cleaned={**cleaned.counts, **counts.facts},
        columns=len(staged.columns) - len(staged.empty),
        mapped={t.field: " + ".join(t.names) for t in plan.targets if t.names},
        not_mapped=tuple(c for c in plan.unmapped if c not in staged.empty),
        facts=staged.facts,
        notes=(*staged.notes, *cleaned.notes),
        commit=commit.seq,
    )


def _write_rejects(session: Session, query: Query, staged: Staged, path: Path) -> str:
    into = session.folder / "rejects" / f"{path.stem}.csv"
    if not session.dry_run:
        rejects.write_rejects(query, staged, into)
    return f"rejects/{into.name}"


def _plan(columns: Sequence[str], defaults: Defaults, mapping: LeadMapping | None) -> Plan:
    rows = order_rows.ROWS
    if mapping is None:
        plan = plan_by_headers(rows, columns, defaults, reserved=())
    else:
        plan = plan_mapping(mapping, rows, columns, defaults, reserved=())
    fields = {t.field for t in plan.targets}
    if "order_number" not in fields:
        raise ConfigError(
            f"{defaults.file}: no column is mapped to 'order_number' (columns: {', '.join(columns[:10])})",
            hint='Write a mapping: mappings/NAME.toml with schema = 1, dataset = "orders" and [columns].',
        )
    return replace(plan, keys=("row",))


def _read(session: Session, query: Query, rows: str, plan: Plan, known_only: bool) -> int:
    """Make ``every_row``, and ``good`` of those that count with their lead; answers how many leads are new."""
    query.run(f"create or replace temp table read_rows as {rows}", {"now": session.now()})
    too = are_there(query)
    namespace = plan.namespace
    known = {
        "lead_id": "select lead_id as k, lead_id from leads",
        "external_id": known_keys("external_id", namespace, too=too) if namespace != SOURCE else ANY_ID,
        "email": known_keys("email", namespace, too=too),
    }
    own = {"lead_id": "r.lead_id", "external_id": "r.external_id", "email": "lower(r.email)"}
    joins = " ".join(
        f"left join (select k, min(lead_id) as lead_id from ({sql}) group by k) k_{key} on k_{key}.k = {own[key]}"
        for key, sql in known.items()
    )
    found = ", ".join(f"k_{key}.lead_id" for key in KEYS)
    person = "coalesce('id ' || r.external_id, 'mail ' || lower(r.email))"
    nobody = "when person is not null and lead_id is null then 'nobody we know'" if known_only else ""
    query.run(
        "create or replace temp table before as select * from orders where id_namespace = $space",
        {"space": namespace},
    )
    query.run(
        'create or replace temp table met as select * replace (coalesce(_reason, case when "at" is null then'
        " 'no time of the order, and no such order is known' when told_lead is not null and lead_id is null"
        f" then 'no such lead' {nobody} end) as _reason) from (select r.* replace ("
        f'coalesce({found}, b.lead_id) as lead_id, coalesce(r."at", b."at") as "at"), r.lead_id as told_lead,'
        f" {person} as person from read_rows r {joins} left join before b on b.external_id = r.order_number)"
    )
    strangers = "select distinct person from met where lead_id is null and person is not null and _reason is null"
    answer = query.one(f"select count(*) from ({strangers})")
    made = int(answer[0]) if answer else 0
    query.run(
        f"create or replace temp table people as select person, $first - 1 + row_number() over (order by person)"
        f" as lead_id from ({strangers})",
        {"first": session.reserve("lead", made) if made else 1},
    )
    query.run(
        "create or replace temp table every_row as select m.* exclude (lead_id),"
        " cast(coalesce(m.lead_id, p.lead_id) as bigint) as lead_id from met m left join people p using (person)"
    )
    query.run("create or replace temp table good as select * from every_row where _reason is null")
    return made


def _write(session: Session, tx: Transaction, plan: Plan, made: int) -> Counts:
    query = tx.query
    asks_paid = plan.target("paid_at") is not None
    query.run(
        f"create or replace temp table file_orders as {order_rows.ORDERS}",
        {"currency": session.settings.workspace.currency, "asks_paid": asks_paid},
    )
    query.run(f"create or replace temp table file_lines as {order_rows.LINES}")
    _compare(session, query, plan)
    now = session.now()
    if made:
        _write_people(session, tx, plan)
    if query.rows("select 1 from changed limit 1"):
        if _tells_lines(plan):
            gone = "select l.order_id, l.line_no from order_lines l join changed c using (order_id) where not c.fresh"
            tx.delete("order_lines", gone)
        tx.upsert(
            "orders",
            'select c.order_id, o.lead_id, o."at", o.status, o.channel, o.product_name, o.currency, o.amount,'
            " cast($now as timestamp) as updated_at,"
            " case when o.status = 'cancelled' then o.\"at\" end as cancelled_at,"
            " o.order_number as external_id, $space as id_namespace"
            " from file_orders o join changed c using (order_number)",
            {"now": now, "space": plan.namespace},
        )
        tx.upsert(
            "order_lines",
            "select c.order_id, l.* exclude (order_number) from file_lines l join changed c using (order_number)",
        )
    return _counted(query, made)


def _tells_lines(plan: Plan) -> bool:
    return any(plan.target(field) is not None for field in order_rows.OF_A_LINE)


def _compare(session: Session, query: Query, plan: Plan) -> None:
    """Make ``changed``: orders that are new or say something else than before, with their numbers."""
    lines = "order_lines" if _tells_lines(plan) else "(select * from order_lines where false)"
    new = order_rows.CONTENT.format(key="order_number", orders="file_orders", lines="file_lines")
    old = order_rows.CONTENT.format(key="order_id", orders="before", lines=lines)
    query.run(
        f"create or replace temp table compared as select n.k as order_number, b.order_id,"
        f" b.order_id is null as fresh, w.content is distinct from n.content as moved from ({new}) n"
        f" left join before b on b.external_id = n.k left join ({old}) w on w.k = b.order_id"
    )
    answer = query.one("select count(*) from compared where fresh")
    fresh = int(answer[0]) if answer else 0
    query.run(
        "create or replace temp table changed as select order_number, fresh, cast(coalesce(order_id, $first - 1 +"
        " row_number() over (partition by fresh order by order_number)) as bigint) as order_id"
        " from compared where moved",
        {"first": session.reserve("order", fresh) if fresh else 1},
    )


def _write_people(session: Session, tx: Transaction, plan: Plan) -> None:
    told = [f for f in order_rows.OF_THE_PERSON if plan.target(f) is not None]
    values = ", ".join(
        f"arg_max(g.{name(f)}, g._row) filter (where g.{name(f)} is not null) as {name(f)}" for f in told
    )
    now = {"now": session.now(), "source": plan.namespace}
    space = ", $source as id_namespace" if plan.target("external_id") is not None else ""
    tx.upsert(
        "leads",
        f"select p.lead_id, 'new' as status, 'unknown' as direction, $source as source, $now as created_at,"
        f" $now as updated_at, {values}{space} from people p join good g using (person) group by p.lead_id",
        now,
    )
    tx.append(
        "stage_events",
        "select 'lead:' || lead_id || ':new' as event_id, $now as at, 'lead' as entity, lead_id as entity_id,"
        " 'new' as to_stage, $actor as actor, $cause as cause from people",
        {"now": session.now(), "actor": session.actor, "cause": session.command},
    )


def _counted(query: Query, made: int) -> Counts:
    rows = query.one(
        "select count(*) filter (where c.fresh), count(*) filter (where not c.fresh and c.moved),"
        " count(*) filter (where not c.moved) from good g join compared c using (order_number)"
    ) or (0, 0, 0)
    orders = query.one(
        "select count(*), count(*) filter (where status = 'refund'), count(*) filter (where lead_id is null)"
        " from file_orders"
    ) or (0, 0, 0)
    facts = {"orders": orders[0], "refunds": orders[1], "orders_of_nobody": orders[2], "customers_made": made}
    return Counts(new=rows[0], updated=rows[1], unchanged=rows[2], facts={k: n for k, n in facts.items() if n})
