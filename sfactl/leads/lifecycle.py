"""The life of a lead: which stages there are, which moves between them are legal, and what qualifies a lead.

Pure: it reads no data. The rules of qualification come from ``qualification.toml``; here they become the requirements
that a statement checks. It refuses a move that the table of moves does not hold.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sfactl.api.errors import ConfigError, NotFound, PolicyError, UserError
from sfactl.config.objects import read_object

Target = Literal["mql", "sql"]

FILE = "qualification.toml"

MOVES: Mapping[str, tuple[str, ...]] = {
    "new": ("mql", "disqualified"),
    "mql": ("sql", "new", "disqualified"),
    "sql": ("converted", "mql", "disqualified"),
    "disqualified": ("new",),
    "converted": (),
}
"""Stage → the stages a lead may go to from there. ``converted`` is reached by `lead convert` alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MqlRule:
    """What makes a lead marketing-qualified: a condition, and the kinds of touchpoint to record as its cause."""

    where: str
    cause: tuple[str, ...] = ("form_submit",)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRule:
    """What makes an MQL sales-qualified: a score at its pass mark, filled fields, and perhaps a condition."""

    score: str
    pass_mark: float
    required: tuple[str, ...] = ()
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """``qualification.toml``."""

    mql: MqlRule
    sql: SqlRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing a lead must have, as SQL over the columns of a lead ``l``, its ``points`` and the flags of the query.

    ``missing`` is true where the lead lacks it, ``detail`` the text that names what is missing, ``value`` what the
    lead has.
    """

    name: str
    missing: str
    detail: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """How many leads stay behind for want of one thing."""

    item: str
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step of qualification came to: ``qualified`` go on, ``staying`` lack the items listed."""

    to: Target
    qualified: int
    staying: int
    missing: tuple[Missing, ...]
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """What a run of qualification did, or would do."""

    steps: tuple[Step, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One requirement as it stands for one lead."""

    name: str
    holds: bool
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why one lead qualifies or not; ``cause`` is the event that would be recorded, ``to`` None at the end."""

    lead_id: int
    name: str | None
    status: str
    to: Target | None
    qualifies: bool
    terms: tuple[Term, ...]
    cause: str | None = None
    since: datetime | None = None
    why_here: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Leads moved by hand."""

    leads: int
    to: str
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCount:
    """Leads in one stage by their record, and by a replay of their history."""

    stage: str
    leads: int
    replayed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """Leads by stage at a commit. ``differing`` are leads whose history tells another stage than their record."""

    commit: int
    stages: tuple[StageCount, ...]
    differing: tuple[int, ...] = ()


def read_rules(workspace: Path) -> Rules:
    """The rules of a workspace. Raises `ConfigError` naming file and key."""
    path = workspace / FILE
    if not path.exists():
        raise ConfigError(
            f"{path}: no such file", hint="It says what makes an MQL and an SQL; the preset b2b has one to copy."
        )
    return read_object(Rules, path)


def check_move(lead_id: int, old: str, new: str) -> None:
    """Raise `PolicyError` naming the rule unless a lead may go from ``old`` to ``new``."""
    if new not in MOVES:
        near = difflib.get_close_matches(new, MOVES, 1)
        raise UserError(
            f"there is no stage {new!r} of a lead.{f' Did you mean {near[0]!r}?' if near else ''}",
            hint=f"Stages: {', '.join(MOVES)}",
        )
    if new in MOVES.get(old, ()):
        return
    allowed = ", ".join(MOVES.get(old, ()))
    stays = "A converted lead moves no more; it lives on as account, contact and opportunity."
    hint = f"From {old} a lead may go to {allowed}." if allowed else stays
    raise PolicyError(f"lead:{lead_id} is {old} and may not become {new}", hint=hint)


def lead_number(ref: str) -> int | str:
    """``8841``, ``lead:8841`` and ``L-8841`` as a number, an e-mail address as it is. Raises `NotFound`."""
    text = ref.strip()
    for prefix in ("lead:", "L-"):
        text = text.removeprefix(prefix)
    if text.isascii() and text.isdigit():
        return int(text)
    if "@" in text:
        return text.lower()
    raise NotFound(f"{ref!r} is not a lead", hint="Write its number (8841 or lead:8841) or its e-mail address.")


def sql_requirements(rule: SqlRule, types: Mapping[str, str]) -> tuple[Requirement, ...]:
    """What an MQL needs to become an SQL. ``types`` are the columns of leads. Raises `ConfigError`."""
    mark = number(rule.pass_mark)
    points = "coalesce(printf('%g', s.points), 'none')"
    needed = [
        Requirement(
            name=f"{rule.score} >= {mark}",
            missing=f"coalesce(s.points, 0) < {rule.pass_mark!r}",
            detail=f"{_text(f'{rule.score} ')} || {points} || {_text(f' of {mark}')}",
            value=points,
        )
    ]
    for field in rule.required:
        if field not in types:
            near = difflib.get_close_matches(field, types, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{FILE}: sql.required: unknown field {field!r} of lead.{hint}")
        text = types[field] == "varchar"
        value = f'cast(l."{field}" as varchar)'
        if types[field].startswith("decimal"):
            value = f"regexp_replace({value}, '\\.?0+$', '')"  # the digits that only fill the scale
        needed.append(
            Requirement(
                name=f"{field} is known",
                missing=f"nullif(trim(l.\"{field}\"), '') is null" if text else f'l."{field}" is null',
                detail=_text(field),
                value=value,
            )
        )
    if rule.where is not None:
        needed.append(
            Requirement(
                name="sql.where",
                missing="not coalesce(h.held, false)",
                detail="'sql.where'",
                value="coalesce(h.held, false)",
            )
        )
    return (*needed, *address_requirements())


def mql_requirements() -> tuple[Requirement, ...]:
    """What a new lead needs to become an MQL."""
    rule = Requirement(
        name="mql.where", missing="not coalesce(h.held, false)", detail="'mql.where'", value="coalesce(h.held, false)"
    )
    return (rule, *address_requirements())


def address_requirements() -> tuple[Requirement, ...]:
    """An e-mail address that nobody may write to, or that cannot be one, qualifies nobody."""
    # Whether there must be an address at all is for the rule to say.
    return (
        Requirement(
            name="e-mail is valid",
            missing=r"not coalesce(regexp_matches(l.email, '^[^@\s]+@[^@\s]+\.[^@\s.]+$'), true)",
            detail="'e-mail not valid'",
            value="l.email",
        ),
        Requirement(
            name="e-mail is not suppressed",
            missing="u.reason is not null",
            detail="'e-mail suppressed: ' || u.reason",
            value="coalesce(u.reason, 'not suppressed')",
        ),
    )


def missing_sql(needed: tuple[Requirement, ...]) -> str:
    """One expression that names all that a lead lacks, null where it lacks nothing."""
    parts = ", ".join(f"case when {r.missing} then {r.detail} end" for r in needed)
    return f"nullif(concat_ws(', ', {parts}), '')"


def flags_sql(needed: tuple[Requirement, ...]) -> str:
    """One boolean column ``missing_N`` and one text column ``value_N`` for each requirement."""
    return ", ".join(
        f"({r.missing}) as missing_{i}, cast({r.value} as varchar) as value_{i}" for i, r in enumerate(needed)
    )


def number(value: float) -> str:
    """A number without needless decimals."""
    return f"{value:g}"


def _text(value: str) -> str:
    escaped = value.replace("'", "''")
    return f"'{escaped}'"
