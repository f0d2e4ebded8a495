"""A made-up world: the rows of many cases as the datasets of one query. Nothing of the workspace's data is in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sfactl.engine.duck import Limits, Query
from sfactl.proofs.fixtures import LEAD, STRIDE
from sfactl.proofs.model import Row, Trial
from sfactl.schemas import Schemas

if TYPE_CHECKING:
    import pyarrow as pa


class MadeUp:
    """Every dataset that no case has rows of, as an empty table. It stands where a snapshot stands else.

    Datasets that are ``written`` are tables that whoever writes them makes.
    """

    def __init__(self, schemas: Schemas, filled: frozenset[str], written: Collection[str] = ()) -> None:
        self._schemas = schemas
        self._filled = filled
        self._written = frozenset(written)

    @property
    def seq(self) -> int:
        """No commit."""
        return 0

    def __contains__(self, name: object) -> bool:
        return name in self._schemas and name not in self._written

    def select(self, name: str) -> str:
        """An empty table with the dataset's columns."""
        columns = ", ".join(f'cast(null as {kind}) as "{column}"' for column, kind in self._schemas[name].types.items())
        return f"select {columns} where false"

    def lookup(self, name: str, key: Sequence[Any]) -> tuple[str, Mapping[str, Any]] | None:
        """One row by its key."""
        if name not in self._filled:
            return None
        names = self._schemas[name].key
        terms = " and ".join(f'"{column}" = $k{place}' for place, column in enumerate(names))
        return f'select * from "{name}" where {terms}', {f"k{place}": value for place, value in enumerate(key)}


def world(trials: Iterable[Trial], schemas: Schemas, limits: Limits) -> Query:
    """A query in which the rows of all ``trials`` stand under the names of their datasets."""
    rows: dict[str, list[Row]] = {}
    for trial in trials:
        for dataset, own in trial.rows.items():
            rows.setdefault(dataset, []).extend(own)
    return world_of(rows, schemas, limits)


def world_of(
    rows: Mapping[str, Sequence[Row]], schemas: Schemas, limits: Limits, *, written: Collection[str] = ()
) -> Query:
    """A query in which ``rows`` stand under the names of their datasets, but for those that are ``written``."""
    query = Query(MadeUp(schemas, frozenset(rows), written), limits)
    for dataset, own in rows.items():
        query.register(dataset, table(own, schemas, dataset))
    return query


def table(rows: Sequence[Row], schemas: Schemas, dataset: str) -> pa.Table:
    """Rows as a table with all columns of their dataset."""
    import pyarrow as pa

    schema = schemas[dataset].arrow()
    if not rows:
        return schema.empty_table()
    given = {name for row in rows for name in row}
    columns = [
        pa.array([row.get(f.name) for row in rows], f.type) if f.name in given else pa.nulls(len(rows), f.type)
        for f in schema
    ]
    return pa.table(columns, schema=schema)


def lead_of(trial: Trial) -> int:
    """The number of the case's lead."""
    return trial.number * STRIDE + LEAD
