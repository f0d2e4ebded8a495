"""Logistic regression over won and lost leads, pinned as JSON. To score, numpy is enough; to train, scikit-learn.

Additive in log-odds, so that every value's part of the chance can be told exactly; trees are left out because theirs
cannot be told by the lead's own row alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sfactl.api.context import PluginContext
from sfactl.api.errors import ConfigError
from sfactl.api.odds import Contribution, reasons
from sfactl_scoring_learned import calibration
from sfactl_scoring_learned.encoding import Encoded, contribution, encode, weighted
from sfactl_scoring_learned.settings import LearnedSettings

FORMAT = 1
FOLDS = 5
NEWTON_WORK = 2e8
"""Leads times columns squared up to which Newton's method is the faster one; it is the more exact one anyway."""


class LearnedStrategy:
    """Calibrated, regularised logistic regression."""

    def __init__(self, settings: LearnedSettings, context: PluginContext) -> None:  # noqa: ARG002
        """Only settings matter."""
        self._settings = settings

    def train(self, table: pa.Table, features: Sequence[str], *, target: str, seed: int) -> Mapping[str, Any]:
        """Fit the regression to all leads, and its calibration to leads left out in turn."""
        won = table.column(target).to_numpy(zero_copy_only=False).astype(bool)
        # The order of rows must not decide the last digits of a sum.
        order = (
            np.argsort(table.column("lead_id").to_numpy(), kind="stable") if "lead_id" in table.column_names else None
        )
        if order is not None:
            table, won = table.take(pa.array(order)), won[order]
        encoded = [encode(name, table.column(name), self._settings) for name in features]
        matrix = _matrix(encoded, len(won))
        weights, intercept = self._fit(matrix, won)
        plans, base, start = [], intercept, 0
        for one in encoded:
            width = one.columns.shape[1]
            plan, mean = weighted(one, weights[start : start + width])
            start += width
            base += mean
            plans.append(plan)
        return {
            "format": FORMAT,
            "leads": len(won),
            "won": int(won.sum()),
            "intercept": intercept,
            "base": base,
            "features": plans,
            "calibration": self._calibration(matrix, won, seed),
        }

    def score(self, table: pa.Table, parameters: Mapping[str, Any]) -> pa.Table:
        """The average lead, what each value adds, and what the calibration changes."""
        if parameters.get("format") != FORMAT:
            raise ConfigError(f"the model has format {parameters.get('format')!r}, this plugin reads {FORMAT}")
        plan = parameters["calibration"]
        scale, shift = calibration.scale_of(plan)
        base = parameters["base"] * scale + shift
        parts = [contribution(one, table.column(one["name"]), scale) for one in parameters["features"]]
        total = np.full(table.num_rows, base)
        for part in parts:
            total = total + part.values
        changed = calibration.correction(plan, total)
        if changed is not None:
            detail = pa.repeat(pa.scalar("as often as leads of that chance were won"), table.num_rows)
            parts.append(Contribution(rule="calibration", values=changed, details=detail))
        won, leads = parameters["won"], parameters["leads"]
        return reasons(table.column("lead_id"), base, f"average lead; {won:,} of {leads:,} were won", parts)

    def _fit(self, matrix: Any, won: Any) -> tuple[Any, float]:
        from sklearn.linear_model import LogisticRegression

        if not matrix.shape[1]:
            return np.zeros(0), float(np.log(won.sum() / np.sum(~won)))
        penalty = self._settings.regularisation
        small = matrix.shape[0] * matrix.shape[1] ** 2 <= NEWTON_WORK
        solver, tolerance = ("newton-cholesky", 1e-9) if small else ("lbfgs", 1e-5)
        model = LogisticRegression(C=1 / penalty if penalty else np.inf, tol=tolerance, max_iter=1000, solver=solver)
        with warnings.catch_warnings():
            # Without a penalty, leads that can be told apart perfectly have no finite best fit; the last one does.
            warnings.simplefilter("ignore")
            model.fit(matrix.toarray() if small else matrix, won)
        return model.coef_[0], float(model.intercept_[0])

    def _calibration(self, matrix: Any, won: Any, seed: int) -> dict[str, Any]:
        from sklearn.model_selection import StratifiedKFold

        way = calibration.chosen(self._settings.calibration, won)
        if way == "none":
            return calibration.fitted(way, None, None)
        found = np.zeros(len(won))
        folds = StratifiedKFold(n_splits=FOLDS, shuffle=True, random_state=seed % 2**32)
        for fit, left in folds.split(np.zeros(len(won)), won):
            weights, intercept = self._fit(matrix[fit], won[fit])
            found[left] = matrix[left] @ weights + intercept
        return calibration.fitted(way, found, won)


def _matrix(encoded: Sequence[Encoded], leads: int) -> Any:
    from scipy import sparse

    if not any(one.columns.shape[1] for one in encoded):
        return sparse.csr_array((leads, 0))
    return sparse.hstack([sparse.csr_array(one.columns) for one in encoded]).tocsr()
