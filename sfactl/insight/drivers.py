"""Whether a trait goes with an outcome: lift with its interval, a test, and a correction for having asked many times.

Pure. It compares leads that have a trait with all others; it never says that the trait is the cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any

from sfactl.insight.share import Z95

LEAST_EXPECTED = 5
"""Below this expected count in a cell the chi-squared approximation is not to be trusted (Cochran 1954)."""

PRIVATE = (
    *("lead_id", "email", "phone", "full_name", "first_name", "last_name", "company", "company_key", "street"),
    *("postal_code", "tax_id", "website", "external_id", "id_namespace", "row_key", "referrer", "referrer_id"),
    *("note", "background"),
)
"""Columns that name one person or company, or are free text."""

AFTERWARDS = (
    "status",
    "disqualified_reason",
    "converted_at",
    "account_id",
    "contact_id",
    "opportunity_id",
    "owner",
    "created_at",
    "updated_at",
)
"""Columns that are written because of what became of the lead: they would explain the outcome by itself."""

PRESENT = ("email", "phone", "company", "website", "referrer")
"""Columns of which only whether they are filled is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """Leads with a trait and how many of them came to the outcome; ``others`` are all leads without it."""

    field: str
    level: str
    leads: int
    hits: int
    others: int
    other_hits: int

    @property
    def expected(self) -> float:
        """The least of the four counts that would be expected if the trait made no difference."""
        total, hits = self.leads + self.others, self.hits + self.other_hits
        return min(self.leads, self.others) * min(hits, total - hits) / total if total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """The rate with the trait ÷ the rate without it, with its interval at 95 %; None where nobody else came to it."""

    value: float | None
    low: float | None
    high: float | None


def lift(trait: Trait) -> Lift:
    """The risk ratio and its interval on the log scale.

    Katz, D. et al. (1978), Obtaining confidence intervals for the risk ratio in cohort studies, Biometrics 34(3),
    469-474. Where a count is nought, half a lead is added to each (Walter, S. D. (1975), Biometrika 62(2), 371-374).
    """
    if not trait.leads or not trait.others:
        return Lift(value=None, low=None, high=None)
    half = 0.5 if not trait.hits or not trait.other_hits else 0.0
    a, n, b, m = trait.hits + half, trait.leads + half, trait.other_hits + half, trait.others + half
    if not trait.hits and not trait.other_hits:
        return Lift(value=None, low=None, high=None)
    centre = log(a / n) - log(b / m)
    spread = Z95 * sqrt(max(0.0, 1 / a - 1 / n + 1 / b - 1 / m))
    value = (trait.hits / trait.leads) / (trait.other_hits / trait.others) if trait.other_hits else None
    return Lift(value=value, low=exp(centre - spread), high=exp(centre + spread))


def p_values(traits: Sequence[Trait]) -> list[float]:
    """How likely a difference at least as large is by chance: Pearson's chi-squared, Fisher's exact test for few."""
    from scipy.stats import chi2_contingency, fisher_exact

    found = []
    for t in traits:
        table = [[t.hits, t.leads - t.hits], [t.other_hits, t.others - t.other_hits]]
        if not t.expected:
            found.append(1.0)
        elif t.expected >= LEAST_EXPECTED:
            found.append(float(chi2_contingency(table, correction=False).pvalue))
        else:
            found.append(float(fisher_exact(table).pvalue))
    return found


def corrected(p: Sequence[float]) -> list[float]:
    """The share of false alarms if everything up to this p were believed.

    Benjamini, Y., Hochberg, Y. (1995), Controlling the false discovery rate, JRSS B 57(1), 289-300.
    """
    from scipy.stats import false_discovery_control

    return [float(q) for q in false_discovery_control(p)] if p else []


def judged(traits: Iterable[Trait]) -> list[dict[str, Any]]:
    """One row a trait, the surest first."""
    tested = list(traits)
    rows: list[dict[str, Any]] = []
    p = p_values(tested)
    for trait, chance, false_share in zip(tested, p, corrected(p), strict=True):
        found = lift(trait)
        rows.append(
            {
                "trait": f"{trait.field}={trait.level}",
                "leads": trait.leads,
                "hits": trait.hits,
                "other_rate": trait.other_hits / trait.others if trait.others else None,
                "lift": found.value,
                "lift_low": found.low,
                "lift_high": found.high,
                "p": chance,
                "q": false_share,
            }
        )
    rows.sort(key=lambda r: (r["q"], r["p"], -r["leads"], r["trait"]))
    return rows


def columns_of(types: Mapping[str, str]) -> dict[str, str]:
    """The columns of a lead that may be a driver, with how each is read: text, number or filled."""
    found: dict[str, str] = {}
    for name, kind in types.items():
        if name in PRESENT:
            found[name] = "filled"
        elif name in PRIVATE or name in AFTERWARDS:
            continue
        elif kind in ("varchar", "boolean"):
            found[name] = "text"
        elif kind in ("bigint", "integer", "double") or kind.startswith("decimal"):
            found[name] = "number"
    return found
