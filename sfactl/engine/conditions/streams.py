"""Write rows of several relations as one stream in the order of their time, in which each row knows what came after and
before it.

Each dataset is read once, only rows that some step asks for are kept, and nothing is joined with itself: what follows a
row is a running least time over the rows after it. The cost is that of sorting the rows that were kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sfactl.engine.conditions.entity import Relation
from sfactl.engine.conditions.scans import Scan

STRICT = "range between unbounded preceding and interval '1' microsecond preceding"
"""Rows at the very same time do not follow one another."""
TIES = "range between unbounded preceding and current row"


@dataclass(slots=True, kw_only=True)
class Branch:
    """One dataset in the stream: its column of time and the SQL of it, the conditions of which each keeps a row, and
    the SQL of the stream's columns in its rows."""

    relation: Relation
    own_time: str
    time: str
    probe: Scan
    kept: set[str] = field(default_factory=set)
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Stream:
    """The rows of ``branches`` with the columns that windows over them make, level by level."""

    branches: dict[str, Branch] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    levels: list[dict[str, str]] = field(default_factory=list)
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def column(self, branch: Branch, sql: str, kind: str) -> str:
        """The stream's column that is ``sql`` in rows of ``branch`` and null in all others."""
        name = self._named(branch.relation.dataset, sql)
        branch.columns[name] = sql
        self.types[name] = kind
        return f'r."{name}"'

    def window(self, sql: str, level: int) -> str:
        """The column of a window over the columns of all levels before ``level`` (1 is the first)."""
        while len(self.levels) < level:
            self.levels.append({})
        name = self._named(str(level), sql)
        self.levels[level - 1][name] = sql
        return f'r."{name}"'

    def sql(self, *, link: str, entity: str, limit: str, now: str) -> str:
        """The stream as a SELECT in brackets; ``limit`` says which entities, with ``{}`` for the key."""
        parts = [self._branch_sql(branch, link, entity, limit, now) for branch in self.branches.values()]
        body = " union all ".join(parts)
        for level in self.levels:
            columns = ", ".join(f'{sql} as "{name}"' for name, sql in level.items())
            body = f"select r.*, {columns} from ({body}) as r"
        return f"({body})"

    def _branch_sql(self, branch: Branch, link: str, entity: str, limit: str, now: str) -> str:
        columns = [f"r.{link} as {link}", f'{branch.time} as "_at"']
        for name, kind in self.types.items():
            columns.append(f'{branch.columns.get(name) or f"cast(null as {kind})"} as "{name}"')
        terms = [f"{branch.time} <= {now}"]
        if limit:
            terms.insert(0, limit.format(f"r.{link}"))
        if all(branch.kept):
            terms.append(f"({' or '.join(sorted(branch.kept))})")
        join = f" join {entity} as e on e.{link} = r.{link}" if branch.probe.reads_entity else ""
        named = ", ".join(columns)
        return f"select {named} from {branch.relation.dataset} as r{join} where {' and '.join(terms)}"

    def _named(self, place: str, sql: str) -> str:
        return self._names.setdefault((place, sql), f"_q{len(self._names)}")
