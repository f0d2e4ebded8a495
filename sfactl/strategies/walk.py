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
enter → every step, each with all who stand there. A touch goes through the gate of campaigns; who is to be sent to
stays at the step until its message is settled, so that nobody gets two messages from one walk.

``effects`` is what the ledger holds (`campaigns.planning.effects_table`, empty for a simulation that writes messages at
once). With ``look_at``, a table with lead_id, only those leads are looked at; all others must be as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.campaigns.planning import effects_table, load_effects
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
EMPTY: Mapping[str, str] = {
    "walk_standing": """lead_id bigint, rotation bigint, version_no bigint, step varchar, step_no bigint,
        since timestamp, arrived timestamp, entered_at timestamp, state varchar, place bigint""",
    "walk_ended": "lead_id bigint, rotation bigint, ending varchar",
    "walk_staying": """lead_id bigint, rotation bigint, version_no bigint, step_no bigint, since timestamp,
        arrived timestamp""",
    "may_enter": "lead_id bigint, rotation bigint",
    "moves": """lead_id bigint, rotation bigint, version varchar, step varchar, since timestamp, state varchar,
        reason varchar, is_out boolean, is_new boolean""",
}
"""Tables of a walk that are made without asking where it is clear that nobody is in them."""
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
    load_effects(query, effects_table(()) if effects is None else effects)
    register_flows(query, book, at)
    query.run(ROWS)
    query.run(FLAGS)
    params = _params(book, at, look_at)
    asking.load_blacklist(query, book.file, book.names, at)
    inside = _settle(query, params)
    listen(query, consents)
    entered = _enter(query, book, at, params, among=bool(look_at), inside=inside)
    if inside or entered:
        stepper = Stepper(query=query, book=book, at=at, effects=effects, check_texts=check_texts, consents=consents)
        stepper.take_all()
    _name_versions(query)
    _decide(query, "moves" if inside or entered else "")


def settle(query: Query, book: Book, *, at: datetime, effects: pa.Table) -> None:
    """Make ``walked`` and ``moves`` of nothing but what is over: nobody enters, leaves or walks on."""
    query.run("create or replace temp table looked_at (lead_id bigint)")
    load_effects(query, effects)
    register_flows(query, book, at)
    query.run(ROWS)
    inside = _settle(query, _params(book, at, ""))
    _name_versions(query)
    _decide(query, "moves_settled" if inside else "")


def _decide(query: Query, statement: str) -> None:
    """Make moves by a statement; without one nobody moves."""
    if statement:
        query.run(f"create or replace temp table moves as {query.statement(PACKAGE, statement)}")
    else:
        _make_empty(query, "moves")


def _make_empty(query: Query, table: str) -> None:
    query.run(f"create or replace temp table {table} ({EMPTY[table]})")


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


def _settle(query: Query, params: dict[str, Any]) -> int:
    """Make walk_inside and walk_standing: where everybody stands once what was under way is settled.

    Answers how many ways people are on.
    """
    inside = query.run(f"create or replace temp table walk_inside as {query.statement(PACKAGE, 'inside')}", params)
    if not inside:
        _make_empty(query, "walk_standing")
        return 0
    query.run(f"create or replace temp table outcomes as {query.statement(PACKAGE, 'outcomes')}", params)
    query.run(f"insert into walk_rows {query.statement(PACKAGE, 'settle')}", params)
    query.run(f"create or replace temp table walk_standing as {query.statement(PACKAGE, 'standing')}", params)
    # The gate comes next, which takes most room.
    query.run("drop table walk_inside")
    query.run("drop table outcomes")
    return inside


def _enter(query: Query, book: Book, at: datetime, params: dict[str, Any], *, among: bool, inside: int) -> int:
    """Let those leave who must, and those enter who may; answers how many enter."""
    may = _may_enter(query, book, at, params, among=among)
    for number, file in enumerate(book.versions, 1):
        enters = " union select lead_id from may_enter" if number == 1 else ""
        asked = query.run(
            "create or replace temp table candidates as"
            f" select lead_id from walk_standing where version_no = $version_no{enters}",
            {"version_no": number},
        )
        if asked:
            asking.load_flags(query, file, book.names, number, at)
    _leave(query, book, params, inside=inside)
    return query.run(f"insert into walk_rows {query.statement(PACKAGE, 'enter')}", params) if may else 0


def _may_enter(query: Query, book: Book, at: datetime, params: dict[str, Any], *, among: bool) -> int:
    """Make may_enter; answers for how many there is nothing against it yet."""
    end = book.ends_at
    if book.file.strategy.state != "archived" and (end is None or at < end):
        query.run("create or replace temp table candidates as select lead_id from looked_at")
        wanted = asking.load_audience(query, book.file, book.rivals, book.names, at, among=among)
    else:
        wanted = asking.load_nobody(query)
    if not wanted:
        _make_empty(query, "may_enter")
        return 0
    return query.run(f"create or replace temp table may_enter as {query.statement(PACKAGE, 'may_enter')}", params)


def _leave(query: Query, book: Book, params: dict[str, Any], *, inside: int) -> None:
    """Let those leave who must."""
    if inside and any(f.strategy.exit and f.strategy.exit.on for f in book.versions):
        query.run(f"create or replace temp table walk_ended as {query.statement(PACKAGE, 'ended')}", params)
    else:
        _make_empty(query, "walk_ended")
    if inside:
        query.run(f"insert into walk_rows {query.statement(PACKAGE, 'leave')}", params)
        query.run(f"create or replace temp table walk_staying as {query.statement(PACKAGE, 'staying')}")
    else:
        _make_empty(query, "walk_staying")
