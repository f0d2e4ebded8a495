"""The tables in which a simulation keeps what it did, and how they stand in for the strategy's recorded rows.

What was sent is kept narrow, for there may be millions; the rows that a run reads are written out from it.
"""

from __future__ import annotations

from datetime import datetime

from sfactl.engine.duck import Query
from sfactl.simulation.world import Own, moment

SENT = "sent."
"""How the id of the touchpoint begins that an accepted message becomes."""
SORTS = """create or replace temp table sim_sorts (sort_no bigint, step varchar, channel varchar, sender varchar,
    state varchar)"""
KEPT = """create or replace temp table sim_sent (lead_id bigint, rotation bigint, recipient varchar, "at" timestamp,
    sort_no smallint)"""


def own_tests(name: str) -> dict[str, str]:
    """What tells the strategy's own rows ``r`` in each dataset that it writes."""
    quoted = literal(name)
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
    query.run(SORTS)
    query.run(KEPT)
    if not fresh:
        query.run(
            f"create or replace temp table sim_new_sent as {query.statement('simulation', 'sent')}", {"name": name}
        )
        keep_sent(query)
    query.run("create or replace temp table sim_due (lead_id bigint, due_at timestamp)")
    query.run("create or replace temp table sim_door (lead_id bigint, place bigint)")


def keep_sent(query: Query) -> None:
    """Add the messages of sim_new_sent to those that were sent."""
    query.run(f"insert into sim_sorts {query.statement('simulation', 'sorts')}")
    query.run(f"insert into sim_sent {query.statement('simulation', 'kept')}")


def sent_sql(kept: str = "sim_sent") -> str:
    """A SELECT, in brackets, of the messages that were sent; ``kept`` has the rows of sim_sent that count."""
    return (
        '(select m.lead_id, m.rotation, s.step, s.channel, m.recipient, s.sender, s.state, m."at"'
        f" from {kept} m join sim_sorts s on s.sort_no = m.sort_no)"
    )


def messages_sql(name: str, key_prefix: str, at: datetime, source: str) -> str:
    """A SELECT of the rows of ``source`` (`sent_sql`) as messages in the world at ``at``."""
    key = f"{literal(key_prefix)} || step || '.' || cast(lead_id as varchar) || '.' || cast(rotation as varchar)"
    # How a message ended is not known before it ended.
    return (
        f'select "at", {key} as message_key, {literal(name)} as campaign, step, lead_id, channel, recipient, sender,'
        f" case when \"at\" <= {moment(at)} then state else 'unknown' end as state, cast(1 as bigint) as attempts"
        f" from {source}"
    )


def own_rows(name: str, at: datetime, *, messages: str, recorded: str) -> dict[str, Own]:
    """What stands in for the strategy's own rows in the world at ``at``.

    ``messages`` is a SELECT of those that were sent, ``recorded`` one of the tasks as they were recorded by then: what
    people made of a task is taken from there.
    """
    tests = own_tests(name)
    rows = {
        "enrolments": "select * from sim_enrolments",
        "enrolment_events": "select * from sim_enrolment_events",
        "feeds": "select * from sim_feeds",
        "messages": messages,
        "tasks": _tasks(recorded),
        "touchpoints": (
            f"select '{SENT}' || message_key as event_id, \"at\", channel || '_sent' as kind, lead_id,"
            f" 'outbound' as direction, channel, campaign, step from ({messages})"
            f" where state = 'accepted' and \"at\" <= {moment(at)}"
        ),
    }
    return {dataset: Own(test=tests[dataset], rows=sql) for dataset, sql in rows.items()}


def _tasks(recorded: str) -> str:
    taken = ", ".join(f"coalesce(d.{c}, s.{c}) as {c}" for c in ("owner", "due_at", "state", "done_at", "result"))
    return (
        f"select s.* replace ({taken}) from sim_tasks as s left join"
        f" (select task_id, owner, due_at, state, done_at, result from ({recorded})) as d on d.task_id = s.task_id"
    )


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
