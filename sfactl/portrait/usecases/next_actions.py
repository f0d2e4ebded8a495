"""Suggest the next action for each qualified lead, keep what was suggested, and make tasks of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import PolicyError, UserError
from sfactl.engine.conditions import Condition, compile_many
from sfactl.portrait import actions
from sfactl.portrait.actions import DEFAULT, FILE, ActionFile
from sfactl.portrait.usecases.bearers import condition_names, find, make_chosen

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

CHANGED = ("next_actions", "next_action_events", "tasks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What was kept: ``suggested`` are new, ``standing`` were suggested before, ``withdrawn`` no longer hold."""

    leads: int
    suggested: int
    standing: int
    withdrawn: int
    tasks: int
    by_rule: dict[str, int]
    dry_run: bool = False
    commit: int | None = None


def suggest(session: Session, refs: Sequence[str] = (), *, segment: str | None = None) -> pa.Table:
    """The one action for each qualified lead (or those named), with its rule and reason, the most urgent first.

    A lead that is not qualified has none, unless a rule is for its stage; named, it raises `PolicyError`.
    """
    file = actions.read_actions(session.folder)
    with session.query() as query:
        choose(session, query, file, refs, segment)
        check_named(query, refs, file)
        return query.table(
            "select lead_id, name, company, stage, owner, action, rule, reason, due_at, since, actor, overrides"
            " from choices order by due_at, lead_id"
        )


def save(
    session: Session, refs: Sequence[str] = (), *, segment: str | None = None, create_tasks: bool = False
) -> Saved:
    """Keep what is suggested now, and with ``create_tasks`` make a task of each that has none.

    What was suggested before and still holds stays as it is, so that a repeat changes nothing. The open task of a
    suggestion that no longer holds is dropped.
    """
    file = actions.read_actions(session.folder)
    with session.write("next_actions", "tasks") as tx:
        choose(session, tx.query, file, refs, segment)
        check_named(tx.query, refs, file)
        _plan_changes(session, tx.query, create_tasks=create_tasks)
        counts = dict(tx.query.rows("select rule, count(*) from choices group by rule order by count(*) desc, rule"))
        new, gone, tasks, every = tx.query.one(
            "select (select count(*) from fresh), (select count(*) from gone), (select count(*) from new_tasks),"
            " (select count(*) from choices)"
        ) or (0, 0, 0, 0)
        commit = None
        if new or gone or tasks:
            write_changes(session, tx)
            commit = tx.commit(suggested=new, withdrawn=gone, tasks=tasks).seq
    return Saved(
        leads=every,
        suggested=new,
        standing=every - new,
        withdrawn=gone,
        tasks=tasks,
        by_rule=counts,
        dry_run=session.dry_run,
        commit=commit,
    )


def statistics(session: Session) -> pa.Table:
    """By rule: how often it was suggested, taken up, overridden and ignored, at ``--as-of``."""
    file = actions.read_actions(session.folder)
    with session.query() as query:
        make_outcomes(session, query, file)
        return query.table(query.statement("portrait", "action_stats"), {"now": session.as_of_time()})


def check(session: Session) -> tuple[str, ...]:
    """What is wrong with the rules, as messages; nothing for a workspace without them."""
    if not (session.folder / FILE).exists():
        return ()
    try:
        compiled_rules(session, actions.read_actions(session.folder))
    except UserError as err:
        return (err.message,)
    return ()


def compiled_rules(session: Session, file: ActionFile) -> tuple[str, dict[str, Any]]:
    """A SELECT of lead_id and the place of each rule that holds, about the table ``candidates``; the default always."""
    everybody = f"select lead_id, {len(file.rules)} as place from candidates"
    if not file.rules:
        return everybody, {}
    compiled = compile_many(
        [
            Condition(name=rule.id, text=rule.where, where=f"{FILE}: rules[{i}] {rule.id!r}: where")
            for i, rule in enumerate(file.rules)
        ],
        schemas=session.workspace.schemas,
        now=session.as_of_time(),
        **condition_names(session),
    )
    held = " union all ".join(
        f"select lead_id, {i} as place from flags where {compiled.columns[rule.id]}"
        for i, rule in enumerate(file.rules)
    )
    return f"with flags as ({compiled.among_sql}) {held} union all {everybody}", dict(compiled.params)


def make_outcomes(session: Session, query: Query, file: ActionFile, *, scope: str = "true") -> None:
    """Make the temporary table ``outcomes`` of what was suggested and what came of it."""
    pairs = [(action, kind) for action, kinds in actions.known_actions(file).items() for kind in kinds]
    query.run(
        "create or replace temp table kinds as select unnest($actions) as action, unnest($kinds) as kind",
        {"actions": [pair[0] for pair in pairs], "kinds": [pair[1] for pair in pairs]},
    )
    sql = query.statement("portrait", "action_outcomes").format(scope=scope)
    query.run(f"create or replace temp table outcomes as {sql}", {"now": session.as_of_time()})


def make_rules(session: Session, query: Query, file: ActionFile) -> None:
    """Make the temporary table ``rules``, the default last."""
    now = session.as_of_time()
    rows = [
        (rule.id, rule.action, rule.why, rule.due, rule.again_after, rule.stages or file.stages) for rule in file.rules
    ]
    last = file.default
    rows.append((DEFAULT, last.action, last.why, last.due, last.again_after, file.stages))
    query.run(
        "create or replace temp table rules as select unnest($rules) as rule, unnest($places) as place,"
        " unnest($actions) as action, unnest($reasons) as reason, unnest($dues) as due_at,"
        " unnest($rests) as rest_from, string_split(unnest($stages), ',') as stages",
        {
            "rules": [row[0] for row in rows],
            "places": list(range(len(rows))),
            "actions": [row[1] for row in rows],
            "reasons": [row[2] for row in rows],
            "dues": [actions.due_at(row[3], now) for row in rows],
            "rests": [actions.rest_from(row[4], now) for row in rows],
            "stages": [",".join(row[5]) for row in rows],
        },
    )


def choose(session: Session, query: Query, file: ActionFile, refs: Sequence[str], segment: str | None) -> None:
    """Make the temporary table ``choices``: one row for each lead that has a next action."""
    stages = sorted({stage for rule in file.rules for stage in rule.stages or ()} | set(file.stages))
    where = "list_contains($stages, coalesce(status, 'new'))"
    params: dict[str, Any] = {"stages": stages}
    if refs:
        where += " and list_contains($ids, lead_id)"
        params["ids"] = _leads(query, refs)
    elif segment is not None:
        make_chosen(session, query, segment=segment, where=None)
        where += " and lead_id in (select lead_id from chosen)"
    query.run(
        "create or replace temp table candidates as select lead_id, full_name, email, company, owner,"
        f" coalesce(status, 'new') as stage from leads where {where}",
        params,
    )
    sql, given = compiled_rules(session, file)
    query.run(f"create or replace temp table held as {sql}", given)
    make_rules(session, query, file)
    make_outcomes(session, query, file, scope="e.lead_id in (select lead_id from candidates)")
    query.run(
        f"create or replace temp table choices as {query.statement('portrait', 'action_choices')}",
        {"now": session.as_of_time()},
    )


def _leads(query: Query, refs: Sequence[str]) -> list[int]:
    found = find(query, refs)
    for kind, number in found:
        if kind != "lead":
            raise UserError(f"{kind}:{number} is no lead", hint="Next actions are about leads: lead:8841.")
    return [number for _, number in found]


def check_named(query: Query, refs: Sequence[str], file: ActionFile) -> None:
    """A lead that was named must have an action, or the reason is told why it has none."""
    if not refs:
        return
    there = {row[0] for row in query.rows("select lead_id from choices")}
    for lead_id in _leads(query, refs):
        if lead_id not in there:
            row = query.get("leads", lead_id) or {}
            raise PolicyError(
                f"lead:{lead_id} is {row.get('status') or 'new'}, and next actions are for {', '.join(file.stages)}",
                hint=f"See what it lacks: sfactl lead qualify --explain lead:{lead_id}",
            )


def _plan_changes(session: Session, query: Query, *, create_tasks: bool) -> None:
    """Make ``fresh`` (to be suggested anew), ``gone`` (no longer suggested) and the changes of tasks."""
    query.run(
        "create temp table fresh as select lead_id, owner, name, company, action, rule, reason, due_at, since, actor,"
        " overrides, 'suggested' as kind,"
        " 'next:' || lead_id || ':' || lpad(cast($seq as varchar), 12, '0') as event_id, true as with_task"
        " from choices where not standing",
        {"seq": query.seq},
    )
    # A lead that left the stages that are asked about, not one that this run did not ask about.
    query.run(
        "create temp table gone as select n.lead_id, n.action, n.rule, n.due_at from next_actions as n"
        " left join leads as l on l.lead_id = n.lead_id left join choices as c on c.lead_id = n.lead_id"
        " left join candidates as k on k.lead_id = n.lead_id"
        " where c.lead_id is null and (k.lead_id is not null or l.lead_id is null"
        " or not exists (select 1 from rules as r where list_contains(r.stages, coalesce(l.status, 'new'))))"
    )
    plan_tasks(session, query, create_tasks=create_tasks)


def plan_tasks(session: Session, query: Query, *, create_tasks: bool) -> None:
    """Make ``new_tasks``, and ``dead_tasks``: open ones whose suggestion was replaced or withdrawn."""
    query.run(
        "create temp table dead_tasks as select t.* replace ('dropped' as state, 'no longer suggested' as result,"
        " cast($now as timestamp) as done_at) from tasks as t join next_actions as n on n.task_id = t.task_id"
        " where t.state = 'open'"
        " and (n.lead_id in (select lead_id from fresh) or n.lead_id in (select lead_id from gone))",
        {"now": session.now()},
    )
    if not create_tasks:
        query.run("create temp table new_tasks as select * from tasks where false")
        return
    query.run(
        "create temp table new_tasks as"
        " select event_id as task_id, action as kind, reason as title, lead_id, owner, due_at, 'open' as state,"
        " 'next-action' as campaign, rule as step, cast($now as timestamp) as created_at"
        " from (select lead_id, owner, action, rule, reason, due_at, event_id from fresh"
        " union all select lead_id, owner, action, rule, reason, due_at, task_id from choices where standing) as s"
        " where not exists (select 1 from tasks as t where t.task_id = s.event_id)",
        {"now": session.now()},
    )


def write_changes(session: Session, tx: Transaction) -> None:
    """Write what the temporary tables ``fresh``, ``gone``, ``new_tasks`` and ``dead_tasks`` hold."""
    tx.upsert(
        "next_actions",
        "select lead_id, action, rule, reason, due_at, since, actor, overrides, event_id as task_id from fresh",
    )
    tx.delete("next_actions", "select lead_id from gone")
    tx.append(
        "next_action_events",
        'select event_id, since as "at", lead_id, kind, action, rule, overrides, due_at,'
        " coalesce(actor, $actor) as actor, reason from fresh union all"
        " select 'next:' || lead_id || ':' || lpad(cast($seq as varchar), 12, '0') || ':end',"
        " cast($now as timestamp), lead_id, 'withdrawn', action, rule, null, due_at, $actor, null from gone",
        {"actor": session.actor, "now": session.now(), "seq": tx.query.seq},
    )
    tx.upsert("tasks", "select * from dead_tasks")
    tx.upsert("tasks", "select * from new_tasks")
