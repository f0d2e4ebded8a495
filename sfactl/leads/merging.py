"""Lay what a file says over what is known: which value stays, what counts as a change, and what each row was.

Blank cells never blank what is known. The newer value wins, or with ``fill`` the one that is there; how a lead was
first met is told once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import literal, name
from sfactl.leads.model import Plan

FIRST_TOUCH = ("source", "channel", "direction", "event")
"""Told once, by the first touch: later files fill them only where nothing is known."""


def stated(fields: Sequence[str], plan: Plan) -> dict[str, str]:
    """Field → SQL over clean rows ``c`` and ``assigned a``, with the fields that matching itself fills."""
    made = {f: f"c.{name(f)}" for f in fields}
    if "row" in plan.keys:
        made |= {"row_key": "a.row_key", "id_namespace": literal(plan.namespace)}
    if "external_id" in fields:
        made["id_namespace"] = (
            f"case when c.external_id is not null or {'row' in plan.keys} then {literal(plan.namespace)} end"
        )
    return made


def merged(cleaned: str, fields: Mapping[str, str], plan: Plan) -> str:
    """SELECT of one row a lead: what the file says about it, rows collapsed in file order."""
    pick = "arg_min" if plan.mode == "fill" else "arg_max"
    single = ", ".join(f"{sql} as {name(f)}" for f, sql in fields.items())
    folded = ", ".join(
        f"{pick}({sql}, c._row) filter (where {sql} is not null) as {name(f)}" for f, sql in fields.items()
    )
    source = f"{cleaned} c join assigned a using (_row)"
    return (
        f"select a.lead_id, a.fresh, {single} from {source} where a.n = 1"
        f" union all select a.lead_id, bool_and(a.fresh) as fresh, {folded} from {source} where a.n > 1 group by 1"
    )


def find_changes(query: Query, cleaned: str, fields: Mapping[str, str], plan: Plan, existing: bool) -> None:
    """Make ``changes``: the known leads that the file changes."""
    if not existing:
        query.run("create or replace temp table changes as select 0::bigint as lead_id limit 0")
        return
    tests = " or ".join(changed(f, plan, f"m.{name(f)}", f"e.{name(f)}") for f in fields)
    query.run(
        f"create or replace temp table changes as select m.lead_id from ({merged(cleaned, fields, plan)}) m"
        f" join leads e using (lead_id) where not m.fresh and ({tests})"
    )


def count_rows(
    query: Query, cleaned: str, fields: Mapping[str, str], plan: Plan, existing: bool
) -> tuple[int, int, int]:
    """(new, updated, unchanged) rows.

    Of a lead's rows the first that makes it is new; each later one is updated if it says something that the rows before
    it, or what was known, did not say. Where the file leaves a known lead as it was, all its rows are unchanged.
    """
    known = "lead_id in (select lead_id from changes)"
    new, updated, single = query.one(
        f"select count(*) filter (where fresh), count(*) filter (where not fresh and {known}), count(*)"
        " from assigned where n = 1"
    ) or (0, 0, 0)
    unchanged = single - new - updated
    people, several = query.one(
        "select count(distinct lead_id) filter (where fresh), count(*) from assigned where n > 1"
    ) or (0, 0)
    if several:
        told = _telling_rows(query, cleaned, fields, plan, existing)
        new, updated, unchanged = new + people, updated + told, unchanged + several - people - told
    return int(new), int(updated), int(unchanged)


def _telling_rows(query: Query, cleaned: str, fields: Mapping[str, str], plan: Plan, existing: bool) -> int:
    """Rows, of leads with several, that change what the rows before them left."""
    pick = "first_value" if plan.mode == "fill" else "last_value"
    known = {f: f"e.{name(f)}" if existing else "null" for f in fields}
    was = ", ".join(
        f"coalesce({pick}({sql} ignore nulls) over w, {known[f]}) as {name('was_' + f)}" for f, sql in fields.items()
    )
    own = ", ".join(f"{sql} as {name(f)}" for f, sql in fields.items())
    tests = " or ".join(changed(f, plan, name(f), name("was_" + f)) for f in fields)
    join = "left join leads e on e.lead_id = a.lead_id" if existing else ""
    answer = query.one(
        "select count(*) filter (where (place > 1 or not fresh) and (fresh or lead_id in (select lead_id from changes))"
        f" and ({tests})) from (select a.lead_id, a.fresh, row_number() over (partition by a.lead_id order by _row)"
        f" as place, {own}, {was} from {cleaned} c join assigned a using (_row) {join} where a.n > 1"
        " window w as (partition by a.lead_id order by _row rows between unbounded preceding and 1 preceding))"
    )
    return int(answer[0]) if answer else 0


def changed(field: str, plan: Plan, new: str, old: str) -> str:
    """SQL: does the new value change the old one? An e-mail's case alone does not."""
    if field in ("email", "external_id", "id_namespace", "row_key"):
        compare = f"lower({new}) is distinct from lower({old})" if field == "email" else "false"
        return f"({old} is null and {new} is not null)" if compare == "false" else f"({new} is not null and {compare})"
    if field in FIRST_TOUCH:
        return f"(coalesce({old}, 'unknown') = 'unknown' and coalesce({new}, 'unknown') <> 'unknown')"
    if plan.mode == "fill":
        return f"({old} is null and {new} is not null)"
    return f"({new} is not null and {new} is distinct from {old})"


def kept(field: str, plan: Plan, new: str, old: str) -> str:
    """SQL for the value after the import: the new one where it changes the old one."""
    return f"case when {changed(field, plan, new, old)} then {new} else {old} end"
