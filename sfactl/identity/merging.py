"""What a merge writes, as SQL: the records that take part, and the rows that tell what each was. Pure.

The statements read the tables ``pairs`` (the merges to make), ``members`` (the records that take part, as they are)
and ``final`` (the survivors as the merge leaves them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sfactl.identity.moving import matches, quoted, row_json
from sfactl.identity.survivorship import STAGES
from sfactl.schemas import Dataset
from sfactl.schemas.references import ENTITIES

LEAD_DATASETS = ("identities", "suppressions")
"""State datasets that merging leads adds to."""


def members(dataset: Dataset, entity: str) -> str:
    """SELECT of the records of ``pairs``: ``_group`` (the survivor), ``_id``, ``_place``, ``_row`` (JSON), and the row.

    A record whose parent is merged with it has none any more; one whose parent is merged elsewhere has the survivor.
    """
    key = ENTITIES[entity][1]
    own = {r.column: f"q{i}" for i, r in enumerate(dataset.references) if r.may_name(entity)}
    joins = "".join(
        f" left join taking as {q} on {matches(dataset, r, entity, 'r', f'{q}._id')}"
        for r in dataset.references
        if (q := own.get(r.column))
    )
    cells = ", ".join(_member_cell(dataset, c.name, own.get(c.name)) for c in dataset.columns)
    return (
        "with taking as (select survivor_id as _group, survivor_id as _id, 0 as _place from pairs group by survivor_id"
        " union all select survivor_id, merged_id, place from pairs)"
        f" select t._group, t._id, t._place, {row_json(dataset, 'r')} as _row, {cells}"
        f" from taking as t join {dataset.name} as r on r.{quoted(key)} = t._id{joins}"
    )


def _member_cell(dataset: Dataset, name: str, other: str | None) -> str:
    """SQL of one value of a member; ``other`` is the alias of the member that it names, if it can name one."""
    own = f"r.{quoted(name)}"
    if other is None:
        return f"{own} as {quoted(name)}"
    there = f"coalesce(cast({other}._group as {dataset.types[name]}), {own})"
    return f"case when {other}._group is distinct from t._group then {there} end as {quoted(name)}"


def merge_rows(dataset: Dataset, entity: str) -> str:
    """SELECT of the rows of ``merges``. Parameters: now, actor, reason, plan and rules."""
    key = ENTITIES[entity][1]
    return (
        f"select p.merge_id, '{entity}' as entity, p.survivor_id, p.merged_id, p.group_id, cast($now as timestamp) as"
        " \"at\", $actor as actor, $reason as reason, $plan as plan_id, p.probability, 'merged' as state,"
        " $rules as rules, m._row as merged_row, s._row as survivor_before,"
        f" {row_json(dataset, 'f')} as survivor_after from pairs as p join members as m on m._id = p.merged_id"
        f" join members as s on s._id = p.survivor_id join final as f on f.{quoted(key)} = p.survivor_id"
    )


def added_notes(dataset: Dataset, table: str) -> str:
    """SELECT of the rows of ``merge_moves`` for rows that a merge adds: those of ``table``, with lead_id and place."""
    keys = ", ".join(f"'{k}': cast(t.{quoted(k)} as varchar)" for k in dataset.key)
    return (
        f"select cast($now as timestamp) as \"at\", p.merge_id, '{dataset.name}' as dataset,"
        f" cast(to_json({{{keys}}}) as varchar) as \"key\", '' as field, 'added' as action,"
        f' cast(null as bigint) as old, t.lead_id as new, {row_json(dataset, "t")} as "row" from {table} as t'
        # What the survivor itself had before is noted with the first merge of its group.
        " join pairs as p on p.survivor_id = t.lead_id and p.place = greatest(t.place, 1)"
    )


def survivor_order(dataset: Dataset, entity: str) -> str:
    """SQL order of records in which the one that survives comes first: converted, then the fullest, then the oldest."""
    key = ENTITIES[entity][1]
    filled = " + ".join(f"(case when {quoted(c.name)} is null then 0 else 1 end)" for c in dataset.columns)
    first = f"case when status = '{STAGES[-1]}' then 0 else 1 end, " if "status" in dataset.types else ""
    return f'{first}{filled} desc, "created_at" asc nulls last, {quoted(key)}'


def rules_text(rules: Mapping[str, str], picks: Mapping[str, int]) -> str:
    """The rules that differ from the defaults, and the values picked by hand, as JSON."""
    import json

    return json.dumps({**rules, **{f: f"record:{n}" for f, n in picks.items()}}, sort_keys=True)


def rules_of(text: str | None) -> tuple[dict[str, str], dict[str, int]]:
    """The rules and picks that `rules_text` wrote."""
    import json

    said: dict[str, str] = json.loads(text or "{}")
    picks = {f: int(r.removeprefix("record:")) for f, r in said.items() if r.startswith("record:")}
    return {f: r for f, r in said.items() if f not in picks}, picks


def numbers(found: Sequence[int]) -> str:
    """Numbers as an SQL list."""
    return ", ".join(str(int(n)) for n in found) or "null"
