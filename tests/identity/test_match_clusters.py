"""Groups hold together, never hold a contradiction, and do not depend on the order of the pairs."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.identity.clusters import groups, guarded, one_to_one

N = 12
PAIRS = st.lists(
    st.tuples(st.integers(0, N - 1), st.integers(0, N - 1), st.integers(-5, 5)).filter(lambda p: p[0] < p[1]),
    max_size=25,
    unique_by=lambda p: p[:2],
)


def _arrays(pairs: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    made = np.array(pairs, dtype=np.int64).reshape(-1, 3)
    return made[:, 0], made[:, 1], made[:, 2]


def _expected(pairs: list[tuple[int, int, int]]) -> list[int]:
    label = list(range(N))
    for _ in range(N):
        for a, b, _w in pairs:
            low = min(label[a], label[b])
            label = [low if x in (label[a], label[b]) else x for x in label]
    return label


@given(PAIRS)
@settings(max_examples=60)
def test_groups_are_what_pairs_join(pairs: list[tuple[int, int, int]]) -> None:
    a, b, _ = _arrays(pairs)
    assert groups(N, a, b).tolist() == _expected(pairs)


@given(PAIRS, PAIRS, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_no_group_holds_a_contradiction(pairs, against, random) -> None:  # type: ignore[no-untyped-def]
    told = {p[:2] for p in against}
    a, b, w = _arrays(pairs)
    no_a, no_b, _ = _arrays(against)
    found = guarded(N, a, b, w, no_a, no_b)
    assert not any(found.group[x] == found.group[y] for x, y in told)
    assert all((found.group[x] == found.group[y]) == held for x, y, held in zip(a, b, found.holds))
    shuffled = list(pairs)
    random.shuffle(shuffled)
    again = guarded(N, *_arrays(shuffled), no_a, no_b)
    assert again.group.tolist() == found.group.tolist()


def test_a_chain_is_cut_where_it_is_weakest() -> None:
    a, b, w = _arrays([(0, 1, 9), (1, 2, 2), (2, 3, 8)])
    found = guarded(4, a, b, w, np.array([0]), np.array([3]))
    assert found.group.tolist() == [0, 0, 2, 2]
    assert found.holds.tolist() == [True, False, True]


@given(PAIRS, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_one_partner_each_the_heaviest_first(pairs, random) -> None:  # type: ignore[no-untyped-def]
    a, b, w = _arrays(pairs)
    kept = one_to_one(N, a, b, w)
    used = [*a[kept].tolist(), *b[kept].tolist()]
    assert len(used) == len(set(used))
    for x, y, weight, held in zip(a, b, w, kept):
        if not held:  # it lost to one that is at least as heavy
            rivals = [v for p, q, v, h in zip(a, b, w, kept) if h and {p, q} & {x, y}]
            assert rivals
            assert max(rivals) >= weight
    order = list(range(len(pairs)))
    random.shuffle(order)
    again = one_to_one(N, a[order], b[order], w[order])
    assert {(x, y) for x, y, h in zip(a[order], b[order], again) if h} == {(x, y) for x, y, h in zip(a, b, kept) if h}
