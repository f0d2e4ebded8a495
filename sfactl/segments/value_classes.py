"""Name the classes of recency, frequency and a third axis. Pure: a ranking goes in, SQL comes out.

The shipped names go by recency and frequency in fifths, a grid that covers every combination exactly once. With another
number of classes the fifth is class × 5 / classes, rounded up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sfactl.api.rfm import Ranking, ranked_customers
from sfactl.segments.layers import OTHER, ClassRule

FIFTHS = 5
SHIPPED = (
    ClassRule(name="champion", recency=(5, 5), frequency=(4, 5)),
    ClassRule(name="loyal", recency=(3, 4), frequency=(4, 5)),
    ClassRule(name="potential-loyalist", recency=(4, 5), frequency=(2, 3)),
    ClassRule(name="new", recency=(5, 5), frequency=(1, 1)),
    ClassRule(name="promising", recency=(4, 4), frequency=(1, 1)),
    ClassRule(name="needs-attention", recency=(3, 3), frequency=(3, 3)),
    ClassRule(name="about-to-sleep", recency=(3, 3), frequency=(1, 2)),
    ClassRule(name="cant-lose", recency=(1, 2), frequency=(5, 5)),
    ClassRule(name="at-risk", recency=(1, 2), frequency=(3, 4)),
    ClassRule(name="hibernating", recency=(1, 2), frequency=(1, 2)),
)
COLUMNS: Mapping[str, str] = {"recency": "r", "frequency": "f", "third": "m"}


def class_names(rules: Sequence[ClassRule]) -> tuple[str, ...]:
    """The names of all classes, the best first as declared."""
    return (*(rule.name for rule in rules), OTHER) if rules else tuple(rule.name for rule in SHIPPED)


def classed(ranking: Ranking, rules: Sequence[ClassRule]) -> tuple[str, dict[str, object]]:
    """SELECT of every customer with figures, classes and the class's name, and its parameters beside ``$now``."""
    ranked = ranked_customers(ranking)
    params: dict[str, object] = dict(ranked.params)
    whens = " ".join(f"when {_test(rule, ranking, rules)} then $class{n}" for n, rule in enumerate(rules or SHIPPED))
    params |= {f"class{n}": rule.name for n, rule in enumerate(rules or SHIPPED)}
    params["other"] = OTHER
    sql = (
        f"select lead_id, last_at, days, orders, amount, currency, cast(r as bigint) as recency,"
        f" cast(f as bigint) as frequency, cast(m as bigint) as third, {_code(ranking)} as code,"
        f" case {whens} else $other end as class, cast(amount as double) as value"
        f" from ({ranked.sql}) as ranked_customers"
    )
    return sql, params


def _test(rule: ClassRule, ranking: Ranking, declared: Sequence[ClassRule]) -> str:
    tests = []
    for axis, column in COLUMNS.items():
        ends = getattr(rule, axis)
        if ends:
            value = column if declared else f"ceil({column} * {FIFTHS} / cast({ranking.classes(axis)} as double))"
            tests.append(f"{value} between {int(ends[0])} and {int(ends[1])}")
    return " and ".join(tests) or "true"


def _code(ranking: Ranking) -> str:
    """Letters where there are some, else the numbers of the classes."""
    between = "" if all(ranking.classes(axis) <= 9 for axis in COLUMNS) else " || '-'"
    digits = f"{between} || ".join(
        f"coalesce(cast(cast({column} as bigint) as varchar), '–')" for column in COLUMNS.values()
    )
    return f"case when code <> '' then code else {digits} end"


def rule_text(rule: ClassRule) -> str:
    """The class in words: ``recency 4–5 and frequency 5``."""
    parts = []
    for axis in COLUMNS:
        ends = getattr(rule, axis)
        if ends:
            parts.append(f"{axis} {ends[0]}" + (f"–{ends[1]}" if ends[1] > ends[0] else ""))
    return " and ".join(parts) or "everybody"


def method_text(ranking: Ranking) -> str:
    """How classes are found, in words."""
    ways = {
        "rank": "1 + floor(classes × customers below / customers), equals together",
        "edges": "borders at the interpolated quantiles, equals together",
        "ntile": "classes of equal size, equals cut by number",
    }
    said = [f"{axis} {_borders(ranking, axis)}" for axis in COLUMNS if getattr(ranking.cuts, axis)]
    if len(said) < len(COLUMNS):
        said.insert(0, f"{ranking.quantiles} classes by {ranking.method} ({ways[ranking.method]})")
    return "; ".join(said)


def _borders(ranking: Ranking, axis: str) -> str:
    return "cut at " + ", ".join(f"{border:g}" for border in getattr(ranking.cuts, axis))
