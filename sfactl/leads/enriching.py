"""What an enricher may say about leads, how far away a lead is, and what an enrichment comes to. Pure."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import UserError
from sfactl.leads.cleaning.expression import name
from sfactl.leads.mapping import RESERVED

if TYPE_CHECKING:
    import pyarrow as pa

EARTH_RADIUS_KM = 6371.0088
"""Mean radius R1 of the Earth: Moritz, Geodetic Reference System 1980, Journal of Geodesy 74 (2000), of the IUGG."""

COORDINATES = ("latitude", "longitude")
DOMAINS = ("email_domain", "website_domain")
REFUSED = frozenset({*RESERVED, "external_id"})
"""Fields of a lead that no provider may fill: sfactl's own, and the id in the lead's own source."""
DISTANCE_TYPES = ("double", "decimal(18,4)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """The table ``[distance]``: from where (latitude and longitude in degrees), and the field that gets kilometres."""

    start: tuple[float, ...] = field(default=(), metadata={"key": "from"})
    field: str = "distance_km"

    def __post_init__(self) -> None:
        if self.start and not _is_place(self.start):
            raise ValueError("from: write [latitude, longitude] in degrees, for instance [25.0330, 121.5654]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCount:
    """What became of one field: leads that got it, that a newer fact of the same provider renewed, and so on."""

    field: str
    filled: int
    renewed: int
    overwritten: int
    known: int
    differing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field where lead and provider say different things; ``taken`` where the provider's word was preferred."""

    lead_id: int
    field: str
    ours: str
    theirs: str
    taken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A value that cannot be what its field holds, where it stands and why."""

    place: str
    field: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enriched:
    """What came of an enrichment, in leads (``leads`` looked at, ``matched``) and in values (the rest).

    ``facts`` are new or changed ones that were kept. ``problems`` are what went wrong with a whole batch of leads.
    """

    provider: str
    leads: int
    matched: int
    filled: int
    renewed: int
    overwritten: int
    known: int
    differing: int
    facts: int
    failed: int
    fields: tuple[FieldCount, ...]
    differences: tuple[Difference, ...]
    failures: tuple[Unusable, ...]
    problems: tuple[str, ...]
    dry_run: bool
    commit: int | None = None


def read_place(said: str) -> tuple[float, float]:
    """Latitude and longitude from ``25.03,121.56``. Raises `UserError`."""
    try:
        parts = tuple(float(part) for part in said.split(","))
    except ValueError:
        parts = ()
    if not _is_place(parts):
        raise UserError(
            f"--distance-from: {said!r} is no place",
            hint='Write latitude and longitude: --distance-from "25.03,121.56"',
        )
    return parts[0], parts[1]


def _is_place(parts: tuple[float, ...]) -> bool:
    return len(parts) == 2 and all(math.isfinite(p) for p in parts) and abs(parts[0]) <= 90 and abs(parts[1]) <= 180


def distance_sql(latitude: str, longitude: str, start: tuple[float, ...]) -> str:
    """SQL for the great-circle distance in km between the SQL coordinates, in degrees, and ``start``.

    The haversine formula (Sinnott, Virtues of the Haversine, Sky and Telescope 68 (1984) 159) on a sphere of the mean
    radius. It loses half of its digits near the antipodes; there the haversine of the supplement is exact, so both
    are computed, as sums of squares, and the angle is taken from their ratio.
    """
    phi, lam = f"radians({latitude})", f"radians({longitude})"
    phi0, lam0 = f"radians({start[0]!r}::double)", f"radians({start[1]!r}::double)"
    half, middle, turn = f"({phi} - {phi0}) / 2", f"({phi} + {phi0}) / 2", f"({lam} - {lam0}) / 2"
    near = f"pow(sin({half}) * cos({turn}), 2) + pow(cos({middle}) * sin({turn}), 2)"
    far = f"pow(cos({half}) * cos({turn}), 2) + pow(sin({middle}) * sin({turn}), 2)"
    return f"2 * {EARTH_RADIUS_KM} * atan2(sqrt({near}), sqrt({far}))"


def fillable(types: Mapping[str, str]) -> dict[str, str]:
    """The fields of leads that a provider may fill, with their types."""
    return {f: t for f, t in types.items() if f not in REFUSED}


def field_problem(said: str, types: Mapping[str, str]) -> str | None:
    """Why ``said`` cannot be filled, or None; coordinates may always be told."""
    known = fillable(types)
    if said in known or said in COORDINATES:
        return None
    if said in types:
        return f"{said} is kept by sfactl itself and cannot be enriched"
    near = difflib.get_close_matches(said, [*known, *COORDINATES], 1)
    guess = f"Did you mean {near[0]!r}?" if near else 'Declare it in sfactl.toml: [fields.leads] NAME = "text"'
    return f"{said!r} is no field of leads. {guess}"


def distance_problem(distance: Distance, types: Mapping[str, str]) -> str | None:
    """Why the field of ``distance`` cannot hold kilometres, or None."""
    if distance.field not in types:
        near = difflib.get_close_matches(distance.field, fillable(types), 1)
        guess = f"Did you mean {near[0]!r}? Else declare" if near else "Declare"
        declared = f'[fields.leads] {distance.field} = "number"'
        return f"{distance.field!r} is no field of leads. {guess} it in sfactl.toml: {declared}"
    if distance.field in REFUSED or types[distance.field] not in DISTANCE_TYPES:
        return f"{distance.field} cannot hold a distance; declare a field of the type number for it"
    return None


def answer_problem(answer: object, asked: Iterable[int]) -> str | None:
    """What is wrong with an enricher's ``answer`` about the leads ``asked``, or None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(answer, pa.Table):
        return f"answered {type(answer).__name__}, not an Arrow table"
    if missing := [c for c in ("id", "field", "value") if c not in answer.column_names]:
        return f"answered without the column {missing[0]!r}"
    try:
        table = normal_answer(answer)
    except (pa.ArrowException, ValueError) as err:
        return f"answered columns of a wrong type: {err}"
    if table["id"].null_count or table["field"].null_count:
        return "answered rows without an id or a field"
    strange = table.filter(pc.invert(pc.is_in(table["id"], pa.array(list(asked), pa.int64()))))
    if strange.num_rows:
        return f"answered about lead:{strange['id'][0]}, which it was not asked about"
    counted = table.group_by(["id", "field"]).aggregate([("field", "count")])
    twice = counted.filter(pc.greater(counted["field_count"], 1))
    if twice.num_rows:
        return f"answered {twice['field'][0]} of lead:{twice['id'][0]} more than once"
    return None


def normal_answer(answer: Any) -> pa.Table:
    """The answer with the columns id, field, value and place, of their types."""
    import pyarrow as pa

    place = answer["place"] if "place" in answer.column_names else pa.nulls(answer.num_rows, pa.string())
    columns = {
        "id": answer["id"].cast(pa.int64()),
        "field": answer["field"].cast(pa.string()),
        "value": answer["value"].cast(pa.string()),
        "place": place.cast(pa.string()),
    }
    return pa.table(columns)


def held_sql(fields: Iterable[str], source: str) -> str:
    """SELECT of one row a lead and field: id, field, what the lead holds as text (blank is null). ``source``: leads."""
    parts = (
        f"select lead_id as id, '{f}' as field, nullif(trim(cast({name(f)} as varchar)), '') as had from {source}"
        for f in fields
    )
    return " union all ".join(parts)
