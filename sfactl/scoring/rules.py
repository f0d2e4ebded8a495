"""Compile rule scores: all rules of all scores into one statement with one pass over each relation.

Rules without a bound of their own are added up together; a rule or group with a cap gets a column. Which reasons made
up a total is asked of `reasons`, with the same conditions and amounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from sfactl.engine.conditions.compile import check
from sfactl.engine.conditions.entity import Relation
from sfactl.engine.conditions.kinds import DOUBLE, TIME
from sfactl.engine.conditions.plan import Plan, quote
from sfactl.engine.conditions.rows import RowFilter, relation_named, row_filter, time_sql
from sfactl.engine.conditions.scans import EQUALITY, ROW, Aggregate, Fold, Scan
from sfactl.engine.conditions.source import Source
from sfactl.scoring.amounts import amount_sql, full_sql, reach
from sfactl.scoring.model import Rule, Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A finished amount as SQL over the lead and its scans.

    Where all that it reads comes from rows of ``scan`` that meet one term ``switch``, it can be added up there.
    """

    sql: str
    scan: Scan | None = None
    switch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What each row that meets ``found`` gives under ``rule``: ``amount`` in units, of rows not before ``since``."""

    rule: Rule
    found: RowFilter
    amount: str
    since: datetime | None


@dataclass(slots=True, kw_only=True)
class Bucket:
    """Amounts that are added up under one bound: those of one capped rule, of one group, or all others of a score."""

    parts: list[Part] = field(default_factory=list)
    rows: list[Given] = field(default_factory=list)

    def finished(self, plan: Plan, unit: int) -> list[Part]:
        """All amounts, those that rows give added up in as few columns as possible."""
        together: dict[tuple[str, str | None], list[Given]] = {}
        for given in self.rows:
            together.setdefault((given.found.scan.name, _switch(given.found.terms)), []).append(given)
        sums = [
            _count(plan, rows[0]) if len(rows) == 1 and rows[0].rule.decay is None else _sum(plan, unit, switch, rows)
            for (_, switch), rows in together.items()
        ]
        return [*self.parts, *sums]

    def sql(self, plan: Plan, unit: int) -> str:
        """The sum as SQL over the joined scans."""
        parts = self.finished(plan, unit)
        texts = [part.sql for part in parts if part.scan is None or part.switch is None]
        folds: dict[str, tuple[Scan, list[Fold]]] = {}
        for part in parts:
            if part.scan is not None and part.switch is not None:
                fold = Fold(switch=part.switch, sql=part.sql)
                folds.setdefault(part.scan.name, (part.scan, []))[1].append(fold)
        texts += [f"coalesce({plan.fold(scan, several)}, 0)" for scan, several in folds.values()]
        return " + ".join(texts) if texts else "0"

    def bounded(self, plan: Plan, unit: int, cap: float) -> Part:
        """The sum, not above ``cap`` and not below minus ``cap``."""
        parts = self.finished(plan, unit)
        if len(parts) == 1:
            return replace(parts[0], sql=_bounded(plan, parts[0].sql, cap))
        return Part(sql=_bounded(plan, self.sql(plan, unit), cap))


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
            target.parts.append(Part(sql=_once(plan, score, rule)))
        elif rule.cap is None:
            _add(plan, score, rule, target)
        else:
            own = Bucket()
            _add(plan, score, rule, own)
            target.parts.append(own.bounded(plan, score.unit, float(rule.cap * score.unit)))
    for name, bucket in groups.items():
        loose.parts.append(bucket.bounded(plan, score.unit, float(score.groups[name].cap * score.unit)))
    total = f"({loose.sql(plan, score.unit)})"
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
    since = max(starts, default=None)
    given = Given(rule=rule, found=found, amount=amount_sql(plan, rule, score.unit, at), since=since)
    if rule.limit is None:
        bucket.rows.append(given)
    elif rule.limit == "daily":
        bucket.parts.append(_daily(plan, score, given))
    elif rule.limit == "first" or rule.limit == 1:
        bucket.parts.append(_single(plan, score, rule, found))
    elif rule.decay is not None:
        bucket.parts.append(Part(sql=_ranked(plan, score, rule, found)))
    else:
        bucket.parts.append(_count(plan, given, limit=rank_limit(rule)))


def _part(found: RowFilter, sql: str) -> Part:
    return Part(sql=sql, scan=found.scan, switch=_switch(found.terms))


def _count(plan: Plan, given: Given, limit: int | None = None) -> Part:
    """A fixed amount for each row, of at most ``limit`` rows."""
    wanted = Aggregate(function="count", argument="", terms=given.found.terms, type=ROW, since=given.since)
    rows = f"coalesce({plan.aggregate(given.found.scan, wanted)}, 0)"
    if limit is not None:
        rows = f"least({rows}, {plan.bind(limit, DOUBLE)})"
    return _part(given.found, f"{rows} * {given.amount}")


def _sum(plan: Plan, unit: int, switch: str | None, rows: Sequence[Given]) -> Part:
    """Amounts of several rules, or amounts that differ from row to row, in one column."""
    starts = [given.since for given in rows if given.since is not None]
    since = min(starts) if len(starts) == len(rows) else None
    first = rows[0]
    if len(rows) == 1:
        terms = first.found.terms
        if since is not None and since != first.found.since:
            # What has faded to nothing need not be computed.
            terms = (*terms, f"({time_sql(first.found.relation)} >= {plan.bind(since, TIME)})")
        amount = amount_sql(plan, first.rule, unit, time_sql(first.found.relation), full="{factor}")
        wanted = Aggregate(
            function="sum",
            argument=amount,
            terms=terms,
            type="double",
            since=since,
            factor=full_sql(plan, first.rule, unit),
        )
    else:
        cases = [_case([term for term in given.found.terms if term != switch], given.amount) for given in rows]
        terms = (switch,) if switch else ()
        wanted = Aggregate(function="sum", argument=" + ".join(cases), terms=terms, type="double", since=since)
    return _part(first.found, f"coalesce({plan.aggregate(first.found.scan, wanted)}, 0)")


def _case(terms: Sequence[str], amount: str) -> str:
    return f"case when {' and '.join(terms)} then {amount} else 0 end" if terms else amount


def _single(plan: Plan, score: Score, rule: Rule, found: RowFilter) -> Part:
    """The earliest or the latest row alone; only its time is needed."""
    # The earliest row decides even when it has faded to nothing, so the pass is not cut short by the decay.
    wanted = Aggregate(
        function="min" if rule.limit == "first" else "max",
        argument=time_sql(found.relation),
        terms=found.terms,
        type="timestamp",
        since=found.since,
    )
    column = plan.aggregate(found.scan, wanted)
    amount = amount_sql(plan, rule, score.unit, column)
    return _part(found, f"case when {column} is null then 0 else {amount} end")


DAYS_A_WORD = 62
MOST_WORDS = 3
"""A window of so many days at most is counted in bits: one pass with the other rules instead of one by lead and day."""


def _daily(plan: Plan, score: Score, given: Given) -> Part:
    """The first row of each day: its days are bits in a few words, or where that cannot be, days are grouped first."""
    relation = given.found.relation
    if given.rule.decay is None and given.since is not None:
        first = given.since.replace(hour=0, minute=0, second=0, microsecond=0)
        words = (plan.settings.now - first).days // DAYS_A_WORD + 1
        if 0 < words <= MOST_WORDS:
            starts = [first + timedelta(days=n * DAYS_A_WORD) for n in range(words + 1)]
            bits = " + ".join(_days(plan, given, *span) for span in pairwise(starts))
            return _part(given.found, f"({bits}) * {given.amount}")
    scan = plan.scan(relation.dataset, relation.time, by_day=True)
    scan.reads_entity |= reads_entity(given.found.sql)
    wanted = Aggregate(
        function="min", argument=time_sql(relation), terms=given.found.terms, type="timestamp", since=given.since
    )
    if given.rule.decay is None:
        return Part(sql=f"coalesce({plan.aggregate(scan, wanted, outer='count({})')}, 0) * {given.amount}")
    amount = amount_sql(plan, given.rule, score.unit, "{}")
    return Part(sql=f"coalesce({plan.aggregate(scan, wanted, outer=f'sum({amount})')}, 0)")


def _days(plan: Plan, given: Given, start: datetime, end: datetime) -> str:
    """How many days from ``start`` to before ``end`` have a row: each is a bit of one word."""
    at = time_sql(given.found.relation)
    first, last = plan.bind(start, TIME), plan.bind(end, TIME)
    # The engine may shift for rows that the terms leave out, too.
    day = f"greatest(least(date_diff('day', cast({first} as date), cast({at} as date)), {DAYS_A_WORD - 1}), 0)"
    wanted = Aggregate(
        function="bit_or",
        argument=f"cast(1 as bigint) << {day}",
        terms=(*given.found.terms, f"({at} >= {first})", f"({at} < {last})"),
        type="bigint",
        since=given.since,
    )
    return f"cast(bit_count(coalesce({plan.aggregate(given.found.scan, wanted)}, 0)) as integer)"


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
