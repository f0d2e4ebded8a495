"""What a strategy that learns must hold to: JSON that comes out the same, and parts that add up to a chance."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from typing import Any, ClassVar

import pyarrow as pa

from sfactl.api.protocols import LearningScoring
from sfactl.testkit.offer_suite import Make, OfferSuite

COLUMNS = ["lead_id", "rule", "points", "detail"]
FEATURES = ["country", "visits", "consent"]


class LearningSuite(OfferSuite):
    """Inherit this to test a strategy that learns, on made-up leads of whom visitors from Taiwan are mostly won.

    Override `leads` where the strategy needs other data; it must keep the columns lead_id and won.
    """

    kind: ClassVar[str] = "scoring_strategy"

    def leads(self) -> pa.Table:
        """Leads with a text, a number and a yes/no, each missing now and then."""
        return sample_leads()

    def test_it_is_a_learning_strategy(self, make: Make) -> None:
        """It has the methods of `LearningScoring`."""
        assert isinstance(make(), LearningScoring)

    def test_what_it_learns_is_json_and_comes_out_the_same(self, make: Make) -> None:
        """Twice the same data and seed give the same parameters, and so do the same rows in another order."""
        table = self.leads()
        turned = table.take(pa.array(range(table.num_rows - 1, -1, -1)))
        first, second, third = (_learned(make(), one) for one in (table, table, turned))
        assert first == second == third

    def test_parts_add_up_to_a_chance(self, make: Make) -> None:
        """Each lead has rows that name their rule; their sum lies between 0 and 100."""
        table = self.leads()
        answer = make().score(table, json.loads(_learned(make(), table)))
        assert answer.column_names[:4] == COLUMNS
        assert pa.types.is_int64(answer.schema.field("lead_id").type)
        totals = _totals(answer)
        assert set(totals) == set(table.column("lead_id").to_pylist())
        assert all(0 < total < 100 for total in totals.values())
        assert all(row["rule"] and math.isfinite(row["points"]) for row in answer.to_pylist())

    def test_it_learns_something(self, make: Make) -> None:
        """On average the won leads get more than the lost ones."""
        table = self.leads()
        totals = _totals(make().score(table, json.loads(_learned(make(), table))))
        won = dict(zip(*(table.column(name).to_pylist() for name in ("lead_id", "won")), strict=True))
        means = [
            sum(total for lead, total in totals.items() if won[lead] is side) / sum(w is side for w in won.values())
            for side in (True, False)
        ]
        assert means[0] > means[1]

    def test_a_lead_is_scored_by_its_own_row(self, make: Make) -> None:
        """Alone or among others, a lead gets the same; who else is scored does not matter."""
        table = self.leads()
        parameters = json.loads(_learned(make(), table))
        together = _totals(make().score(table, parameters))
        for place in (0, 7, table.num_rows - 1):
            for lead, total in _totals(make().score(table.slice(place, 1), parameters)).items():
                assert math.isclose(total, together[lead], abs_tol=1e-9)

    def test_values_never_seen_and_none_at_all_are_no_error(self, make: Make) -> None:
        """New texts, numbers beyond all that were seen, and gaps get a chance too."""
        table = self.leads()
        parameters = json.loads(_learned(make(), table))
        odd = {"country": ["Ü雷射", None, ""], "visits": [math.inf, None, -1e308], "consent": [None, None, True]}
        types = {name: table.schema.field(name).type for name in FEATURES}
        new = pa.table(
            {"lead_id": pa.array([1, 2, 3], pa.int64())}
            | {name: pa.array(values, types[name]) for name, values in odd.items()}
        )
        assert all(0 < total < 100 for total in _totals(make().score(new, parameters)).values())

    def test_no_leads_are_no_error(self, make: Make) -> None:
        """An empty table gets an empty answer."""
        table = self.leads()
        assert make().score(table.slice(0, 0), json.loads(_learned(make(), table))).num_rows == 0


def sample_leads(leads: int = 240) -> pa.Table:
    """Made-up leads with their outcome, the same each time."""
    draw = random.Random(11)  # noqa: S311
    rows: list[Mapping[str, Any]] = []
    for lead in range(1, leads + 1):
        country = draw.choice(["TW", "JP", "DE", None])
        visits = draw.choice([None, *(float(n) for n in range(12))])
        chance = 0.15 + 0.3 * (country == "TW") + 0.04 * (visits or 0)
        consent = draw.choice([True, False, None])
        rows.append(
            {"lead_id": lead, "won": draw.random() < chance, "country": country, "visits": visits, "consent": consent}
        )
    types = [pa.int64(), pa.bool_(), pa.string(), pa.float64(), pa.bool_()]
    return pa.Table.from_pylist(rows, schema=pa.schema(list(zip(rows[0], types, strict=True))))


def _learned(strategy: Any, table: pa.Table) -> str:
    return json.dumps(strategy.train(table, FEATURES, target="won", seed=3), allow_nan=False)


def _totals(answer: pa.Table) -> dict[int, float]:
    totals: dict[int, float] = {}
    for row in answer.to_pylist():
        totals[row["lead_id"]] = totals.get(row["lead_id"], 0.0) + row["points"]
    return totals
