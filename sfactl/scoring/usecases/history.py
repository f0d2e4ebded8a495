"""Collect the leads whose outcome is known, with their features as known before it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.engine.conditions.entity import time_column
from sfactl.engine.conditions.plan import Plan, quote
from sfactl.scoring import features, past
from sfactl.scoring.features import Feature
from sfactl.scoring.guard import Late
from sfactl.scoring.model import Score
from sfactl.scoring.outcomes import outcomes_sql
from sfactl.scoring.usecases.strategies import plan_at
from sfactl.workspace.versions import versions_of

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

UNTIMED = "the outcome has no time, so events cannot be counted up to it"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Leads with a known outcome: a table of lead_id, won, at and the features, and what speaks against these.

    ``known`` is how many of the leads were known before their outcome, ``untimed`` how many outcomes have no time,
    ``left_out`` how many of these cannot be used because events must be counted.
    """

    table: pa.Table
    features: tuple[Feature, ...]
    late: Mapping[str, Sequence[Late]]
    unusable: Mapping[str, str]
    known: int
    untimed: int
    left_out: int

    @property
    def won(self) -> Any:
        """Who was won, as numpy booleans."""
        return self.table.column("won").to_numpy(zero_copy_only=False).astype(bool)

    @property
    def at(self) -> Any:
        """When, as numpy times; NaT where unknown."""
        return self.table.column("at").to_numpy(zero_copy_only=False).astype("datetime64[us]")

    @property
    def lead_ids(self) -> Any:
        """The leads, ascending."""
        return self.table.column("lead_id").to_numpy()

    def rows(self, chosen: Any) -> pa.Table:
        """The rows of the leads that ``chosen`` marks."""
        import pyarrow as pa

        return self.table.filter(pa.array(chosen))

    def only(self, lead_ids: Any) -> History:
        """The same of these leads alone."""
        import numpy as np

        return replace(self, table=self.rows(np.isin(self.lead_ids, lead_ids)))


class Lookback:
    """The leads of one score as known before their outcomes: in this query, datasets now mean their past.

    ``now`` is the time for which statements must be asked.
    """

    def __init__(self, session: Session, query: Query, score: Score, valid_at: datetime | None = None) -> None:
        self._schemas = session.workspace.schemas
        self._query = query
        self._past: set[str] = set()
        at = session.as_of_time()
        self.now = past.common_now(at)
        plan = plan_at(session, valid_at or at)
        query.run(f"create or replace temp table outcomes as {outcomes_sql(plan, score)}", plan.params)
        if valid_at is not None:
            query.run('delete from outcomes where outcomes."at" is null or outcomes."at" > $valid', {"valid": valid_at})
        query.run(
            f"create or replace temp table cuts as {past.cuts_sql(score.outcome.lead_days)}", {"day": self.now.date()}
        )
        query.run(
            "create or replace temp table today as select l.* from leads as l join cuts as o on o.lead_id = l.lead_id"
        )
        self._find_known(session)
        self.leads = _count(query, "select count(*) from cuts")
        self.untimed = _count(query, 'select count(*) from cuts where cuts."at" is null')
        self.known = _count(query, "select count(*) from known where not _deleted")

    def _find_known(self, session: Session) -> None:
        import pyarrow as pa

        versions, times = versions_of(session.workspace, "leads", self._query.seq)
        self._query.register(
            "commit_times",
            pa.table(
                {
                    "seq": pa.array(times.keys(), pa.int64()),
                    "made_at": pa.array(times.values(), pa.timestamp("us")),
                }
            ),
        )
        self._query.run(f"create or replace temp table known as {past.known_sql(versions)}")

    def evidence(self, fields: Sequence[str]) -> dict[str, list[Late]]:
        """What speaks for ``fields`` having been written after the outcome."""
        types = self._schemas["leads"].types
        found: dict[str, list[Late]] = {name: [] for name in fields}
        rows = {row[0]: row[1:] for row in self._query.rows(past.late_sql(fields))} if fields else {}
        for place, name in enumerate(fields):
            found[name].append(_late(rows, place + 1, 0, "written"))
        dates = [
            (name, kind)
            for name, kind in types.items()
            if kind in ("date", "timestamp") and name not in features.OUTCOME
        ]
        if fields and dates:
            counted = self._query.table(past.later_dates_sql(dates, fields)).to_pylist()
            for place, (name, _) in enumerate(dates):
                late = _dated(counted, place, name)
                for number, other in enumerate(fields):
                    together = all(row[f"_s{place}_{number}"] == row["leads"] for row in counted)
                    partly = any(row[f"_d{place}"] < row["leads"] for row in counted)
                    if other == name or (together and partly):
                        found[other].append(late)
        return found

    def of(self, datasets: Sequence[str]) -> None:
        """Let the names of ``datasets`` mean what was known then."""
        for name in datasets:
            schema = self._schemas[name]
            if name in self._past or (name != "leads" and "lead_id" not in schema.types):
                continue
            if name == "leads":
                sql = past.then_sql(schema.types)
            else:
                sql = past.events_sql(name, time_column(schema), schema.types)
            self._query.run(f"create or replace temp table past_{name} as {sql}")
            self._query.run(f"create or replace temp view {name} as select * from past_{name}")
            self._past.add(name)

    def outcomes(self) -> History:
        """The leads and their outcomes alone."""
        table = self._query.table('select c.lead_id, c.won, c."at" as "at" from cuts as c order by c.lead_id')
        return History(
            table=table, features=(), late={}, unusable={}, known=self.known, untimed=self.untimed, left_out=0
        )

    def datasets_in(self, sql: str) -> list[str]:
        """The datasets that a statement names."""
        return [name for name in sorted(set(re.findall(r"[a-z_][a-z0-9_]*", sql.lower()))) if name in self._schemas]

    def history(self, session: Session, score: Score) -> History:
        """What ``score`` can learn from. Raises `ConfigError` or `ConditionError` for what its file says."""
        schema = self._schemas["leads"]
        custom = [column.name for column in schema.columns if column.custom]
        fields = [name for name in features.chosen(score, schema.types, custom) if name in schema.types]
        plan = plan_at(session, self.now)
        made = features.compiled(plan, score, fields)
        self.of(["leads", *plan.relations()])
        measured = [one.name for one in made if one.measured]
        no_time = bool(measured) and self.untimed == self.leads
        drop = bool(measured) and not no_time
        table = self._query.table(_rows_sql(plan, made, drop_untimed=drop), plan.params)
        return History(
            table=table,
            features=made,
            late=self.evidence(fields),
            unusable=dict.fromkeys(measured, UNTIMED) if no_time else {},
            known=self.known,
            untimed=self.untimed,
            left_out=self.untimed if drop else 0,
        )


def _rows_sql(plan: Plan, made: Sequence[Feature], *, drop_untimed: bool) -> str:
    names = "".join(f", f.{quote(one.name)}" for one in made)
    only = ' where c."at" is not null' if drop_untimed else ""
    return (
        f'select c.lead_id, c.won, c."at" as "at"{names} from cuts as c'
        f" join ({features.statement(plan, made)}) as f on f.lead_id = c.lead_id{only} order by c.lead_id"
    )


def _late(rows: Mapping[bool, Sequence[int]], place: int, known: int, how: str) -> Late:
    won, lost = rows.get(True), rows.get(False)
    return Late(
        won=won[place] if won else 0,
        won_known=won[known] if won else 0,
        lost=lost[place] if lost else 0,
        lost_known=lost[known] if lost else 0,
        how=how,
    )


def _dated(counted: Sequence[Mapping[str, Any]], place: int, name: str) -> Late:
    rows = {row["won"]: (row[f"_l{place}"], row[f"_d{place}"]) for row in counted}
    return _late(rows, 0, 1, f"by {name}, dated")


def _count(query: Query, sql: str) -> int:
    row = query.one(sql)
    return int(row[0]) if row else 0
