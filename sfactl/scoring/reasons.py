"""The reasons behind a rule score: one row for each event and rule, then caps and bounds, which add up to the score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sfactl.engine.conditions.compile import check
from sfactl.engine.conditions.entity import Relation
from sfactl.engine.conditions.kinds import DOUBLE
from sfactl.engine.conditions.plan import KEY_PARAMETER, Plan, quote
from sfactl.engine.conditions.rows import time_sql
from sfactl.engine.conditions.source import Source
from sfactl.scoring.amounts import amount_sql
from sfactl.scoring.model import Rule, Score
from sfactl.scoring.rules import rank_limit, rank_sql, reads_entity, rule_place, rule_rows

DETAILS = ("content", "product_name", "title", "subject", "campaign", "name", "number", "channel", "kind")
"""The first of these columns that a relation has tells people which row it was."""

Kind = Literal["event", "lead", "cap", "group", "floor", "ceiling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A part of a score. ``name`` is the rule, or the group or bound that took something off or added it."""

    kind: Kind
    name: str
    points: Decimal
    at: datetime | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of `reasons_statement`: the rule's place in the score, its amount in units, when and what."""

    rule: int
    units: int
    at: datetime | None
    detail: str | None


def reasons_statement(plan: Plan, score: Score, *, one: bool, source: Callable[[str], str] = str) -> str:
    """A SELECT of (lead_id, rule_no, at, units, detail), before caps; with ``one`` only of the lead bound as ``$key``.

    ``source`` names the table to read instead of a dataset, for instance one that holds the rows of the lead alone.
    """
    parts = [
        _event_rows(plan, score, number, rule, source, one=one)
        for number, rule in enumerate(score.rules)
        if rule.on is not None
    ]
    facts = [(number, rule) for number, rule in enumerate(score.rules) if rule.on is None]
    if not facts:
        return "\nunion all\n".join(parts)
    columns = [
        f"{check(plan, Source(text=rule.where, where=rule_place(score, rule)))} as {quote(f'_f{number}')}"
        for number, rule in facts
    ]
    for number, rule in facts:
        parts.append(
            f'select "lead_id", {number} as rule_no, cast(null as timestamp) as "at",'
            f" {plan.bind(float(rule.points * score.unit), DOUBLE)} as units,"
            f" cast(null as varchar) as detail from facts where {quote(f'_f{number}')}"
        )
    return f"with facts as (\n{plan.statement([columns], one=one)}\n)\n" + "\nunion all\n".join(parts)


def add_up(score: Score, entries: Iterable[Entry]) -> tuple[Reason, ...]:
    """The reasons of one lead's score: its entries, then what caps, groups, floor and ceiling changed.

    Their points add up to the score exactly.
    """
    rows = sorted(entries, key=lambda e: (e.rule, -(e.at.timestamp() if e.at else 0), e.detail or ""))
    reasons: list[Reason] = []
    totals: dict[str | None, Decimal] = {name: Decimal(0) for name in (None, *score.groups)}
    for number, rule in enumerate(score.rules):
        own = [_reason(score, rule, entry) for entry in rows if entry.rule == number and entry.units]
        given = sum((reason.points for reason in own), Decimal(0))
        reasons += own
        if rule.cap is not None:
            reasons += _adjusted("cap", rule.name, given, _clamped(given, rule.cap))
            given = _clamped(given, rule.cap)
        totals[rule.group] += given
    for name, group in score.groups.items():
        reasons += _adjusted("group", name, totals[name], _clamped(totals[name], group.cap))
        totals[name] = _clamped(totals[name], group.cap)
    return (*reasons, *bounds(score, sum(totals.values(), Decimal(0))))


def bounds(score: Score, total: Decimal) -> Sequence[Reason]:
    """What the ceiling and then the floor of a score change of ``total``."""
    changes: list[Reason] = []
    if score.ceiling is not None and total > score.ceiling:
        changes += _adjusted("ceiling", f"at most {score.ceiling}", total, score.ceiling)
        total = score.ceiling
    if score.floor is not None and total < score.floor:
        changes += _adjusted("floor", f"at least {score.floor}", total, score.floor)
    return changes


def sources(score: Score) -> list[str]:
    """The relations that a score's rules count rows of."""
    return sorted({rule.on for rule in score.rules if rule.on is not None})


def _reason(score: Score, rule: Rule, entry: Entry) -> Reason:
    points = Decimal(entry.units).scaleb(-score.decimals)
    kind: Kind = "lead" if rule.on is None else "event"
    return Reason(kind=kind, name=rule.name, points=points, at=entry.at, detail=entry.detail)


def _clamped(amount: Decimal, cap: Decimal) -> Decimal:
    return max(min(amount, cap), -cap)


def _adjusted(kind: Kind, name: str, before: Decimal, after: Decimal) -> list[Reason]:
    return [Reason(kind=kind, name=name, points=after - before)] if after != before else []


def _event_rows(plan: Plan, score: Score, number: int, rule: Rule, source: Callable[[str], str], *, one: bool) -> str:
    found = rule_rows(plan, score, rule)
    relation, at = found.relation, time_sql(found.relation)
    key = plan.settings.schemas[relation.dataset].key
    entity = plan.settings.entity.dataset
    join = f' join {entity} as e on e."lead_id" = r."lead_id"' if reads_entity(found.sql) else ""
    terms = [f'r."lead_id" = ${KEY_PARAMETER}'] if one else ['r."lead_id" is not null']
    if relation.time:
        terms.append(f"{at} <= {plan.now()}")
    units = f"cast({amount_sql(plan, rule, score.unit, at)} as double)"
    select = (
        f'select r."lead_id", {number} as rule_no, {at} as "at", {units} as units, {_detail(relation)} as detail'
        f"{{}} from {source(relation.dataset)} as r{join} where {' and '.join([*terms, *found.terms])}"
    )
    if rule.limit is None:
        return select.format("")
    ranked = select.format(f', {rank_sql(rule, relation, key)} as "_rank"')
    return (
        f'select "lead_id", rule_no, "at", units, detail from ({ranked}) as ranked{number}'
        f' where "_rank" <= {rank_limit(rule)}'
    )


def _detail(relation: Relation) -> str:
    name = next((name for name in DETAILS if relation.columns.get(name) == "varchar"), None)
    return f"r.{quote(name)}" if name else "cast(null as varchar)"
