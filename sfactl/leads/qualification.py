"""What qualifies a lead: the rules of ``qualification.toml``, and the paths to MQL and SQL that they state.

Pure: it reads no data. A lead goes by the first path that is for it and of which it lacks nothing; the table ``[mql]``
or ``[sql]`` itself is the first path, unless it states none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sfactl.api.errors import ConfigError
from sfactl.config.objects import read_object

Target = Literal["mql", "sql"]

FILE = "qualification.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class MqlPath:
    """One more way to become an MQL: ``among`` says for whom it is, ``where`` what must hold."""

    name: str
    where: str
    among: str | None = None
    cause: tuple[str, ...] = ("form_submit",)


@dataclass(frozen=True, slots=True, kw_only=True)
class MqlRule:
    """What makes a lead marketing-qualified: a condition, and the kinds of touchpoint to record as its cause."""

    where: str
    among: str | None = None
    cause: tuple[str, ...] = ("form_submit",)
    path: tuple[MqlPath, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlPath:
    """One more way to become an SQL, for a segment or a product line: ``among`` says for whom it is."""

    name: str
    among: str | None = None
    score: str | None = None
    pass_mark: float | None = None
    required: tuple[str, ...] = ()
    where: str | None = None
    expected_ltv_min: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRule:
    """What makes an MQL sales-qualified: a score at its pass mark, filled fields, a condition, an expected value.

    With ``expected_ltv_min`` the lead must be expected to be worth that much, and be able to buy (``[ltv]``).
    """

    score: str | None = None
    pass_mark: float | None = None
    required: tuple[str, ...] = ()
    where: str | None = None
    among: str | None = None
    expected_ltv_min: float | None = None
    path: tuple[SqlPath, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LtvModel:
    """How the lifetime value of a lead is told: ``value`` is a number in the language of conditions.

    ``name`` and ``version`` stand in the reason of every qualification that rests on it. ``budget_ok`` is the condition
    that the lead is able to buy.
    """

    name: str = "stated value"
    version: str = "1"
    value: str = "expected_ltv"
    budget_ok: str = "coalesce(budget_ok, budget > 0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disqualify:
    """The reasons for which a lead may be dropped; none means any."""

    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """``qualification.toml``."""

    mql: MqlRule
    sql: SqlRule
    ltv: LtvModel = LtvModel()
    disqualify: Disqualify = Disqualify()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One path as the statements use it; ``place`` is its key in the file, for messages."""

    name: str
    place: str
    among: str | None
    where: str | None
    cause: tuple[str, ...] = ()
    score: str | None = None
    pass_mark: float = 0
    required: tuple[str, ...] = ()
    ltv_min: float | None = None


def read_rules(workspace: Path) -> Rules:
    """The rules of a workspace. Raises `ConfigError` naming file and key."""
    path = workspace / FILE
    if not path.exists():
        raise ConfigError(
            f"{path}: no such file", hint="It says what makes an MQL and an SQL; the preset b2b has one to copy."
        )
    return read_object(Rules, path)


def ways(rules: Rules, to: Target, *, clv: bool = False) -> tuple[Way, ...]:
    """The paths to ``to`` in their order; with ``clv`` each to SQL asks for a lifetime value above nothing, at least.

    Raises `ConfigError` for a path that states nothing, half a score, or the name of another.
    """
    found = tuple(_mql_ways(rules.mql) if to == "mql" else _sql_ways(rules.sql, clv=clv))
    names = [way.name for way in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{FILE}: {to}.path: two paths are called {name!r}")
    if not found:
        raise ConfigError(f"{FILE}: {to}: states nothing; write score and pass_mark, required, where, or [[{to}.path]]")
    return found


def _mql_ways(rule: MqlRule) -> Iterator[Way]:
    yield Way(name="mql", place="mql", among=rule.among, where=rule.where, cause=rule.cause)
    for i, path in enumerate(rule.path):
        yield Way(name=path.name, place=f"mql.path[{i}]", among=path.among, where=path.where, cause=path.cause)


def _sql_ways(rule: SqlRule, *, clv: bool) -> Iterator[Way]:
    own = rule.score or rule.where or rule.required or rule.expected_ltv_min is not None
    rows: list[tuple[str, str, SqlRule | SqlPath]] = [("sql", "sql", rule)] if own or not rule.path else []
    rows += [(path.name, f"sql.path[{i}]", path) for i, path in enumerate(rule.path)]
    for name, place, path in rows:
        if (path.score is None) != (path.pass_mark is None):
            raise ConfigError(f"{FILE}: {place}: score and pass_mark go together")
        if not (path.score or path.where or path.required or path.expected_ltv_min is not None):
            raise ConfigError(f"{FILE}: {place}: states nothing that a lead must have")
        least = path.expected_ltv_min
        yield Way(
            name=name,
            place=place,
            among=path.among,
            where=path.where,
            score=path.score,
            pass_mark=path.pass_mark or 0,
            required=path.required,
            ltv_min=max(least or 0, 0) if clv else least,
        )
