"""Deal the leads in the queue: plan, remember the plan, do exactly it, and say what moved since."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import Conflict, NotFound, SfactlError
from sfactl.config.calendars import read_calendars
from sfactl.reps.model import Assignment, Difference, Move, Round, RulesChecked, RuleShare, Share, Waiting
from sfactl.reps.rules import Rules, name_problems, read_rules
from sfactl.reps.usecases.companions import deal_together
from sfactl.reps.usecases.realigning import misplaced, moves, told
from sfactl.reps.usecases.scene import Order, Scene, candidates, compiled_conditions, reps_of, scene_of
from sfactl.reps.usecases.writing import CHANGED, write_owners

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

PLANS = ("assignment_plans", "assignment_plan_items")
SHOWN = 20
"""Differences between two plans that are named one by one."""


def check(session: Session) -> RulesChecked:
    """What is wrong with ``assignment.toml``; nothing for a workspace without it."""
    try:
        rules = read_rules(session.folder)
        if rules is None:
            return RulesChecked(rules=0, problems=())
        problems = _condition_problems(session, rules)
        with session.query() as query:
            found = name_problems(rules, reps_of(query), read_calendars(session.folder))
            problems += [problem.message for problem in found]
        return RulesChecked(rules=len(rules.rules), problems=tuple(problems))
    except SfactlError as err:
        return RulesChecked(rules=0, problems=(err.message,))


def _condition_problems(session: Session, rules: Rules) -> list[str]:
    """Each condition by itself, so that one mistake does not hide the next."""
    found = []
    for condition in rules.conditions():
        try:
            compiled_conditions(session, [condition], session.as_of_time())
        except SfactlError as err:
            found.append(err.message)
    return found


def plan(
    session: Session,
    *,
    stages: Sequence[str] = (),
    strategy: str | None = None,
    with_pool: bool = False,
    realign: bool = False,
) -> Assignment:
    """What `run` would do now, and how that differs from the plan before; it is remembered, so that it can be applied.

    The same data gives the same plan, whoever asks and however often. With ``--as-of`` or in a dry run nothing is
    remembered. With ``realign`` it is about leads whose owner no rule would give them now.
    """
    order = Order(stages=tuple(stages), strategy=strategy, with_pool=with_pool, realign=realign)
    if session.as_of is not None or session.dry_run:
        with session.query() as query:
            planned, done, _ = dealt(session, query, order)
            _items(query, done)
            return replace(planned, since=_since(query, order), dry_run=session.dry_run)
    with session.write(*PLANS) as tx:
        planned, done, scene = dealt(session, tx.query, order)
        _items(tx.query, done)
        since = _since(tx.query, order)
        _remember(session, tx, planned, order, scene)
        return replace(planned, since=since)


def run(
    session: Session,
    *,
    stages: Sequence[str] = (),
    strategy: str | None = None,
    plan_id: str | None = None,
    with_pool: bool = False,
) -> Assignment:
    """Give the leads in the queue to the reps: the owners and the reasons in one commit.

    With ``plan_id`` exactly that plan is done, in the way it was made; raises `Conflict` naming what moved when the
    data would give another now.
    """
    order = Order(stages=tuple(stages), strategy=strategy, with_pool=with_pool)
    with session.write(*CHANGED, *PLANS) as tx:
        known = _known_plan(tx.query, plan_id) if plan_id else None
        if known is not None and not stages and strategy is None:
            order = Order(
                stages=tuple((known["stages"] or "").split(",")),
                strategy=known["strategy"],
                with_pool=bool(known["with_pool"]),
                realign=bool(known["realign"]),
            )
        planned, done, _ = dealt(session, tx.query, order)
        if plan_id is not None and not planned.plan_id.startswith(plan_id):
            _items(tx.query, done)
            raise _moved(tx.query, plan_id, planned.plan_id, known)
        if not planned.given:
            return replace(planned, dry_run=session.dry_run)
        tx.query.register("given", done.given)
        write_owners(session, tx)
        if known is not None:
            _mark(tx, known["plan_id"], session)
        seq = tx.commit(plan=planned.plan_id, given=planned.given, waiting=planned.waiting).seq
        return replace(planned, dry_run=session.dry_run, commit=seq)


def apply(session: Session, plan_id: str) -> Assignment:
    """Do exactly the plan. One that was applied before is not done again.

    Raises `NotFound` for a plan nobody made, `Conflict` naming what moved where the data would give another one now.
    """
    with session.query() as query:
        known = _known_plan(query, plan_id)
    if known is None:
        raise NotFound(f"there is no plan {plan_id!r}", hint="Make one: sfactl assign plan")
    if known["state"] == "applied":
        return Assignment(
            plan_id=known["plan_id"],
            strategy=known["strategy"] or "",
            queue=0,
            given=0,
            waiting=0,
            reps=(),
            reasons=(),
            applied_at=known["applied_at"],
        )
    return run(session, plan_id=known["plan_id"])


def planned_owners(
    session: Session,
    *,
    stages: Sequence[str] = (),
    strategy: str | None = None,
    with_pool: bool = False,
    realign: bool = False,
) -> pa.Table:
    """The plan lead by lead: who would own it and why. Nothing is remembered."""
    with session.query() as query:
        order = Order(stages=tuple(stages), strategy=strategy, with_pool=with_pool, realign=realign)
        query.register("given", dealt(session, query, order)[1].given)
        return query.table(query.statement("reps", "planned_owners"))


def queue(session: Session, *, stages: Sequence[str] = ()) -> pa.Table:
    """The leads that a run would leave without an owner, with age and reason; the oldest first."""
    with session.query() as query:
        query.register("waiting", dealt(session, query, Order(stages=tuple(stages)))[1].waiting)
        return query.table(query.statement("reps", "waiting"), {"now": session.as_of_time()})


def dealt(session: Session, query: Query, order: Order) -> tuple[Assignment, Round, Scene]:
    """A round over the leads in the queue, with the reason of each, and its summary."""
    scene = scene_of(session, query, order)
    if order.realign:
        misplaced(session, query, scene)
    else:
        candidates(query, scene)
    done, in_queue = deal_together(session, query, scene)
    given = with_reasons(query, done.given, scene)
    done = replace(done, given=told(query, given) if order.realign else given)
    planned = _summary(done, scene, in_queue)
    return (_realigned(query, planned, done) if order.realign else planned), done, scene


def _realigned(query: Query, planned: Assignment, done: Round) -> Assignment:
    """``planned`` with its moves; whom the leads are taken from is a part of what the plan's id stands for."""
    before = query.rows("select owner from misplaced order by lead_id")
    digest = hashlib.sha256("\x1f".join([planned.plan_id, *(owner for (owner,) in before)]).encode())
    return replace(planned, plan_id=digest.hexdigest()[:12], realign=True, moves=moves(query, done.given))


def with_reasons(query: Query, given: pa.Table, scene: Scene) -> pa.Table:
    """``given`` with a reason that can be checked later: the turn, and how full the rep was."""
    import pyarrow as pa

    facts = [(s.rep.rep_id, s.open, s.rep.weight, s.rep.capacity) for s in scene.standings]
    types = {"rep_id": pa.string(), "open": pa.int64(), "weight": pa.int64(), "capacity": pa.int64()}
    columns = [pa.array([f[i] for f in facts], t) for i, t in enumerate(types.values())]
    query.register("seats", given)
    query.register("stands", pa.table(columns, names=list(types)))
    return query.table(query.statement("reps", "reasons"), {"label": scene.label})


def _summary(done: Round, scene: Scene, in_queue: int) -> Assignment:
    import pyarrow.compute as pc

    got, by_rule = (
        {r["values"]: r["counts"] for r in pc.value_counts(done.given[name]).to_pylist()} for name in ("rep_id", "rule")
    )
    why = {r["values"]: r["counts"] for r in pc.value_counts(done.waiting["reason"]).to_pylist()}
    shares = [
        Share(
            rep_id=s.rep.rep_id,
            name=s.rep.name,
            weight=s.rep.weight,
            open_before=s.open,
            given=got.get(s.rep.rep_id, 0),
            open_after=s.open + got.get(s.rep.rep_id, 0),
            capacity=s.rep.capacity,
        )
        for s in scene.standings
        if s.rep.active
    ]
    return Assignment(
        plan_id=_digest(done),
        strategy=scene.label or "rules",
        queue=in_queue,
        given=done.given.num_rows,
        waiting=done.waiting.num_rows,
        reps=tuple(shares),
        reasons=tuple(Waiting(reason=r, leads=n) for r, n in sorted(why.items(), key=lambda w: (-w[1], w[0]))),
        rules=tuple(RuleShare(rule=r.name, leads=by_rule.get(r.name, 0)) for r in scene.rules.rules),
    )


def _digest(done: Round) -> str:
    """A short hash of each lead with its owner-to-be and rule, and of those who wait."""
    digest = hashlib.sha256()
    for table, columns in ((done.given, ("rep_id", "rule")), (done.waiting, ("reason",))):
        digest.update(table["lead_id"].to_numpy().tobytes())
        for column in columns:
            digest.update("\x1f".join(table[column].to_pylist()).encode())
    return digest.hexdigest()[:12]


def _items(query: Query, done: Round) -> None:
    """Make the temporary table ``items``: every lead of the plan, those who wait without a rep."""
    query.register("planned_given", done.given)
    query.register("planned_waiting", done.waiting)
    query.run(
        "create or replace temp table items as select lead_id, rep_id, rule, reason from planned_given"
        " union all select lead_id, null, null, reason from planned_waiting"
    )


def _since(query: Query, order: Order) -> Difference | None:
    """How the plan in ``items`` differs from the newest one that is remembered; None where that was of another kind."""
    last = query.one(
        "select plan_id, planned_at, coalesce(realign, false) from assignment_plans where state <> 'superseded'"
        " order by planned_at desc, data_seq desc limit 1"
    )
    if last is None or last[2] != order.realign:
        return None
    sql = query.statement("reps", "plan_moves")
    counts = dict(query.rows(f"select kind, count(*) from ({sql}) as moves group by kind"))
    moves = query.rows(f"select lead_id, before, after from ({sql}) as moves order by lead_id limit {SHOWN}")
    return Difference(
        plan_id=last[0],
        planned_at=last[1],
        new=counts.get("new", 0),
        gone=counts.get("gone", 0),
        moved=counts.get("moved", 0),
        moves=tuple(Move(lead_id=n, before=b, after=a) for n, b, a in moves),
    )


def _remember(session: Session, tx: Transaction, planned: Assignment, order: Order, scene: Scene) -> None:
    """Keep the plan and its items, where they are not those that are kept already."""
    import pyarrow as pa

    query = tx.query
    last = query.one("select plan_id from assignment_plans where state = 'planned'")
    if last is not None and last[0] == planned.plan_id:
        return
    row = {
        "plan_id": planned.plan_id,
        "planned_at": session.now(),
        "data_seq": query.seq,
        "stages": ",".join(scene.stages),
        "strategy": order.strategy,
        "with_pool": order.with_pool,
        "realign": order.realign,
        "given": planned.given,
        "waiting": planned.waiting,
        "state": "planned",
    }
    schema = session.workspace.schemas["assignment_plans"].arrow()
    rows = pa.Table.from_pylist([row], schema=schema)
    query.register("new_plan", rows)
    tx.upsert(
        "assignment_plans",
        "select * from new_plan union all by name select * replace ('superseded' as state) from assignment_plans"
        " where state = 'planned' and plan_id <> $plan_id",
        {"plan_id": planned.plan_id},
    )
    tx.upsert("assignment_plan_items", query.statement("reps", "plan_changed"))
    tx.delete("assignment_plan_items", query.statement("reps", "plan_gone"))
    tx.commit(plan=planned.plan_id, given=planned.given, waiting=planned.waiting)


def _known_plan(query: Query, plan_id: str) -> dict[str, Any] | None:
    """The remembered plan whose id begins so; the newest of several."""
    found = query.table(
        "select * from assignment_plans where starts_with(plan_id, $plan_id) order by planned_at desc, plan_id limit 1",
        {"plan_id": plan_id},
    ).to_pylist()
    return found[0] if found else None


def _mark(tx: Transaction, plan_id: str, session: Session) -> None:
    tx.upsert(
        "assignment_plans",
        "select * replace ('applied' as state, $now as applied_at) from assignment_plans where plan_id = $plan_id",
        {"plan_id": plan_id, "now": session.now()},
    )


def _moved(query: Query, asked: str, now: str, known: dict[str, Any] | None) -> Conflict:
    """What differs between the plan that was asked for and what would be done now."""
    said = f"the data moved since plan {asked}: now it would be {now}"
    if known is not None and known["state"] == "planned":
        moves = query.rows(query.statement("reps", "plan_moves"))
        listed = ", ".join(_move_text(*m) for m in moves[:5]) + (" …" if len(moves) > 5 else "")
        said += f". {len(moves):,} {'lead differs' if len(moves) == 1 else 'leads differ'}: {listed}" if moves else ""
    return Conflict(said, hint="Look at the new one: sfactl assign plan")


def _move_text(lead_id: int, before: str | None, after: str | None, kind: str) -> str:
    if kind == "gone":
        return f"lead:{lead_id} is no longer in the queue"
    if kind == "new":
        return f"lead:{lead_id} is new"
    return f"lead:{lead_id} {before or 'waited'} → {after or 'waits'}"
