"""Let a plugin weigh the pairs: hand it folded records, and check what it answers.

What a plugin must not decide stays here: which records count, what people decided, groups, thresholds and the plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfactl.api.errors import PluginError
from sfactl.api.protocols import RecordMatcher
from sfactl.engine.duck import Query
from sfactl.identity.features import RECORDS, build
from sfactl.identity.fields import Chosen
from sfactl.identity.linking import Linked
from sfactl.identity.scoring import WEIGHED
from sfactl.identity.weights import Model

if TYPE_CHECKING:
    import pyarrow as pa

FEATURES = {
    "given_name": "g", "family_name": "f", "company": "co", "email": "mail", "phone": "phone", "birth_date": "born",
    "tax_id": "tax", "website": "site", "street": "st", "city": "city", "postal_code": "zip",
}  # fmt: skip
"""What a plugin calls a feature."""
COLUMNS = ("a", "b", "probability", "weight", "reasons")
NOTHING_LEARNED = Model(
    bits=(), same=(), chance=(), prior=0.0, household=0.0, expected=0.0, partners=0.0, edges=()
)  # fmt: skip


def folded_records(
    query: Query, dataset: str, key: str, chosen: Chosen, *, where: str, source: str
) -> tuple[pa.Table, int]:
    """The records as a plugin gets them, and how many there are; makes the table `RECORDS`."""
    records = build(query, dataset, key, chosen, where, source)
    have = set(query.describe(f"select * from {RECORDS}"))
    cells = [f"cast({f} as varchar) as {name}" for name, f in FEATURES.items() if f in have]
    cells += [f'cast({e.feature} as varchar) as "{e.column}"' for e in chosen.extras]
    # Numbered by content, so that the order of the rows is the same whenever the records are.
    listed = ", ".join(["rid::bigint as id", "src as source", *cells])
    table = query.table(f"select {listed} from {RECORDS} order by rid")
    keep = [n for n in table.column_names if n in ("id", "source") or table[n].null_count < table.num_rows]
    return table.select(keep), records


def weigh(query: Query, matcher: RecordMatcher, label: str, table: pa.Table, *, linked: bool, seed: int) -> None:
    """Make the table of weighed pairs of what the plugin answers. Raises `PluginError` for a wrong answer."""
    answer = matcher.match(table, linked=linked, seed=seed)
    if tuple(answer.column_names) != COLUMNS:
        raise PluginError(f"{label} answered the columns {', '.join(answer.column_names)}, not {', '.join(COLUMNS)}")
    query.register("match_answered", answer)
    wrong = query.one(
        "select count(*) filter (where a >= b or a is null or b is null or weight is null or not isfinite(weight)),"
        f" count(*) - count(distinct (a, b)), count(*) filter (where a < 0 or b >= {table.num_rows})"
        " from match_answered"
    )
    if wrong and any(wrong):
        raise PluginError(f"{label} answered pairs that are not in order, come twice, or are of unknown records")
    # Reasons are rounded to thousandths each, and the weight is their sum, as everywhere.
    said = "replace({}, '\"', '')"
    field, level = said.format("r.field"), said.format("coalesce(r.level, '')")
    bits = "cast(cast(r.bits as decimal(12,3)) as varchar)"
    entry = f"""'{{"field":"' || {field} || '","level":"' || {level} || '","bits":' || {bits} || '}}'"""
    summed = "list_sum(list_transform(reasons, lambda r: round(r.bits * 1000)))"
    query.run(
        f"create or replace temp table {WEIGHED} as select a::integer as a, b::integer as b, 0::bigint as against,"
        f" coalesce({summed}, round(weight * 1000))::bigint as w,"
        f" '[' || array_to_string(list_transform(reasons, lambda r: {entry}), ',') || ']' as terms from match_answered"
    )


def linked_by(chosen: Chosen, records: int, pairs: int) -> Linked:
    """What is known of records that a plugin compared."""
    return Linked(
        chosen=chosen,
        fields=(),
        model=NOTHING_LEARNED,
        frequency={},
        blocks=(),
        records=records,
        compared=pairs,
        own=False,
    )
