"""Correct leads by hand, and clean them again."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sfactl.api.errors import DataError, UserError
from sfactl.engine.duck import Query
from sfactl.leads.cleaning.clean import clean
from sfactl.leads.cleaning.expression import literal, name
from sfactl.leads.files.staging import Staged, Stager
from sfactl.leads.identities import remember_replaced
from sfactl.leads.mapping import RESERVED
from sfactl.leads.model import CleanResult, Plan, SetResult, Target
from sfactl.leads.usecases.imports import bounded, work_folder
from sfactl.leads.usecases.lookup import find_lead
from sfactl.schemas import Dataset
from sfactl.session import Session

DERIVED = ("company_key",)


def set_fields(session: Session, ref: str, said: Mapping[str, str], *, reason: str | None = None) -> SetResult:
    """Set fields of one lead to cleaned values; an empty text empties the field. Raises `UserError`, `DataError`."""
    schema = session.workspace.schemas["leads"]
    for field in said:
        if field in RESERVED or field not in schema.types:
            near = difflib.get_close_matches(field, [c for c in schema.types if c not in RESERVED], 1)
            hint = f"Did you mean {near[0]}?" if near else "See: sfactl data show leads"
            why = "is kept by sfactl itself" if field in RESERVED else "is no field of a lead"
            raise UserError(f"{field} {why}", hint=hint)
    with session.write("leads", "identities", reason=reason) as tx:
        row = find_lead(tx.query, ref)
        made = _cleaned_values(session, tx.query, said, schema, row)
        changes = {f: v for f, v in made.items() if row.get(f) != v}
        if changes:
            after = {**row, **changes, "updated_at": session.now()}
            import pyarrow as pa

            tx.upsert("leads", pa.Table.from_pylist([after], schema=schema.arrow()))
            if not {"email", "phone", "full_name", "company", "tax_id"}.isdisjoint(changes):
                remember_replaced(tx, row, after, session.now())
            commit = tx.commit(changed=sorted(changes)).seq
        else:
            commit = None
    before = {f: row.get(f) for f in changes}
    return SetResult(lead_id=int(row["lead_id"]), before=before, after=changes, commit=commit)


def _cleaned_values(
    session: Session, query: Query, said: Mapping[str, str], schema: Dataset, row: Mapping[str, Any]
) -> dict[str, Any]:
    filled = {f: v for f, v in said.items() if v.strip()}
    made: dict[str, Any] = {f: None for f in said if f not in filled}
    if "company" in made:
        made["company_key"] = None
    if filled:
        with work_folder(session) as scratch:
            country = str(filled.get("country") or row.get("country") or session.settings.workspace.country)
            plan = _plan(session, tuple(filled), schema, country=country)
            with Stager(scratch / "staged.parquet", len(filled)) as stager:
                stager.add(list(filled.values()), line=None)
            staged = Staged(path=stager.path, columns=tuple(filled), rows=1)
            cleaned = clean(query, staged, plan, scratch / "clean.parquet")
            source = cleaned.source
            (reason,) = query.one(f"select _reason from {source}") or (None,)
            if reason:
                raise DataError(f"{reason}: {', '.join(f'{f}={v}' for f, v in filled.items())}")
            got = query.table(f"select * from {source}").to_pylist()[0]
            made |= {f: v for f, v in got.items() if f in filled or (f in DERIVED and "company" in filled)}
    return made


def _plan(session: Session, fields: Sequence[str], schema: Dataset, *, country: str) -> Plan:
    targets = tuple(Target(field=f, type=schema.types[f], columns=(i,), names=(f,)) for i, f in enumerate(fields))
    zone = session.settings.workspace.time_zone
    return Plan(
        targets=targets, unmapped=(), keys=("external_id",), namespace="", source="", mode="overwrite",
        bad_values="reject", day_month="ymd", zone=zone, country=country,
    )  # fmt: skip


CLEANED = (
    "email", "phone", "full_name", "first_name", "last_name", "company", "title", "industry", "street", "city",
    "region", "postal_code", "country", "tax_id", "website", "source", "channel", "event", "campaign",
)  # fmt: skip


def clean_leads(session: Session, *, where: str | None = None) -> CleanResult:
    """Clean known leads again by today's rules, for instance after the workspace's country was set.

    A value that today's rules refuse stays as it is and is counted.
    """
    schema = session.workspace.schemas["leads"]
    with session.write("leads") as tx, bounded(tx.query), work_folder(session) as scratch:
        staged = _stage_leads(session, tx.query, where, scratch / "staged.parquet")
        plan = replace(_plan(session, CLEANED, schema, country=session.settings.workspace.country), bad_values="blank")
        cleaned = clean(tx.query, staged, plan, scratch / "clean.parquet")
        source = cleaned.source
        fields = [f for f in cleaned.fields if f in schema.types]
        differs = " or ".join(f"(c.{name(f)} is not null and c.{name(f)} is distinct from e.{name(f)})" for f in fields)
        values = ", ".join(
            f"coalesce(c.{name(f)}, e.{name(f)}) as {name(f)}"
            if f in fields
            else f"$now as {name(f)}"
            if f == "updated_at"
            else f"e.{name(f)}"
            for f in schema.types
        )
        refused = tx.query.rows(
            f"select _blanked, count(*) from {source} where _blanked is not null group by 1 order by 2 desc"
        )
        select = f"select {values} from leads e join {source} c on c._row = e.lead_id where {differs}"
        changed = int(
            (
                tx.query.one(f"select count(*) from leads e join {source} c on c._row = e.lead_id where {differs}")
                or (0,)
            )[0]
        )
        commit = None
        if changed:
            tx.upsert("leads", select, {"now": session.now()})
            commit = tx.commit(rows=staged.rows, changed=changed).seq
    return CleanResult(
        rows=staged.rows,
        changed=changed,
        cleaned=cleaned.counts,
        refused={str(r): int(n) for r, n in refused},
        commit=commit,
        dry_run=session.dry_run,
    )


def _stage_leads(session: Session, query: Query, where: str | None, into: Path) -> Staged:
    """Leads as a staged file: the lead's number is the row."""
    inside, params = "", {}
    if where:
        from sfactl.engine.conditions import compile_condition

        found = compile_condition(where, schemas=session.workspace.schemas, now=session.now(), where="--where")
        inside, params = f" where lead_id in ({found.sql})", dict(found.params)
    cells = ", ".join(f"cast({name(f)} as varchar) as c{i}" for i, f in enumerate(CLEANED))
    query.run(
        "copy (select lead_id as _row, cast(null as bigint) as _line, cast(null as varchar) as _problem,"
        f" cast(null as varchar) as _rest, {cells} from leads{inside}) to {literal(str(into))} (format parquet)",
        params,
    )
    rows = int((query.one(f"select count(*) from read_parquet({literal(str(into))})") or (0,))[0])
    return Staged(path=into, columns=CLEANED, rows=rows)
