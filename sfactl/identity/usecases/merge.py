"""Merge records by hand: say what would become of each field and of all that is attached, then do it in one commit."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import UserError
from sfactl.identity import merging, moving, survivorship
from sfactl.identity.answers import Alternative, AttachedRows, FieldChoice, MergeResult
from sfactl.identity.usecases.performing import Done, Order, order_for, perform, prepare, writing
from sfactl.identity.usecases.records import Found, find_record
from sfactl.schemas.references import ENTITIES

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session


def merge(
    session: Session,
    entity: str,
    refs: Sequence[str],
    *,
    into: str | None = None,
    picks: Mapping[str, str] | None = None,
    reason: str | None = None,
) -> MergeResult:
    """Merge the records ``refs`` into one: ``into``, else the converted, fullest, oldest of them.

    ``picks`` names for fields the record whose value is taken. Everything attached goes to the survivor; `unmerge`
    takes it all back. Raises `UserError`, `NotFound`.
    """
    with writing(session, entity, reason=reason) as tx:
        notes: list[str] = []
        ids = _records(tx.query, entity, refs, into, notes)
        survivor = find_record(tx.query, entity, into).record_id if into else _survivor(session, tx.query, entity, ids)
        merged = tuple(i for i in ids if i != survivor)
        _ask(tx.query, survivor, merged)
        order = order_for(session, entity, reason=reason, picks=_picked(session, tx.query, entity, picks or {}, ids))
        if session.dry_run:
            prepare(session, tx.query, order, 1)
            done = Done(first=1, merges=len(merged), moved={}, set_aside={}, added={})
            attached = _attached(session, tx.query, entity, ids)
        else:
            done, attached = perform(session, tx, order), ()
        fields = _fields(session, tx.query, order, survivor)
        notes += _pending(tx.query, entity, ids)
        numbers = tuple(range(done.first, done.first + done.merges))
        commit = tx.commit(entity=entity, survivor=survivor, merged=list(merged), merges=list(numbers)).seq
    return MergeResult(
        entity=entity,
        survivor_id=survivor,
        merged=merged,
        merge_ids=() if session.dry_run else numbers,
        fields=fields,
        attached=attached,
        moved=done.moved,
        set_aside=done.set_aside,
        added=done.added,
        notes=tuple(notes),
        commit=commit,
        dry_run=session.dry_run,
    )


def _records(query: Query, entity: str, refs: Sequence[str], into: str | None, notes: list[str]) -> list[int]:
    """The living records that are meant, in the order named. Raises `UserError` for fewer than two."""
    found: dict[int, Found] = {}
    for ref in [*refs, *([into] if into else [])]:
        one = find_record(query, entity, ref)
        earlier = found.get(one.record_id)
        if earlier is not None and ref != into:
            was = next((f for f in (one, earlier) if f.merged), None)
            why = f"{was.asked} was merged into it already" if was else "a record cannot be merged with itself"
            raise UserError(f"{earlier.asked} and {ref} are both {entity}:{one.record_id}: {why}")
        if one.merged:
            notes.append(f"{ref} is {entity}:{one.record_id} since an earlier merge.")
        found.setdefault(one.record_id, one)
    if len(found) < 2:
        raise UserError(f"name at least two {entity}s", hint=f"sfactl {entity} merge 8841 8842")
    return list(found)


def _survivor(session: Session, query: Query, entity: str, ids: Sequence[int]) -> int:
    name, key = ENTITIES[entity]
    best = merging.survivor_order(session.workspace.schemas[name], entity)
    sql = f"select {key} from {name} where {key} in ({merging.numbers(ids)}) order by {best} limit 1"
    return int(query.rows(sql)[0][0])


def _ask(query: Query, survivor: int, merged: Sequence[int]) -> None:
    """Make the table ``asked``."""
    rows = " union all ".join(
        f"select {survivor}::bigint as survivor_id, {m}::bigint as merged_id, {i}::bigint as place,"
        " cast(null as double) as probability"
        for i, m in enumerate(merged, 1)
    )
    query.run(f"create or replace temp table asked as {rows}")


def _picked(
    session: Session, query: Query, entity: str, picks: Mapping[str, str], ids: Sequence[int]
) -> dict[str, int]:
    dataset = session.workspace.schemas[ENTITIES[entity][0]]
    made = {}
    for name, ref in picks.items():
        if name not in dataset.types or name in survivorship.kept_by_us(entity):
            near = difflib.get_close_matches(name, dataset.types, 1)
            hint = f"Did you mean {near[0]}?" if near else f"See: sfactl data show {dataset.name}"
            raise UserError(f"{name} is no field that can be picked", hint=hint)
        record = int(ref) if ref.isdigit() and int(ref) in ids else find_record(query, entity, ref).record_id
        if record not in ids:
            raise UserError(f"--field {name}={ref}: that {entity} is not among those to merge")
        made[name] = record
    return made


def _fields(session: Session, query: Query, order: Order, survivor: int) -> tuple[FieldChoice, ...]:
    """Every field that anybody knows: who wins and why. Reads members and final."""
    name, key = ENTITIES[order.entity]
    dataset = session.workspace.schemas[name]
    chosen = survivorship.choices(dataset, order.entity, order.rules, order.picks)
    final = query.table(f"select * from final where {key} = {survivor}").to_pylist()[0]
    won = query.table(survivorship.winners(dataset, order.entity, chosen)).to_pylist()[0]
    members = query.table("select * from members order by _place").to_pylist()
    return tuple(
        FieldChoice(
            field=c.field,
            value=final[c.field],
            record_id=won[c.field],
            rule=_why(c, members),
            others=tuple(
                Alternative(record_id=m["_id"], value=m[c.field]) for m in members if m["_id"] != won[c.field]
            ),
        )
        for c in chosen
        if any(m[c.field] is not None for m in members)
    )


def _why(choice: survivorship.Choice, members: Sequence[Mapping[str, Any]]) -> str:
    known = [m[choice.field] for m in members if m[choice.field] is not None]
    if choice.rule != "by hand" and len(set(map(str, known))) == 1:
        return "the only value" if len(known) == 1 else "the same in all" if len(known) == len(members) else "the same"
    if choice.rule.startswith("source:"):
        return f"by {choice.rule}"
    return survivorship.WHY.get(choice.rule, choice.rule)


def _attached(session: Session, query: Query, entity: str, ids: Sequence[int]) -> tuple[AttachedRows, ...]:
    """How many rows of every dataset name one of the records; facts count under the number that they lead to."""
    found = []
    for kind in ("state", "event"):
        for attached in moving.attached_to(session.workspace.schemas, entity, kind=kind):
            name = attached.dataset.name
            if not session.workspace.snapshot(query.seq).files(name):
                continue
            joins = " or ".join(moving.matches(attached.dataset, r, entity, "t", "i.id") for r in attached.references)
            listed = ", ".join(f"({i}::bigint)" for i in ids)
            sql = (
                f"select i.id, count(*) from (values {listed}) as i(id) join {name} as t on ({joins})"
                " group by 1 order by 1"
            )
            found += [AttachedRows(dataset=name, record_id=int(i), rows=int(n)) for i, n in query.rows(sql)]
    return tuple(found)


def _pending(query: Query, entity: str, ids: Sequence[int]) -> Iterator[str]:
    """What the records are attached to and that is still two: the accounts and contacts of leads."""
    if entity != "lead":
        return
    among = f"_id in ({merging.numbers(ids)})"
    for other in ("account", "contact"):
        sql = f"select distinct {other}_id from members where {other}_id is not null and {among} order by 1"
        found = [str(row[0]) for row in query.rows(sql)]
        if len(found) > 1:
            yield f"They lead to {len(found)} {other}s, all kept. To merge them: sfactl {other} merge {' '.join(found)}"
