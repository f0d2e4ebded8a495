"""Import touchpoints: what people did, from the files of web analytics, mail tools and event desks.

Each event gets an id made from what it says, so that the same file twice adds nothing. An event of nobody we know is
refused and listed; only a form that somebody filled in with a valid e-mail address makes a lead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sfactl.api.errors import ConfigError, UserError
from sfactl.engine.duck import Query
from sfactl.leads import rejects
from sfactl.leads.cleaning.clean import Cleaned, clean
from sfactl.leads.cleaning.expression import literal, name
from sfactl.leads.files.kinds import stage
from sfactl.leads.files.staging import Staged
from sfactl.leads.identities import are_there, known_keys
from sfactl.leads.mapping import Defaults, load_mapping, plan_by_headers, plan_mapping
from sfactl.leads.model import FileImport, ImportResult, LeadMapping, Plan
from sfactl.leads.usecases.imports import Order, bounded, defaults_of, digest, reading_of, work_folder
from sfactl.session import Session
from sfactl.workspace import Transaction

WHO = ("lead_id", "external_id", "email", "phone", "full_name", "company")
"""Fields of a mapping of touchpoints that say whose event it is, beside the columns of the dataset."""
NOT_THE_LEADS = ("lead_id", "direction", "channel", "external_id", "source")
"""Fields that an event and a lead both have, but that mean another thing for each."""
FORM = "form_submit"


def import_touches(
    session: Session, files: Sequence[Path], *, mapping: str | None = None, source: str | None = None
) -> ImportResult:
    """Import touchpoints from ``files``, one commit a file.

    A row needs ``at``, ``kind`` and somebody: ``lead_id``, ``external_id`` or ``email``. ``source`` says whose ids
    ``external_id`` are, and becomes the source of leads that forms make. Errors as for leads.
    """
    if not files:
        raise UserError("name at least one file", hint="sfactl touch import FILE …")
    order = Order(
        mapping=load_mapping(mapping, session.folder, dataset="touchpoints"), where=mapping or "mapping", pulled=source
    )
    done = tuple(_import_one(session, path, order) for path in files)
    return ImportResult(
        rows=sum(f.rows for f in done),
        new=sum(f.new for f in done),
        updated=0,
        unchanged=sum(f.unchanged for f in done),
        rejected=sum(f.rejected for f in done),
        dry_run=session.dry_run,
        files=done,
    )


def _import_one(session: Session, path: Path, order: Order) -> FileImport:
    with work_folder(session) as scratch, session.query() as query, bounded(query):
        staged = stage(reading_of(path, scratch, query, order, "touchpoints"))
        plan = _plan(session, staged.columns, defaults_of(session, path.name, order), order.mapping)
        cleaned = clean(query, staged, plan, scratch / "clean.parquet")
        with session.write("touchpoints", "leads", reason=f"touchpoints of {path.name}") as tx, bounded(tx.query):
            new, made = _match(session, tx.query, cleaned, plan)
            reasons = rejects.collect(tx.query, _whole(cleaned), "nobody we know", "found")
            rejects_file = _write_rejects(session, tx.query, staged, path) if reasons else None
            rejected = sum(r.rows for r in reasons)
            _write(session, tx, cleaned, plan, new=new, made=made)
            commit = tx.commit(rows=staged.rows, new=new, rejected=rejected, content_hash=digest(path))
    return FileImport(
        file=path.name,
        rows=staged.rows,
        new=new,
        updated=0,
        unchanged=staged.rows - new - rejected,
        rejected=rejected,
        rejects_file=rejects_file,
        reasons=reasons,
        cleaned={**cleaned.counts, **({"leads_made": made} if made else {})},
        columns=len(staged.columns) - len(staged.empty),
        mapped={t.field: " + ".join(t.names) for t in plan.targets if t.names},
        not_mapped=plan.unmapped,
        facts=staged.facts,
        notes=(*staged.notes, *cleaned.notes),
        commit=commit.seq,
    )


def _write_rejects(session: Session, query: Query, staged: Staged, path: Path) -> str:
    into = session.folder / "rejects" / f"{path.stem}.csv"
    if not session.dry_run:
        rejects.write_rejects(query, staged, into)
    return f"rejects/{into.name}"


def _whole(cleaned: Cleaned) -> str:
    """Clean rows; one without time or kind has a reason too."""
    missing = "case when \"at\" is null then 'no time' when kind is null then 'no kind' end"
    return f"(select * replace (coalesce(_reason, {missing}) as _reason) from {cleaned.source})"


def _plan(session: Session, columns: Sequence[str], defaults: Defaults, mapping: LeadMapping | None) -> Plan:
    touchpoints = session.workspace.schemas["touchpoints"]
    if mapping is None:
        plan = plan_by_headers(touchpoints, columns, defaults, extra=WHO)
    else:
        plan = plan_mapping(mapping, touchpoints, columns, defaults, extra=WHO)
    fields = {t.field for t in plan.targets}
    for needed in ("at", "kind"):
        if needed not in fields:
            raise ConfigError(
                f"{defaults.file}: no column is mapped to {needed!r}", hint="State it in [columns] or [constants]."
            )
    if not fields & {"lead_id", "external_id", "email"}:
        raise ConfigError(
            f"{defaults.file}: no column says whose events these are", hint="Map lead_id, external_id or email."
        )
    return replace(plan, keys=("row",))


def _match(session: Session, query: Query, cleaned: Cleaned, plan: Plan) -> tuple[int, int]:
    """Make ``found``: the rows that belong to a lead, and ``events``: those to add. Answers (events, leads to make)."""
    source, fields = _whole(cleaned), cleaned.fields
    known = {
        "lead_id": ("lead_id", "true", "c.lead_id"),
        "external_id": (
            "external_id", "true" if plan.guessed else f"id_namespace = {literal(plan.namespace)}", "c.external_id"
        ),
        "email": ("lower(email)", "true", "lower(c.email)"),
    }  # fmt: skip
    keys = [k for k in known if k in fields]
    too = are_there(query)
    joins = " ".join(
        f"left join (select k, min(lead_id) as lead_id from ({_known(key, value, where, plan, too=too)})"
        # An id that several sources gave out says nothing about whose event it is.
        f" group by 1{' having count(*) = 1' if key == 'external_id' else ''}) k_{key} on k_{key}.k = {own}"
        for key in keys
        for value, where, own in (known[key],)
    )
    best = ", ".join(f"k_{k}.lead_id" for k in keys)
    query.run(
        f"create or replace temp table met as select c._row, coalesce({best}) as lead_id from {source} c {joins}"
        " where c._reason is null"
    )
    made = _new_people(session, query, source, fields)
    query.run(
        "create or replace temp table found as select _row, coalesce(m.lead_id, p.lead_id) as lead_id from met m"
        " left join people p using (_row) where coalesce(m.lead_id, p.lead_id) is not null"
    )
    _identify(query, source, fields)
    answer = query.one("select count(*) from events")
    return int(answer[0]) if answer else 0, made


def _known(key: str, value: str, where: str, plan: Plan, *, too: bool) -> str:
    """SELECT k, lead_id of the leads known by a key, also by one they had before."""
    if key == "email" or (key == "external_id" and not plan.guessed):
        return known_keys(key, plan.namespace, too=too)
    if key == "lead_id":
        own = "select lead_id as k, lead_id from leads"
        return f"{own} union all select id as k, root_id as lead_id from record_aliases where entity = 'lead'"
    if too:
        return (
            f"select {value} as k, lead_id from leads where {value} is not null and {where} union"
            " select value as k, lead_id from identities where kind = 'external_id'"
        )
    return f"select {value} as k, lead_id from leads where {value} is not null and {where}"


def _new_people(session: Session, query: Query, source: str, fields: Mapping[str, str]) -> int:
    """Make ``people``: rows of strangers who filled in a form, with the numbers of their new leads."""
    if "email" not in fields:
        query.run("create or replace temp table people as select 0::bigint as _row, 0::bigint as lead_id limit 0")
        return 0
    unknown = (
        f"select lower(c.email) as k, c._row, {_kind('c.kind')} = '{FORM}' as form from {source} c"
        " join met using (_row) where met.lead_id is null and c.email is not null"
    )
    # What else the file tells of somebody who filled in a form is theirs too, before the form and after it.
    people = f"select k, min(_row) as first_row from ({unknown}) group by k having bool_or(form)"
    answer = query.one(f"select count(*) from ({people})")
    made = int(answer[0]) if answer else 0
    query.run(
        f"create or replace temp table people as select u._row, n.lead_id from ({unknown}) u join"
        f" (select k, $first - 1 + row_number() over (order by first_row) as lead_id from ({people})) n using (k)",
        {"first": session.reserve("lead", made) if made else 1},
    )
    return made


def _kind(text: str) -> str:
    """SQL: "Form Submit" is the kind form_submit."""
    return f"regexp_replace(lower({text}), '[\\s-]+', '_', 'g')"


def _identify(query: Query, source: str, fields: Mapping[str, str]) -> None:
    """Make ``events``: rows to add, each with its id; what is there already is left out."""
    given = "c.event_id" if "event_id" in fields else "null"
    nth = "row_number() over (partition by c._key order by c._row)"
    query.run(
        "create or replace temp table identified as select f._row, f.lead_id,"
        f" coalesce({given}, 'file:' || c._key || ':' || {nth}) as event_id from found f join {source} c using (_row)"
    )
    query.run(
        "create or replace temp table events as select min(_row) as _row, arg_min(lead_id, _row) as lead_id, event_id"
        " from identified where event_id not in (select event_id from touchpoints where event_id is not null)"
        " group by event_id"
    )


def _write(session: Session, tx: Transaction, cleaned: Cleaned, plan: Plan, *, new: int, made: int) -> None:
    source = _whole(cleaned)
    now = {"now": session.now(), "actor": session.actor, "cause": session.command, "source": plan.source}
    if made:
        leads = session.workspace.schemas["leads"].types
        told = [f for f in cleaned.fields if f in leads and f not in NOT_THE_LEADS]
        values = ", ".join(
            f"arg_max(c.{name(f)}, c._row) filter (where c.{name(f)} is not null) as {name(f)}" for f in told
        )
        tx.upsert(
            "leads",
            f"select p.lead_id, 'new' as status, 'inbound' as direction, $source as source, $now as created_at,"
            f" $now as updated_at, {values} from people p join {source} c using (_row) group by p.lead_id",
            now,
        )
        tx.append(
            "stage_events",
            "select 'lead:' || lead_id || ':new' as event_id, $now as at, 'lead' as entity, lead_id as entity_id,"
            " 'new' as to_stage, $actor as actor, $cause as cause from (select distinct lead_id from people)",
            now,
        )
    if new:
        columns = session.workspace.schemas["touchpoints"].types
        made_of = {"event_id": "e.event_id", "lead_id": "e.lead_id", "kind": _kind("c.kind")}
        taken = [c for c in columns if c in made_of or c in cleaned.fields]
        values = ", ".join(f"{made_of.get(c, f'c.{name(c)}')} as {name(c)}" for c in taken)
        tx.append("touchpoints", f"select {values} from events e join {source} c using (_row)")
