"""Choose from the data which columns identify a record, and how the values of each are compared.

Names, addresses, phones and the like have their own ways. Every other filled column, custom fields above all, gets a
kind by its type and by what its values look like. Columns that say how we deal with a record, not who it is, stay out.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sfactl.api.errors import ConfigError
from sfactl.engine.duck import Query
from sfactl.identity.config import FILE, Kind, MatchSettings
from sfactl.identity.model import Entity
from sfactl.schemas import Dataset

NAMES = ("given", "family", "full")
PLACE = ("street", "city", "region", "postal_code", "country")

ROLES: Mapping[Entity, Mapping[str, str]] = {
    "lead": {
        "given": "first_name", "family": "last_name", "full": "full_name", "company": "company", "email": "email",
        "phone": "phone", "birth_date": "birth_date", "tax_id": "tax_id", "website": "website", "street": "street",
        "city": "city", "region": "region", "postal_code": "postal_code", "country": "country",
    },
    "account": {
        "company": "name", "phone": "phone", "tax_id": "tax_id", "website": "coalesce(website, domain)",
        "street": "street", "city": "city", "region": "region", "postal_code": "postal_code", "country": "country",
    },
    "contact": {
        "given": "first_name", "family": "last_name", "full": "full_name", "email": "email", "phone": "phone",
        "birth_date": "birth_date",
    },
}  # fmt: skip
"""What a record has, and the SQL of the column it is in."""

EXTRAS: Mapping[Entity, tuple[str, ...]] = {
    "lead": ("title", "industry"),
    "account": ("industry",),
    "contact": ("title", "account_id"),
}
"""Further columns of our own that may tell records apart; custom fields come behind them."""

SHARED_EXTRAS = frozenset({"account_id", "industry"})
"""Extras that everybody at a company has in common."""

_NUMBER = "try_cast(regexp_replace({c}, '[^0-9.-]', '', 'g') as double)"
_DIGITS = "regexp_full_match({c}, '[^0-9A-Za-z]{{0,4}}[0-9][0-9., ]*[^0-9A-Za-z]{{0,4}}')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A column without a way of its own. ``place`` numbers it among the extras."""

    column: str
    kind: Kind
    place: int

    @property
    def feature(self) -> str:
        """The name of its feature."""
        return f"e{self.place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The columns that count: ``roles`` (role → SQL over the dataset) and ``extras``."""

    entity: Entity
    roles: Mapping[str, str]
    extras: tuple[Extra, ...]

    @property
    def has_names(self) -> bool:
        """Whether records have names of people."""
        return any(r in self.roles for r in NAMES)

    @property
    def has_place(self) -> bool:
        """Whether records have a part of an address that can be compared."""
        return any(r in self.roles for r in ("street", "city", "postal_code"))

    def columns(self) -> tuple[str, ...]:
        """All columns that count, as the dataset calls them."""
        return (*self.roles.values(), *(e.column for e in self.extras))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Profile:
    filled: int
    distinct: int
    tokens: float
    length: float
    digits: float
    numeric: float
    dated: float
    low: float | None
    high: float | None
    whole: bool


def choose(query: Query, schema: Dataset, entity: Entity, settings: MatchSettings, where: str) -> Chosen:
    """The columns of ``schema`` that identify records among the rows ``where`` holds for. Raises `ConfigError`."""
    custom = [c.name for c in schema.columns if c.custom and c.type != "boolean"]
    extras = [*EXTRAS[entity], *custom]
    _check_names(settings, [*ROLES[entity].values(), *extras])
    wanted = [c for c in (*ROLES[entity].values(), *extras) if _wanted(c, settings)]
    profiles = _profiles(query, schema.name, wanted, where)
    roles = {r: c for r, c in ROLES[entity].items() if c in profiles and profiles[c].filled > 0}
    titles = "full" in roles and not _are_people(profiles[roles["full"]])
    if titles:  # what stands in the name is a title: then no part of it is the name of a person
        extras.insert(0, roles["full"])
        roles = {r: c for r, c in roles.items() if r not in NAMES}
    kinds = {c: _kind(c, schema.types.get(c, "varchar"), profiles[c], settings) for c in extras if c in profiles}
    chosen = [(c, k) for c, k in kinds.items() if k is not None and profiles[c].filled > 1 and profiles[c].distinct > 1]
    return Chosen(
        entity=entity,
        roles=roles,
        extras=tuple(Extra(column=c, kind=k, place=i) for i, (c, k) in enumerate(chosen)),
    )


def _wanted(column: str, settings: MatchSettings) -> bool:
    return column not in settings.ignore and (not settings.fields or column in settings.fields)


def _check_names(settings: MatchSettings, known: Sequence[str]) -> None:
    for key, names in (("fields", settings.fields), ("ignore", settings.ignore), ("kinds", tuple(settings.kinds))):
        for name in names:
            if name not in known and not any(name in k for k in known):
                near = difflib.get_close_matches(name, known, 1)
                hint = f"Did you mean {near[0]!r}?" if near else f"Columns: {', '.join(known)}"
                raise ConfigError(f"{FILE}: match.{key}: no column {name!r} identifies a record. {hint}")


def _profiles(query: Query, dataset: str, columns: Sequence[str], where: str) -> dict[str, _Profile]:
    """What the values of each column look like, from one pass."""
    if not columns:
        return {}
    parts = []
    for i, column in enumerate(columns):
        c = f"c{i}"
        number = _NUMBER.format(c=c)
        parts.append(
            f"select {i} as i, count({c}) as filled, approx_count_distinct({c}) as n,"
            f" avg(1 + length({c}) - length(replace({c}, ' ', ''))) as tokens, avg(length({c})) as length,"
            f" avg((regexp_matches({c}, '[0-9]'))::int) as digits, avg(({_DIGITS.format(c=c)})::int) as numeric,"
            f" avg((try_cast({c} as date) is not null)::int) as dated, min({number}) as low, max({number}) as high,"
            f" coalesce(bool_and({number} = floor({number})), false) as whole from match_sample"
        )
        assert column
    cells = ", ".join(f"nullif(trim(cast({c} as varchar)), '') as c{i}" for i, c in enumerate(columns))
    # A sample settles what values look like; which rows it holds does not depend on their order.
    query.run(
        f"create or replace temp table match_sample as select {cells} from {dataset} where {where}"
        f" qualify row_number() over (order by hash({', '.join(columns)})) <= 20000"
    )
    rows = query.rows(" union all ".join(parts))
    return {
        columns[r[0]]: _Profile(
            filled=r[1], distinct=r[2], tokens=r[3] or 0.0, length=r[4] or 0.0, digits=r[5] or 0.0,
            numeric=r[6] or 0.0, dated=r[7] or 0.0, low=r[8], high=r[9], whole=bool(r[10]),
        )
        for r in rows if r[1]
    }  # fmt: skip


def _are_people(profile: _Profile) -> bool:
    """Names of people are short and have no digits."""
    return profile.tokens <= 4 and profile.digits < 0.1 and profile.length <= 40


def _kind(column: str, sql_type: str, profile: _Profile, settings: MatchSettings) -> Kind | None:
    if column in settings.kinds:
        return settings.kinds[column]
    if column == "account_id":
        return "code"
    if sql_type in ("date", "timestamp") or (profile.dated >= 0.9 and profile.length >= 8):
        return "date"
    if profile.numeric >= 0.9:
        return _number_kind(profile, text=sql_type == "varchar")
    if profile.tokens >= 1.6:
        return "text"
    return "code" if profile.digits >= 0.5 and profile.length >= 5 else "word"


def _number_kind(profile: _Profile, *, text: bool) -> Kind:
    if profile.whole and profile.low is not None and profile.high is not None:
        if profile.low >= 1500 and profile.high <= 2100:
            return "year"
        if text and (profile.length >= 6 or (profile.length >= 5 and profile.distinct > profile.filled / 2)):
            return "code"
    return "number"
