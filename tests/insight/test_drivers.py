"""Drivers: counts, tests and corrections against arithmetic by hand, and what must not be a driver."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from math import comb, erfc, exp, log, sqrt
from pathlib import Path

import pytest

from sfactl.api.errors import UserError
from sfactl.config.settings import Settings
from sfactl.insight import usecases
from sfactl.insight.drivers import AFTERWARDS, Trait, columns_of, corrected, lift, p_values
from sfactl.session import FixedClock, Session, open_session

NOON = datetime(2026, 3, 2, 12)


def fisher_by_hand(t: Trait) -> float:
    """The chance of all tables that are no likelier than this one, as exact fractions."""
    n, hits = t.leads + t.others, t.hits + t.other_hits

    def chance(k: int) -> Fraction:
        return Fraction(comb(t.leads, k) * comb(t.others, hits - k), comb(n, hits))

    ways = range(max(0, hits - t.others), min(t.leads, hits) + 1)
    return float(sum(chance(k) for k in ways if chance(k) <= chance(t.hits)))


@pytest.mark.parametrize("counts", [(3, 1, 9, 5), (8, 0, 20, 9), (5, 5, 30, 2), (1, 0, 4, 1)], ids=str)
def test_few_leads_are_tested_exactly(counts: tuple[int, int, int, int]) -> None:
    leads, hits, others, other_hits = counts
    trait = Trait(field="f", level="l", leads=leads, hits=hits, others=others, other_hits=other_hits)
    assert p_values([trait]) == [pytest.approx(fisher_by_hand(trait))]


def test_many_leads_are_tested_by_chi_squared() -> None:
    trait = Trait(field="f", level="l", leads=100, hits=30, others=200, other_hits=30)
    expected = [20, 80, 40, 160]
    square = sum((o - e) ** 2 / e for o, e in zip([30, 70, 30, 170], expected, strict=True))
    assert p_values([trait]) == [pytest.approx(erfc(sqrt(square / 2)))]


def test_lift_has_the_interval_of_katz() -> None:
    found = lift(Trait(field="f", level="l", leads=100, hits=30, others=200, other_hits=30))
    spread = 1.959963984540054 * sqrt(1 / 30 - 1 / 100 + 1 / 30 - 1 / 200)
    assert found.value == pytest.approx(2)
    assert (found.low, found.high) == (pytest.approx(exp(log(2) - spread)), pytest.approx(exp(log(2) + spread)))
    none = lift(Trait(field="f", level="l", leads=100, hits=40, others=100, other_hits=0))
    assert none.value is None
    assert none.low is not None
    assert none.low > 1


def test_the_published_correction() -> None:
    # Benjamini and Hochberg (1995), section 3: of these fifteen, four are held at 5 %.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    assert sum(q <= 0.05 for q in corrected(p)) == 4


@pytest.fixture(scope="module")
def traits(written: Callable[..., Path]) -> Path:
    draw = random.Random(3)
    leads = []
    for number in range(1, 301):
        source = draw.choice(["expo", "web", None, "rare" if number < 5 else "web"])
        won = draw.random() < (0.5 if source == "expo" else 0.15)
        leads.append(
            {"lead_id": number, "source": source, "employees": draw.choice([None, 5, 50, 500]), "created_at": NOON, "owner": "mei" if won else None}
            | ({"opportunity_id": number, "converted_at": NOON + timedelta(days=5)} if won else {"opportunity_id": None, "converted_at": None})
        )  # fmt: skip
    touches = [
        {"event_id": f"{n}-{day}", "at": NOON + timedelta(days=day), "kind": kind, "lead_id": n, "direction": direction}
        for n in range(1, 301)
        for day, kind, direction in ((1, "visit" if n % 2 else "form_submit", "inbound"), (2, "call", "outbound"), (9, "email_open", None))
    ]  # fmt: skip
    return written({"leads": leads, "touchpoints": touches})


@pytest.fixture
def asked(traits: Path) -> Session:
    return open_session(
        traits, settings=Settings(), command="t", actor="t", clock=FixedClock(datetime(2026, 6, 1)), quiet=True
    )


def test_levels_part_the_leads_and_drill(asked: Session) -> None:
    with asked:
        total = usecases.source(asked, to="opportunity").total
        rows = {r["trait"]: r for r in usecases.drivers(asked, to="opportunity", min_n=10).table.to_pylist()}
        assert sum(r["leads"] for name, r in rows.items() if name.startswith("employees=")) == total.of
        assert sum(r["opportunity"] for name, r in rows.items() if name.startswith("employees=")) == total.hits
        assert "employees=unknown" in rows
        assert "source=unknown" in rows
        assert rows["source=expo"]["q"] < 0.001
        assert rows["source=expo"]["lift_low"] > 1
        for name in ("source=expo", "employees=≤ 5", "did=visit"):
            for column in ("leads", "opportunity"):
                behind = usecases.drivers_drill(asked, f"{name}/{column}", to="opportunity", min_n=10)
                assert behind.num_rows == rows[name][column]


def test_what_follows_from_the_outcome_is_no_driver(asked: Session) -> None:
    with asked:
        rows = {r["trait"] for r in usecases.drivers(asked, to="opportunity", min_n=1).table.to_pylist()}
        assert not any(name.startswith(("owner=", "did=call")) for name in rows), "what we do follows from how it goes"
        late = usecases.drivers(asked, to="opportunity", min_n=1, fields="did").table.to_pylist()
        (opened,) = [r for r in late if r["trait"] == "did=email_open"]
        assert opened["opportunity"] == 0, "what came after the outcome does not count for it"
        known = columns_of(asked.workspace.schemas["leads"].types)
        assert not set(known) & set(AFTERWARDS)


def test_an_outcome_may_be_a_condition_and_its_fields_are_no_traits(asked: Session) -> None:
    with asked:
        sheet = usecases.drivers(asked, to="employees >= 50 and opportunity_id is null", min_n=10)
        rows = {r["trait"]: r for r in sheet.table.to_pylist()}
        with asked.query() as query:
            met = "employees >= 50 and opportunity_id is null"
            (leads, hits) = query.one(
                f"select count(*), count(*) filter (where {met}) from leads where source = 'expo'"
            )
        assert (rows["source=expo"]["leads"], rows["source=expo"]["met"]) == (leads, hits)
        assert not any(name.startswith("employees=") for name in rows)
        assert any("afterwards" in warning for warning in sheet.warnings)
        behind = usecases.drivers_drill(asked, "source=expo/met", to=met, min_n=10)
        assert behind.num_rows == hits


def test_rare_levels_are_taken_together(asked: Session) -> None:
    with asked:
        table = usecases.drivers(asked, to="opportunity", min_n=20, fields="source").table.to_pylist()
        assert {r["trait"] for r in table} == {"source=expo", "source=web", "source=unknown"}
        assert all(r["leads"] >= 20 for r in table)


def test_wrong_questions_about_drivers(asked: Session, empty: Session) -> None:
    assert usecases.drivers(empty).table.num_rows == 0
    with asked:
        with pytest.raises(UserError, match="Did you mean 'source'"):
            usecases.drivers(asked, fields="sorce")
        with pytest.raises(UserError, match="less than one"):
            usecases.drivers(asked, min_n=0)
        with pytest.raises(UserError, match="Did you mean 'source=expo'"):
            usecases.drivers_drill(asked, "source=exp/won", min_n=5)
