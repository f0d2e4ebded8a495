"""Try changes on a copy of one entity's data until the condition holds: what is named as a change has been applied.

Changes of fewer things come before changes of more, small ones before large ones. Nothing outside the copy is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from sfactl.engine.conditions.inquiry import HOLDS, Edit, Inquiry
from sfactl.engine.conditions.remedies import Answers, Candidate, candidates, leaves, possible, ways

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MOST_TRIALS = 200
MOST_COMBINED = 5000
MOST_ROWS = 1000
"""A change that would add or remove more rows than this is not tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One change that was applied: in words, what it is about, and the value it was given."""

    text: str
    subject: str
    kind: str
    value: object


def smallest(inquiry: Inquiry, tables: Mapping[str, pa.Table], key: object) -> tuple[Applied, ...] | None:
    """The smallest changes after which the entity ``key`` meets the condition; None where none were found.

    ``tables`` hold its rows of each of the inquiry's relations. It must not meet the condition as it is.
    """
    with copied(tables) as connection:
        return _Bench(connection, inquiry, key).search()


@contextmanager
def copied(tables: Mapping[str, pa.Table]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of its own that holds nothing but ``tables``."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set threads = 1")
        for name, table in tables.items():
            connection.register(f"given_{name}", table)
            connection.execute(f'create table "{name}" as select * from "given_{name}"')
            connection.unregister(f"given_{name}")
        yield connection


def asked(connection: duckdb.DuckDBPyConnection, inquiry: Inquiry, key: object) -> bool:
    """Whether the entity ``key`` meets the condition, by the rows of ``connection``."""
    return _Bench(connection, inquiry, key).holds()


class _Bench:
    def __init__(self, connection: duckdb.DuckDBPyConnection, inquiry: Inquiry, key: object) -> None:
        self._connection = connection
        self._inquiry = inquiry
        self._key = key
        self._made = 0

    def search(self) -> tuple[Applied, ...] | None:
        """Try one set of changes after the other."""
        answers = self._ask()
        values = self._values(answers)
        pools = self._pools(values)
        for chosen in islice(self._trials(answers, pools, values), MOST_TRIALS):
            if self._works(chosen, values):
                return tuple(self._applied(name, candidate, values.get(name)) for name, candidate in chosen.items())
        return None

    def holds(self) -> bool:
        """Whether the condition is true of the copy as it is."""
        return self._ask()[HOLDS] is True

    def _ask(self) -> Answers:
        found = self._connection.execute(self._inquiry.sql, {**self._inquiry.params, "key": self._key})
        names = [column[0] for column in found.description or ()]
        rows = found.fetchall()
        return dict(zip(names, rows[0] if rows else [None] * len(names)))

    def _values(self, answers: Answers) -> dict[str, object]:
        return {
            leaf.subject: answers[leaf.value]
            for leaf in leaves(self._inquiry.tree)
            if leaf.subject is not None and leaf.value is not None
        }

    def _pools(self, values: Mapping[str, object]) -> dict[str, list[Candidate]]:
        """What to try for each subject: where any test about it turns."""
        needs: dict[str, list[Any]] = {}
        for leaf in leaves(self._inquiry.tree):
            if leaf.subject is not None and leaf.need is not None:
                needs.setdefault(leaf.subject, []).append(leaf.need)
        return {name: candidates(found, values.get(name)) for name, found in needs.items()}

    def _trials(
        self, answers: Answers, pools: Mapping[str, list[Candidate]], values: Mapping[str, object]
    ) -> Iterator[dict[str, Candidate]]:
        """Sets of changes that may do, those of fewer subjects and smaller steps first."""
        tree, seen = self._inquiry.tree, set()
        found: list[tuple[int, int, dict[str, Candidate]]] = []
        for subjects in ways(tree, answers):
            names = sorted(subjects)
            for place in islice(product(*(range(len(pools[name])) for name in names)), MOST_COMBINED):
                chosen = {name: pools[name][at] for name, at in zip(names, place)}
                # A value that is there already is no change: rows added for one test may serve another.
                chosen = {n: c for n, c in chosen.items() if n not in values or c.value != values[n] or c.words}
                known = repr(sorted((n, repr(c.value)) for n, c in chosen.items()))
                if chosen and known not in seen and self._may_do(answers, chosen):
                    seen.add(known)
                    found.append((len(chosen), sum(place), chosen))
        yield from (chosen for _, _, chosen in sorted(found, key=lambda trial: trial[:2]))

    def _may_do(self, answers: Answers, chosen: Mapping[str, Candidate]) -> bool:
        subjects = self._inquiry.subjects
        rows = {subjects[name].edit.dataset for name in chosen if subjects[name].edit.kind == "rows"}
        doubted = frozenset(name for name, subject in subjects.items() if subject.edit.dataset in rows and rows)
        new = {name: candidate.value for name, candidate in chosen.items()}
        return possible(self._inquiry.tree, answers, new, doubted, True)

    def _works(self, chosen: Mapping[str, Candidate], values: Mapping[str, object]) -> bool:
        self._connection.execute("begin")
        try:
            done = all(
                self._apply(self._inquiry.subjects[name].edit, candidate.value, values.get(name))
                for name, candidate in chosen.items()
            )
            return done and self.holds()
        finally:
            self._connection.execute("rollback")

    def _applied(self, name: str, candidate: Candidate, actual: object) -> Applied:
        subject = self._inquiry.subjects[name]
        return Applied(
            text=candidate.said(subject.text, actual),
            subject=subject.text,
            kind=subject.edit.kind,
            value=candidate.value,
        )

    def _apply(self, edit: Edit, value: object, actual: object) -> bool:
        """Change the copy; False where that cannot be done."""
        run, entity = self._connection.execute, self._inquiry.entity
        if edit.kind == "field":
            run(f'update "{entity}" set "{edit.name}" = ?', [value])
            return True
        if edit.kind == "score":
            run("delete from scores where score = ?", [edit.name])
            if value is not None:
                self._insert("scores", {"score": edit.name, "points": value})
            return True
        if edit.kind == "membership":
            run("delete from segment_members where segment = ?", [edit.name])
            return value is False or self._insert("segment_members", {"segment": edit.name})
        if edit.kind == "tag":
            named = "tag = ?" + (" and value = ?" if edit.value is not None else "")
            run(f"delete from tags where {named}", [edit.name, *([edit.value] if edit.value is not None else [])])
            return value is False or self._insert("tags", {"tag": edit.name, "value": edit.value})
        return self._rows(edit, value, actual)

    def _rows(self, edit: Edit, value: object, actual: object) -> bool:
        if edit.function == "count":
            return self._count(edit, value, actual)
        if edit.column is None or (not isinstance(value, int | float | Decimal | str) and not hasattr(value, "year")):
            return False
        if edit.function == "sum" or (edit.function == "avg" and actual is None):
            return self._add(edit, {edit.column: value if actual is None else _gap(value, actual)})
        if edit.function == "avg":
            rows = self._matching(edit, MOST_ROWS)
            counted = [row[edit.column] for row in rows if row[edit.column] is not None]
            total = sum((Decimal(str(v)) for v in counted), Decimal())
            return self._add(edit, {edit.column: Decimal(str(value)) * (len(counted) + 1) - total})
        return self._add(edit, {edit.column: value})

    def _count(self, edit: Edit, value: object, actual: object) -> bool:
        if not isinstance(value, int) or not isinstance(actual, int) or value < 0 or abs(value - actual) > MOST_ROWS:
            return False
        if value < actual:
            keys = self._inquiry.keys[edit.dataset]
            for row in self._matching(edit, actual - value):
                where = " and ".join(f'"{key}" is not distinct from ?' for key in keys)
                self._connection.execute(f'delete from "{edit.dataset}" where {where}', [row[key] for key in keys])
            return True
        return all(self._add(edit, {}) for _ in range(value - actual))

    def _matching(self, edit: Edit, most: int) -> list[dict[str, object]]:
        found = self._connection.execute(edit.matching, {**(edit.params or {}), "key": self._key})
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row)) for row in found.fetchall()[:most]]

    def _add(self, edit: Edit, more: Mapping[str, object]) -> bool:
        """Add a row that counts: like one that does, or made up from what the test asks."""
        alike = self._matching(edit, 1)
        if alike:
            return self._insert(edit.dataset, {**alike[0], **more}, alike=True)
        return edit.template is not None and self._insert(edit.dataset, {**edit.template, **more})

    def _insert(self, dataset: str, row: Mapping[str, object], *, alike: bool = False) -> bool:
        self._made += 1
        inquiry = self._inquiry
        time = inquiry.times.get(dataset)
        made = {**row, inquiry.link: self._key}
        if time and (not alike or made.get(time) is None):
            made[time] = made.get(time) or inquiry.now - timedelta(microseconds=self._made)
        types = dict(
            self._connection.execute(f'select column_name, column_type from (describe "{dataset}")').fetchall()
        )
        for key in inquiry.keys[dataset]:
            if key != inquiry.link and (alike or made.get(key) is None):
                made[key] = f"new {self._made}" if types[key] == "VARCHAR" else -self._made
        names = ", ".join(f'"{name}"' for name in made)
        self._connection.execute(
            f'insert into "{dataset}" ({names}) values ({", ".join("?" for _ in made)})', list(made.values())
        )
        return True


def _gap(value: object, actual: object) -> object:
    exact = Decimal(str(value)) - Decimal(str(actual))
    return exact if not isinstance(value, float) else float(exact)
