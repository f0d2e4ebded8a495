"""Whose is every row? Each leads to one record, to nobody, or to a number that is not there; never to two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sfactl.identity import moving
from sfactl.identity.answers import IdentityShown, KnownKey, LinkLine, LinkReport
from sfactl.identity.usecases.records import find_record, list_merges
from sfactl.schemas.references import ENTITIES, Reference
from sfactl.workspace.aliases import ALIASES, merged_into

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.schemas import Dataset
    from sfactl.session import Session


def links(session: Session) -> LinkReport:
    """Count for every dataset and column how its rows lead to leads, accounts and contacts, and check the aliases."""
    lines = []
    with session.query() as query:
        for name in session.workspace.schemas:
            dataset = session.workspace.schemas[name]
            if name in moving.WRITTEN_BY_MERGES or not session.workspace.snapshot(query.seq).files(name):
                continue
            for reference in dataset.references:
                lines += _lines(session, query, dataset, reference)
    return LinkReport(links=tuple(lines), problems=tuple(problems_of(session)))


def _lines(session: Session, query: Query, dataset: Dataset, reference: Reference) -> list[LinkLine]:
    column = f't."{reference.column}"'
    found = []
    told = session.workspace.snapshot(query.seq).stored(dataset.name)
    for entity, (target, key) in ENTITIES.items():
        if not reference.may_name(entity):
            continue
        kind = dataset.types[reference.column]
        inside = f" where t.\"{reference.by}\" = '{entity}'" if reference.by else ""
        row = query.one(
            f"select count(*), count(r.{key}), count(case when r.{key} is not null then a.id end),"
            f" count(*) - count({column}) from ({told}) as t"
            f" left join (select * from {ALIASES} where entity = '{entity}') as a"
            f" on cast(a.id as {kind}) = {column} left join {target} as r on cast(r.{key} as {kind})"
            f" = coalesce(cast(a.root_id as {kind}), {column}){inside}"
        )
        rows, resolved, by_merge, nobody = (int(n) for n in row or (0, 0, 0, 0))
        if rows:
            lost = rows - resolved - nobody
            told_of = {"dataset": dataset.name, "field": reference.column, "entity": entity, "rows": rows}
            found.append(LinkLine(**told_of, resolved=resolved, by_merge=by_merge, nobody=nobody, lost=lost))  # type: ignore[arg-type]
    return found


def lost_rows(session: Session, dataset: str, *, limit: int = 50) -> pa.Table:
    """The rows of ``dataset`` that name a record which is not there."""
    schema = session.workspace.schemas[dataset]
    tests = []
    for reference in schema.references:
        for entity, (target, key) in ENTITIES.items():
            if reference.may_name(entity):
                named = f'cast({key} as {schema.types[reference.column]}) = t."{reference.column}"'
                by = f"t.\"{reference.by}\" = '{entity}' and " if reference.by else ""
                gone = f"not exists (select 1 from {target} where {named})"
                tests.append(f'({by}t."{reference.column}" is not null and {gone})')
    with session.query() as query:
        cut = f" limit {int(limit)}" if limit else ""
        keys = ", ".join(f't."{k}"' for k in schema.key)
        return query.table(f"select t.* from {dataset} as t where {' or '.join(tests) or 'false'} order by {keys}{cut}")


PROBLEMS = {
    "lead to a record that is not there": "select count(*) from {aliases} a left join {target} r on r.{key} = a.root_id"
    " where a.entity = '{entity}' and r.{key} is null",
    "stand for a record that is there itself": "select count(*) from {aliases} a join {target} r on r.{key} = a.id"
    " where a.entity = '{entity}'",
    "lead to another merged number": "select count(*) from {aliases} a join {aliases} b on b.entity = a.entity"
    " and b.id = a.root_id where a.entity = '{entity}'",
    "belong to no merge that stands": "select count(*) from {aliases} a left join merges m on m.merge_id = a.merge_id"
    " and m.entity = a.entity and m.merged_id = a.id and m.state = 'merged' where a.entity = '{entity}'"
    " and m.merge_id is null",
    "are missing for merges that stand": "select count(*) from merges m left join {aliases} a on a.entity = m.entity"
    " and a.id = m.merged_id where m.entity = '{entity}' and m.state = 'merged' and a.id is null",
}
"""What may not be, in words, and the statement that counts it; with none of them every join over aliases is to one."""


def problems_of(session: Session) -> list[str]:
    """What is wrong with the numbers that lead to other records, in words; empty where all is in order."""
    found: list[str] = []
    with session.query() as query:
        if not session.workspace.snapshot(query.seq).files(ALIASES):
            return found
        for entity, (target, key) in ENTITIES.items():
            for words, sql in PROBLEMS.items():
                row = query.one(sql.format(aliases=ALIASES, target=target, key=key, entity=entity))
                if row and row[0]:
                    found.append(f"{row[0]:,} merged {entity} numbers {words}")
    return found


def show_identity(session: Session, entity: str, ref: str) -> IdentityShown:
    """All numbers and keys that lead to one record, and its merges. Raises `NotFound`."""
    with session.query() as query:
        record = find_record(query, entity, ref).record_id
        numbers: Sequence[int] = merged_into(query, entity, record)
        keys: tuple[KnownKey, ...] = ()
        if entity == "lead":
            rows = query.rows(query.statement("identity", "known_keys"), {"lead": record})
            keys = tuple(KnownKey(kind=k, value=v, namespace=n, own=own) for k, v, n, own in rows)
    merges = list_merges(session, entity, ref=str(record))
    return IdentityShown(
        entity=entity, record_id=record, asked=ref, numbers=tuple(numbers), keys=keys, merges=merges
    )  # fmt: skip
