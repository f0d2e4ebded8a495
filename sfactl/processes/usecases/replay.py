"""Lay the events of a process into a query as tables: ``trace``, ``cases``, ``kept`` and ``deviations``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.engine.periods import parse_period
from sfactl.processes import events
from sfactl.processes.files import FOLDER, named
from sfactl.processes.model import Process

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

SQL = "processes"
MICROS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A query with the tables of one process, and the time up to which it was replayed."""

    query: Query
    process: Process
    at: datetime

    def table(self, name: str) -> pa.Table:
        """The answer of the statement ``name``."""
        return self.query.table(self.query.statement(SQL, name))


@contextmanager
def replayed(session: Session, name: str, *, only: str | None = None) -> Iterator[Replay]:
    """The process ``name`` replayed over the data as of the session's ``--as-of``, or only one case of it.

    Raises `NotFound` and what reading the file raises.
    """
    process = named(session.folder, name)
    at = session.as_of_time()
    told = events.statement(process, schemas=session.workspace.schemas, now=at, where=f"{FOLDER}/{name}.toml")
    params = {
        "now": at,
        "zone": str(session.zone),
        "quiet_since": parse_period(process.quiet).before(at) if process.quiet else None,
    }
    with session.query() as query:
        _lay_rules(query, process)
        limit = "" if only is None else " where case_id = $only"
        query.run(f"create temp table told as select * from ({told.sql}){limit}", {**told.params, "only": only})
        if process.only:
            numbers = ", ".join(str(process.number(name)) for name in process.only)
            cases = f"select case_id from told where number in ({numbers}) and case_id is not null"
            query.run(f"delete from told where case_id is not null and case_id not in ({cases})")
        for table in ("trace", "replayed", "kept", "deviations"):
            query.run(f"create temp table {table} as {query.statement(SQL, table)}", params)
        yield Replay(query=query, process=process, at=at)


def _lay_rules(query: Query, process: Process) -> None:
    import pyarrow as pa

    numbered = list(enumerate(process.activities, start=1))
    whole, yes = pa.int64(), pa.bool_()
    _register(
        query,
        "activity",
        {"number": whole, "anytime": yes, "is_end": yes, "at_most": whole},
        [(number, a.anytime, a.end, a.at_most) for number, a in numbered],
    )
    _register(query, "step", {"number_before": whole, "number": whole}, process.allowed())
    parts = []
    for place, d in enumerate(process.deadlines):
        start, end = process.number(d.start), process.number(d.end)
        parts += [
            (place, start, end, number, d.period.months, d.period.seconds * MICROS)
            for number in dict.fromkeys((start, end, *map(process.number, d.unless)))
        ]
    columns = dict.fromkeys(("deadline", "number_from", "number_to", "number", "months", "micros"), whole)
    _register(query, "deadline_part", columns, parts)
    sides = [("closed", name) for name in process.reopen.closed] if process.reopen else []
    sides += [("again", name) for name in process.reopen.again] if process.reopen else []
    rows = [(side, process.number(name)) for side, name in sides]
    _register(query, "reopening", {"side": pa.string(), "number": whole}, rows)


def _register(query: Query, name: str, columns: dict[str, pa.DataType], rows: Sequence[Sequence[object]]) -> None:
    import pyarrow as pa

    arrays = {column: pa.array([row[i] for row in rows], kind) for i, (column, kind) in enumerate(columns.items())}
    query.register(name, pa.table(arrays))
