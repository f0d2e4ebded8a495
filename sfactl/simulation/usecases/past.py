"""The history that a simulation runs on: which commit a run reads, what changed since the run before, what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sfactl.engine.conditions.model import CompiledMany
from sfactl.engine.duck import Query
from sfactl.session import Session
from sfactl.simulation.gathering import rows_asked
from sfactl.simulation.looked import Changes
from sfactl.simulation.model import History
from sfactl.simulation.rows import begin, messages_sql, own_rows, own_tests, sent_sql
from sfactl.simulation.ticks import Tick
from sfactl.simulation.world import FEW, LINK, LOOKED, OF_LOOKED, World, moment
from sfactl.workspace.changes import changed_since

EVENTS = "touchpoints"
"""The dataset of which there may be many times more rows than leads; a walk reads it through conditions alone."""
MOST_EVENTS = 10_000_000
"""More events are read from their files in every run: in memory they would take gigabytes."""


class Past:
    """The worlds of the runs of one simulation, over one connection whose tables last from run to run."""

    def __init__(self, session: Session, query: Query, *, name: str, key_prefix: str, history: History) -> None:
        self.query = query
        self.history = history
        self._session = session
        self._name = name
        self._key_prefix = key_prefix
        self._shared_from = ""
        self._head = session.workspace.head()
        self._seq = self._head
        self._has_events = False
        self._lead = "*"

    def begin(self, first: Tick, *, fresh: bool) -> None:
        """Make the simulation's tables as things stood at the first run; with ``fresh`` nobody was ever in it."""
        self._seq = self._read_at(first)
        self.query.turn_to(self._session.workspace.snapshot(self._seq))
        begin(self.query, self._name, fresh=fresh)
        if self.history == "happened":
            self._gather_leads()
            self.query.run(
                f"create or replace temp table sim_consents as {self.query.statement('simulation', 'consents')}"
            )

    def gather(self, compiled: Sequence[CompiledMany], last: Tick) -> None:
        """Keep in memory what ``compiled``, all conditions of the simulation, can ask of events: often few of many."""
        rows = rows_asked(compiled, self._session.workspace.schemas[EVENTS]) if self.history == "happened" else None
        if rows is None:
            return
        own = own_tests(self._name)[EVENTS]
        asked = f'{rows} and r."at" <= {moment(last.at)} and not coalesce({own}, false)'
        (count,) = self.query.one(f"select count(*) from ({asked})") or (0,)
        if count <= MOST_EVENTS:
            self.query.run(f"create or replace temp table sim_events as {asked}")
            self._has_events = True

    def consents(self, tick: Tick, *, some: bool) -> str:
        """Where people's own words about mail are read from in a run: few of all events, so they are gathered once."""
        if self.history == "known":
            return "touchpoints"
        looked = f" and {LINK} in (select {LINK} from {LOOKED})" if some else ""
        return f'(select * from sim_consents where "at" <= {moment(tick.at)}{looked})'

    def turn(self, tick: Tick, *, some: bool) -> None:
        """Let the query's names stand for the world of a run, for all leads or for those looked at."""
        self._seq = self._read_at(tick)
        happened = self.history == "happened"
        if some:
            few = f"select r.* from sim_sent as r where {OF_LOOKED}"
            self.query.run(f"create or replace temp table sim_few_sent as {few}")
        whole: dict[str, str] = {}
        if happened:
            whole["leads"] = f"select {self._lead} from sim_leads where _appears <= {moment(tick.at)}"
        own = own_rows(
            self._name,
            tick.at,
            messages=messages_sql(
                self._name, self._key_prefix, tick.at, sent_sql("sim_few_sent" if some else "sim_sent")
            ),
            recorded=self._recorded_tasks(tick.at),
        )
        if self._has_events:
            whole[EVENTS] = f'select * from sim_events where "at" <= {moment(tick.at)}'
            own[EVENTS] = replace(own[EVENTS], test="")
        world = World(
            base=self._session.workspace.snapshot(self._seq),
            schemas=self._session.workspace.schemas,
            at=tick.at,
            happened=happened,
            own=own,
            whole=whole,
            some=some,
        )
        if some:
            for name in FEW:
                self.query.run(f"create or replace temp table sim_few_{name} as {world.gathered(name)}")
            world = replace(world, ready={name: f"sim_few_{name}" for name in FEW})
        self.query.turn_to(world)

    def changes(self, datasets: Iterable[str], then: Tick, now: Tick) -> Changes:
        """The leads that may differ between two runs because something was learned in between."""
        if self.history == "happened":
            appeared = (
                f"select {LINK} from sim_leads where _appears > {moment(then.at)} and _appears <= {moment(now.at)}"
            )
            return Changes(leads={"leads": appeared})
        before, after = self._read_at(then), self._read_at(now)
        if before == after:
            return Changes()
        workspace = self._session.workspace
        return Changes(
            leads={
                dataset: changed_since(workspace, dataset, LINK, before, after)
                for dataset in sorted(datasets)
                if LINK in workspace.schemas[dataset].types
            }
        )

    def share_addresses(self, *, needed: bool) -> None:
        """Keep the table of addresses that several leads have; it is made anew where leads were changed since."""
        source = (
            "sim_leads" if self.history == "happened" else self._session.workspace.snapshot(self._seq).select("leads")
        )
        if self._shared_from == source:
            return
        self._shared_from = source
        rows = f"(select {self._lead} from {source})" if self.history == "happened" else f"({source})"
        limit = "" if needed else " limit 0"
        self.query.run(
            f"create or replace temp table sim_shared as with all_leads as (select lead_id, email, phone from {rows})"
            f" {self.query.statement('simulation', 'shared')}{limit}"
        )

    def _read_at(self, tick: Tick) -> int:
        if self.history == "happened":
            return self._head
        return tick.seq if tick.seq is not None else self._session.workspace.seq_at(tick.at)

    def _recorded_tasks(self, at: datetime) -> str:
        rows = self._session.workspace.snapshot(self._seq).select("tasks")
        if self.history == "known":
            return rows
        done = f"done_at <= {moment(at)}"
        return (
            f"select * replace (case when {done} then state else 'open' end as state,"
            f" case when {done} then done_at end as done_at, case when {done} then result end as result) from ({rows})"
        )

    def _gather_leads(self) -> None:
        """Keep the leads in memory, with the time of their first sign."""
        first = self._session.workspace.commit_time(1)
        params = {"first": first or datetime.max}
        self.query.run(
            f"create or replace temp table sim_leads as {self.query.statement('simulation', 'leads')}", params
        )
        types = self._session.workspace.schemas["leads"].types
        counted = ", ".join(f'count("{column}")' for column in types)
        counts = self.query.one(f"select {counted} from sim_leads") or ()
        empty = {column for column, count in zip(types, counts, strict=True) if not count and column != LINK}
        for column in sorted(empty):
            self.query.run(f'alter table sim_leads drop column "{column}"')  # it would take as much room as a full one
        self._lead = ", ".join(
            f'cast(null as {kind}) as "{column}"' if column in empty else f'"{column}"'
            for column, kind in types.items()
        )


@contextmanager
def opened(session: Session) -> Iterator[Query]:
    """A query whose tables may spill into a folder of their own: the workspace is not touched.

    Statements join in the order they are written: each names the leads that a run looks at first, and hundreds of
    runs over few leads spend more on finding an order than a better one saves.
    """
    with TemporaryDirectory(prefix="sfactl-simulate-") as folder:
        limits = replace(session.workspace.limits, spill=Path(folder))
        with Query(session.workspace.snapshot(), limits) as query, query.in_written_order():
            yield query


def history_of(session: Session, start: datetime) -> History:
    """What was known, where the workspace's commits reach back to ``start``; else what had happened."""
    first = session.workspace.commit_time(1)
    return "known" if first is not None and first <= start else "happened"
