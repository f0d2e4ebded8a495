"""Keep the promise of a first response: list what is due, met and breached, and pass breaches on once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sfactl.api.errors import ConfigError
from sfactl.config.calendars import read_calendars
from sfactl.engine.calendars import Calendar
from sfactl.reps.dealing import deal
from sfactl.reps.model import PassedOn, Passing, Promise
from sfactl.reps.responses import BREACHED, DUE, LATE, MET, measured
from sfactl.reps.rules import FILE, Rules, Sla, read_rules
from sfactl.reps.usecases.rounds import with_reasons
from sfactl.reps.usecases.scene import Order, absences_of, calendar_of, queue_of, reps_of, scene_of
from sfactl.reps.usecases.writing import CHANGED, write_owners

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

STRATEGY = "sla"
"""What the history calls an assignment because of a breach; such a lead is not passed on again."""


def sla(session: Session, *, states: tuple[str, ...] = (), rep: str | None = None) -> tuple[Promise, pa.Table]:
    """Every assigned open lead with its first response: when it is due, whether it came, how long it took.

    Raises `ConfigError` where ``assignment.toml`` promises nothing.
    """
    rules, promise = _promise(session)
    with session.query() as query:
        rows = _responses(session, query, rules, promise)
        query.register("responses", rows)
        counts = dict(query.rows("select state, count(*) from responses where assigned group by state"))
        chosen = query.table(
            "select lead_id, name, owner, state, assigned_at, due_at, responded_at, took_s, limit_s, wall_s,"
            f" strategy = '{STRATEGY}' as passed_on from responses where assigned"
            " and (len($states) = 0 or list_contains($states, state))"
            " and ($rep is null or owner = $rep) order by due_at nulls last, lead_id",
            {"states": list(states), "rep": rep},
        )
    told = Promise(
        first_response=promise.first_response,
        calendar=promise.calendar or rules.calendar,
        due=counts.get(DUE, 0),
        met=counts.get(MET, 0),
        late=counts.get(LATE, 0),
        breached=counts.get(BREACHED, 0),
    )
    return told, chosen


def pass_on(session: Session) -> Passing:
    """Give every lead whose first response is overdue to the next rep by the rules, once.

    Nobody gets a lead that was theirs before. Who finds no other rep stays with the owner, with the reason.
    """
    rules, promise = _promise(session)
    if not promise.reassign:
        raise ConfigError(f"{FILE}: sla.reassign: it is false, so breaches are only listed")
    with session.write(*CHANGED) as tx:
        query = tx.query
        query.register("responses", _responses(session, query, rules, promise))
        query.run(
            "create or replace temp table candidates as select lead_id from responses"
            f" where assigned and state = '{BREACHED}' and strategy is distinct from '{STRATEGY}'"
        )
        scene = replace(scene_of(session, query, Order()), label=STRATEGY)
        query.run(f"create or replace temp table barred as {query.statement('reps', 'barred')}")
        found = queue_of(session, query, scene)
        done = deal(found, scene.standings, scene.rules)
        query.register("dealt", with_reasons(query, done.given, scene))
        query.run(
            "create or replace temp table given as select d.lead_id, d.rep_id, d.rule, d.strategy,"
            " 'no response by ' || r.owner || ' until ' || strftime(r.due_at, '%Y-%m-%d %H:%M') || '; ' || d.reason"
            " as reason, r.owner as before from dealt as d join responses as r on r.lead_id = d.lead_id"
        )
        query.register("left_waiting", done.waiting)
        moved = query.rows("select lead_id, before, rep_id, reason from given order by lead_id")
        stays = query.rows(
            "select w.lead_id, r.owner, null, w.reason from left_waiting as w"
            " join responses as r on r.lead_id = w.lead_id order by w.lead_id"
        )
        passing = Passing(
            moved=tuple(PassedOn(lead_id=n, before=b, after=a, reason=why) for n, b, a, why in moved),
            stays=tuple(PassedOn(lead_id=n, before=b, after=a, reason=why) for n, b, a, why in stays),
            dry_run=session.dry_run,
        )
        if not moved:
            return passing
        write_owners(session, tx)
        return replace(passing, commit=tx.commit(passed_on=len(moved), stays=len(stays)).seq)


def unhandled(session: Session) -> pa.Table:
    """Every open lead and unsettled case that nobody looks after, the oldest first, and why.

    A lead has no owner, or no follow-up when it was due; a case has no owner.
    """
    rules = read_rules(session.folder)
    with session.query() as query:
        if rules is not None and rules.sla is not None:
            query.register("responses", _responses(session, query, rules, rules.sla))
            late = f"select lead_id, assigned_at, due_at from responses where state = '{BREACHED}'"
        else:
            late = "select 0::bigint as lead_id, $now as assigned_at, $now as due_at where false"
        query.run(f"create or replace temp table late as {late}", {"now": session.as_of_time()})
        return query.table(query.statement("reps", "unhandled"), {"now": session.as_of_time()})


def _promise(session: Session) -> tuple[Rules, Sla]:
    rules = read_rules(session.folder)
    if rules is None or rules.sla is None:
        raise ConfigError(
            f"{session.folder / FILE}: sla: missing; no first response is promised",
            hint='Write [sla] with first_response = "30 minutes".',
        )
    return rules, rules.sla


def _responses(session: Session, query: Query, rules: Rules, promise: Sla) -> pa.Table:
    now = session.as_of_time()
    rows = query.table(query.statement("reps", "responses"), {"now": now, "kinds": list(promise.kinds)})
    return measured(rows, _calendars(session, query, rules, promise, rows), promise.length, now)


def _calendars(session: Session, query: Query, rules: Rules, promise: Sla, rows: pa.Table) -> dict[str, Calendar]:
    """The working time of every owner; an owner who is no rep works by the promise's calendar."""
    files, gone = read_calendars(session.folder), absences_of(query)
    reps = {rep.rep_id: rep for rep in reps_of(query)}
    default = promise.calendar or rules.calendar
    for name in (default, *(rep.calendar for rep in reps.values())):
        if name and name not in files:
            raise ConfigError(f"{FILE}: calendar: there is no calendar {name!r} in calendars/")
    owners = rows["owner"].unique().to_pylist()
    return {owner: calendar_of(session, reps.get(owner), files, default, gone) for owner in owners}
