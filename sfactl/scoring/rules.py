"""Compile rule scores: all rules of all scores into one statement with one pass over each relation.

Rules without a bound of their own are added up together; a rule or group with a cap gets a column. Which reasons made
up a total is asked of `reasons`, with the same conditions and amounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sfactl.engine.conditions.compile import check
from sfactl.engine.conditions.entity import Relation
from sfactl.engine.conditions.kinds import DOUBLE
from sfactl.engine.conditions.plan import Plan, quote
from sfactl.engine.conditions.rows import RowFilter, relation_named, row_filter, time_sql
from sfactl.engine.conditions.scans import EQUALITY, ROW, Aggregate
from sfactl.engine.conditions.source import Source
from sfactl.scoring.amounts import amount_sql, reach
from sfactl.scoring.model import Rule, Score


@dataclass(slots=True, kw_only=True)
class Bucket:
    """Amounts that are added up under one bound: those of one capped rule, of one group, or all others of a score.

    ``parts`` are finished expressions over the lead; ``rows`` are amounts that each matching row gives.
    """

    parts: list[str] = field(default_factory=list)
    rows: list[Given] = field(default_factory=list)

    def sql(self, plan: Plan) -> str:
        """The sum as SQL over the joined scans."""
        parts = list(self.parts)
        together: dict[tuple[str, str | None], list[Given]] = {}
        for given in self.rows:
            together.setdefault((given.found.scan.name, _switch(given.found.terms)), []).append(given)
        for (_, switch), rows in together.items():
            parts.append(_count(plan, rows[0]) if len(rows) == 1 and rows[0].plain else _sum(plan, switch, rows))
        return " + ".join(parts) if parts else "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What each row that meets ``found`` gives: ``amount`` in units; ``plain`` if it is the same for every row."""

    found: RowFilter
    amount: str
    plain: bool
    since: datetime | None


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
    given = Given(
        found=found,
        amount=amount_sql(plan, rule, score.unit, at),
        plain=rule.decay is None,
        since=max(starts, default=None),
    )
    if rule.limit is None:
        bucket.rows.append(given)
    elif rule.limit == "daily":
        bucket.parts.append(_daily(plan, score, rule, given))
    elif rule.limit == "first" or rule.limit == 1:
        bucket.parts.append(_single(plan, score, rule, found))
    elif rule.decay is not None:
        bucket.parts.append(_ranked(plan, score, rule, found))
    else:
        bucket.parts.append(_count(plan, given, limit=rank_limit(rule)))


def _count(plan: Plan, given: Given, limit: int | None = None) -> str:
    """A fixed amount for each row, of at most ``limit`` rows."""
    wanted = Aggregate(function="count", argument="", terms=given.found.terms, type=ROW, since=given.since)
    rows = f"coalesce({plan.aggregate(given.found.scan, wanted)}, 0)"
    if limit is not None:
        rows = f"least({rows}, {plan.bind(limit, DOUBLE)})"
    return f"{rows} * {given.amount}"


def _sum(plan: Plan, switch: str | None, rows: Sequence[Given]) -> str:
    """Amounts of several rules, or amounts that differ from row to row, in one column."""
    cases = []
    for given in rows:
        rest = [term for term in given.found.terms if term != switch]
        cases.append(f"case when {' and '.join(rest)} then {given.amount} else 0 end" if rest else given.amount)
    starts = [given.since for given in rows if given.since is not None]
    wanted = Aggregate(
        function="sum",
        argument=" + ".join(cases),
        terms=(switch,) if switch else (),
        type="double",
        since=min(starts) if len(starts) == len(rows) else None,
    )
    return f"coalesce({plan.aggregate(rows[0].found.scan, wanted)}, 0)"


def _single(plan: Plan, score: Score, rule: Rule, found: RowFilter) -> str:
    """The earliest or the latest row alone; only its time is needed."""
    at = time_sql(found.relation)
    # The earliest row decides even when it has faded to nothing, so the pass is not cut short by the decay.
    wanted = Aggregate(
        function="min" if rule.limit == "first" else "max",
        argument=at,
        terms=found.terms,
        type="timestamp",
        since=found.since,
    )
    column = plan.aggregate(found.scan, wanted)
    return f"case when {column} is null then 0 else {amount_sql(plan, rule, score.unit, column)} end"


def _daily(plan: Plan, score: Score, rule: Rule, given: Given) -> str:
    """The first row of each day, in a pass that groups by day once for all such rules."""
    relation = given.found.relation
    scan = plan.scan(relation.dataset, relation.time, by_day=True)
    scan.reads_entity |= reads_entity(given.found.sql)
    wanted = Aggregate(
        function="min", argument=time_sql(relation), terms=given.found.terms, type="timestamp", since=given.since
    )
    amount = amount_sql(plan, rule, score.unit, "{}")
    return f"coalesce({plan.aggregate(scan, wanted, outer=f'case when {{}} is null then 0 else {amount} end')}, 0)"


def _switch(terms: Sequence[str]) -> str | None:
    """The term by which rows are sent to their rules: an equality, such as kind = 'visit'."""
    return next((term for term in terms if EQUALITY.fullmatch(term)), None)


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
    ranks = f'(r."_rank" <= {plan.bind(rank_limit(rule), DOUBLE)})'
    amount = amount_sql(plan, rule, score.unit, 'r."_at"')
    wanted = Aggregate(function="sum", argument=amount, terms=(ranks,), type="double")
    return f"coalesce({plan.aggregate(plan.derived(source), wanted)}, 0)"


def reads_entity(sql: str) -> bool:
    """Whether a condition on rows also asks for fields of the lead itself."""
    return re.search(r'(?<!\w)e\."', sql) is not None


def _bounded(plan: Plan, sql: str, cap: float) -> str:
    return f"greatest(least({sql}, {plan.bind(cap, DOUBLE)}), {plan.bind(-cap, DOUBLE)})"
