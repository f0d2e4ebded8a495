"""What a record matcher must hold to: pairs once, reasons that add up, the same each time, no errors on little data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import pyarrow as pa

from sfactl.testkit.offer_suite import Make, OfferSuite

GIVEN = ("ada", "bruno", "clara", "dmitri", "elena", "farid", "greta", "hugo", "irene", "jonas", "karin")
FAMILY = ("abel", "brandt", "castillo", "dorn", "eriksen", "fontana", "gruber", "hashemi", "ivanova")
PLANTED = 20
"""The first so many people are in the list a second time, without a phone and with a slip in the family name."""
PAIR_COLUMNS = ["a", "b", "probability", "weight", "reasons"]


class MatcherSuite(OfferSuite):
    """Inherit this to test a record matcher on a hundred made-up people, some of them twice."""

    kind: ClassVar[str] = "record_matcher"

    def test_planted_duplicates_are_found(self, make: Make) -> None:
        """Most of the planted pairs are surely the same, and few others are."""
        found = {(r["a"], r["b"]) for r in matched(make(), people()) if r["probability"] > 0.9}
        planted = {(i, i + 1000) for i in range(1, PLANTED + 1)}
        assert len(found & planted) >= PLANTED * 0.7
        assert len(found - planted) <= PLANTED * 0.3

    def test_reasons_add_up(self, make: Make) -> None:
        """The bits of the reasons are the weight, and the weight is the probability."""
        for row in matched(make(), people()):
            assert math.isclose(sum(r["bits"] for r in row["reasons"]), row["weight"], abs_tol=1e-6)
            assert math.isclose(row["probability"], 1 / (1 + 2 ** -row["weight"]), abs_tol=1e-6)

    def test_each_pair_comes_once(self, make: Make) -> None:
        """Pairs are of known records, the smaller number first, and none comes twice."""
        rows = people()
        pairs = [(r["a"], r["b"]) for r in matched(make(), rows)]
        known = {r["id"] for r in rows}
        assert len(pairs) == len(set(pairs))
        assert all(a < b and {a, b} <= known for a, b in pairs)

    def test_the_same_records_give_the_same_pairs(self, make: Make) -> None:
        """Neither a second run nor another order of the records changes who is the same."""
        rows = people()
        sure = [
            {(r["a"], r["b"]) for r in matched(make(), given) if r["probability"] > 0.9}
            for given in (rows, rows, rows[::-1])
        ]
        assert sure[0] == sure[1] == sure[2]

    def test_linking_stays_between_the_sources(self, make: Make) -> None:
        """With ``linked`` no pair is inside one source."""
        rows = [dict(r, source="b" if r["id"] > 1000 else "a") for r in people()]
        source = {r["id"]: r["source"] for r in rows}
        assert all(source[r["a"]] != source[r["b"]] for r in matched(make(), rows, linked=True))

    def test_little_data_is_no_error(self, make: Make) -> None:
        """No record, or one, has no pairs."""
        assert matched(make(), people()[:0]) == []
        assert matched(make(), people()[:1]) == []


def people() -> list[dict[str, Any]]:
    """Made-up people as a matcher gets them."""
    rows: list[dict[str, Any]] = []
    for i in range(1, 100):
        given, family = GIVEN[i % len(GIVEN)], FAMILY[i % len(FAMILY)]
        row = {
            "id": i, "source": "x", "given_name": given, "family_name": family,
            "email": f"{given}.{family}@mail.example", "phone": f"7912{i * 7919 % 100000:05d}",
            "birth_date": f"{1950 + i % 50}{1 + i % 12:02d}{1 + i % 28:02d}",
            "city": ("basel", "cork", "delft", "espoo")[i % 4],
        }  # fmt: skip
        rows.append(row)
        if i <= PLANTED:
            rows.append(row | {"id": i + 1000, "phone": None, "family_name": family[:-2] + family[-1] + family[-2]})
    return rows


def matched(matcher: Any, rows: Sequence[dict[str, Any]], *, linked: bool = False) -> list[dict[str, Any]]:
    """What ``matcher`` answers, checked for its columns."""
    texts = ("source", "given_name", "family_name", "email", "phone", "birth_date", "city")
    schema = pa.schema([("id", pa.int64()), *((t, pa.string()) for t in texts)])
    table = matcher.match(pa.Table.from_pylist(list(rows), schema=schema), linked=linked, seed=0)
    assert table.column_names == PAIR_COLUMNS
    answer: list[dict[str, Any]] = table.to_pylist()
    return answer
