"""Values that a merge set aside do not come back by a file: an old export says nothing new about who was merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import literal, name

KEYS = frozenset({"external_id", "row_key", "id_namespace"})
"""Fields by which a lead is found; what is remembered of them stands elsewhere."""


def silence(query: Query, cleaned: str, fields: Sequence[str], types: Mapping[str, str]) -> str:
    """A view of the clean rows without what one of the merged leads had before the merge; answers its name.

    What is empty may be filled with it all the same. Needs the table ``assigned`` of the matching.
    """
    parts = [f for f in fields if f in types and f not in KEYS]
    if not parts or not query.rows("select 1 from merges where entity = 'lead' and state = 'merged' limit 1"):
        return cleaned
    paths = {f: literal('$."' + f + '"') for f in parts}
    lists = ", ".join(
        f"list(try_cast(json_extract_string(said, {paths[f]}) as {types[f]})) as {name(f)}" for f in parts
    )
    query.run(
        f"create or replace temp table set_aside as select root_id as lead_id, {lists} from"
        " (select r.root_id, unnest([m.merged_row, m.survivor_before]) as said from merges m join record_aliases r"
        "   on r.entity = 'lead' and r.id = m.merged_id where m.entity = 'lead' and m.state = 'merged')"
        " where root_id in (select lead_id from assigned where not fresh) group by 1"
    )
    if not query.rows("select 1 from set_aside limit 1"):
        return cleaned
    cells = ", ".join(
        f"case when e.{name(f)} is not null and list_contains(s.{name(f)}, c.{name(f)}) then null else c.{name(f)} end"
        f" as {name(f)}"
        for f in parts
    )
    query.run(
        f"create or replace temp table heard as select c.* replace ({cells}) from {cleaned} c"
        " left join assigned a on a._row = c._row left join set_aside s on s.lead_id = a.lead_id"
        " left join leads e on e.lead_id = s.lead_id"
    )
    return "heard"
