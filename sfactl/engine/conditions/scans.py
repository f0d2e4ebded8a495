"""Write the pass over one relation: one row for each entity with all the aggregates that were asked for.

Many aggregates usually differ in one equality, such as kind = 'visit'. Then rows are first grouped by entity and that
value, where each row is counted once for all of them, and the few rows that are left are spread into columns. Fifty
aggregates so cost little more than one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sfactl.engine.conditions.streams import Stream

Function = Literal["count", "count distinct", "sum", "min", "max", "bit_or"]

EQUALITY = re.compile(r'\((r\."[^"]+") = (\$p\d+)\)')
"""A term that compares a column with a literal, as the compiler writes it."""
ROW = "row"
"""The type of an aggregate that asks for nothing but rows."""
FEWEST = 4
"""With fewer aggregates that share a switch, one grouping is as fast and easier to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """``function`` of ``argument`` (SQL over a row ``r``; empty: of the row) over rows that meet all ``terms``.

    ``type`` is the SQL type of the argument. ``since``: no earlier row matters (None: all do). ``factor`` stands for
    ``{factor}`` in the argument; aggregates that differ in it alone can be computed together.
    """

    function: Function
    argument: str
    terms: tuple[str, ...]
    type: str
    since: datetime | None = None
    factor: str = ""

    @property
    def flat(self) -> str:
        """The aggregate as one call with a FILTER."""
        call = _call(self.function, self.argument.replace("{factor}", self.factor) or "*")
        return f"{call} filter (where {' and '.join(self.terms)})" if self.terms else call

    def switch(self, column: str | None) -> str | None:
        """The value that the aggregate asks of ``column``, or None (also where no column is named)."""
        return next((m[2] for m in map(EQUALITY.fullmatch, self.terms) if m and m[1] == column), None)

    def cell(self, column: str | None = None, factor: str | None = None) -> str:
        """What one row hands to the function: null where a term does not hold, leaving out the one on ``column``."""
        rest = [t for t in self.terms if not ((m := EQUALITY.fullmatch(t)) and m[1] == column)]
        value = self.argument.replace("{factor}", self.factor if factor is None else factor)
        if self.function == "count":
            rest += [f"{self.argument} is not null"] if self.argument else []
            value = "1"
        return f"case when {' and '.join(rest)} then {value} end" if rest else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """An expression over aggregates that all ask for the same ``switch`` term; it is 0 where they found no row."""

    switch: str
    sql: str


@dataclass(slots=True, kw_only=True)
class Scan:
    """One pass over one dataset, grouped by the entity's key. ``by_day`` groups by UTC day before that.

    With a ``stream`` the rows are those of several datasets in the order of their time.
    """

    name: str
    dataset: str
    time: str | None
    by_day: bool = False
    aggregates: dict[str, Aggregate] = field(default_factory=dict)
    outer: dict[str, str] = field(default_factory=dict)
    folds: dict[str, list[Fold]] = field(default_factory=dict)
    reads_entity: bool = False
    stream: Stream | None = None

    @property
    def since(self) -> datetime | None:
        """Before this moment no row matters to any aggregate."""
        starts = [a.since for a in self.aggregates.values() if a.since is not None]
        return min(starts) if starts and len(starts) == len(self.aggregates) else None

    def shared_filter(self) -> tuple[str, ...]:
        """The terms of all aggregates, where they are the same for all: rows that fail them need not be grouped."""
        every = {a.terms for a in self.aggregates.values()}
        return every.pop() if len(every) == 1 else ()

    def switch(self) -> str | None:
        """The column by whose values to group first, or None where that would not pay."""
        counted: Counter[str] = Counter()
        for aggregate in self.aggregates.values():
            counted.update({m[1] for m in map(EQUALITY.fullmatch, aggregate.terms) if m})
        if not counted:
            return None
        column, uses = counted.most_common(1)[0]
        values = {a.switch(column) for a in self.aggregates.values()} - {None}
        rest = [a for a in self.aggregates.values() if a.switch(column) is None]
        # The count of different values cannot be put together from parts.
        whole = all(a.function != "count distinct" for a in rest)
        return column if uses >= FEWEST and len(values) >= 2 and whole else None


def scan_sql(scan: Scan, *, link: str, entity: str, terms: Sequence[str]) -> str:
    """The SELECT of ``scan``: the entity's key as ``_k…`` and one column for each aggregate.

    ``link`` is the relation's column that points to ``entity``, ``terms`` what rows must meet beside.
    """
    key = f'"_k{scan.name}"'
    if scan.by_day:
        return _by_day(scan, key, link, entity, terms)
    column = scan.switch()
    if column is None:
        columns = [f"r.{link} as {key}", *(f'{a.flat} as "{name}"' for name, a in scan.aggregates.items())]
        source = _source(scan, link, entity)
        where = _where([*terms, *scan.shared_filter()])
        flat = f"select {', '.join(columns)}\n  from {source}{where}\n  group by r.{link}"
        return _folded(flat, {name: [fold.sql for fold in folds] for name, folds in scan.folds.items()})
    return _switched(scan, column, key, link, entity, terms)


def _folded(body: str, folds: Mapping[str, Sequence[str]]) -> str:
    """``body`` with the sums of expressions over its columns."""
    if not folds:
        return body
    sums = ", ".join(f'{" + ".join(parts)} as "{name}"' for name, parts in folds.items())
    return f"select *, {sums}\n  from (\n  {body}\n  ) as folded"


def _source(scan: Scan, link: str, entity: str, rows: str | None = None) -> str:
    join = f"\n  join {entity} as e on e.{link} = r.{link}" if scan.reads_entity else ""
    return f"{rows or scan.dataset} as r{join}"


def _where(terms: Iterable[str]) -> str:
    text = " and ".join(terms)
    return f"\n  where {text}" if text else ""


def _by_day(scan: Scan, key: str, link: str, entity: str, terms: Sequence[str]) -> str:
    column = scan.switch()
    number = _numbers(scan, column) if column is not None else {}
    inner = [f"r.{link} as {key}"]
    for name, aggregate in scan.aggregates.items():
        value = aggregate.switch(column)
        cell = aggregate.cell(column if value is not None else None)
        if value is not None:
            # Comparing small numbers is cheaper than comparing texts again for every rule.
            cell = f'case when r."_w" = {number[value]} then {cell} end'
        inner.append(f'{aggregate.function}({cell}) as "{name}"')
    rows = _numbered(scan, column, number) if column is not None else None
    source = _source(scan, link, entity, rows)
    days = f"select {', '.join(inner)}\n  from {source}{_where([*terms, *scan.shared_filter()])}"
    outer = [key, *(f'{scan.outer[name]} as "{name}"' for name in scan.aggregates)]
    return (
        f'select {", ".join(outer)}\n  from (\n  {days}\n  group by r.{link}, cast(r."{scan.time}" as date)\n  )'
        f" as days\n  group by {key}"
    )


def _switched(scan: Scan, column: str, key: str, link: str, entity: str, terms: Sequence[str]) -> str:
    number = _numbers(scan, column)
    slots, places = _slots(scan, column, number)
    everywhere = any(a.switch(column) is None for a in scan.aggregates.values())
    rows = _numbered(scan, column, number, other="0" if everywhere else "null")
    inner = [f"r.{link} as {key}", 'r."_w" as "_w"', *(f'{sql} as "_f{n}"' for n, sql in enumerate(slots))]
    asked = [*terms] if everywhere else [*terms, 'r."_w" is not null']
    grouped = (
        f"select {', '.join(inner)}\n  from {_source(scan, link, entity, rows)}{_where(asked)}"
        f'\n  group by r.{link}, r."_w"'
    )
    outer = [key]
    for name, aggregate in scan.aggregates.items():
        slot = f'"_f{places[name]}"'
        value = aggregate.switch(column)
        if value is not None:
            outer.append(f'max({slot}) filter (where "_w" = {number[value]}) as "{name}"')
        elif aggregate.function == "count":
            outer.append(f'cast(sum({slot}) as bigint) as "{name}"')
        else:
            outer.append(f'{aggregate.function}({slot}) as "{name}"')
    sums, others = _fold_parts(scan, column, number, places)
    outer += sums
    body = f"select {', '.join(outer)}\n  from (\n  {grouped}\n  ) as parts\n  group by {key}"
    return _folded(body, others)


def _numbers(scan: Scan, column: str) -> dict[str, int]:
    """A small number for each value that the aggregates ask of ``column``."""
    values = {v for a in scan.aggregates.values() if (v := a.switch(column))}
    return {value: place for place, value in enumerate(sorted(values, key=lambda v: int(v[2:])), 1)}


def _numbered(scan: Scan, column: str, number: Mapping[str, int], other: str = "null") -> str:
    """The rows with the number of their value as ``_w``."""
    cases = " ".join(f"when {value} then {place}" for value, place in number.items())
    return f'(select r.*, case {column} {cases} else {other} end as "_w" from {scan.dataset} as r)'


def _fold_parts(
    scan: Scan, column: str, number: Mapping[str, int], places: Mapping[str, int]
) -> tuple[list[str], dict[str, list[str]]]:
    """Folds over one value of the switch are added up before rows are spread; others have to wait until after."""
    sums: list[str] = []
    others: dict[str, list[str]] = {}
    for name, folds in scan.folds.items():
        early: dict[int, list[str]] = {}
        late: list[str] = []
        for fold in folds:
            match = EQUALITY.fullmatch(fold.switch)
            if match is None or match[1] != column:
                late.append(fold.sql)
                continue
            cells = re.sub(r'"(_a\d+)"', lambda ref: f'"_f{places[ref[1]]}"', fold.sql)
            early.setdefault(number[match[2]], []).append(cells)
        whens = " ".join(f"when {place} then {' + '.join(parts)}" for place, parts in early.items())
        if early:
            sums.append(f'sum(case "_w" {whens} end) as "{name}{"m" if late else ""}"')
        if late:
            others[name] = [*([f'coalesce("{name}m", 0)'] if early else []), *late]
    return sums, others


def _slots(scan: Scan, column: str, number: Mapping[str, int]) -> tuple[list[str], dict[str, int]]:
    """The columns of the first grouping, and which of them answers each aggregate.

    Aggregates that differ in nothing but the value of the switch share a column, also if only a factor goes with the
    value; others of one function and type are laid side by side, one for each value, under a CASE.
    """
    slots: list[str] = []
    places: dict[str, int] = {}
    alike: dict[tuple[str, str, str], list[str]] = {}
    for name, a in scan.aggregates.items():
        alike.setdefault((a.function, a.type, a.cell(column, "{factor}")), []).append(name)
    lone: dict[tuple[str, str], dict[int, list[str]]] = {}
    for (function, kind, cell), names in alike.items():
        factors = {scan.aggregates[name].factor for name in names}
        if len(factors) > 1:
            for row in _rows(scan, column, number, names):
                places |= dict.fromkeys(row.values(), len(slots))
                whens = " ".join(f"when {place} then {scan.aggregates[name].factor}" for place, name in row.items())
                first = scan.aggregates[next(iter(row.values()))]
                factor = f'case r."_w" {whens} end' if 0 not in row else first.factor
                slots.append(_call(function, cell.replace("{factor}", factor)))
        elif len(names) == 1 and (value := scan.aggregates[names[0]].switch(column)) is not None:
            lone.setdefault((function, kind), {}).setdefault(number[value], []).append(names[0])
        else:
            places |= dict.fromkeys(names, len(slots))
            slots.append(_call(function, cell.replace("{factor}", factors.pop())))
    for (function, _), by_value in lone.items():
        for row in _rows(scan, column, number, [name for names in by_value.values() for name in names]):
            places |= dict.fromkeys(row.values(), len(slots))
            whens = " ".join(f"when {p} then {scan.aggregates[n].cell(column)}" for p, n in row.items())
            slots.append(_call(function, f'case r."_w" {whens} end'))
    return slots, places


def _rows(scan: Scan, column: str, number: Mapping[str, int], names: Sequence[str]) -> list[dict[int, str]]:
    """``names`` in as few rows as possible, each with one aggregate for a value at most; those for all values alone."""
    rows: list[dict[int, str]] = []
    for name in names:
        value = scan.aggregates[name].switch(column)
        place = number[value] if value is not None else 0
        free = next((row for row in rows if place and place not in row and 0 not in row), None)
        if free is None:
            rows.append({place: name})
        else:
            free[place] = name
    return rows


def _call(function: str, cell: str) -> str:
    return f"count(distinct {cell})" if function == "count distinct" else f"{function}({cell})"
