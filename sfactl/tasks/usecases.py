"""Make tasks one by one, from a file or for a whole segment; list, close and pass them on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound, PolicyError, UserError
from sfactl.engine.periods import PeriodError, parse_period
from sfactl.leads.named_leads import find_leads, fitting_leads
from sfactl.session import Session
from sfactl.tasks.files import read_tasks
from sfactl.tasks.model import Asked, Line, Rejected, TasksClosed, TasksMade

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.workspace.transaction import Transaction

PACKAGE = "tasks"


def list_tasks(
    session: Session, *, state: str = "open", owner: str = "", kind: str = "", lead: str = "", late: bool = False
) -> pa.Table:
    """Tasks, those due first on top; ``late`` leaves only open ones whose time has passed."""
    with session.query() as query:
        params = {"state": state, "owner": owner, "kind": kind, "late": late, "at": session.as_of_time()}
        params["lead"] = find_leads(query, [lead])[0] if lead else None
        return query.table(query.statement(PACKAGE, "listed"), params)


def show(session: Session, task_id: str) -> Mapping[str, Any]:
    """One task with whom it is about. Raises `NotFound`, `UserError` where the beginning of an id fits several."""
    with session.query() as query:
        [found] = _found(query, [task_id])
        task = query.get("tasks", found) or {}
        lead = query.get("leads", task["lead_id"]) if task.get("lead_id") is not None else None
    about = ("full_name", "company", "email", "phone", "status")
    return task | {f"lead_{name}": lead.get(name) for name in about} if lead else task


def add(
    session: Session,
    title: str,
    *,
    lead: str = "",
    owner: str = "",
    kind: str = "call",
    due: str = "",
    content: str = "",
) -> TasksMade:
    """Make one task. Raises `NotFound` for a lead or a rep that is not there."""
    with session.write("tasks", reason=f"task: {title}") as tx:
        asked = Asked(
            key=f"task.{session.reserve('tasks')}",
            title=title,
            kind=kind,
            lead_id=find_leads(tx.query, [lead])[0] if lead else None,
            owner=owner,
            due_at=due_at(session, due)[0] if due else None,
            content=content,
        )
        return _make(session, tx, [asked])


def import_tasks(session: Session, path: Path) -> TasksMade:
    """Make the tasks of a CSV file; the same file again makes none, a changed row changes a task that is still open.

    Rows that cannot be read, and those for an unknown lead or rep, are answered as rejected; the others are made.
    """
    with session.write("tasks", reason=f"tasks of {path.name}") as tx:
        read = list(read_tasks(path, reps=_reps(tx.query), due=lambda text: due_at(session, text)))
        rejected = [row for row in read if isinstance(row, Rejected)]
        lines = [row for row in read if isinstance(row, Line)]
        leads = fitting_leads(tx.query, {line.lead for line in lines if line.lead})
        asked: list[Asked] = []
        for line in lines:
            fits = leads[line.lead] if line.lead else (None,)
            if len(fits) == 1:
                asked.append(replace(line.task, lead_id=fits[0]))
            else:
                many = f"{line.lead!r} is {len(fits)} leads" if fits else f"there is no lead {line.lead!r}"
                why = f"lead: {many}"
                rejected.append(Rejected(row=line.row, reason=why))
        return _make(session, tx, asked, sorted(rejected, key=lambda r: r.row))


def push(
    session: Session,
    name: str,
    segment: str,
    title: str,
    *,
    owner: str = "",
    kind: str = "call",
    due: str = "",
    content: str = "",
) -> TasksMade:
    """Make a task called ``name`` for every member of ``segment`` that has none of that name yet.

    Without ``owner`` the lead's own rep gets it. Raises `NotFound` where the segment has no members.
    """
    with session.write("tasks", reason=f"tasks {name} for {segment}") as tx:
        query = tx.query
        members = "select lead_id from segment_members where segment = $segment"
        if query.one(f"{members} limit 1", {"segment": segment}) is None:
            raise NotFound(f"segment {segment} has no members", hint=f"Build it with: sfactl segment build {segment}")
        _check_owners(query, [owner] if owner else [])
        until, runs = due_at(session, due) if due else (None, False)
        query.run(
            'create or replace temp table asked as select $prefix || cast(lead_id as varchar) as "key",'
            " $title as title, $kind as kind, lead_id, $owner as owner, cast($due as timestamp) as due_at,"
            " $runs as due_runs, $content as content,"
            f" '' as \"type\" from ({members})",
            {
                "prefix": f"push.{name}.",
                "title": title,
                "kind": kind,
                "owner": owner,
                "due": until,
                "runs": runs,
                "content": content,
                "segment": segment,
            },
        )
        return _store(session, tx, ())


def close(session: Session, task_ids: Sequence[str], state: str, *, result: str = "") -> TasksClosed:
    """Say that tasks are ``done`` or ``dropped``, and what came of them. Raises `PolicyError` for an approval."""
    with session.write("tasks", reason=f"{len(task_ids)} tasks {state}") as tx:
        found = _found(tx.query, task_ids)
        _load(tx.query, found)
        asked = tx.query.one(
            "select t.task_id, t.campaign, t.lead_id from tasks t join named n on n.task_id = t.task_id"
            " where t.kind = 'approval' and t.state = 'open' limit 1"
        )
        if asked:
            raise PolicyError(
                f"{asked[0]} asks for a word, not for work",
                hint=f"sfactl strategy decide {asked[1]} {asked[2]} approve|refuse",
            )
        changed = tx.upsert(
            "tasks",
            "select t.* replace ($state as state, cast($now as timestamp) as done_at, nullif($result, '') as result)"
            " from tasks t join named n on n.task_id = t.task_id where t.state <> $state",
            {"state": state, "now": session.now(), "result": result},
        )
        commit = tx.commit(tasks=changed, state=state).seq if changed else None
    return TasksClosed(
        task_ids=tuple(found), same=len(found) - changed, state=state, dry_run=session.dry_run, commit=commit
    )


def give(session: Session, task_ids: Sequence[str], owner: str) -> TasksClosed:
    """Give open tasks to another rep. Raises `NotFound` for an unknown rep, `PolicyError` for a task that is over."""
    with session.write("tasks", reason=f"tasks to {owner}") as tx:
        _check_owners(tx.query, [owner])
        found = _found(tx.query, task_ids)
        _load(tx.query, found)
        over = tx.query.one(
            "select t.task_id, t.state from tasks t join named n on n.task_id = t.task_id"
            " where t.state <> 'open' limit 1"
        )
        if over:
            raise PolicyError(f"task {over[0]} is {over[1]}")
        changed = tx.upsert(
            "tasks",
            "select t.* replace ($owner as owner) from tasks t join named n on n.task_id = t.task_id"
            " where t.owner is distinct from $owner",
            {"owner": owner},
        )
        commit = tx.commit(tasks=changed, owner=owner).seq if changed else None
    return TasksClosed(
        task_ids=tuple(found),
        same=len(found) - changed,
        state="open",
        owner=owner,
        dry_run=session.dry_run,
        commit=commit,
    )


def due_at(session: Session, text: str) -> tuple[datetime, bool]:
    """When something is due (naive UTC), and whether that is so long from now: ``2 days``, a time, or a date's end.

    Raises `UserError`.
    """
    try:
        return parse_period(text).after(session.now()), True
    except PeriodError:
        return session.moment(text).replace(microsecond=0), False


def _make(session: Session, tx: Transaction, asked: Sequence[Asked], rejected: Sequence[Rejected] = ()) -> TasksMade:
    import pyarrow as pa

    _check_owners(tx.query, [a.owner for a in asked if a.owner])
    names = ("key", "title", "kind", "lead_id", "owner", "due_at", "due_runs", "content", "type")
    types = {"lead_id": pa.int64(), "due_at": pa.timestamp("us"), "due_runs": pa.bool_()}
    columns = {n: pa.array([getattr(a, n) for a in asked], types.get(n, pa.string())) for n in names}
    tx.query.register("asked", pa.table(columns))
    return _store(session, tx, rejected)


def _store(session: Session, tx: Transaction, rejected: Sequence[Rejected]) -> TasksMade:
    query = tx.query
    query.run(f"create or replace temp table wanted as {query.statement(PACKAGE, 'wanted')}")
    counted = query.one(
        "select count(*) filter (where state_now is null), count(*) filter (where state_now = 'open' and differs),"
        " count(*) filter (where state_now = 'open' and not differs), count(*) filter (where state_now <> 'open'),"
        " count(*) filter (where owner is null), count(distinct owner) from wanted"
    )
    new, changed, known, closed, without, owners = map(int, counted or (0,) * 6)
    commit = None
    if new or changed:
        tx.upsert("tasks", query.statement(PACKAGE, "made"), {"now": session.now()})
        commit = tx.commit(tasks=new + changed).seq
    return TasksMade(
        new=new,
        changed=changed,
        known=known,
        closed=closed,
        without_owner=without,
        owners=owners,
        rejected=tuple(rejected),
        dry_run=session.dry_run,
        commit=commit,
    )


def _found(query: Query, task_ids: Sequence[str]) -> list[str]:
    """The whole ids of tasks that people name by their beginning."""
    found: dict[str, None] = {}
    for ref in task_ids:
        rows = query.rows("select task_id from tasks where starts_with(task_id, $ref) limit 6", {"ref": ref})
        exact = [r[0] for r in rows if r[0] == ref]
        if not rows:
            raise NotFound(f"there is no task {ref!r}", hint="See: sfactl task list")
        if len(rows) > 1 and not exact:
            raise UserError(f"{ref!r} could be {', '.join(r[0] for r in rows[:5])}", hint="Write more of it.")
        found[exact[0] if exact else rows[0][0]] = None
    return list(found)


def _load(query: Query, task_ids: Sequence[str]) -> None:
    import pyarrow as pa

    query.register("named", pa.table({"task_id": pa.array(task_ids, pa.string())}))


def _reps(query: Query) -> frozenset[str]:
    return frozenset(r[0] for r in query.rows("select rep_id from reps"))


def _check_owners(query: Query, owners: Sequence[str]) -> None:
    known = _reps(query) if owners else frozenset()
    for owner in owners:
        if owner not in known:
            raise NotFound(f"there is no rep {owner!r}", hint="See: sfactl rep list")
