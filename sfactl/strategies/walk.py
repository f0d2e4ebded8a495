"""Walk a strategy once: what happens at one moment to all who are in it or enter. Pure, set-based, no loops.

`walk` reads relations of its `Query` by their names, so that whoever simulates or tests puts own tables in their place
(``query.register`` or a temporary table named enrolments, messages, tasks, feeds, orders …), and a `Book`. It leaves
two temporary relations, whose rows have no order:

- ``walked``: one row per lead and step that was decided about: lead_id, rotation, version, step (``entry`` for those
  who enter), step_no, action (enter hold pass send task approval push wait skip leave), reason, due_at, to_step (null:
  it stays there; ``end``: it is out), since (when it got to to_step, where that was before ``at``), arrived (since when
  it stood at step; null: it got there in this walk), channel, recipient, message_key, owner, inputs, sender.
- ``moves``: one row per lead whose enrolment changes, as it is afterwards: lead_id, rotation, version, step, since
  (null: ``at``), state (active control goal exit finished), reason, is_out, is_new.

Order: what was sent or asked for and is settled moves on → leave (merged, gone, blacklisted, goal, exit, too long) →
enter → every step in the order of the file, each with all who stand there. A touch goes through the gate of campaigns;
who is to be sent to stays at the step until its message is settled, so that nobody gets two messages from one walk.

``effects`` is what the ledger holds (`campaigns.planning.effects_table`, empty for a simulation that writes messages at
once). With ``look_at``, a table with lead_id, only those leads are looked at; all others must be as they were.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.campaigns.planning import effects_table
from sfactl.consent.gate import listen
from sfactl.engine.duck import Query
from sfactl.engine.periods import parse_period
from sfactl.strategies import asking
from sfactl.strategies.book import Book
from sfactl.strategies.model import NEVER, Strategy
from sfactl.strategies.stepping import Stepper
from sfactl.strategies.ways import register_flows

if TYPE_CHECKING:
    import pyarrow as pa

PACKAGE = "strategies"
ROWS = """create or replace temp table walk_rows (lead_id bigint, rotation bigint, version_no bigint, step varchar,
    step_no bigint, action varchar, reason varchar, due_at timestamp, to_step varchar, to_no bigint, since timestamp,
    arrived timestamp, channel varchar, recipient varchar, message_key varchar, owner varchar, inputs varchar,
    sender varchar)"""
FLAGS = "create or replace temp table walk_flags (version_no bigint, lead_id bigint, flags boolean[])"
ALL = 1 << 62


def walk(
    query: Query,
    book: Book,
    *,
    at: datetime,
    effects: pa.Table | None = None,
    look_at: str = "",
    check_texts: bool = True,
    consents: str = "touchpoints",
) -> None:
    """Make the tables ``walked`` and ``moves`` for the moment ``at`` (naive UTC).

    ``consents`` is where people's own words about mail are read from. ``check_texts`` refuses a message that lacks a
    value for somebody it would go to. Raises `ConditionError`, `ConfigError`, `DataError`.
    """
    everybody = f"select lead_id from {look_at}" if look_at else "select cast(null as bigint) as lead_id where false"
    query.run(f"create or replace temp table looked_at as {everybody}")
    query.register("claimed", effects_table(()) if effects is None else effects)
    query.run(f"create or replace temp table effects as {query.statement('campaigns', 'effects')}")
    register_flows(query, book, at)
    query.run(ROWS)
    query.run(FLAGS)
    params = _params(book, at, look_at)
    asking.load_blacklist(query, book.file, book.names, at)
    _settle(query, params)
    listen(query, consents)
    _enter(query, book, at, params, among=bool(look_at))
    stepper = Stepper(query=query, book=book, at=at, effects=effects, check_texts=check_texts, consents=consents)
    for number, file in enumerate(book.versions, 1):
        for step in file.strategy.steps:
            stepper.take(number, file, step)
    _name_versions(query)
    query.run(f"create or replace temp table moves as {query.statement(PACKAGE, 'moves')}")


def settle(query: Query, book: Book, *, at: datetime, effects: pa.Table) -> None:
    """Make ``walked`` and ``moves`` of nothing but what is over: nobody enters, leaves or walks on."""
    query.run("create or replace temp table looked_at (lead_id bigint)")
    query.register("claimed", effects)
    query.run(f"create or replace temp table effects as {query.statement('campaigns', 'effects')}")
    register_flows(query, book, at)
    query.run(ROWS)
    _settle(query, _params(book, at, ""))
    _name_versions(query)
    query.run(f"create or replace temp table moves as {query.statement(PACKAGE, 'moves_settled')}")


def _name_versions(query: Query) -> None:
    query.run(
        "create or replace temp view walked as select w.* exclude (version_no, to_no), v.version from walk_rows w"
        " join flow_versions v on v.version_no = w.version_no"
    )


def _params(book: Book, at: datetime, look_at: str) -> dict[str, Any]:
    strategy = book.file.strategy
    return {
        "strategy": book.name,
        "at": at,
        "everybody": not look_at,
        "again_before": again_before(strategy, at),
        "newest": 1,
        "first": strategy.first,
        "limit": strategy.entry.limit or ALL,
        "holdout": strategy.holdout.percent,
        "salt": f"{book.name}.holdout.",
    }


def again_before(strategy: Strategy, at: datetime) -> datetime | None:
    """Who left before this may enter again; None where nobody may."""
    again = strategy.entry.again
    return None if again == NEVER else parse_period(again).before(at)


def _settle(query: Query, params: dict[str, Any]) -> None:
    """Make walk_inside and walk_standing: where everybody stands once what was under way is settled."""
    for table, statement in (("walk_inside", "inside"), ("outcomes", "outcomes")):
        query.run(f"create or replace temp table {table} as {query.statement(PACKAGE, statement)}", params)
    query.run(f"insert into walk_rows {query.statement(PACKAGE, 'settle')}", params)
    query.run(f"create or replace temp table walk_standing as {query.statement(PACKAGE, 'standing')}", params)


def _enter(query: Query, book: Book, at: datetime, params: dict[str, Any], *, among: bool) -> None:
    """Let those leave who must, and those enter who may."""
    end = book.ends_at
    if book.file.strategy.state != "archived" and (end is None or at < end):
        query.run("create or replace temp table candidates as select lead_id from looked_at")
        asking.load_audience(query, book.file, book.rivals, book.names, at, among=among)
    else:
        asking.load_nobody(query)
    query.run(f"create or replace temp table may_enter as {query.statement(PACKAGE, 'may_enter')}", params)
    for number, file in enumerate(book.versions, 1):
        enters = " union select lead_id from may_enter" if number == 1 else ""
        query.run(
            "create or replace temp table candidates as"
            f" select lead_id from walk_standing where version_no = $version_no{enters}",
            {"version_no": number},
        )
        asking.load_flags(query, file, book.names, number, at)
    query.run(f"create or replace temp table walk_ended as {query.statement(PACKAGE, 'ended')}", params)
    query.run(f"insert into walk_rows {query.statement(PACKAGE, 'leave')}", params)
    query.run(
        "create or replace temp table walk_left as select lead_id, rotation from walk_rows where action = 'leave'"
    )
    query.run(f"insert into walk_rows {query.statement(PACKAGE, 'enter')}", params)
