"""The amount one row gives under a rule, as SQL over rows ``r``, in the score's smallest units (always whole numbers).

Whole units make sums exact in any order: the set-based run, the explanation and every engine agree to the last digit.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from sfactl.engine.conditions.kinds import DOUBLE
from sfactl.engine.conditions.plan import Plan
from sfactl.scoring.model import Decay, Rule

DAY_S = 86_400.0


def full_sql(plan: Plan, rule: Rule, unit: int) -> str:
    """The units that a row gives before it fades."""
    return plan.bind(float(rule.points * unit), DOUBLE)


def amount_sql(plan: Plan, rule: Rule, unit: int, at: str, full: str | None = None) -> str:
    """The units that a row at ``at`` gives: the points, faded by its age in whole seconds, rounded half away from 0.

    ``full`` may stand for the points themselves.
    """
    full = full or full_sql(plan, rule, unit)
    if rule.decay is None:
        return full
    now = plan.bind(float(math.floor(plan.settings.now.replace(tzinfo=UTC).timestamp())), DOUBLE)
    span = plan.bind(rule.decay.days * DAY_S, DOUBLE)
    age = f"({now} - floor(epoch({at}))) / {span}"
    if rule.decay.half_life:
        return f"round({full} * power(0.5, {age}))"
    return f"round({full} * greatest(0, 1 - {age}))"


def reach(rule: Rule, unit: int, now: datetime) -> datetime | None:
    """Rows before this moment round to nothing under the rule's decay, so they need not be read; None: all count."""
    if rule.decay is None:
        return None
    days = _days_to_nothing(rule.decay, float(abs(rule.points)) * unit)
    # A day more than enough, so that no rounding of the logarithm can matter.
    return now - timedelta(days=min(math.ceil(days) + 1, 300_000))


def _days_to_nothing(decay: Decay, units: float) -> float:
    if decay.half_life:
        # In steps of six half-lives, so that rules of like points reach equally far and can share their work.
        return decay.days * 6 * math.ceil(max(0.0, math.log2(units * 2)) / 6)
    return decay.days
