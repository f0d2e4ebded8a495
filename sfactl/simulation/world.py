"""What the names of datasets stand for in one run of a simulation: the world as that run would have found it.

Nothing later than the run's time is in it, the strategy's own rows are the simulated ones, and where only some leads
can move, only they are there. It reads and never writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sfactl.engine.conditions.entity import time_column
from sfactl.engine.duck import Views
from sfactl.schemas import Schemas

LINK = "lead_id"
LOOKED = "sim_looked"
"""The table of the leads that a run looks at."""
OF_LOOKED = f"r.{LINK} in (select {LINK} from {LOOKED})"
TIMED = frozenset({"suppressions"})
"""State datasets without a lead's number whose rows begin to hold at a time of their own."""
FEW = ("enrolments", "messages", "tasks")
"""Datasets that a walk reads again and again: of the leads looked at their rows are gathered once."""
MANY = frozenset({"messages"})
"""Of those the ones whose own rows are written out anew for each that reads them: they would take most room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The world of one run at ``at``; usable as the views of a query.

    ``whole`` are SELECTs that stand for a dataset instead of its files, of rows that were there at ``at``. With
    ``happened`` rows later than ``at`` are left out, because the base holds what came to be known afterwards. ``own``
    says which rows are the strategy's own, and what stands in their place. ``some`` leaves only leads of `LOOKED`;
    ``ready`` are the tables in which their rows lie already, of `MANY` all but the own ones.
    """

    base: Views
    schemas: Schemas
    at: datetime
    happened: bool
    own: Mapping[str, Own]
    whole: Mapping[str, str] = field(default_factory=dict)
    ready: Mapping[str, str] = field(default_factory=dict)
    some: bool = False

    @property
    def seq(self) -> int:
        """Commit number of the snapshot behind it."""
        return self.base.seq

    def __contains__(self, name: object) -> bool:
        return name in self.base

    def select(self, name: str) -> str:
        """A SELECT of the rows of ``name`` in this world."""
        if name not in self.ready:
            return self.rows(name, some=self.some)
        found = f"select * from {self.ready[name]}"
        return f"{found} union all by name select r.* from ({self.own[name].rows}) as r" if name in MANY else found

    def lookup(self, name: str, key: Sequence[Any]) -> tuple[str, Mapping[str, Any]] | None:
        """A SELECT for the row of ``key``."""
        schema = self.schemas[name]
        test = " and ".join(f'"{column}" = $key{i}' for i, column in enumerate(schema.key))
        return f"select * from ({self.rows(name, some=False)}) where {test}", {
            f"key{i}": value for i, value in enumerate(key)
        }

    def gathered(self, name: str) -> str:
        """A SELECT of the rows that are gathered in a table for the leads looked at."""
        return self._recorded(name, some=True) if name in MANY else self.rows(name, some=True)

    def rows(self, name: str, *, some: bool) -> str:
        """A SELECT of the rows of ``name``, of all leads or of those looked at."""
        sql = self._recorded(name, some=some)
        own = self.own.get(name)
        if own is None or not own.rows:
            return sql
        limit = f" where {OF_LOOKED}" if some and LINK in self.schemas[name].types else ""
        return f"{sql} union all by name select r.* from ({own.rows}) as r{limit}"

    def _recorded(self, name: str, *, some: bool) -> str:
        schema = self.schemas[name]
        source = self.whole.get(name) or self.base.select(name)
        terms = [] if name in self.whole else self._times(name)
        own = self.own.get(name)
        if own is not None and own.test:
            terms.append(f"not coalesce({own.test}, false)")
        if some and LINK in schema.types:
            terms.append(OF_LOOKED)
        where = f" where {' and '.join(terms)}" if terms else ""
        return f"select r.* from ({source}) as r{where}"

    def _times(self, name: str) -> list[str]:
        """Events by their own time; of what concerns leads, what was there, as it is known now."""
        schema = self.schemas[name]
        if not self.happened or (schema.kind == "state" and LINK not in schema.types and name not in TIMED):
            return []
        column = schema.time if schema.kind == "event" else time_column(schema)
        if column is None:
            return []
        known = f'r."{column}" <= {moment(self.at)}'
        return [known] if schema.kind == "event" else [f'(r."{column}" is null or {known})']


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Rows of a dataset that are the strategy's own: how recorded ones are told, and what stands in their place."""

    test: str
    rows: str


def moment(at: datetime) -> str:
    """A time as an SQL literal."""
    return f"timestamp '{at.isoformat(sep=' ')}'"
