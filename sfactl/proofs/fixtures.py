"""Turn what a test gives into rows of datasets: columns and types are checked, keys and links filled in. Pure.

Numbers of records are the test's own, from 1; the lead of the case is 1. Each case's are moved behind those of the case
before, so that no case can see the records of another.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sfactl.api.errors import ConfigError
from sfactl.engine.conditions.entity import time_column
from sfactl.engine.periods import Period, parse_period
from sfactl.proofs.model import Row, Rows
from sfactl.proofs.moments import day, moment
from sfactl.schemas import Dataset, Schemas

STRIDE = 1_000_000
"""How many numbers of records each case has."""
FIRST_FREE = 100_000
"""From here on records without a number are numbered; those below are for the test to use."""
LEAD = 1
MOST_ROWS = 100_000
APART = ("leads", "accounts", "contacts")
"""Rows of these are records of their own: a lead names them, not the other way round."""
REPEATS = ("times", "every")
SHORTHANDS: Mapping[str, tuple[str, str]] = {"tags": ("tags", "tag"), "segments": ("segment_members", "segment")}
"""Lists of plain names: the dataset they are rows of, and the column that has the name."""


class Fixture:
    """The rows of one case while they are collected. ``place`` is where the case stands, for messages."""

    def __init__(self, schemas: Schemas, *, place: str, clock: datetime, number: int) -> None:
        self._schemas = schemas
        self._place = place
        self._clock = clock
        self._base = number * STRIDE
        self._free = FIRST_FREE
        self.rows: dict[str, list[Row]] = {}

    def add(self, dataset: str, raw: Iterable[Mapping[str, Any]], key: str) -> None:
        """Rows of ``dataset`` as a test writes them; ``key`` is where they stand."""
        known = self._schemas[dataset]
        for place, row in enumerate(raw):
            at = f"{key}[{place}]"
            for copy, back in self._repeated(row, at):
                found = self._row(known, copy, at, back)
                self.rows.setdefault(dataset, []).append(found)
                if len(self.rows[dataset]) > MOST_ROWS:
                    raise self.error(f"{at}.times", f"a case may have at most {MOST_ROWS:,} rows of {dataset}")

    def done(self) -> Rows:
        """All rows by dataset; of rows with one key in a dataset of states the last counts, as in a workspace."""
        return {name: tuple(self._last(self._schemas[name], rows)) for name, rows in self.rows.items() if rows}

    def _last(self, dataset: Dataset, rows: list[Row]) -> Iterable[Row]:
        if dataset.kind == "event":
            return rows
        return {tuple(row[name] for name in dataset.key): row for row in rows}.values()

    def error(self, key: str, said: str) -> ConfigError:
        """The error ``said`` at a key of this case."""
        return ConfigError(f"{self._place}: {key}: {said}")

    def _repeated(self, row: Mapping[str, Any], at: str) -> Iterator[tuple[dict[str, Any], int]]:
        """The row as often as its ``times`` says, each ``every`` so long before the last."""
        times = row.get("times", 1)
        if not isinstance(times, int) or isinstance(times, bool) or not 0 <= times <= MOST_ROWS:
            raise self.error(f"{at}.times", f"{times!r} is not a whole number from 0 to {MOST_ROWS:,}")
        plain = {name: value for name, value in row.items() if name not in REPEATS}
        for back in range(times):
            yield (dict(plain, every=row["every"]) if "every" in row else dict(plain)), back

    def _row(self, dataset: Dataset, raw: dict[str, Any], at: str, back: int) -> Row:
        every = raw.pop("every", None)
        row: dict[str, Any] = {}
        for name, value in raw.items():
            kind = dataset.types.get(name)
            if kind is None:
                raise self.error(f"{at}.{name}", f"unknown column of {dataset.name}.{nearest(name, dataset.types)}")
            row[name] = self._value(kind, value, f"{at}.{name}")
        happened = time_column(dataset) if dataset.name != "leads" else None
        if happened and happened not in raw:
            row[happened] = self._clock  # what has no time just happened
        if every is not None and back:
            self._move(happened, row, every, back, at)
        self._link(dataset, row, raw)
        self._key(dataset, row, at)
        for name, kind in dataset.types.items():
            if kind == "bigint" and name.endswith("_id") and row.get(name) is not None:
                row[name] += self._base
        return row

    def _value(self, kind: str, value: Any, at: str) -> Any:
        if value == "null":
            return None
        try:
            return converted(kind, value, self._clock)
        except ValueError as err:
            raise self.error(at, getattr(err, "message", str(err))) from None

    def _move(self, column: str | None, row: dict[str, Any], every: Any, back: int, at: str) -> None:
        if column is None or row.get(column) is None:
            raise self.error(f"{at}.every", "the row has no time to count back from")
        try:
            period = parse_period(str(every))
            row[column] = Period(months=period.months * back, seconds=period.seconds * back).before(row[column])
        except ValueError as err:
            raise self.error(f"{at}.every", getattr(err, "message", str(err))) from None

    def _link(self, dataset: Dataset, row: dict[str, Any], raw: Mapping[str, Any]) -> None:
        """Rows that do not say whose they are belong to the lead of the case."""
        if "entity_id" in dataset.types and "entity" in dataset.types:
            row.setdefault("entity", "lead")
            if row["entity"] == "lead":
                row.setdefault("entity_id", LEAD)
        if dataset.name not in APART and "lead_id" in dataset.types and "lead_id" not in raw:
            row["lead_id"] = LEAD

    def _key(self, dataset: Dataset, row: dict[str, Any], at: str) -> None:
        for name in dataset.key:
            if row.get(name) is not None:
                continue
            self._free += 1
            kind = dataset.types[name]
            if kind == "bigint":
                row[name] = self._free if name.endswith("_id") else 1
            elif kind == "timestamp":
                row[name] = self._clock
            elif len(dataset.key) == 1 and name.endswith(("_id", "_key")) and name != "rep_id":
                row[name] = f"{self._base}-{self._free}"
            elif dataset.name == "tags" and name in ("source", "author"):
                row[name] = "test"
            else:
                raise self.error(f"{at}.{name}", "missing")


def converted(kind: str, value: Any, clock: datetime) -> Any:
    """A value of a test as one of SQL type ``kind``. Raises `ValueError`."""
    if kind == "timestamp":
        return moment(value, clock)
    if kind == "date":
        return day(value, clock)
    if kind == "varchar":
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not text. Write it in quotes")
        return "null" if value == "'null'" else value
    if kind == "boolean":
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is not true or false")
        return value
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a number")
    if kind.startswith("decimal"):
        return _decimal(kind, value)
    if kind == "double" and isinstance(value, int | float):
        return float(value)
    if kind in ("bigint", "integer") and isinstance(value, int):
        return value
    raise ValueError(f"{value!r} is not a {'whole ' if kind != 'double' else ''}number")


def _decimal(kind: str, value: Any) -> Decimal:
    precision, scale = map(int, kind.removeprefix("decimal(").removesuffix(")").split(","))
    try:
        number = Decimal(str(value))
        fits = number == number.quantize(Decimal(1).scaleb(-scale)) and abs(number) < Decimal(10) ** (precision - scale)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a decimal number") from None
    if not fits:
        raise ValueError(f"{value!r} has more digits than {kind} holds")
    return number


def named_rows(values: Sequence[Any], column: str) -> list[Mapping[str, Any]]:
    """A list of names or rows as rows."""
    return [{column: value} if isinstance(value, str) else value for value in values]


def nearest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean …?``, or the names there are."""
    names = list(known)
    near = difflib.get_close_matches(name, names, 1)
    return f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(names)}"
