"""Correct log-odds so that of leads with a chance of 30 % about 30 % are won.

Learned from leads that the regression was not fitted to (folds). Platt's way is a line through the log-odds (Platt,
"Probabilistic Outputs for Support Vector Machines", 1999). The isotonic way is a rising line through the centres of the
steps of an isotonic regression (Oron and Flournoy, Statistics in Biopharmaceutical Research 9, 2017), so that two leads
never become equal that were not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

FEWEST, MANY = 25, 500


def chosen(asked: str, won: Any) -> str:
    """Which way to take for so many leads."""
    fewest = int(min(won.sum(), len(won) - won.sum()))
    if asked == "none" or fewest < FEWEST:
        return "none"
    if asked != "auto":
        return asked
    return "isotonic" if fewest >= MANY else "platt"


def fitted(way: str, log_odds: Any, won: Any) -> dict[str, Any]:
    """The correction as a JSON object."""
    if way == "platt":
        return _platt(log_odds, won)
    if way == "isotonic":
        return _isotonic(log_odds, won)
    return {"way": "none"}


def scale_of(plan: Mapping[str, Any]) -> tuple[float, float]:
    """By what log-odds are multiplied, and what is added then."""
    return (plan["slope"], plan["shift"]) if plan["way"] == "platt" else (1.0, 0.0)


def correction(plan: Mapping[str, Any], log_odds: Any) -> Any | None:
    """What is added to each lead's log-odds; None where nothing is."""
    if plan["way"] != "isotonic":
        return None
    found = np.interp(log_odds, plan["at"], plan["chance"])
    return np.log(found / (1 - found)) - log_odds


def _platt(log_odds: Any, won: Any) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(log_odds[:, None], won)
    slope = float(model.coef_[0, 0])
    if slope <= 0:
        # On other leads the ranking is no better than chance: the average is all that can be told.
        return {"way": "platt", "slope": 1e-6, "shift": float(np.log(won.mean() / (1 - won.mean())))}
    return {"way": "platt", "slope": slope, "shift": float(model.intercept_[0])}


def _isotonic(log_odds: Any, won: Any) -> dict[str, Any]:
    from sklearn.isotonic import IsotonicRegression

    steps = IsotonicRegression().fit_transform(log_odds, won.astype(float))
    _, place = np.unique(steps, return_inverse=True)
    leads = np.bincount(place)
    centres = np.bincount(place, weights=log_odds) / leads
    wins = np.bincount(place, weights=won)
    chances = np.maximum.accumulate((wins + won.mean()) / (leads + 1))
    # Beyond the outer centres the chance goes half of what is left to nothing and to certainty.
    at = np.concatenate([[log_odds.min()], centres, [log_odds.max()]])
    full = np.concatenate([[chances[0] / 2], chances, [(1 + chances[-1]) / 2]])
    rising = np.concatenate([[True], np.diff(at) > 0])
    return {"way": "isotonic", "at": at[rising].tolist(), "chance": full[rising].tolist()}
