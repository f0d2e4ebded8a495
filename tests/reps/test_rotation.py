"""Round robin: fair, within capacity, the same every time, drained when places free up."""

from __future__ import annotations

import random
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.reps.model import Rep, Round, Standing
from sfactl.reps.rotation import assign, chances, seat_order


def standing(rep_id: str, *, open: int = 0, turns: int = 0, **fields: object) -> Standing:
    return Standing(rep=Rep(rep_id=rep_id, **fields), open=open, turns=turns)  # type: ignore[arg-type]


def queue(*leads: tuple[int, str | None]) -> pa.Table:
    schema = pa.schema([("lead_id", pa.int64()), ("country", pa.string())])
    return pa.Table.from_pylist([{"lead_id": i, "country": c} for i, c in leads], schema=schema)


def owners(done: Round) -> dict[int, str]:
    return dict(zip(done.given["lead_id"].to_pylist(), done.given["rep_id"].to_pylist()))


def test_turns_go_round_in_the_order_of_ids() -> None:
    done = assign(queue(*((i, None) for i in (9, 3, 5, 7, 1))), [standing("b"), standing("a")])
    assert owners(done) == {1: "a", 3: "b", 5: "a", 7: "b", 9: "a"}
    assert done.given["turn"].to_pylist() == [1, 1, 2, 2, 3]


def test_the_rotation_goes_on_where_it_stopped() -> None:
    done = assign(queue((10, None)), [standing("a", turns=3), standing("b", turns=2)])
    assert owners(done) == {10: "b"}


def test_weights_share_two_to_one() -> None:
    done = assign(queue(*((i, None) for i in range(300))), [standing("a", weight=2), standing("b", weight=1)])
    assert Counter(owners(done).values()) == {"a": 200, "b": 100}
    assert [owners(done)[i] for i in range(6)] == ["a", "b", "a", "a", "b", "a"]


@pytest.mark.parametrize(
    ("reps", "lead", "reason"),
    [
        pytest.param([], None, "no active rep", id="no reps"),
        pytest.param([{"active": False}], "TW", "no active rep serves TW", id="nobody active"),
        pytest.param([{"countries": ("JP",)}], "TW", "no active rep serves TW", id="country"),
        pytest.param([{"capacity": 0}], "TW", "its only active rep is at capacity", id="full"),
        pytest.param([{"capacity": 0}, {"capacity": 0}], "TW", "all 2 active reps who may", id="all full"),
        pytest.param([{"weight": 0}], None, "no active rep", id="weight 0"),
    ],
)
def test_a_lead_that_waits_says_why(reps: list[dict[str, object]], lead: str | None, reason: str) -> None:
    done = assign(queue((1, lead)), [standing(f"r{i}", **fields) for i, fields in enumerate(reps)])
    assert done.given.num_rows == 0
    assert done.waiting["lead_id"].to_pylist() == [1]
    assert done.waiting["reason"].to_pylist()[0].startswith(reason)


def test_the_narrow_queue_is_served_before_the_wide_one() -> None:
    reps = [standing("all", capacity=2), standing("jp", capacity=1, countries=("JP",))]
    done = assign(queue((1, "JP"), (2, "TW"), (3, "TW")), reps)
    assert owners(done) == {1: "jp", 2: "all", 3: "all"}


def test_a_lead_without_a_country_may_go_to_anybody() -> None:
    assert owners(assign(queue((1, None)), [standing("jp", countries=("JP",))])) == {1: "jp"}


def test_chances_name_who_is_next_and_why_not_the_others() -> None:
    reps = [
        standing("away", active=False),
        standing("full", capacity=3, open=3),
        standing("jp", countries=("JP",)),
        standing("late", turns=5),
        standing("next", turns=4),
    ]
    found = chances("TW", reps)
    assert [c.rep_id for c in found[:2]] == ["next", "late"]
    assert {c.rep_id: c.why_not for c in found[2:]} == {
        "away": "not active",
        "full": "at capacity (3 of 3)",
        "jp": "does not serve TW",
    }


def one_by_one(leads: int, turns: list[int], weights: list[int], free: list[int | None]) -> list[int]:
    """The rule in its plainest form: each lead goes to the free rep with the smallest priority."""
    had, left, given_to = list(turns), list(free), []
    for _ in range(leads):
        able = [r for r in range(len(had)) if left[r] is None or left[r] > 0]  # type: ignore[operator]
        if not able:
            break
        # Cross-multiplied by a common multiple of the weights, so that the model is exact.
        best = min(able, key=lambda r: ((2 * had[r] + 1) * _product(weights) // weights[r], r))
        given_to.append(best)
        had[best] += 1
        left[best] = None if left[best] is None else left[best] - 1  # type: ignore[operator]
    return given_to


def _product(numbers: list[int]) -> int:
    result = 1
    for n in numbers:
        result *= n
    return result


REP = st.tuples(st.integers(0, 40), st.integers(1, 30), st.one_of(st.none(), st.integers(0, 25)))


@settings(max_examples=150, deadline=None)
@given(leads=st.integers(0, 120), reps=st.lists(REP, min_size=1, max_size=6))
def test_rank_arithmetic_equals_giving_leads_one_by_one(leads: int, reps: list[tuple[int, int, int | None]]) -> None:
    turns, weights, free = ([r[i] for r in reps] for i in range(3))
    seats, numbers = seat_order(leads, turns, weights, free)  # type: ignore[arg-type]
    assert seats.tolist() == one_by_one(leads, turns, weights, free)  # type: ignore[arg-type]
    seen = Counter[int]()
    for rep, number in zip(seats.tolist(), numbers.tolist()):
        seen[rep] += 1
        assert number == turns[rep] + seen[rep]  # type: ignore[operator]


COUNTRIES = ["TW", "JP", "DE", None]
LEADS = st.dictionaries(st.integers(1, 10_000), st.sampled_from(COUNTRIES), max_size=80)
REPS = st.lists(
    st.fixed_dictionaries(
        {
            "capacity": st.one_of(st.none(), st.integers(0, 20)),
            "open": st.integers(0, 10),
            "turns": st.integers(0, 10),
            "weight": st.integers(0, 4),
            "active": st.booleans(),
            "countries": st.sampled_from([(), ("TW",), ("JP", "DE"), ("TW", "JP")]),
        }
    ),
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(leads=LEADS, reps=REPS, seed=st.integers(0, 2**32))
def test_every_lead_once_never_over_capacity_and_independent_of_row_order(
    leads: dict[int, str | None], reps: list[dict[str, object]], seed: int
) -> None:
    standings = [standing(f"r{i}", **fields) for i, fields in enumerate(reps)]  # type: ignore[arg-type]
    done = assign(queue(*leads.items()), standings)
    given_ids, waiting_ids = done.given["lead_id"].to_pylist(), done.waiting["lead_id"].to_pylist()
    assert sorted(given_ids + waiting_ids) == sorted(leads)
    got = Counter(owners(done).values())
    for s in standings:
        if got[s.rep.rep_id]:
            assert s.rep.active and s.rep.weight > 0
            assert s.rep.capacity is None or s.open + got[s.rep.rep_id] <= s.rep.capacity
    for lead_id, rep_id in owners(done).items():
        assert next(s.rep for s in standings if s.rep.rep_id == rep_id).serves(leads[lead_id])
    for lead_id in waiting_ids:  # nobody waits while somebody who serves the lead has a place left
        for s in standings:
            if s.rep.active and s.rep.weight > 0 and s.rep.serves(leads[lead_id]):
                assert s.rep.capacity is not None and s.open + got[s.rep.rep_id] >= s.rep.capacity

    shuffled, order = list(leads.items()), list(standings)
    random.Random(seed).shuffle(shuffled)
    random.Random(seed + 1).shuffle(order)
    again = assign(queue(*shuffled), order)
    assert again.given.equals(done.given)
    assert again.waiting.equals(done.waiting)


@settings(max_examples=100, deadline=None)
@given(batches=st.lists(st.integers(0, 40), max_size=6), reps=st.integers(1, 7))
def test_equal_weights_never_differ_by_more_than_one_over_any_number_of_rounds(batches: list[int], reps: int) -> None:
    turns = Counter({f"r{i}": 0 for i in range(reps)})
    for batch in batches:
        done = assign(queue(*((i, None) for i in range(batch))), [standing(r, turns=t) for r, t in turns.items()])
        turns.update(owners(done).values())
        assert max(turns.values()) - min(turns.values()) <= 1


@settings(max_examples=60, deadline=None)
@given(capacities=st.lists(st.integers(1, 5), min_size=1, max_size=4), leads=st.integers(1, 60))
def test_the_queue_drains_as_places_free_up(capacities: list[int], leads: int) -> None:
    waiting = [(i, None) for i in range(leads)]
    turns: Counter[str] = Counter()
    for _ in range(leads):
        standings = [standing(f"r{i}", capacity=c, turns=turns[f"r{i}"]) for i, c in enumerate(capacities)]
        done = assign(queue(*waiting), standings)
        turns.update(owners(done).values())
        assert done.given.num_rows == min(len(waiting), sum(capacities))
        waiting = [(i, None) for i in done.waiting["lead_id"].to_pylist()]
        if not waiting:
            break
    assert not waiting
    assert sum(turns.values()) == leads
