"""The BG/NBD model: how likely a customer who has bought still buys.

Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model, Marketing
Science 24(2):275–284; the likelihood is their equation 6. A customer is (x, t_x, T): days with an order after the
first, weeks from the first order to the last, weeks from the first order to now. Equal customers are counted once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, np.dtype[np.float64]]

WEEK = 7.0
NAMES = ("r", "alpha", "a", "b")
STARTS = ((1.0, 1.0, 1.0, 1.0), (0.25, 4.0, 0.8, 2.5), (3.0, 20.0, 0.1, 1.0))
"""Where the search begins; the likelihood has been seen to have more than one top."""
REACH = 11.0
"""The search stays within e^±11; a maximum at that edge is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Maximum-likelihood estimates; None for all four where the likelihood has no maximum inside."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float


def fit(x: Numbers, last: Numbers, age: Numbers, customers: Numbers) -> Estimates | None:
    """The parameters under which (x, t_x, T), each seen so many times, are likeliest; None where there are none.

    Deterministic: fixed starts, analytic gradient, no random numbers.
    """
    import numpy as np
    from scipy.optimize import minimize

    # The rate is searched in the data's own scale, so that daily and yearly buyers are equally easy.
    scale = float(np.average(age, weights=customers)) or 1.0
    total = float(customers.sum())

    def cost(logs: Numbers) -> tuple[float, Numbers]:
        value, slopes = log_likelihood(np.exp(logs), x, last / scale, age / scale, customers)
        return -value / total, -slopes * np.exp(logs) / total

    best = None
    for start in STARTS:
        begin = np.log(np.asarray(start) / np.asarray([1, 10, 1, 1]))
        found = minimize(
            cost,
            begin,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-REACH, REACH)] * 4,
            options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 500},
        )
        if np.isfinite(found.fun) and (best is None or found.fun < best.fun - 1e-12):
            best = found
    if best is None or np.abs(best.x).max() > REACH - 0.01:
        return None
    r, alpha, a, b = (float(value) for value in np.exp(best.x))
    weeks = float((x * customers).sum())
    # A density in scaled time is one in weeks times scale for each repeated order.
    likelihood = -float(best.fun) * total - weeks * float(np.log(scale))
    return Estimates(r=r, alpha=alpha * scale, a=a, b=b, log_likelihood=likelihood)


def log_likelihood(
    parameters: Numbers, x: Numbers, last: Numbers, age: Numbers, customers: Numbers
) -> tuple[float, Numbers]:
    """The log-likelihood of the data and its slopes by r, alpha, a and b."""
    import numpy as np
    from scipy.special import betaln, digamma, gammaln

    r, alpha, a, b = parameters
    counts, place = np.unique(x, return_inverse=True)
    again = counts > 0
    less = np.where(again, b + counts - 1, 1.0)
    by_count = gammaln(r + counts) - gammaln(r) + r * np.log(alpha) + betaln(a, b + counts) - betaln(a, b)
    # B(a+1, b+x-1) / B(a, b+x) = a / (b+x-1): the term of those who have left, against that of those who have not.
    gone = np.where(again, np.log(a) - np.log(less), -np.inf)[place]
    lead_age, lead_last = np.log(alpha + age), np.log(alpha + last)
    odds = gone + (r + x) * (lead_age - lead_last)
    value = by_count[place] - (r + x) * lead_age + np.logaddexp(0.0, odds)
    left = np.exp(-np.logaddexp(0.0, -odds))
    by_a = digamma(a + b) - digamma(a + b + counts)
    by_b = digamma(b + counts) - digamma(b) + by_a
    slopes = (
        (digamma(r + counts) - digamma(r) + np.log(alpha))[place] - lead_age + left * (lead_age - lead_last),
        r / alpha - (r + x) / (alpha + age) + left * (r + x) * (1 / (alpha + age) - 1 / (alpha + last)),
        by_a[place] + left * np.where(x > 0, 1 / a, 0.0),
        by_b[place] - left * np.where(again, 1 / less, 0.0)[place],
    )
    return float((customers * value).sum()), np.asarray([float((customers * slope).sum()) for slope in slopes])


def p_alive(x: str, last_days: str, age_days: str) -> str:
    """SQL: the chance that a customer still buys, with ``$r``, ``$alpha``, ``$a`` and ``$b`` bound.

    1 / (1 + [x > 0] a / (b + x − 1) ((α + T) / (α + t_x))^(r + x)). Of those who bought once the model says 1.
    """
    growth = f"($r + {x}) * ln(($alpha + {age_days} / {WEEK}) / ($alpha + {last_days} / {WEEK}))"
    # Beyond e^700 the engine has no number; the chance is 0 long before.
    odds = f"$a / ($b + {x} - 1) * exp(least({growth}, 700.0))"
    return f"(1.0 / (1.0 + case when {x} > 0 then {odds} else 0.0 end))"
