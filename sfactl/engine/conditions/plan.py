"""Collect what many conditions need (parameters, one scan for each relation) and write it as one portable statement.

Names that the statement makes up begin with an underscore, which no field can: ``_a3`` an aggregate, ``_s0`` a scan,
``_c1`` a condition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sfactl.engine.conditions.entity import Relation
from sfactl.engine.conditions.kinds import TIME, Kind, sql_type
from sfactl.engine.conditions.model import AMONG, Settings, Window
from sfactl.engine.conditions.scans import EQUALITY, Aggregate, Fold, Scan, scan_sql
from sfactl.engine.conditions.streams import Stream

KEY_PARAMETER = "key"


class Plan:
    """Everything that the conditions compiled so far need of one statement."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.params: dict[str, object] = {}
        self.segments: set[str] = set()
        self.scores: set[str] = set()
        self.windows: set[Window] = set()
        self.clocked = False
        self._bound: dict[tuple[type, object, str], str] = {}
        self._scans: dict[tuple[str, bool, bool], Scan] = {}
        self._aggregates: dict[tuple[str, Aggregate, str | None], str] = {}

    def bind(self, value: object, kind: Kind) -> str:
        """A placeholder for ``value``; equal values of one kind share it, so that equal expressions stay equal."""
        key = (type(value), str(value), sql_type(kind))
        if key not in self._bound:
            name = f"p{len(self._bound) + 1}"
            self._bound[key] = f"${name}"
            self.params[name] = value
        return self._bound[key]

    def used(self, sql: str) -> dict[str, object]:
        """The parameters that ``sql`` needs: of what was bound, some may have been left out of the statement."""
        said = set(re.findall(r"\$(\w+)", sql))
        return {name: value for name, value in self.params.items() if name in said}

    def now(self) -> str:
        """The placeholder of the time for which the conditions are asked."""
        self.params["now"] = self.settings.now
        return "$now"

    def scan(self, dataset: str, time: str | None, *, by_day: bool = False) -> Scan:
        """The scan of ``dataset``; with a ``time`` column it never sees a row later than now."""
        key = (dataset, time is not None, by_day)
        if key not in self._scans:
            self._scans[key] = Scan(name=f"_s{len(self._scans)}", dataset=dataset, time=time, by_day=by_day)
        return self._scans[key]

    def streamed(self, dataset: str) -> Scan:
        """The pass over the rows of ``dataset`` that know what came before and after them."""
        key = (f"{dataset} in order", True, False)
        if key not in self._scans:
            name = f"_s{len(self._scans)}"
            self._scans[key] = Scan(name=name, dataset=dataset, time=None, stream=Stream())
        return self._scans[key]

    def counting(self, relation: Relation) -> tuple[str, ...]:
        """What a row ``r`` of ``relation`` must meet to count still; nothing where rows never expire."""
        if relation.until is None:
            return ()
        self.windows.add(Window(dataset=relation.dataset, column=relation.until, is_date=False))
        column = f"r.{quote(relation.until)}"
        return (f"({column} is null or {column} > {self.now()})",)

    def derived(self, source: str) -> Scan:
        """A scan of its own over the rows of a SELECT in brackets, which has the entity's key and a time limit."""
        return self.scan(source, None)

    def aggregate(self, scan: Scan, aggregate: Aggregate, outer: str | None = None) -> str:
        """The column of ``scan`` that answers ``aggregate``. Equal aggregates share a column.

        In a scan by day ``outer`` is the aggregate over the days, in which ``{}`` stands for the day's value.
        """
        key = (scan.name, aggregate, outer)
        if key not in self._aggregates:
            name = f"_a{len(self._aggregates)}"
            self._aggregates[key] = name
            scan.aggregates[name] = aggregate
            scan.outer[name] = (outer or "{}").replace("{}", quote(name))
        return quote(self._aggregates[key])

    def fold(self, scan: Scan, folds: Sequence[Fold]) -> str:
        """The column of ``scan`` that answers the sum of ``folds``; null where the scan has no row."""
        name = f"_a{len(self._aggregates)}"
        # It takes a place among the aggregates, so that names stay unique.
        self._aggregates[scan.name, Aggregate(function="sum", argument=name, terms=(), type="fold"), None] = name
        scan.folds[name] = list(folds)
        return quote(name)

    def relations(self) -> tuple[str, ...]:
        """All datasets that the statement reads, sorted."""
        read = {scan.dataset for scan in self._scans.values() if not scan.dataset.startswith("(")}
        read |= {name for scan in self._scans.values() if scan.stream for name in scan.stream.branches}
        return tuple(sorted({self.settings.entity.dataset, *read}))

    def passing(self) -> tuple[Window, ...] | None:
        """What passing time can change of the answer; None where that cannot be told from rows (``today()`` …)."""
        if self.clocked:
            return None
        appearing = {
            Window(dataset=scan.dataset, column=scan.time, is_date=False)
            for scan in self._scans.values()
            if scan.time is not None
        }
        for scan in self._scans.values():
            for branch in scan.stream.branches.values() if scan.stream else ():
                appearing.add(Window(dataset=branch.relation.dataset, column=branch.own_time, is_date=False))
        moving = {replace(w, only=self._only(w.dataset)) for w in self.windows | appearing}
        return tuple(sorted(moving, key=str))

    def since(self) -> dict[str, datetime]:
        """By dataset the time before which none of its rows matters; only where there is one."""
        found: dict[str, list[datetime | None]] = {}
        for scan in self._scans.values():
            for name in scan.stream.branches if scan.stream else [n for n in self.relations() if n in scan.dataset]:
                found.setdefault(name, []).append(scan.since if scan.dataset == name else None)
        return {name: min(t for t in times if t) for name, times in found.items() if None not in times}

    def _only(self, dataset: str) -> tuple[str, tuple[str, ...]] | None:
        """The column of which all aggregates over ``dataset`` ask a value, and the values; None where one does not."""
        if any(scan.stream or (scan.dataset != dataset and dataset in scan.dataset) for scan in self._scans.values()):
            return None
        asked = [a for scan in self._scans.values() if scan.dataset == dataset for a in scan.aggregates.values()]
        columns = [{m[1] for m in map(EQUALITY.fullmatch, a.terms) if m} for a in asked]
        column = min(set.intersection(*columns), default=None) if columns else None
        if column is None:
            return None
        values = {str(self.params[said[1:]]): self.params[said[1:]] for a in asked if (said := a.switch(column))}
        texts = [value for _, value in sorted(values.items()) if isinstance(value, str)]
        return (column[3:-1], tuple(texts)) if len(texts) == len(values) else None

    def statement(
        self,
        levels: Sequence[Sequence[str]],
        *,
        where: str | None = None,
        one: bool = False,
        among: bool = False,
    ) -> str:
        """The statement that answers the entity's key and the expressions of ``levels``.

        An expression may use the columns of the levels before its own. With ``one`` it reads only the entity bound
        as ``$key``, in every scan; with ``among`` only those in the table ``candidates``.
        """
        entity = self.settings.entity
        key = quote(entity.key[0])
        limit = f"{{}} in (select {key} from {AMONG})" if among else ""
        limit = f"{{}} = ${KEY_PARAMETER}" if one else limit
        used = [scan for scan in self._scans.values() if scan.aggregates]
        scans = [self._scan_sql(scan, limit) for scan in used]
        joins = "".join(
            f"\n  left join {scan.name} on {scan.name}.{quote(f'_k{scan.name}')} = e.{quote(entity.link or '')}"
            for scan in used
        )
        # The few are picked before anything is joined to them; after the joins the engine would look at all.
        entities = f"(select * from {entity.dataset} where {limit.format(key)})" if among else entity.dataset
        source = f"{entities} as e{joins}"
        picked = f"\n  where {limit.format(f'e.{key}')}" if one else ""
        last = len(levels) - 1
        for number, level in enumerate(levels[:-1]):
            columns = ", ".join(["*", *level])
            scans.append(f"_l{number} as (\n  select {columns}\n  from {source}{picked}\n)")
            source, picked = f"_l{number} as e", ""
        names = [f"e.{quote(name)}" for name in entity.key] + [
            *(column.rsplit(" as ", 1)[1] for level in levels[:last] for column in level),
            *levels[last],
        ]
        body = f"select {', '.join(names)}\n  from {source}{picked}"
        if where:
            body += f"\n  {'and' if picked else 'where'} {where}"
        return (f"with {', '.join(scans)}\n" if scans else "") + body

    def stream_sql(self, stream: Stream, limit: str = "") -> str:
        """The rows of a stream, of the entities that ``limit`` admits (``{}`` stands for the key)."""
        entity = self.settings.entity
        return stream.sql(link=quote(entity.link or ""), entity=entity.dataset, limit=limit, now=self.now())

    def _scan_sql(self, scan: Scan, limit: str) -> str:
        entity = self.settings.entity
        link = quote(entity.link or "")
        if scan.stream is not None:
            scan = replace(scan, dataset=self.stream_sql(scan.stream, limit), stream=None)
            limit = ""
        terms = [limit.format(f"r.{link}")] if limit else []
        if scan.time:
            terms.append(f"r.{quote(scan.time)} <= {self.now()}")
            # Every aggregate looks back only so far: older files need not be opened at all.
            if scan.since is not None:
                terms.append(f"r.{quote(scan.time)} >= {self.bind(scan.since, TIME)}")
        return f"{scan.name} as (\n  {scan_sql(scan, link=link, entity=entity.dataset, terms=terms)}\n)"


def quote(name: str) -> str:
    """``name`` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
