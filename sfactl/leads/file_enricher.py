"""The enricher ``file``: facts from a file of the workspace, found by a key that a lead and a row have in common.

A row belongs to every lead with its key; two rows with one key are an error, since nobody could say which is right.
"""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sfactl.api.context import PluginContext
from sfactl.api.errors import ConfigError, DataError
from sfactl.engine.duck import Limits, Query
from sfactl.leads.cleaning.clean import clean
from sfactl.leads.cleaning.expression import literal
from sfactl.leads.enriching import COORDINATES
from sfactl.leads.file_source import NoDatasets
from sfactl.leads.files.kinds import stage
from sfactl.leads.files.options import FileOptions, Reading
from sfactl.leads.files.staging import Staged
from sfactl.leads.headers import count_known, position
from sfactl.leads.mapping import HARMLESS
from sfactl.leads.model import Plan, Target

if TYPE_CHECKING:
    import pyarrow as pa

_HOST = r"^(?:.*@)?(?:[a-z]+://)?(?:www\.)?([^/:?#\s]+\.[^/:?#\s]+)"
_PLAIN = "lower(regexp_replace({}, '[^0-9A-Za-z]', '', 'g'))"

KEYS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "domain": (
        "website",
        f"nullif(regexp_extract(lower(website), {literal(_HOST)}, 1), '')",
        ("email_domain", "website_domain"),
    ),
    "tax_id": ("tax_id", _PLAIN.format("tax_id"), (_PLAIN.format("tax_id"),)),
    "postal_code": (
        "postal_code",
        f"country || ' ' || {_PLAIN.format('postal_code')}",
        (f"country || ' ' || {_PLAIN.format('postal_code')}",),
    ),
    "company_key": ("company", "company_key", ("company_key",)),
    "email": ("email", "lower(email)", ("lower(trim(email))",)),
}  # fmt: skip
"""Key → the field its column is cleaned as, SQL for the key of a row, and SQL for those of a lead, the surest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEnricherSettings:
    """Settings of the enricher ``file``.

    ``file`` lies in the workspace. ``key`` is what its rows are found by, in the column ``key_column`` (by default
    named like the key). Postal codes and tax numbers are those of the country in ``country_column``, else of
    ``country``. ``columns`` is field → column; columns named latitude and longitude are read anyway.
    """

    file: str
    key: Literal["domain", "tax_id", "postal_code", "company_key", "email"]
    key_column: str = ""
    country_column: str = "country"
    country: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


class FileEnricher:
    """Reads the file once, and joins the leads with it."""

    def __init__(self, settings: FileEnricherSettings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context
        self._path = inside(context.workspace, settings.file)

    def enrich(self, table: pa.Table) -> pa.Table:
        """The facts about the leads of ``table``; a fact's place is the file and its row."""
        with (
            tempfile.TemporaryDirectory(prefix="sfactl-enrich-") as folder,
            Query(NoDatasets(), Limits(memory="1000MiB")) as query,
        ):
            self._read(query, Path(folder))
            query.register("asked", table)
            keys = KEYS[self._settings.key][2]
            # The first key that the file knows counts: the mail address says more of where a person works.
            found = " union all ".join(
                f"select asked.id, file_rows.row, {rank} as rank from asked join file_rows on file_rows.k = {sql}"
                for rank, sql in enumerate(keys)
            )
            return query.table(
                f"with met as (select id, arg_min(row, rank) as row from ({found}) group by id)"
                " select met.id, facts.field, facts.value, facts.place from met join facts on facts.row = met.row"
                " order by met.id, facts.field"
            )

    def _read(self, query: Query, scratch: Path) -> None:
        """Make the tables ``file_rows`` (row, k) and ``facts`` (row, field, value, place)."""
        staged = self._stage(query, scratch)
        field, own, _ = KEYS[self._settings.key]
        plan = self._plan(field, staged)
        cleaned = clean(query, staged, plan, scratch / "keys.parquet")
        query.run(
            f"create temp table file_rows as select _row as row, {own} as k from {cleaned.source}"
            f" where {own} is not null and {own} <> ''"
        )
        self._refuse_doubles(query, staged)
        wanted = self._columns(staged)
        place = literal(f"{self._settings.file} ")
        parts = " union all ".join(
            f"select _row as row, '{f}' as field, c{i} as value,"
            f" {place} || case when _line is null then 'row ' || _row else 'line ' || _line end as place"
            f" from {staged.source} where c{i} is not null"
            for f, i in wanted.items()
        )
        query.run(f"create temp table facts as {parts}")
        self._tell_unused(query, staged)

    def _stage(self, query: Query, scratch: Path) -> Staged:
        names = [*self._settings.columns.values(), self._settings.key_column or self._settings.key]
        options = FileOptions(
            encoding=self._settings.encoding, delimiter=self._settings.delimiter, sheet=self._settings.sheet
        )
        return stage(
            Reading(
                path=self._path, into=scratch / "staged.parquet", options=options, query=query,
                known=partial(count_known, "leads"), wanted=partial(_count, names), where="the enricher's settings",
                scratch=scratch,
            )
        )  # fmt: skip

    def _plan(self, field: str, staged: Staged) -> Plan:
        """How the columns of the key are cleaned: as those of leads are, so that both are written alike."""
        key = self._settings.key_column or self._settings.key
        targets = [_target(field, self._place(key, staged, "key_column"), staged)]
        country = position(self._settings.country_column, staged.columns)
        if self._settings.key in ("postal_code", "tax_id"):
            if country is not None:
                targets.append(_target("country", country, staged))
            elif self._settings.key == "postal_code" and not self._settings.country:
                raise ConfigError(
                    f"{self._settings.file} has no column {self._settings.country_column!r}, and a postal code is one"
                    " of a country",
                    hint='Name its column: country_column = "…", or the country of all: country = "TW"',
                )
            elif self._settings.key == "postal_code":
                targets.append(Target(field="country", type="varchar", constant=self._settings.country))
        return Plan(
            targets=tuple(targets), unmapped=(), keys=("external_id",), namespace="", source="", mode="overwrite",
            bad_values="blank", day_month=None, zone="UTC", country=self._settings.country,
        )  # fmt: skip

    def _columns(self, staged: Staged) -> dict[str, int]:
        """Field → column; coordinates are found by their names."""
        found = {f: self._place(c, staged, f"columns.{f}") for f, c in self._settings.columns.items()}
        for f in COORDINATES:
            if f not in found and (at := position(f, staged.columns)) is not None:
                found[f] = at
        if not found:
            raise ConfigError(f"{self._settings.file}: no column is asked for", hint='[columns] industry = "Industry"')
        return found

    def _place(self, column: str, staged: Staged, setting: str) -> int:
        at = position(column, staged.columns)
        if at is None:
            near = difflib.get_close_matches(column, staged.columns, 1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(staged.columns[:20])}"
            raise DataError(f"{self._settings.file}: there is no column {column!r} ({setting})", hint=hint)
        return at

    def _refuse_doubles(self, query: Query, staged: Staged) -> None:
        twice = query.rows(
            "select k, list(place order by row) from (select k, row, coalesce(s._line, s._row) as place from file_rows"
            f" join {staged.source} s on s._row = row) group by k having count(*) > 1 order by min(row) limit 5"
        )
        if not twice:
            return
        said = "; ".join(f"{k!r} in rows {', '.join(map(str, rows[:5]))}" for k, rows in twice)
        raise DataError(
            f"{self._settings.file}: several rows have the same {self._settings.key}: {said}",
            hint="Keep one row of each, then run the command again.",
        )

    def _tell_unused(self, query: Query, staged: Staged) -> None:
        (used,) = query.one("select count(*) from file_rows") or (0,)
        if used < staged.rows:
            without = staged.rows - used
            rows = "1 row has" if without == 1 else f"{without:,} rows have"
            self._context.log(f"{self._settings.file}: {rows} no usable {self._settings.key} and cannot match")


def inside(workspace: Path, said: str) -> Path:
    """The file ``said`` of the workspace. Raises `ConfigError` where it is none, or lies elsewhere."""
    path = (workspace / said).resolve()
    if not path.is_relative_to(workspace.resolve()):
        raise ConfigError(f"file: {said!r} lies outside the workspace", hint="Copy it into the workspace's folder.")
    if not path.is_file():
        raise ConfigError(f"file: there is no file {said!r} in the workspace")
    return path


def _target(field: str, at: int, staged: Staged) -> Target:
    return Target(
        field=field, type="varchar", columns=(at,), names=(staged.columns[at],), placeholders=HARMLESS
    )  # fmt: skip


def _count(names: Sequence[str], cells: Sequence[str]) -> int:
    return sum(1 for n in names if position(n, cells) is not None)
