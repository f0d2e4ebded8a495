"""Weighted round robin by rank arithmetic. Pure: no files, clock or chance.

A rep with weight *w* who had *t* turns takes the next seat at priority (2(t+1) - 1) / w, the next but one at
(2(t+2) - 1) / w, and so on; the free seats with the smallest priorities are filled, equal ones in the order of the rep
ids, and the leads take them in the order of their numbers. That is the divisor method of Sainte-Laguë (Balinski and
Young, *Fair Representation*, 1982): with equal weights no two reps who are free to take a lead ever differ by more
than one turn. Seats beyond a rep's capacity do not exist, so nobody is ever over it.

Leads are not looped over: those whom the same reps may serve form one queue, the queue with the fewest reps is served
first, and each costs one sort.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sfactl.reps.model import Chance, Round, Standing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Ints = npt.NDArray[np.int64]


def assign(queue: pa.Table, standings: Sequence[Standing]) -> Round:
    """Give the leads of ``queue`` (lead_id, country) to the reps; who finds no free rep waits with the reason.

    The answer depends on the rows alone, not on their order.
    """
    import numpy as np
    import pyarrow as pa

    reps = sorted((s for s in standings if s.rep.active and s.rep.weight > 0), key=lambda s: s.rep.rep_id)
    free = [s.free for s in reps]
    turns = [s.turns for s in reps]
    lead_ids = np.asarray(queue["lead_id"], dtype=np.int64)
    owner = np.full(len(lead_ids), -1, dtype=np.int64)
    turn = np.zeros(len(lead_ids), dtype=np.int64)
    reasons = np.full(len(lead_ids), "", dtype=object)
    for able, rows, place in _queues(queue, reps):
        rows = rows[np.argsort(lead_ids[rows], kind="stable")]
        weights = [reps[r].rep.weight for r in able]
        seats, numbers = seat_order(len(rows), [turns[r] for r in able], weights, [free[r] for r in able])
        chosen = np.asarray(able, dtype=np.int64)[seats]
        owner[rows[: len(seats)]] = chosen
        turn[rows[: len(seats)]] = numbers
        reasons[rows[len(seats) :]] = why_waiting(len(able), place)
        for r in able:
            taken = int((chosen == r).sum())
            turns[r] += taken
            left = free[r]
            free[r] = None if left is None else left - taken
    order = np.argsort(lead_ids, kind="stable")
    done = order[owner[order] >= 0]
    wait = order[owner[order] < 0]
    names = np.array([s.rep.rep_id for s in reps] or [""], dtype=object)
    given = {"lead_id": lead_ids[done], "rep_id": pa.array(names[owner[done]], pa.string()), "turn": turn[done]}
    return Round(
        given=pa.table(given),
        waiting=pa.table({"lead_id": lead_ids[wait], "reason": pa.array(reasons[wait], pa.string())}),
    )


def seat_order(
    leads: int, turns: Sequence[int], weights: Sequence[int], free: Sequence[int | None]
) -> tuple[Ints, Ints]:
    """The first ``leads`` seats in order: index of the rep, and the number of the rep's turn that the seat is.

    Fewer come back where the free places run out.
    """
    import numpy as np

    base = np.asarray(turns, dtype=np.int64)
    weight = np.asarray(weights, dtype=np.int64)
    limit = np.asarray([leads if f is None else min(f, leads) for f in free], dtype=np.int64)
    count = _seats_needed(min(leads, int(limit.sum())), base, weight, limit)
    rep = np.repeat(np.arange(len(base)), count)
    nth = np.arange(len(rep)) - np.repeat(np.cumsum(count) - count, count) + 1
    number = base[rep] + nth
    # One division of small whole numbers: equal fractions give equal doubles and different ones never swap.
    order = np.lexsort((rep, (2 * number - 1) / weight[rep]))[:leads]
    return rep[order], number[order]


def _seats_needed(leads: int, base: Ints, weight: Ints, limit: Ints) -> Ints:
    """For each rep a number of seats that surely holds its part of the first ``leads``, and hardly more."""
    import numpy as np

    def seats_up_to(priority: float) -> Ints:
        return np.clip(np.floor((priority * weight + 1) / 2 - base), 0, limit).astype(np.int64)

    low, high = 0.0, float(2 * (int(base.max(initial=0)) + leads) + 1)
    for _ in range(64):
        middle = (low + high) / 2
        low, high = (low, middle) if int(seats_up_to(middle).sum()) >= leads else (middle, high)
    # One more each: a seat whose priority is that of the border itself may be lost to rounding.
    return np.minimum(seats_up_to(high) + 1, limit)


def _queues(queue: pa.Table, reps: Sequence[Standing]) -> list[tuple[tuple[int, ...], Ints, str]]:
    """The rows of the queue by the reps who may serve them: reps, rows, and what to call the place."""
    import numpy as np

    countries = queue["country"].combine_chunks().dictionary_encode()
    codes = np.asarray(countries.indices.fill_null(-1), dtype=np.int64)
    names: list[str | None] = [*countries.dictionary.to_pylist(), None]
    groups: dict[tuple[int, ...], list[int]] = {}
    for code, country in enumerate(names):
        able = tuple(i for i, s in enumerate(reps) if s.rep.serves(country))
        groups.setdefault(able, []).append(code if country is not None else -1)
    found = []
    for able, members in sorted(groups.items(), key=lambda g: (len(g[0]), g[0])):
        rows = np.flatnonzero(np.isin(codes, members))
        places = sorted(names[c] or "" for c in members if c >= 0 and (codes == c).any()) if not able else []
        if len(rows):
            found.append((able, rows, ", ".join(places)))
    return found


def why_waiting(able: int, place: str = "") -> str:
    """The reason for which a lead stays in the queue, when ``able`` active reps might serve it."""
    if able == 0:
        return f"no active rep serves {place}" if place else "no active rep"
    return (
        f"all {able} active reps who may serve it are at capacity" if able > 1 else "its only active rep is at capacity"
    )


def chances(country: str | None, standings: Sequence[Standing]) -> tuple[Chance, ...]:
    """How each rep stands towards a lead of ``country``, the next one to get it first."""
    answers = []
    for standing in standings:
        rep = standing.rep
        why_not = ""
        if not rep.active:
            why_not = "not active"
        elif rep.weight <= 0:
            why_not = "weight 0"
        elif not rep.serves(country):
            why_not = f"does not serve {country}"
        elif standing.full:
            why_not = f"at capacity ({standing.open} of {rep.capacity})"
        answers.append(
            Chance(
                rep_id=rep.rep_id,
                active=rep.active,
                serves=rep.serves(country),
                open=standing.open,
                capacity=rep.capacity,
                turns=standing.turns,
                weight=rep.weight,
                priority=None if why_not else (2 * standing.turns + 1) / rep.weight,
                why_not=why_not,
            )
        )
    return tuple(sorted(answers, key=lambda c: (c.priority is None, c.priority or 0.0, c.rep_id)))
