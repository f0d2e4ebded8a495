"""The tables in which a simulation keeps what it did, and how they stand in for the strategy's recorded rows.

What was sent is kept narrow, for there may be millions; the rows that a run reads are written out from it.
"""

from __future__ import annotations

from datetime import datetime

from sfactl.engine.duck import Query
from sfactl.simulation.world import Own, moment

SENT = "sent."
"""How the id of the touchpoint begins that an accepted message becomes."""


def own_tests(name: str) -> dict[str, str]:
    """What tells the strategy's own rows ``r`` in each dataset that it writes."""
    quoted = "'" + name.replace("'", "''") + "'"
    return {
        "enrolments": f"r.strategy = {quoted}",
        "enrolment_events": f"r.strategy = {quoted}",
        "feeds": f"r.strategy = {quoted}",
        "messages": f"r.campaign = {quoted}",
        "tasks": f"r.campaign = {quoted}",
        "touchpoints": f"r.campaign = {quoted} and r.direction = 'outbound' and starts_with(r.event_id, '{SENT}')",
    }


def begin(query: Query, name: str, *, fresh: bool) -> None:
    """Make the simulation's tables, with the strategy's own rows as the query sees them; with ``fresh`` without any."""
    tests = own_tests(name)
    for dataset in ("enrolments", "enrolment_events", "feeds", "tasks"):
        test = "false" if fresh else tests[dataset]
        query.run(f"create or replace temp table sim_{dataset} as select r.* from {dataset} as r where {test}")
    query.run(f"create or replace temp table sim_sent as {query.statement('simulation', 'sent')}", {"name": name})
    if fresh:
        query.run("delete from sim_sent")
    query.run("create or replace temp table sim_due (lead_id bigint, due_at timestamp)")
    query.run("create or replace temp table sim_door (lead_id bigint, place bigint)")


def own_rows(name: str, key_prefix: str, at: datetime, *, recorded: str | None) -> dict[str, Own]:
    """What stands in for the strategy's own rows in the world at ``at``.

    ``recorded`` is a SELECT of the tasks as they were recorded by then: what people made of a task is taken from there.
    """
    quoted = "'" + name.replace("'", "''") + "'"
    tests = own_tests(name)
    key = f"'{key_prefix}' || m.step || '.' || cast(m.lead_id as varchar) || '.' || cast(m.rotation as varchar)"
    now = moment(at)
    # How a message ended is not known before it ended.
    messages = (
        f'select m."at", {key} as message_key, {quoted} as campaign, m.step, m.lead_id, m.channel, m.recipient,'
        f" m.sender, case when m.\"at\" <= {now} then m.state else 'unknown' end as state, cast(1 as bigint) as attempts"
        " from sim_sent as m"
    )
    touchpoints = (
        f"select '{SENT}' || {key} as event_id, m.\"at\", m.channel || '_sent' as kind, m.lead_id,"
        f" 'outbound' as direction, m.channel, {quoted} as campaign, m.step"
        f" from sim_sent as m where m.state = 'accepted' and m.\"at\" <= {now}"
    )
    rows = {
        "enrolments": "select * from sim_enrolments",
        "enrolment_events": "select * from sim_enrolment_events",
        "feeds": "select * from sim_feeds",
        "messages": messages,
        "tasks": "select * from sim_tasks" if recorded is None else _tasks(recorded),
        "touchpoints": touchpoints,
    }
    return {dataset: Own(test=tests[dataset], rows=sql) for dataset, sql in rows.items()}


def _tasks(recorded: str) -> str:
    taken = ", ".join(f"coalesce(d.{c}, s.{c}) as {c}" for c in ("owner", "due_at", "state", "done_at", "result"))
    return (
        f"select s.* replace ({taken}) from sim_tasks as s left join"
        f" (select task_id, owner, due_at, state, done_at, result from ({recorded})) as d on d.task_id = s.task_id"
    )
