"""Clean one staged file: each field's expression, put together into one statement that writes typed rows.

The result has ``_row``, ``_line``, ``_reason`` (why the row is refused, or null), the fields of the plan, and one flag
for each thing that is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sfactl.engine.companies import company_key, folded
from sfactl.engine.duck import ROW_GROUP, Query
from sfactl.leads.cleaning.cells import Cells
from sfactl.leads.cleaning.countries import country_code, country_expression
from sfactl.leads.cleaning.dates import DATE_TYPES, date_expression, decide_orders
from sfactl.leads.cleaning.emails import email_expression, second_email
from sfactl.leads.cleaning.expression import Expression, literal, name
from sfactl.leads.cleaning.names import first_name, full_name, last_name
from sfactl.leads.cleaning.numbers import boolean_expression, decimal_sign, number_expression
from sfactl.leads.cleaning.phones import phone_expression, second_phone
from sfactl.leads.cleaning.suspects import suspects
from sfactl.leads.cleaning.tax_ids import second_tax_id, tax_id_expression
from sfactl.leads.files.staging import Staged
from sfactl.leads.model import Plan, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """``source`` is SQL for the clean rows, to be read from; ``fields`` are their fields with their SQL types."""

    source: str
    fields: Mapping[str, str]
    counts: Mapping[str, int]
    notes: tuple[str, ...]


FEW = 2_000
"""Rows up to which Python reads every phone at once: patterns would cost more to set up than they save."""


def clean(query: Query, staged: Staged, plan: Plan, into: Path) -> Cleaned:
    """Write the clean rows of ``staged`` to ``into``. Raises `DataError` where a column is ambiguous."""
    cells = Cells(query, staged, plan)
    first, notes = _expressions(query, plan, cells)
    counts = {"full_width": "s._wide"}
    for expression in first.values():
        counts |= expression.counts
    query.run(f"copy ({_statement(plan, first, counts, cells.select())}) to {literal(str(into))} ({_FORMAT})")
    files = [into, *_second_look(query, plan, first, counts, into)]
    read = f"read_parquet([{', '.join(literal(str(f)) for f in files)}], union_by_name = true)"
    extra = ", ".join(["_doubt", *_kept_for_later(first)])
    source = f"(select * exclude ({extra}) from {read} where not _doubt)"
    totals = ", ".join(f"count(*) filter (where _is_{k})" for k in counts)
    answer = query.one(f"select {totals} from {source}") or ()
    return Cleaned(
        source=source,
        fields={f: _type(f, plan) for f in first},
        counts={k: int(n) for k, n in zip(counts, answer) if n},
        notes=(*notes, *_blanked(query, plan, source), *suspects(query, plan, staged, cells)),
    )


def _blanked(query: Query, plan: Plan, source: str) -> tuple[str, ...]:
    """What was left blank because it cannot be right, where the mapping wants that."""
    if plan.bad_values != "blank":
        return ()
    rows = query.rows(
        f"select _blanked, count(*) from {source} where _blanked is not null group by 1 order by 2 desc, 1"
    )
    said = " · ".join(f"{n:,} {reason}" for reason, n in rows)
    return (f"values that cannot be right were left blank: {said}",) if rows else ()


def _second_look(
    query: Query, plan: Plan, first: Mapping[str, Expression], counts: Mapping[str, str], into: Path
) -> tuple[Path, ...]:
    """Complete the doubted rows with answers from Python: another file beside ``into``, or none."""
    doubted = f"(select * from read_parquet({literal(str(into))}) where _doubt)"
    if not query.one(f"select 1 from {doubted} limit 1"):
        return ()
    look = {"email": second_email, "phone": second_phone, "tax_id": second_tax_id}
    again = {f: look[f](query, doubted) for f, expression in first.items() if expression.doubt}
    problems = ", ".join(a.problem for a in again.values())
    made = {f: a.value for f, a in again.items()}
    made["_reason"] = f"coalesce(c._reason, {problems})" if plan.bad_values == "reject" else "c._reason"
    made["_blanked"] = f"coalesce(c._blanked, {problems})"
    made |= {f"_is_{key}": sql for a in again.values() for key, sql in a.counts.items() if key in counts}
    made["_doubt"] = "false"
    values = ", ".join(f"{sql} as {name(column)}" for column, sql in made.items())
    joins = " ".join(a.join for a in again.values())
    second = into.with_name(f"second-{into.name}")
    statement = f"select c.* replace ({values}) from {doubted} c {joins}"
    query.run(f"copy ({statement}) to {literal(str(second))} ({_FORMAT})")
    return (second,)


def _kept_for_later(expressions: Mapping[str, Expression]) -> dict[str, str]:
    """Texts and countries of doubtful values; null in all other rows."""
    kept: dict[str, str] = {}
    for field, expression in expressions.items():
        if expression.doubt:
            kept[f"_raw_{field}"] = f"case when {expression.doubt} then {expression.raw} end"
            kept[f"_place_{field}"] = f"cast({expression.place} as varchar)"
    return kept


_FORMAT = f"format parquet, compression snappy, row_group_size {ROW_GROUP}"


def _type(field: str, plan: Plan) -> str:
    target = plan.target(field)
    return target.type if target else "varchar"


def _expressions(query: Query, plan: Plan, cells: Cells) -> tuple[dict[str, Expression], tuple[str, ...]]:
    """Field → expression over the cells, and what was decided on the way."""
    made: dict[str, Expression] = {}
    notes: list[str] = []
    dates = {t.field: (t, f"s.{name(t.field)}") for t in plan.targets if t.type in DATE_TYPES}
    orders = decide_orders(query, dates, plan.day_month, cells.select(list(dates)))
    notes += [o.note for o in orders.values() if o.note]
    if plan.target("country"):
        made["country"] = country_expression(query, f"s.{name('country')}", cells.select(["country"]))
    for target in plan.targets:
        text = f"s.{name(target.field)}"
        if target.field == "country":
            continue
        if target.type in DATE_TYPES:
            made[target.field] = date_expression(target, text, orders.get(target.field), plan.zone)
        elif target.type in ("bigint", "double", "integer") or target.type.startswith("decimal"):
            sign = decimal_sign(query, target, text, cells.select([target.field]))
            notes += [sign.note] if sign.note else []
            made[target.field] = number_expression(target, text, sign.sign)
        elif target.type == "boolean":
            made[target.field] = boolean_expression(target, text)
        else:
            made[target.field] = _text_field(query, plan, cells, target, made.get("country"))
    return made | _people(plan), tuple(notes)


def _text_field(query: Query, plan: Plan, cells: Cells, target: Target, country: Expression | None) -> Expression:
    text = f"s.{name(target.field)}"
    if target.field == "email":
        return email_expression(text)
    if target.field not in ("phone", "tax_id"):
        return Expression(value=text)
    place, joins = _country(plan, target, country)
    if target.field == "phone":
        source = cells.select(["phone", "country"])
        made = phone_expression(query, text, place, " ".join((source, *joins)), patterns=cells.rows > FEW)
    else:
        made = tax_id_expression(text, place)
    return replace(made, joins=(*joins, *made.joins))


def _country(plan: Plan, target: Target, country: Expression | None) -> tuple[str, tuple[str, ...]]:
    """SQL for a row's country, and its joins: the mapping's for this field, else the row's, else the workspace's."""
    default = literal(plan.country) if plan.country else "cast(null as varchar)"
    if target.transform.country:
        return literal(country_code(target.transform.country) or target.transform.country), ()
    if country is None:
        return default, ()
    return f"coalesce({country.early['_country']}, {default})", country.joins


def _people(plan: Plan) -> dict[str, Expression]:
    """Fields made from others: names put together or taken apart, and the company's key."""
    made: dict[str, Expression] = {}
    given = {f: f"s.{name(f)}" for f in ("full_name", "first_name", "last_name") if plan.target(f)}
    if given:
        whole = full_name(
            given.get("full_name", "null"), given.get("first_name", "null"), given.get("last_name", "null")
        )
        made["full_name"] = Expression(value="s._full_name", steps={"_full_name": whole})
        if given.keys() == {"full_name"}:
            made["first_name"] = Expression(value=first_name("s._full_name"))
            made["last_name"] = Expression(value=last_name("s._full_name"))
    if plan.target("company"):
        steps = {"_company": folded(f"s.{name('company')}")}
        made["company_key"] = Expression(value=company_key("s._company"), steps=steps)
    return made


def _statement(plan: Plan, expressions: Mapping[str, Expression], counts: Mapping[str, str], source: str) -> str:
    values = ", ".join(f"{e.value} as {name(f)}" for f, e in expressions.items())
    problems = [e.problem for e in expressions.values() if e.problem != "null"]
    joins = dict.fromkeys(j for e in expressions.values() for j in e.joins)
    early = "".join(f", {sql} as {step}" for e in expressions.values() for step, sql in e.early.items())
    steps = {k: sql for e in expressions.values() for k, sql in e.steps.items()}
    columns = "".join(f", {sql} as {step}" for step, sql in steps.items())
    inner = f"(select s.*{columns} from (select s.*{early} from {source} {' '.join(joins)}) s) s"
    doubts = " or ".join(f"({e.doubt})" for e in expressions.values() if e.doubt)
    later = "".join(f"{sql} as {column}, " for column, sql in _kept_for_later(expressions).items())
    flags = ", ".join(f"{condition} as _is_{key}" for key, condition in counts.items())
    wrong = f"coalesce({', '.join(problems)})" if problems else "null"
    reason = f"coalesce(s._problem, {wrong})" if plan.bad_values == "reject" else "s._problem"
    return (
        f"select s._row, s._line, {'s._key, ' if 'row' in plan.keys else ''}"
        f" cast({reason} as varchar) as _reason, cast({wrong} as varchar) as _blanked,"
        f" {values}, {flags}, {later}coalesce({doubts or 'false'}, false) as _doubt from {inner}"
    )
