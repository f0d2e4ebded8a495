"""Compile rule scores: all rules of all scores into one statement with one pass over each relation.

Rules without a bound of their own are added up together; a rule or group with a cap gets a column. Which reasons made
up a total is asked of `reasons`, with the same conditions and amounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sfactl.engine.conditions.compile import check
from sfactl.engine.conditions.entity import Relation
from sfactl.engine.conditions.kinds import DOUBLE
from sfactl.engine.conditions.plan import Plan, Scan, quote
from sfactl.engine.conditions.rows import RowFilter, relation_named, row_filter, time_sql
from sfactl.engine.conditions.source import Source
from sfactl.scoring.amounts import amount_sql, reach
from sfactl.scoring.model import Rule, Score

_EQUALITY = re.compile(r'\((r\."[^"]+") = (\$p\d+)\)')


@dataclass(slots=True, kw_only=True)
class Bucket:
    """Amounts that are added up in one column: those of one capped rule, of one group, or all others of a score.

    ``rows`` holds, for each relation's scan, the conditions and amounts of its rows; ``parts`` are whole expressions.
    """

    parts: list[str] = field(default_factory=list)
    rows: dict[str, tuple[Scan, list[tuple[RowFilter, str]], list[datetime | None]]] = field(default_factory=dict)

    def add_rows(self, found: RowFilter, amount: str, since: datetime | None) -> None:
        """Add ``amount`` for every row that meets the condition."""
        _, rows, starts = self.rows.setdefault(found.scan.name, (found.scan, [], []))
        rows.append((found, amount))
        starts.append(since)

    def sql(self, plan: Plan) -> str:
        """The sum as SQL over the joined scans."""
        parts = list(self.parts)
        for scan, rows, starts in self.rows.values():
            known = [start for start in starts if start is not None]
            since = min(known) if len(known) == len(starts) else None
            parts.append(f"coalesce({plan.aggregate(scan, f'sum({_cases(rows)})', None, since)}, 0)")
        return " + ".join(parts) if parts else "0"


def rule_place(score: Score, rule: Rule) -> str:
    """Where a rule's condition stands, for messages."""
    return f"scores/{score.name}.toml: rule {rule.name!r}: where"


def total_sql(plan: Plan, score: Score) -> str:
    """The score in units, as SQL over one lead and the scans of ``plan``: rules, then caps, groups, floor, ceiling."""
    loose = Bucket()
    groups = {name: Bucket() for name in score.groups}
    for rule in score.rules:
        target = groups[rule.group] if rule.group else loose
        if rule.on is None:
            target.parts.append(_once(plan, score, rule))
        elif rule.cap is None:
            _add(plan, score, rule, target)
        else:
            own = Bucket()
            _add(plan, score, rule, own)
            target.parts.append(_bounded(plan, own.sql(plan), float(rule.cap * score.unit)))
    for name, bucket in groups.items():
        loose.parts.append(_bounded(plan, bucket.sql(plan), float(score.groups[name].cap * score.unit)))
    total = f"({loose.sql(plan)})"
    if score.ceiling is not None:
        total = f"least({total}, {plan.bind(float(score.ceiling * score.unit), DOUBLE)})"
    if score.floor is not None:
        total = f"greatest({total}, {plan.bind(float(score.floor * score.unit), DOUBLE)})"
    return f"cast({total} as double)"


def totals_statement(plan: Plan, scores: Sequence[Score], *, one: bool = False) -> str:
    """One statement that answers lead_id and the units of each score as ``_u0``, ``_u1`` …"""
    level = [f"{total_sql(plan, score)} as {quote(f'_u{number}')}" for number, score in enumerate(scores)]
    return plan.statement([level], one=one)


def limited(rule: Rule) -> bool:
    """Whether a rule's rows must be ranked before their amounts are known."""
    if rule.limit is None or rule.limit == "first" or rule.limit == 1:
        return False
    return rule.decay is not None


def rank_sql(rule: Rule, relation: Relation, key: Iterable[str]) -> str:
    """The rank of a row among the lead's rows that meet the rule; rows of rank 1 (or up to the limit) count."""
    at = time_sql(relation)
    ties = ", ".join(f"r.{quote(name)}" for name in key)
    if rule.limit == "daily":
        return f'row_number() over (partition by r."lead_id", cast({at} as date) order by {at}, {ties})'
    direction = "" if rule.limit == "first" else " desc"
    return f'row_number() over (partition by r."lead_id" order by {at}{direction}, {ties})'


def rank_limit(rule: Rule) -> int:
    """Up to which rank rows count."""
    return rule.limit if isinstance(rule.limit, int) else 1


def _once(plan: Plan, score: Score, rule: Rule) -> str:
    condition = check(plan, Source(text=rule.where, where=rule_place(score, rule)))
    return f"case when {condition} then {plan.bind(float(rule.points * score.unit), DOUBLE)} else 0 end"


def rule_rows(plan: Plan, score: Score, rule: Rule) -> RowFilter:
    """The rows that a rule counts. Raises `ConditionError`."""
    place = rule_place(score, rule)
    relation = relation_named(plan, rule.on or "", place.replace(": where", ": on"))
    if relation.time is None and (rule.decay or rule.limit is not None):
        raise Source(text="", where=place.replace(": where", ": on")).error(
            f"{relation.dataset} has no time, which decay and limit need"
        )
    return row_filter(plan, relation, Source(text=rule.where, where=place))


def _add(plan: Plan, score: Score, rule: Rule, bucket: Bucket) -> None:
    found = rule_rows(plan, score, rule)
    at = time_sql(found.relation)
    starts = [s for s in (found.since, reach(rule, score.unit, plan.settings.now)) if s is not None]
    since = max(starts, default=None)
    if rule.limit is None:
        bucket.add_rows(found, amount_sql(plan, rule, score.unit, at), since)
    elif rule.limit == "first" or rule.limit == 1:
        pick = "min" if rule.limit == "first" else "max"
        # The earliest row decides even when it has faded to nothing, so its pass may not be cut short.
        column = plan.aggregate(found.scan, f"{pick}({at})", found.sql, found.since)
        bucket.parts.append(
            f"coalesce({amount_sql(plan, rule, score.unit, column)}, 0)"
            if rule.decay
            else f"case when {column} is not null then {amount_sql(plan, rule, score.unit, column)} else 0 end"
        )
    elif limited(rule):
        bucket.parts.append(_ranked(plan, score, rule, found))
    else:
        full = amount_sql(plan, rule, score.unit, at)
        bucket.parts.append(f"{_counted(plan, rule, found)} * {full}")


def _counted(plan: Plan, rule: Rule, found: RowFilter) -> str:
    if rule.limit == "daily":
        day = f"cast({time_sql(found.relation)} as date)"
        return f"coalesce({plan.aggregate(found.scan, f'count(distinct {day})', found.sql, found.since)}, 0)"
    count = plan.aggregate(found.scan, "count(*)", found.sql, found.since)
    return f"least(coalesce({count}, 0), {plan.bind(rank_limit(rule), DOUBLE)})"


def _ranked(plan: Plan, score: Score, rule: Rule, found: RowFilter) -> str:
    """A rule whose rows must be ranked reads its own rows once more, in a scan of its own."""
    relation = found.relation
    key = plan.settings.schemas[relation.dataset].key
    at = time_sql(relation)
    entity = plan.settings.entity.dataset
    join = f' join {entity} as e on e."lead_id" = r."lead_id"' if reads_entity(found.sql) else ""
    source = (
        f'(select r."lead_id", {at} as "_at", {rank_sql(rule, relation, key)} as "_rank"'
        f" from {relation.dataset} as r{join} where {at} <= {plan.now()} and {found.sql})"
    )
    scan = plan.derived(source)
    amount = amount_sql(plan, rule, score.unit, 'r."_at"')
    column = plan.aggregate(scan, f"sum({amount})", f'r."_rank" <= {plan.bind(rank_limit(rule), DOUBLE)}')
    return f"coalesce({column}, 0)"


def reads_entity(sql: str) -> bool:
    """Whether a condition on rows also asks for fields of the lead itself."""
    return re.search(r'(?<!\w)e\."', sql) is not None


def _bounded(plan: Plan, sql: str, cap: float) -> str:
    return f"greatest(least({sql}, {plan.bind(cap, DOUBLE)}), {plan.bind(-cap, DOUBLE)})"


def _cases(rows: Sequence[tuple[RowFilter, str]]) -> str:
    """The amount of one row under all rules, as nested CASEs.

    Most rules begin with an equality such as kind = 'visit'. One CASE on that column sends each row only to the rules
    of its own kind, which makes fifty rules cost little more than a few.
    """
    shared: dict[str, dict[str, list[str]]] = {}
    loose: list[str] = []
    for found, amount in rows:
        switch = next((m for m in map(_EQUALITY.fullmatch, found.terms) if m), None)
        if switch is None:
            loose.append(_case(found.terms, amount))
            continue
        rest = [term for term in found.terms if term != switch[0]]
        shared.setdefault(switch[1], {}).setdefault(switch[2], []).append(_case(rest, amount))
    return " + ".join([*loose, *(_switch(column, branches) for column, branches in shared.items())])


def _switch(column: str, branches: Mapping[str, Sequence[str]]) -> str:
    whens = " ".join(f"when {value} then {' + '.join(cases)}" for value, cases in branches.items())
    return f"case {column} {whens} else 0 end"


def _case(terms: Sequence[str], amount: str) -> str:
    return f"case when {' and '.join(terms)} then {amount} else 0 end" if terms else amount
