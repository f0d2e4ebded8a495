"""The text of a file's cells by field: trimmed, normalised, without placeholders, transformed.

Each question asks only for the fields it needs, so that nothing is read or looked up for the others.
"""

from __future__ import annotations

from collections.abc import Collection

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import name
from sfactl.leads.cleaning.text import PROSE, register_nfkc, text_columns, transformed, trimmed
from sfactl.leads.files.staging import Staged
from sfactl.leads.model import Plan


class Cells:
    """The cells of one staged file, laid out by a plan."""

    def __init__(self, query: Query, staged: Staged, plan: Plan) -> None:
        self._staged = staged
        self._plan = plan
        self._normal = () if staged.plain else register_nfkc(query, staged.source, text_columns(plan))

    @property
    def normal(self) -> tuple[int, ...]:
        """Staged columns in which NFKC changes something."""
        return self._normal

    @property
    def rows(self) -> int:
        """How many there are."""
        return self._staged.rows

    def select(self, fields: Collection[str] | None = None) -> str:
        """SQL to read from, alias ``s``: ``_row``, ``_line``, ``_problem``, ``_wide`` and texts of ``fields`` (or all).

        ``_wide`` says whether NFKC changed a cell of these fields.
        """
        targets = [t for t in self._plan.targets if fields is None or t.field in fields]
        plain = sorted({i for t in targets if t.field not in PROSE for i in t.columns})
        prose = sorted({i for t in targets if t.field in PROSE for i in t.columns})
        normal = [i for i in plain if i in self._normal]
        cells = [f"{trimmed(i, self._staged.gaps, i in normal)} as t{i}" for i in plain]
        cells += [f"{trimmed(i, self._staged.gaps, False, prose=True)} as p{i}" for i in prose]
        wide = " or ".join(f"n{i}.raw is not null" for i in normal) or "false"
        joins = " ".join(f"left join nfkc n{i} on n{i}.raw = s.c{i}" for i in normal)
        own = ", ".join(["s._row", "s._line", "s._problem", *self._key(fields), f"{wide} as _wide", *cells])
        texts = "".join(f", {transformed(t)} as {name(t.field)}" for t in targets)
        kept = ", ".join(["_row", "_line", "_problem", *(["_key"] if self._key(fields) else []), "_wide"])
        # Two layers: what a cell is after trimming is asked for several times, and computed once.
        return f"(select {kept}{texts} from (select {own} from {self._staged.source} s {joins}) s) s"

    def _key(self, fields: Collection[str] | None) -> list[str]:
        """A fingerprint of what was mapped, before any rule of ours could change it."""
        if fields is not None or "row" not in self._plan.keys:
            return []
        raw = ", ".join(f"coalesce(s.c{i}, '')" for t in self._plan.targets for i in t.columns)
        return [f"md5(concat_ws(chr(31), {raw})) as _key"]
