"""Keep what a provider said: clean it, weigh it against what leads have, and write facts and fields in one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import ConfigError, DataError
from sfactl.engine.companies import company_key, folded
from sfactl.leads.cleaning.clean import clean
from sfactl.leads.cleaning.expression import literal, name
from sfactl.leads.enriching import (
    COORDINATES,
    Difference,
    Enriched,
    FieldCount,
    Unusable,
    distance_sql,
    field_problem,
    held_sql,
)
from sfactl.leads.files.staging import Staged
from sfactl.leads.identities import OWN, REPLACED
from sfactl.leads.mapping import HARMLESS
from sfactl.leads.model import Plan, Target
from sfactl.leads.usecases.imports import bounded, work_folder
from sfactl.leads.usecases.providers import Provider

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

LISTED = 50
TAKEN = "state in ('filled', 'renewed', 'overwritten')"


def write(
    session: Session,
    asking: Provider,
    asked: pa.Table,
    answers: Sequence[pa.Table],
    problems: tuple[str, ...],
    *,
    prefer: bool,
) -> Enriched:
    """Commit what ``answers`` say of the leads ``asked``; nothing where they say nothing new."""
    import pyarrow as pa

    schema = pa.schema([("id", pa.int64()), *((c, pa.string()) for c in ("field", "value", "place"))])
    params = {"provider": asking.name, "prefer": prefer, "now": session.now()}
    with session.write("leads", "enrichments", "identities") as tx, bounded(tx.query), work_folder(session) as scratch:
        query = tx.query
        query.register("answered", pa.concat_tables(answers) if answers else schema.empty_table())
        query.run("create temp table told as select * from answered where id in (select lead_id from leads)")
        fields = _clean(session, query, asking, scratch)
        _measure(query, asking, session.workspace.schemas["leads"].types)
        fields += [asking.distance.field] if asking.distance.start and asking.distance.field not in fields else []
        held = held_sql(fields, "leads") or "select null::bigint as id, null as field, null as had limit 0"
        query.run(f"create temp table held as {held}")
        query.run(
            f"create temp table weighed as {query.statement('leads', 'enrich_weighed')}", {**params, "fields": fields}
        )
        query.run(f"create temp table facts as {query.statement('leads', 'enrich_facts')}", params)
        done = _result(session, query, asking, asked.num_rows, problems)
        if done.facts or done.filled + done.renewed + done.overwritten:
            tx.upsert("enrichments", "select * from facts")
            _fill(session, tx)
            commit = tx.commit(provider=asking.name, filled=done.filled, facts=done.facts).seq
            done = replace(done, commit=commit)
    return done


def _clean(session: Session, query: Query, asking: Provider, scratch: Path) -> list[str]:
    """Make ``meant`` (id, field, value): what was told, cleaned; and ``failed``. Answers the fields of leads in it."""
    types = session.workspace.schemas["leads"].types
    query.run("create temp table meant (id bigint, field varchar, value varchar)")
    query.run("create temp table failed (id bigint, field varchar, value varchar, place varchar, reason varchar)")
    found = [str(r[0]) for r in query.rows("select distinct field from told where value is not null order by 1")]
    usable = []
    for said in found:
        problem = field_problem(said, types)
        if problem is not None:
            if asking.found.builtin:
                raise ConfigError(f"{asking.where}: columns.{said}: {problem}")
            query.run("insert into failed select *, $why from told where field = $f", {"why": problem, "f": said})
        elif said in COORDINATES:
            _coordinate(query, said)
        else:
            _clean_field(session, query, asking, said, scratch)
        if problem is None and said in types:
            usable.append(said)
    return usable


def _coordinate(query: Query, said: str) -> None:
    most = 90 if said == "latitude" else 180
    number = "try_cast(trim(value) as double)"
    params = {"f": said, "why": f"{said} is not a number of degrees from -{most} to {most}"}
    right = f"coalesce(abs({number}) <= {most}, false)"
    query.run(
        f"insert into failed select *, $why from told where field = $f and trim(value) <> '' and not {right}", params
    )
    query.run(
        f"insert into meant select id, field, cast({number} as varchar) from told where field = $f and {right}", params
    )


def _clean_field(session: Session, query: Query, asking: Provider, said: str, scratch: Path) -> None:
    """Clean the distinct values of one field as an import would: many leads have the same."""
    types = session.workspace.schemas["leads"].types
    national = said in ("phone", "tax_id")
    place = "l.country" if national else "cast(null as varchar)"
    # The rank ties a lead to its cell. Joined by value and country, all would meet all where no country is known.
    query.run(
        "create or replace temp table cells as select t.id, t.field, t.value, t.place, c1,"
        " dense_rank() over (order by t.value, c1) as _row from"
        f" (select told.*, {place} as c1 from told join leads l on l.lead_id = told.id"
        " where told.field = $f and told.value is not null) t",
        {"f": said},
    )
    staged = scratch / f"{said}.parquet"
    query.run(
        "copy (select distinct _row, cast(null as bigint) as _line, cast(null as varchar) as _problem,"
        " cast(null as varchar) as _rest, value as c0, c1 from cells order by _row)"
        f" to {literal(str(staged))} (format parquet)"
    )
    (rows,) = query.one("select max(_row) from cells") or (0,)
    targets = [Target(field=said, type=types[said], columns=(0,), names=(said,), placeholders=HARMLESS)]
    targets += [Target(field="country", type="varchar", columns=(1,), names=("country",))] if national else []
    plan = Plan(
        targets=tuple(targets), unmapped=(), keys=("external_id",), namespace="", source="", mode="fill",
        bad_values="reject", day_month=None, zone=session.settings.workspace.time_zone,
        country=session.settings.workspace.country,
    )  # fmt: skip
    try:
        read = Staged(path=staged, columns=(said, "country"), rows=int(rows))
        cleaned = clean(query, read, plan, scratch / f"clean-{said}.parquet")
    except DataError as err:
        raise DataError(
            f"{asking.where}: {err.message}", hint="Write days as 2026-11-30, and numbers with a decimal point."
        ) from None
    found = f"cells t join {cleaned.source} c on c._row = t._row where"
    query.run(
        f"insert into failed select t.id, t.field, t.value, t.place, c._reason from {found} c._reason is not null",
        {"f": said},
    )
    query.run(
        f"insert into meant select t.id, t.field, trim(cast(c.{name(said)} as varchar)) from {found}"
        f" c._reason is null and trim(cast(c.{name(said)} as varchar)) <> ''",
        {"f": said},
    )


def _measure(query: Query, asking: Provider, types: Mapping[str, str]) -> None:
    """Add the distance of every lead whose coordinates were told."""
    if not asking.distance.start:
        return
    kind = types[asking.distance.field]
    far = distance_sql("a.value::double", "o.value::double", asking.distance.start)
    query.run("delete from meant where field = $f", {"f": asking.distance.field})
    query.run(
        f"insert into meant select a.id, $f, cast(cast(round({far}, 6) as {kind}) as varchar) from meant a"
        " join meant o on o.id = a.id and o.field = 'longitude' where a.field = 'latitude'",
        {"f": asking.distance.field},
    )


def _fill(session: Session, tx: Transaction) -> None:
    """Write the leads that take something over, and remember the keys they were known by."""
    query = tx.query
    types = session.workspace.schemas["leads"].types
    fields = [str(r[0]) for r in query.rows(f"select distinct field from weighed where {TAKEN} order by 1")]
    if not fields:
        return
    wide = ", ".join(f"max(value) filter (where field = {literal(f)}) as {name(f)}" for f in fields)
    query.run(f"create temp table wide as select id, {wide} from weighed where {TAKEN} group by id")
    made = {f: f"coalesce(cast(w.{name(f)} as {types[f]}), l.{name(f)})" for f in fields}
    if "company" in fields:
        made["company_key"] = f"coalesce({company_key(folded('w.company'))}, l.company_key)"
    made["updated_at"] = "cast($now as timestamp)"
    values = ", ".join(f"{sql} as {name(f)}" for f, sql in made.items())
    query.run(
        f"create temp table after_leads as select l.* replace ({values}) from leads l join wide w on w.id = l.lead_id",
        {"now": session.now()},
    )
    tx.upsert("leads", "select * from after_leads")
    if not {"email", "phone", "full_name", "company", "tax_id"}.isdisjoint(fields):
        _remember(session, tx)


def _remember(session: Session, tx: Transaction) -> None:
    """Keys that a lead had before stay its own, so that the next file knows it again."""
    before, after = (
        " union all ".join(f"select '{k}' as kind, {OWN[k]} as value, lead_id from {source}" for k in REPLACED)
        for source in ("(select * from leads where lead_id in (select id from wide))", "after_leads")
    )
    tx.upsert(
        "identities",
        "select kind, value, '' as namespace, min(lead_id) as lead_id, cast($now as timestamp) as since"
        f" from ({before}) as s where value is not null and not exists (select 1 from ({after}) as a"
        " where a.kind = s.kind and a.value = s.value and a.lead_id = s.lead_id)"
        " and not exists (select 1 from identities as i where i.kind = s.kind and i.value = s.value"
        " and i.namespace = '') group by kind, value",
        {"now": session.now()},
    )


def _result(session: Session, query: Query, asking: Provider, leads: int, problems: tuple[str, ...]) -> Enriched:
    states = ("filled", "renewed", "overwritten", "known", "differing")
    counted = ", ".join(f"count(*) filter (where state = '{s}') as {s}" for s in states)
    rows = query.rows(f"select field, {counted} from weighed where state <> 'noted' group by field order by field")
    differing = query.rows(
        "select id, field, had, value, state from weighed where state in ('differing', 'overwritten')"
        f" order by id, field limit {LISTED}"
    )
    bad = "select distinct coalesce(place, 'lead:' || id) as place, field, value, reason from failed"
    failures = query.rows(f"{bad} order by place, field limit {LISTED}")
    sums = query.one(
        f"select (select count(distinct id) from told), (select count(*) from facts), (select count(*) from ({bad}))"
    ) or (0, 0, 0)
    totals = {s: sum(int(r[i]) for r in rows) for i, s in enumerate(states, 1)}
    return Enriched(
        provider=asking.name,
        leads=leads,
        matched=int(sums[0]),
        **totals,
        facts=int(sums[1]),
        failed=int(sums[2]),
        fields=tuple(
            FieldCount(field=f, filled=a, renewed=b, overwritten=c, known=d, differing=e) for f, a, b, c, d, e in rows
        ),
        differences=tuple(
            Difference(lead_id=i, field=f, ours=ours, theirs=theirs, taken=state == "overwritten")
            for i, f, ours, theirs, state in differing
        ),
        failures=tuple(Unusable(place=p, field=f, value=v, reason=r) for p, f, v, r in failures),
        problems=problems,
        dry_run=session.dry_run,
    )
