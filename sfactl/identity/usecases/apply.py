"""Execute a stored plan of duplicates: exactly its groups, each into its fullest record, in one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfactl.api.errors import Conflict, NotFound, UserError
from sfactl.identity import merging
from sfactl.identity.answers import ApplyResult
from sfactl.identity.usecases.performing import Done, order_for, perform, prepare, writing
from sfactl.schemas.references import ENTITIES

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

WORKED_ON = frozenset(
    {
        "updated_at", "owner", "status", "disqualified_reason", "converted_at", "account_id", "contact_id",
        "opportunity_id", "lead_id", "tier", "parent_id",
    }
)  # fmt: skip
"""Fields that change when somebody works on a record; they say nothing about who it is."""

_SHOWN = 5


def apply(session: Session, ref: str, *, reason: str | None = None) -> ApplyResult:
    """Merge every group of the plan ``ref`` (an id or its beginning); applied before, there is nothing to do.

    Raises `Conflict` where a member is gone or says something else than when the plan was made, or where two members
    were decided to be different since.
    """
    started = session.now()
    with session.query() as query:
        plan = find_plan(query, ref)
    entity, plan_id = str(plan["entity"]), str(plan["plan_id"])
    with writing(session, entity, reason=reason or f"plan {plan_id}") as tx:
        query = tx.query
        sql = "select max(\"at\") from merges where plan_id = $plan and state = 'merged'"
        (applied_at,) = query.one(sql, {"plan": plan_id}) or (None,)
        groups = _groups(query, plan_id)
        done, commit = Done(first=0, merges=0, moved={}, set_aside={}, added={}), None
        nothing = applied_at is not None or not groups
        if not nothing:
            _refuse_moved(session, query, plan)
            _choose(session, query, entity)
            order = order_for(session, entity, plan_id=plan_id, reason=reason)
            if session.dry_run:
                prepare(session, query, order, 1)
                done = Done(first=1, merges=_count(query, "pairs"), moved={}, set_aside={}, added={})
            else:
                done = perform(session, tx, order)
                commit = tx.commit(plan=plan_id, groups=groups, merges=done.merges).seq
    return ApplyResult(
        plan_id=plan_id,
        entity=entity,
        clusters=groups,
        merges=done.merges,
        moved=done.moved,
        set_aside=done.set_aside,
        added=done.added,
        reviews=int(plan["reviews"]),
        commit=commit,
        dry_run=session.dry_run,
        nothing=nothing,
        applied_at=applied_at,
        seconds=(session.now() - started).total_seconds(),
    )


def find_plan(query: Query, ref: str) -> dict[str, Any]:
    """The one plan of duplicates whose id begins with ``ref``. Raises `NotFound`, `UserError`."""
    sql = "select * from dedupe_plans where starts_with(plan_id, $ref) order by plan_id limit 3"
    found = query.table(sql, {"ref": ref.lower()}).to_pylist() if ref else []
    if not found:
        raise NotFound(f"there is no plan of duplicates {ref!r}", hint="Make one with: sfactl lead dedupe plan")
    if len(found) > 1:
        raise UserError(f"plan {ref!r} could be {', '.join(p['plan_id'] for p in found)}", hint="Write more of it.")
    return dict(found[0])


def _groups(query: Query, plan_id: str) -> int:
    """Make ``planned`` (cluster_id, id, probability): every record that the plan merges. Answers the groups."""
    query.run(
        f"create or replace temp table planned as {query.statement('identity', 'plan_members')}", {"plan": plan_id}
    )
    (groups,) = query.one("select count(distinct cluster_id) from planned") or (0,)
    return int(groups)


def _choose(session: Session, query: Query, entity: str) -> None:
    """Make ``asked``: in each group the record that the others are merged into, and their places."""
    name, key = ENTITIES[entity]
    best = merging.survivor_order(session.workspace.schemas[name], entity)
    query.run(
        "create or replace temp table placed as select p.cluster_id, p.id, p.probability,"
        f" row_number() over (partition by p.cluster_id order by {best}) - 1 as place"
        f" from planned as p join {name} as r on r.{key} = p.id"
    )
    query.run(
        "create or replace temp table asked as select s.id as survivor_id, m.id as merged_id, m.place, m.probability"
        " from placed as m join placed as s on s.cluster_id = m.cluster_id and s.place = 0 where m.place > 0"
    )


def _refuse_moved(session: Session, query: Query, plan: dict[str, Any]) -> None:
    """Raise `Conflict` naming the records that are not what they were when the plan was made."""
    entity = str(plan["entity"])
    name, key = ENTITIES[entity]
    columns = [c for c in session.workspace.schemas[name].types if c not in WORKED_ON]
    differ = " or ".join(f't."{c}" is distinct from n."{c}"' for c in columns)
    then = session.workspace.snapshot(int(plan["seq"])).stored(name)
    sql = (
        f"select p.id, case when n.{key} is null then 'is gone' else 'was changed' end from planned as p"
        f" left join {name} as n on n.{key} = p.id left join ({then}) as t on t.{key} = p.id"
        f" where n.{key} is null or {differ} order by 1"
    )
    moved = [f"{entity}:{i} {why}" for i, why in query.rows(sql)]
    parted = query.rows(
        "select d.a, d.b from match_decisions d join planned p on p.id = d.a join planned q on q.id = d.b"
        " where d.entity = $entity and d.decision = 'different' and p.cluster_id = q.cluster_id order by 1, 2",
        {"entity": entity},
    )
    moved += [f"{entity}:{a} and {entity}:{b} were decided to be different" for a, b in parted]
    if moved:
        listed = "; ".join(moved[:_SHOWN]) + (f"; and {len(moved) - _SHOWN:,} more" if moved[_SHOWN:] else "")
        raise Conflict(
            f"the data moved since plan {plan['plan_id']} (commit {plan['seq']} → {query.seq}): {listed}",
            hint="Nothing was merged. Make a new plan: sfactl lead dedupe plan",
        )


def _count(query: Query, table: str) -> int:
    (rows,) = query.one(f"select count(*) from {table}") or (0,)
    return int(rows)
