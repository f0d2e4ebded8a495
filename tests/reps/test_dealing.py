"""Round robin: fair, within capacity, the same every time, drained when places free up."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.reps.dealing import deal
from sfactl.reps.eligibility import NOBODY, ranks
from sfactl.reps.levels import Demand, Seats, seating
from sfactl.reps.model import Case, Queue, Rep, Round, Standing
from sfactl.reps.rules import STANDARD, Rule, Rules, Target


def standing(rep_id: str, *, open: int = 0, turns: int = 0, today: int = 0, **fields: object) -> Standing:
    return Standing(rep=Rep(rep_id=rep_id, **fields), open=open, turns=turns, today=today)  # type: ignore[arg-type]


def queue(*leads: tuple[int, str | Case | None]) -> Queue:
    said = [(i, c if isinstance(c, Case) else Case(country=c)) for i, c in leads]
    cases = tuple(dict.fromkeys(c for _, c in said))
    return Queue(
        lead_ids=np.array([i for i, _ in said], dtype=np.int64),
        case_of=np.array([cases.index(c) for _, c in said], dtype=np.int64),
        cases=cases,
    )


def owners(done: Round) -> dict[int, str]:
    return dict(zip(done.given["lead_id"].to_pylist(), done.given["rep_id"].to_pylist()))


def test_turns_go_round_in_the_order_of_ids() -> None:
    done = deal(queue(*((i, None) for i in (9, 3, 5, 7, 1))), [standing("b"), standing("a")])
    assert owners(done) == {1: "a", 3: "b", 5: "a", 7: "b", 9: "a"}
    assert done.given["turn"].to_pylist() == [1, 1, 2, 2, 3]


def test_the_rotation_goes_on_where_it_stopped() -> None:
    done = deal(queue((10, None)), [standing("a", turns=3), standing("b", turns=2)])
    assert owners(done) == {10: "b"}


def test_weights_share_two_to_one() -> None:
    done = deal(queue(*((i, None) for i in range(300))), [standing("a", weight=2), standing("b", weight=1)])
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
    done = deal(queue((1, lead)), [standing(f"r{i}", **fields) for i, fields in enumerate(reps)])
    assert done.given.num_rows == 0
    assert done.waiting["lead_id"].to_pylist() == [1]
    assert done.waiting["reason"].to_pylist()[0].startswith(reason)


def test_the_narrow_queue_is_served_before_the_wide_one() -> None:
    reps = [standing("all", capacity=2), standing("jp", capacity=1, countries=("JP",))]
    done = deal(queue((1, "JP"), (2, "TW"), (3, "TW")), reps)
    assert owners(done) == {1: "jp", 2: "all", 3: "all"}


def test_a_lead_without_a_country_may_go_to_anybody() -> None:
    assert owners(deal(queue((1, None)), [standing("jp", countries=("JP",))])) == {1: "jp"}


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


@settings(max_examples=75, deadline=None)
@given(leads=st.integers(0, 120), reps=st.lists(REP, min_size=1, max_size=6))
def test_rank_arithmetic_equals_giving_leads_one_by_one(leads: int, reps: list[tuple[int, int, int | None]]) -> None:
    turns, weights, free = ([r[i] for r in reps] for i in range(3))
    places = [leads if f is None else min(f, leads) for f in free]
    total = min(leads, sum(places))  # type: ignore[arg-type]
    arrays = (np.array(v, dtype=np.int64) for v in (turns, weights, places))
    seats = Seats(**dict(zip(("turns", "weight", "free"), arrays)))
    now = Demand(amount=np.array([total]), edges=np.ones((1, len(reps)), dtype=bool))
    later = Demand(amount=np.zeros(0, dtype=np.int64), edges=np.zeros((0, len(reps)), dtype=bool))
    found = seating(now, later, seats)
    assert found.rep.tolist() == one_by_one(leads, turns, weights, free)  # type: ignore[arg-type]
    seen = Counter[int]()
    for rep, number in zip(found.rep.tolist(), found.number.tolist()):
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


@settings(max_examples=75, deadline=None)
@given(leads=LEADS, reps=REPS, seed=st.integers(0, 2**32))
def test_every_lead_once_never_over_capacity_and_independent_of_row_order(
    leads: dict[int, str | None], reps: list[dict[str, object]], seed: int
) -> None:
    standings = [standing(f"r{i}", **fields) for i, fields in enumerate(reps)]  # type: ignore[arg-type]
    done = deal(queue(*leads.items()), standings)
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
    again = deal(queue(*shuffled), order)
    assert again.given.equals(done.given)
    assert again.waiting.equals(done.waiting)


@settings(max_examples=50, deadline=None)
@given(batches=st.lists(st.integers(0, 40), max_size=6), reps=st.integers(1, 7))
def test_equal_weights_never_differ_by_more_than_one_over_any_number_of_rounds(batches: list[int], reps: int) -> None:
    turns = Counter({f"r{i}": 0 for i in range(reps)})
    for batch in batches:
        done = deal(queue(*((i, None) for i in range(batch))), [standing(r, turns=t) for r, t in turns.items()])
        turns.update(owners(done).values())
        assert max(turns.values()) - min(turns.values()) <= 1


@settings(max_examples=30, deadline=None)
@given(capacities=st.lists(st.integers(1, 5), min_size=1, max_size=4), leads=st.integers(1, 60))
def test_the_queue_drains_as_places_free_up(capacities: list[int], leads: int) -> None:
    waiting = [(i, None) for i in range(leads)]
    turns: Counter[str] = Counter()
    for _ in range(leads):
        standings = [standing(f"r{i}", capacity=c, turns=turns[f"r{i}"]) for i, c in enumerate(capacities)]
        done = deal(queue(*waiting), standings)
        turns.update(owners(done).values())
        assert done.given.num_rows == min(len(waiting), sum(capacities))
        waiting = [(i, None) for i in done.waiting["lead_id"].to_pylist()]
        if not waiting:
            break
    assert not waiting
    assert sum(turns.values()) == leads


# Leads and reps with rules, small enough to be checked against plain definitions.
NAMES = ["a", "b", "c", "d"]
HELD = ["rule vip", "skill laser", "territory north"]
CASES = st.builds(
    Case,
    country=st.sampled_from(["TW", "JP", None]),
    held=st.frozensets(st.sampled_from(HELD)),
    bound=st.sampled_from([None, None, "a", "b", "gone"]),
    barred=st.frozensets(st.sampled_from(NAMES), max_size=1),
)
STAFF = st.lists(
    st.fixed_dictionaries(
        {
            "capacity": st.one_of(st.none(), st.integers(0, 6)),
            "daily_limit": st.one_of(st.none(), st.integers(0, 6)),
            "open": st.integers(0, 3),
            "today": st.integers(0, 2),
            "turns": st.integers(0, 4),
            "weight": st.integers(0, 3),
            "countries": st.sampled_from([(), ("TW",), ("JP",)]),
            "skills": st.sampled_from([(), ("laser",)]),
            "territories": st.sampled_from([(), (), ("north",)]),
            "team": st.sampled_from(["x", "y"]),
        }
    ),
    max_size=4,
)
TARGETS = st.builds(
    Target,
    teams=st.sampled_from([(), (), ("x",)]),
    skills=st.sampled_from([(), (), ("laser",)]),
    reps=st.sampled_from([(), ("a", "b")]),
)
METHODS = st.sampled_from(["round-robin", "weighted", "balanced", "sticky"])
RULES = st.lists(
    st.builds(
        Rule,
        name=st.just("?"),
        where=st.sampled_from(["", "", "vip"]),
        to=TARGETS,
        method=METHODS,
        fallback=st.one_of(st.sampled_from(["next", "next", "queue"]), TARGETS),
        regardless=st.sampled_from([(), ("skills",), ("countries", "territories")]),
    ),
    min_size=1,
    max_size=3,
).map(
    lambda rules: Rules(
        rules=tuple(replace(r, name="vip" if r.where and i == 0 else f"r{i}") for i, r in enumerate(rules)),
        skills={"laser": "…"},
    )
)


def most(cases: list[Case], table: np.ndarray, free: list[int]) -> int:  # type: ignore[type-arg]
    """The size of a largest assignment, by augmenting paths (Kuhn 1955) over single leads and seats."""
    seats = [r for r, places in enumerate(free) for _ in range(min(places, len(cases)))]
    taken: dict[int, int] = {}

    def place(lead: int, tried: set[int]) -> bool:
        for seat, rep in enumerate(seats):
            if table[lead, rep] < NOBODY and seat not in tried:
                tried.add(seat)
                if seat not in taken or place(taken[seat], tried):
                    taken[seat] = lead
                    return True
        return False

    return sum(place(lead, set()) for lead in range(len(cases)))


@settings(max_examples=100)
@given(cases=st.lists(CASES, max_size=14), staff=STAFF, rules=RULES, seed=st.integers(0, 2**32))
def test_with_rules_nobody_waits_in_vain_and_no_limit_is_passed(
    cases: list[Case], staff: list[dict[str, object]], rules: Rules, seed: int
) -> None:
    reps = [standing(name, **fields) for name, fields in zip(NAMES, staff)]  # type: ignore[arg-type]
    leads = list(enumerate(cases, 100))
    done = deal(queue(*leads), reps, rules)
    given, waiting = owners(done), done.waiting["lead_id"].to_pylist()
    assert sorted([*given, *waiting]) == [i for i, _ in leads]
    free = [len(cases) if s.free is None else s.free for s in reps]
    got = Counter(given.values())
    assert all(got[s.rep.rep_id] <= f for s, f in zip(reps, free))
    table = ranks(cases, rules, reps)
    for lead_id, rep_id in given.items():
        assert table[lead_id - 100, NAMES.index(rep_id)] < NOBODY
    assert len(given) == most(cases, table, free)
    # Where some must wait, no lead could come in for a later one alone.
    for lead_id in waiting:
        assert all(
            table[lead_id - 100, r] == NOBODY or got[s.rep.rep_id] == f for r, (s, f) in enumerate(zip(reps, free))
        )
    assert all(done.waiting["reason"].to_pylist())
    shuffled, order = list(leads), list(reps)
    random.Random(seed).shuffle(shuffled)
    random.Random(seed + 1).shuffle(order)
    again = deal(queue(*shuffled), order, rules)
    assert again.given.equals(done.given)
    assert again.waiting.equals(done.waiting)


OVERLAP = st.lists(st.sampled_from([("TW",), ("JP",), ("TW", "JP"), ()]), min_size=1, max_size=6)


@settings(max_examples=40)
@given(regions=OVERLAP, tw=st.integers(0, 40), jp=st.integers(0, 40), capacity=st.integers(0, 25), later=st.booleans())
def test_reps_who_may_take_the_same_leads_differ_by_one_at_most(
    regions: list[tuple[str, ...]], tw: int, jp: int, capacity: int, later: bool
) -> None:
    reps = [standing(f"r{i}", countries=c, capacity=capacity) for i, c in enumerate(regions)]
    leads = [(i, "TW") for i in range(tw)] + [(i, "JP") for i in range(100, 100 + jp)]
    rules = Rules(rules=(Rule(name="first", where="vip"), Rule(name="rest"))) if later else STANDARD
    mixed = [(i, Case(country=c, held=frozenset({"rule first"} if i % 3 else ()))) for i, c in leads]
    got = Counter(owners(deal(queue(*(mixed if later else leads)), reps, rules)).values())
    for kind in set(regions):
        loads = [got[f"r{i}"] for i, c in enumerate(regions) if c == kind]
        assert max(loads) - min(loads) <= 1
    # Decreasingly minimal: no lead can move from a fuller rep to one with two fewer who may take it and has room.
    alone = owners(deal(queue(*leads), reps))
    loads_now, place = Counter(alone.values()), dict(leads)
    for lead_id, rep_id in alone.items():
        for s in reps:
            if s.rep.serves(place[lead_id]) and loads_now[s.rep.rep_id] < capacity:
                assert loads_now[rep_id] - loads_now[s.rep.rep_id] <= 1


def test_a_full_assignment_is_found_where_greed_would_leave_one_waiting() -> None:
    reps = [standing("both", capacity=1, countries=("TW", "JP")), standing("tw", capacity=1, countries=("TW",))]
    assert owners(deal(queue((1, "TW"), (2, "JP")), reps)) == {1: "tw", 2: "both"}


def test_where_some_must_wait_the_oldest_numbers_go_first() -> None:
    reps = [standing("tw", capacity=2, countries=("TW",)), standing("jp", capacity=1, countries=("JP", "TW"))]
    done = deal(queue((5, "TW"), (4, "JP"), (3, "TW"), (2, "TW"), (1, "TW")), reps)
    assert sorted(owners(done)) == [1, 2, 3]
    assert set(done.waiting["reason"].to_pylist()) == {
        "its only active rep is at capacity",
        "all 2 active reps who may serve it are at capacity",
    }


def test_the_first_rule_with_room_takes_the_lead() -> None:
    vip = Case(held=frozenset({"rule vip"}))
    rules = Rules(
        rules=(
            Rule(name="vip", where="…", to=Target(reps=("star",)), fallback=Target(reps=("second",))),
            Rule(name="rest"),
        )
    )
    reps = [standing(r, capacity=c) for r, c in (("star", 1), ("second", 1), ("a", 9))]
    done = deal(queue((1, vip), (2, vip), (3, vip), (4, Case())), reps, rules)
    assert owners(done) == {1: "star", 2: "second", 3: "a", 4: "a"}
    assert done.given["rule"].to_pylist() == ["vip", "vip", "rest", "rest"]


def test_a_rule_may_let_a_lead_wait_rather_than_go_on() -> None:
    rules = Rules(rules=(Rule(name="vip", to=Target(reps=("star",)), fallback="queue"), Rule(name="rest")))
    reps = [standing("a"), standing("star", capacity=1)]
    done = deal(queue((1, None), (2, None)), reps, rules)
    assert owners(done) == {1: "star"}
    assert done.waiting["reason"].to_pylist() == ["its only active rep is at capacity"]


def test_a_tied_lead_goes_to_its_rep_while_there_is_room() -> None:
    rules = Rules(rules=(Rule(name="known", method="sticky"), Rule(name="rest")))
    tied = Case(bound="a", bond="account")
    reps = [standing("a", capacity=2, open=1), standing("b")]
    done = deal(queue((1, tied), (2, tied), (3, Case(bound="gone"))), reps, rules)
    assert (owners(done)[1], owners(done)[2]) == ("a", "b")
    assert done.given["rule"].to_pylist() == ["known", "rest", "rest"]


@pytest.mark.parametrize(
    ("case", "fields", "reason"),
    [
        pytest.param(Case(held=frozenset({"skill laser"})), {}, "nobody can take it: 1 lacks skill laser", id="skill"),
        pytest.param(Case(), {"territories": ("north",)}, "nobody can take it: 1 outside of north", id="territory"),
        pytest.param(Case(barred=frozenset({"r"})), {}, "nobody can take it: 1 had it before", id="had it"),
        pytest.param(Case(), {"daily_limit": 0}, "its only active rep is at the daily limit", id="daily limit"),
    ],
)
def test_a_lead_nobody_may_take_says_why(case: Case, fields: dict[str, object], reason: str) -> None:
    rules = Rules(rules=(Rule(name="all"),), skills={"laser": "…"})
    assert deal(queue((1, case)), [standing("r", **fields)], rules).waiting["reason"].to_pylist() == [reason]
