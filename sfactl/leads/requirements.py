"""What a lead must have to go by a path, as SQL over the lead and the tables of the query. Pure: it runs nothing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sfactl.api.errors import ConfigError
from sfactl.leads.qualification import FILE, LtvModel, Target, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing a lead must have, as SQL over a lead ``l`` and the tables of the query.

    ``missing`` is true where the lead lacks it, ``detail`` the text that names what is missing, ``value`` what the
    lead has. ``change`` says what would make it hold, as text or as SQL.
    """

    name: str
    missing: str
    detail: str
    value: str
    change: str = "null"


def requirements(way: Way, place: int, to: Target, ltv: LtvModel, types: Mapping[str, str]) -> tuple[Requirement, ...]:
    """What a lead needs to go by ``way``, the path number ``place``. ``types`` are the columns of leads.

    Raises `ConfigError` for a field that is not there.
    """
    needed: list[Requirement] = []
    if way.score is not None:
        needed.append(_score(way, place))
    needed += [_field(way, field, types) for field in way.required]
    if way.where is not None:
        flag = f"coalesce(h.where_{place}, false)"
        name = f"{to}.where" if way.name == to else f"{way.name}.where"
        needed.append(Requirement(name=name, missing=f"not {flag}", detail=_text(name), value=flag))
    if way.ltv_min is not None:
        needed += _value(way.ltv_min, ltv)
    return (*needed, *_address())


def _score(way: Way, place: int) -> Requirement:
    mark = number(way.pass_mark)
    points = f"s.points_{place}"
    shown = f"coalesce(printf('%g', {points}), 'none')"
    return Requirement(
        name=f"{way.score} >= {mark}",
        missing=f"coalesce({points}, 0) < {way.pass_mark!r}",
        detail=f"{_text(f'{way.score} ')} || {shown} || {_text(f' of {mark}')}",
        value=shown,
        change=f"{_text(f'{way.score} {mark} (')} || printf('%g', {way.pass_mark!r} - coalesce({points}, 0))"
        " || ' more points)'",
    )


def _field(way: Way, field: str, types: Mapping[str, str]) -> Requirement:
    if field not in types:
        near = difflib.get_close_matches(field, types, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{FILE}: {way.place}.required: unknown field {field!r} of lead.{hint}")
    value = f'cast(l."{field}" as varchar)'
    if types[field].startswith("decimal"):
        value = f"regexp_replace({value}, '\\.?0+$', '')"  # the digits that only fill the scale
    return Requirement(
        name=f"{field} is known",
        missing=f"nullif(trim(l.\"{field}\"), '') is null" if types[field] == "varchar" else f'l."{field}" is null',
        detail=_text(field),
        value=value,
        change=_text(f"{field} filled in"),
    )


def _value(least: float, ltv: LtvModel) -> tuple[Requirement, Requirement]:
    """An expected lifetime value above nothing and not below ``least``, and the ability to buy: both are needed."""
    model = f"{ltv.name} v{ltv.version}"
    shown = "coalesce(printf('%g', v.number), 'none')"
    mark = f">= {number(least)}" if least > 0 else "> 0"
    return (
        Requirement(
            name=f"expected lifetime value {mark}",
            missing=f"not coalesce(v.number > 0 and v.number >= {least!r}, false)",
            detail=f"'expected lifetime value ' || {shown} || {_text(f' (needs {mark}, {model})')}",
            value=f"{shown} || {_text(f' by {model}')}",
            change=_text(f"an expected lifetime value {mark}"),
        ),
        Requirement(
            name="budget is enough",
            missing="not coalesce(h.budget_ok, false)",
            detail="'budget not enough'",
            value="case h.budget_ok when true then 'yes' when false then 'no' else 'not known' end",
            change=f"{_text(f'{FILE}: ltv.budget_ok to hold')}",
        ),
    )


def _address() -> tuple[Requirement, Requirement]:
    """An e-mail address that nobody may write to, or that cannot be one, qualifies nobody."""
    # Whether there must be an address at all is for the rule to say.
    return (
        Requirement(
            name="e-mail is valid",
            missing=r"not coalesce(regexp_matches(l.email, '^[^@\s]+@[^@\s]+\.[^@\s.]+$'), true)",
            detail="'e-mail not valid'",
            value="l.email",
            change="'a valid e-mail address'",
        ),
        Requirement(
            name="e-mail is not suppressed",
            missing="u.reason is not null",
            detail="'e-mail suppressed: ' || u.reason",
            value="coalesce(u.reason, 'not suppressed')",
            change="'an address that may be written to'",
        ),
    )


def reason_sql(way: Way, to: Target, ltv: LtvModel, *, several: bool) -> str:
    """The reason to record for a lead that goes by ``way``, as SQL."""
    parts = []
    if way.where is not None:
        parts.append(f"fulfils {way.place}.where")
    if way.score is not None:
        parts.append(f"{way.score} at {number(way.pass_mark)} or more")
    if way.required:
        parts.append("all required fields known")
    text = ", ".join(parts)
    sql = _text(f"path {way.name}: {text}" if several and way.name != to else text)
    if way.ltv_min is not None:
        sql += (
            f" || {_text(', expected lifetime value ' if parts else 'expected lifetime value ')} ||"
            f" printf('%.2f', v.number) || {_text(f' by {ltv.name} v{ltv.version}, budget enough')}"
        )
    return sql


def missing_sql(needed: Sequence[Requirement]) -> str:
    """One expression that names all that a lead lacks, null where it lacks nothing."""
    parts = ", ".join(f"case when {r.missing} then {r.detail} end" for r in needed)
    return f"nullif(concat_ws(', ', {parts}), '')"


def lacks_sql(needed: Sequence[Requirement]) -> str:
    """How many things a lead lacks."""
    return " + ".join(f"case when {r.missing} then 1 else 0 end" for r in needed)


def flags_sql(needed: Sequence[Requirement], place: int, *, full: bool) -> str:
    """For each requirement of path ``place`` whether it is missing; if ``full``, what it has and what would help."""
    columns = []
    for i, r in enumerate(needed):
        columns.append(f"({r.missing}) as missing_{place}_{i}")
        if full:
            columns.append(f"cast({r.value} as varchar) as value_{place}_{i}")
            columns.append(f"cast({r.change} as varchar) as change_{place}_{i}")
    return ", ".join(columns)


def number(value: float) -> str:
    """A number without needless decimals."""
    return f"{value:g}"


def _text(value: str) -> str:
    escaped = value.replace("'", "''")
    return f"'{escaped}'"
