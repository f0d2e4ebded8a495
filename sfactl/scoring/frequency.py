"""The strategy ``frequency``: naive Bayes over how often each value was won and lost.

It is what Odoo calls predictive lead scoring (addons/crm/models/crm_lead.py, `_pls_get_naive_bayes_probabilities`):

    P(won | values) = S_won / (S_won + S_lost)
    S_won = P(won) × Π P(value | won)          and the same for lost
    P(value | won) = (n_won(value) + 0.1) / Σ over values v of the field (n_won(v) + 0.1)
    P(won) = (n_won + 0.1) / (n_won + n_lost + 0.2)

Values that a lead lacks, or that were never seen, are left out. Unlike there, counts are taken from one snapshot each
time (they cannot go stale), the stage is not a feature (it is the outcome in the making), and numbers are cut into
classes of about equally many leads. Multiplying is adding in log-odds, so that each value's part can be told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfactl.api.classes import coded, edges_of
from sfactl.api.context import PluginContext
from sfactl.api.errors import ConfigError
from sfactl.api.odds import Contribution, log_odds, reasons

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencySettings:
    """``smoothing`` is added to every count, ``classes`` is into how many classes numbers are cut.

    Values that fewer than ``rare`` leads have are left out; 1 counts every value, as the textbook does.
    """

    smoothing: float = 0.1
    classes: int = 10
    rare: int = 1

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.smoothing <= 0:
            raise ValueError("smoothing must be greater than 0")
        if not 2 <= self.classes <= 100:
            raise ValueError("classes must be 2 to 100")
        if self.rare < 1:
            raise ValueError("rare must be 1 or more")


class FrequencyStrategy:
    """Naive Bayes over the frequencies of values."""

    def __init__(self, settings: FrequencySettings, context: PluginContext) -> None:  # noqa: ARG002
        """Only settings matter."""
        self._settings = settings

    def train(self, table: pa.Table, features: Sequence[str], *, target: str, seed: int) -> Mapping[str, Any]:  # noqa: ARG002
        """Count. Nothing is drawn at random."""
        import numpy as np

        won = table.column(target).to_numpy(zero_copy_only=False).astype(bool)
        return {
            "format": FORMAT,
            "won": int(won.sum()),
            "lost": int(np.sum(~won)),
            "smoothing": self._settings.smoothing,
            "features": [self._counted(name, table.column(name), won) for name in features],
        }

    def score(self, table: pa.Table, parameters: Mapping[str, Any]) -> pa.Table:
        """The base rate and one row for each value that was seen in training."""
        if parameters.get("format") != FORMAT:
            raise ConfigError(f"the model has format {parameters.get('format')!r}, this program reads {FORMAT}")
        extra = parameters["smoothing"]
        won, lost = parameters["won"], parameters["lost"]
        base = log_odds((won + extra) / (won + lost + 2 * extra))
        parts = [_contribution(feature, table.column(feature["name"]), extra) for feature in parameters["features"]]
        return reasons(table.column("lead_id"), base, f"{won:,} of {won + lost:,} were won", parts)

    def _counted(self, name: str, column: pa.ChunkedArray, won: Any) -> dict[str, Any]:
        import numpy as np

        edges = edges_of(column, self._settings.classes)
        codes, labels = coded(column, edges)
        known = codes >= 0
        of_won = np.bincount(codes[known & won], minlength=len(labels))
        of_lost = np.bincount(codes[known & ~won], minlength=len(labels))
        values = {
            label: [int(w), int(n)]
            for label, w, n in zip(labels, of_won, of_lost, strict=True)
            if w + n >= self._settings.rare
        }
        return {"name": name, "edges": edges, "values": dict(sorted(values.items()))}


def _contribution(feature: Mapping[str, Any], column: pa.ChunkedArray, extra: float) -> Contribution:
    import numpy as np
    import pyarrow as pa

    values = feature["values"]
    won_total = sum(won + extra for won, _ in values.values())
    lost_total = sum(lost + extra for _, lost in values.values())
    codes, labels = coded(column, feature["edges"])
    odds, details = [0.0], [""]
    for label in labels:
        won, lost = values.get(label, (0, 0))
        seen = label in values
        odds.append(float(np.log((won + extra) / won_total) - np.log((lost + extra) / lost_total)) if seen else 0.0)
        details.append(f"{label}: {won:,} of {won + lost:,} won" if seen else "")
    known = np.array([False, *(label in values for label in labels)])
    places = codes + 1
    return Contribution(
        rule=feature["name"],
        values=np.array(odds)[places],
        details=pa.array(details, pa.string()).take(pa.array(places)),
        given=known[places],
    )
