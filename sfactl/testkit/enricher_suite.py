"""What an enricher must hold to: facts about the leads asked, each once, the same each time, no errors on odd data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from sfactl.api.offers import EnricherOffer
from sfactl.host import Host
from sfactl.leads.enriching import answer_problem, normal_answer
from sfactl.testkit.offer_suite import Make, OfferSuite

ODD = ("", " ", "\u0000", "'; drop table leads; --", "=1+1", "王" * 500, "\u202eabc", "%", "x@y@z", "-1")
"""Values as leads really have them."""
Fact = tuple[int, str, str | None]


class EnricherSuite(OfferSuite):
    """Inherit this to test an enricher on made-up leads.

    Set ``known`` to the fields of one lead that the provider knows something about, by the names of the offer's
    ``fields``; a service is stood in for by `JsonServer`.
    """

    kind: ClassVar[str] = "enricher"
    known: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def fields(self, host: Host) -> Sequence[str]:
        """The fields that the offer asks for."""
        offer = host.find(self.kind, self.offer).offer
        assert isinstance(offer, EnricherOffer)
        return offer.fields

    def test_a_known_lead_is_answered(self, make: Make, fields: Sequence[str]) -> None:
        """At least one fact is told about the lead that is known, and nothing about one of whom nothing is known."""
        facts = self.facts(make(), fields, [{"id": 7, **self.known}, {"id": 8}])
        assert {number for number, _, _ in facts} == {7}
        assert any(value is not None for _, _, value in facts)

    def test_the_same_leads_are_answered_the_same(self, make: Make, fields: Sequence[str]) -> None:
        """Neither a second asking, nor another order, nor smaller batches change what is told."""
        rows = [{"id": number, **(self.known if number % 3 else {})} for number in range(1, 10)]
        enricher = make()
        once = self.facts(enricher, fields, rows)
        assert self.facts(enricher, fields, rows) == once
        assert self.facts(make(), fields, rows[::-1]) == once
        parts = [self.facts(enricher, fields, rows[start : start + 2]) for start in range(0, len(rows), 2)]
        assert sorted(fact for part in parts for fact in part) == once

    def test_nobody_is_no_error(self, make: Make, fields: Sequence[str]) -> None:
        """Asked about nobody, it tells nothing."""
        assert self.facts(make(), fields, []) == []

    @pytest.mark.parametrize("value", ODD, ids=lambda value: ascii(value)[:12])
    def test_odd_values_are_no_error(self, make: Make, fields: Sequence[str], value: str) -> None:
        """What cannot be looked up is not answered, and the other leads are answered all the same."""
        alone = self.facts(make(), fields, [{"id": 7, **self.known}])
        odd = {"id": 3, **dict.fromkeys(fields, value)}
        assert [fact for fact in self.facts(make(), fields, [odd, {"id": 7, **self.known}]) if fact[0] == 7] == alone

    @staticmethod
    def facts(enricher: Any, fields: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Fact]:
        """What ``enricher`` tells about ``rows``, sorted and checked for its form."""
        schema = pa.schema([("id", pa.int64()), *((name, pa.string()) for name in fields)])
        answer = enricher.enrich(pa.Table.from_pylist([dict(row) for row in rows], schema=schema))
        assert answer_problem(answer, [int(row["id"]) for row in rows]) is None
        told = normal_answer(answer).to_pylist()
        return sorted(((row["id"], row["field"], row["value"]) for row in told), key=repr)
