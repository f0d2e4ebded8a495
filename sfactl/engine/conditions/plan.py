"""Collect what many conditions need (parameters, one scan for each relation) and write it as one portable statement.

Names that the statement makes up begin with an underscore, which no field can: ``_a3`` an aggregate, ``_s0`` a scan,
``_c1`` a condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sfactl.engine.conditions.kinds import Kind, sql_type
from sfactl.engine.conditions.model import Settings

KEY_PARAMETER = "key"


@dataclass(slots=True, kw_only=True)
class Scan:
    """One pass over one dataset, grouped by the entity's key."""

    name: str
    dataset: str
    time: str | None
    aggregates: dict[str, str] = field(default_factory=dict)
    filters: list[str | None] = field(default_factory=list)
    since: list[datetime | None] = field(default_factory=list)
    reads_entity: bool = False


class Plan:
    """Everything that the conditions compiled so far need of one statement."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.params: dict[str, object] = {}
        self.segments: set[str] = set()
        self.scores: set[str] = set()
        self._bound: dict[tuple[type, object, str], str] = {}
        self._scans: dict[tuple[str, bool], Scan] = {}
        self._aggregates = 0

    def bind(self, value: object, kind: Kind) -> str:
        """A placeholder for ``value``; equal values of one kind share it, so that equal expressions stay equal."""
        key = (type(value), str(value), sql_type(kind))
        if key not in self._bound:
            name = f"p{len(self._bound) + 1}"
            self._bound[key] = f"${name}"
            self.params[name] = value
        return self._bound[key]

    def now(self) -> str:
        """The placeholder of the time for which the conditions are asked."""
        self.params["now"] = self.settings.now
        return "$now"

    def scan(self, dataset: str, time: str | None) -> Scan:
        """The scan of ``dataset``; with a ``time`` column it never sees a row later than now."""
        key = (dataset, time is not None)
        if key not in self._scans:
            self._scans[key] = Scan(name=f"_s{len(self._scans)}", dataset=dataset, time=time)
        return self._scans[key]

    def derived(self, source: str) -> Scan:
        """A scan of its own over the rows of a SELECT in brackets, which has the entity's key and a time limit."""
        scan = Scan(name=f"_s{len(self._scans)}", dataset=source, time=None)
        self._scans[(source, False)] = scan
        return scan

    def aggregate(self, scan: Scan, call: str, where: str | None, since: datetime | None = None) -> str:
        """The column that answers the aggregate ``call`` over the rows of ``scan`` that match ``where``."""
        text = f"{call} filter (where {where})" if where else call
        if text not in scan.aggregates:
            scan.aggregates[text] = f"_a{self._aggregates}"
            self._aggregates += 1
            scan.filters.append(where)
            scan.since.append(since)
        return quote(scan.aggregates[text])

    def relations(self) -> tuple[str, ...]:
        """All datasets that the statement reads, sorted."""
        read = {scan.dataset for scan in self._scans.values() if not scan.dataset.startswith("(")}
        return tuple(sorted({self.settings.entity.dataset, *read}))

    def statement(self, levels: Sequence[Sequence[str]], *, where: str | None = None, one: bool = False) -> str:
        """The statement that answers the entity's key and the expressions of ``levels``.

        An expression may use the columns of the levels before its own. With ``one`` it reads only the entity bound
        as ``$key``, in every scan.
        """
        entity = self.settings.entity
        used = [scan for scan in self._scans.values() if scan.aggregates]
        scans = [self._scan_sql(scan, one=one) for scan in used]
        joins = "".join(
            f"\n  left join {scan.name} on {scan.name}.{quote(f'_k{scan.name}')} = e.{quote(entity.link or '')}"
            for scan in used
        )
        source = f"{entity.dataset} as e{joins}"
        # The key's own condition comes before the joins are seen by the optimizer only if it is inside the scan too.
        picked = f"\n  where e.{quote(entity.key[0])} = ${KEY_PARAMETER}" if one else ""
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

    def _scan_sql(self, scan: Scan, *, one: bool) -> str:
        entity = self.settings.entity
        link = f"r.{quote(entity.link or '')}"
        columns = [f"{link} as {quote(f'_k{scan.name}')}"]
        columns += [f"{call} as {quote(name)}" for call, name in scan.aggregates.items()]
        source = f"{scan.dataset} as r"
        if scan.reads_entity:
            source += f"\n  join {entity.dataset} as e on e.{quote(entity.link or '')} = {link}"
        terms = list(self._scan_terms(scan))
        if one:
            terms.insert(0, f"{link} = ${KEY_PARAMETER}")
        where = f"\n  where {' and '.join(terms)}" if terms else ""
        return f"{scan.name} as (\n  select {', '.join(columns)}\n  from {source}{where}\n  group by {link}\n)"

    def _scan_terms(self, scan: Scan) -> Iterable[str]:
        if scan.time:
            yield f"r.{quote(scan.time)} <= {self.now()}"
            # Every aggregate looks back only so far: older files need not be opened at all.
            starts = [start for start in scan.since if start is not None]
            if starts and len(starts) == len(scan.since):
                yield f"r.{quote(scan.time)} >= {self.bind(min(starts), Kind('time'))}"
        filters = {text for text in scan.filters if text}
        if len(filters) == 1 and len(scan.filters) == sum(1 for text in scan.filters if text):
            yield filters.pop()


def quote(name: str) -> str:
    """``name`` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
