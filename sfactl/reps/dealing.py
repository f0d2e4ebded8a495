"""Deal the leads of a queue to reps by the rules, as one set: who, by which rule, and who waits and why. Pure.

The order of aims: no capacity is exceeded; no lead waits that need not; as few steps down the rules as possible; and
within each rule the turns are as even as can be. The answer depends on the rows alone, not on their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfactl.reps.eligibility import NOBODY, Option, options_of, ranks, why_waiting
from sfactl.reps.flow import by_group, by_option, distinct_rows, served, spread
from sfactl.reps.levels import Demand, Seats, seating
from sfactl.reps.model import Queue, Round, Standing
from sfactl.reps.rules import STANDARD, Rules

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

TURNS = ("round-robin", "weighted")
"""Methods whose leads count as turns."""


def deal(queue: Queue, standings: Sequence[Standing], rules: Rules = STANDARD) -> Round:
    """Give the leads of ``queue`` to the reps; who finds no place waits with the reason."""
    import numpy as np

    reps = sorted(standings, key=lambda s: s.rep.rep_id)
    options = options_of(rules)
    by_case = ranks(queue.cases, rules, reps)
    first, part_of_case = distinct_rows(by_case) if len(by_case) else (np.zeros(0, int), np.zeros(0, int))
    table, part = by_case[first], part_of_case[queue.case_of]
    total = len(queue.lead_ids)
    free = np.array([total if s.free is None else min(s.free, total) for s in reps], dtype=np.int64)
    found = served(queue.lead_ids, part, table < NOBODY, free) if total else np.zeros(0, dtype=bool)
    demand = np.bincount(part[found], minlength=len(table)).astype(np.int64)
    counts = by_option(demand, table, len(options), free) if demand.sum() else np.zeros((len(table), 0), np.int64)

    order = np.lexsort((queue.lead_ids[found], part[found]))
    lead, lead_part = queue.lead_ids[found][order], part[found][order]
    lead_option = np.tile(np.arange(counts.shape[1]), len(table)).repeat(counts.reshape(-1))
    hands = _Hands(reps, free)
    rep, number = np.full(len(lead), -1, dtype=np.int64), np.zeros(len(lead), dtype=np.int64)
    for place, option in enumerate(options[: counts.shape[1]]):
        rows = np.flatnonzero(lead_option == place)
        if len(rows):
            _deal_option(hands, option, place, table, counts, rows, (lead, lead_part), (rep, number))
    return Round(
        given=_given(lead, rep, number, lead_option, reps, options),
        waiting=_waiting(queue, ~found, by_case, reps, rules),
    )


@dataclass(slots=True)
class _Hands:
    """What the reps hold while options are dealt one after another."""

    turns: Ints
    open: Ints
    weight: Ints
    free: Ints

    def __init__(self, reps: Sequence[Standing], free: Ints) -> None:
        import numpy as np

        self.turns, self.open, self.weight = (
            np.array(values, dtype=np.int64)
            for values in ([s.turns for s in reps], [s.open for s in reps], [max(s.rep.weight, 1) for s in reps])
        )
        self.free = free.copy()

    def seats(self, method: str, free: Ints) -> Seats:
        """The seats by which turns are taken under a method."""
        import numpy as np

        base = self.open if method == "balanced" else self.turns
        weight = np.ones_like(self.weight) if method == "round-robin" else self.weight
        return Seats(turns=base, weight=weight, free=free)

    def take(self, method: str, reps: Ints) -> None:
        """Count what was given."""
        import numpy as np

        got = np.bincount(reps, minlength=len(self.free))
        self.free = self.free - got
        self.open = self.open + got
        if method in TURNS:
            self.turns = self.turns + got


def _deal_option(
    hands: _Hands,
    option: Option,
    place: int,
    table: npt.NDArray[np.int16],
    counts: Ints,
    rows: Ints,
    leads: tuple[Ints, Ints],
    answer: tuple[Ints, Ints],
) -> None:
    """Fill in rep and number for the leads ``rows``, which all go by one option."""
    import numpy as np

    (lead, part), (rep, number) = leads, answer
    edges = table == place
    alone = edges.sum(axis=1) == 1
    later, forced_later = _later(table, counts, place)
    # Leads with a single rep leave no choice: they take their places before anybody else is seated.
    for only in (True, False):
        chosen = rows[alone[part[rows]] == only]
        if not len(chosen):
            continue
        used = np.unique(part[chosen])
        first, merged = distinct_rows(edges[used])
        merged_of = merged[np.searchsorted(used, part[chosen])]
        chosen = chosen[np.lexsort((lead[chosen], merged_of))]
        now = Demand(amount=by_group(merged, counts[used, place], len(first)), edges=edges[used][first])
        seats = hands.seats(option.method, hands.free - forced_later)
        if only:
            rep[chosen] = now.edges.argmax(axis=1)[spread(now.amount.tolist())]
            number[chosen] = _numbers(rep[chosen], seats.turns)
        else:
            found = seating(now, later, seats)
            rep[chosen], number[chosen] = found.rep, found.number
        hands.take(option.method, rep[chosen])


def _numbers(rep: Ints, base: Ints) -> Ints:
    """The number of the rep's turn for each lead of a row of leads."""
    import numpy as np

    order = np.argsort(rep, kind="stable")
    counts = np.bincount(rep, minlength=len(base))
    running = np.arange(len(rep)) - np.repeat(np.cumsum(counts) - counts, counts)
    numbers = np.empty(len(rep), dtype=np.int64)
    numbers[order] = base[rep[order]] + running + 1
    return numbers


def _later(table: npt.NDArray[np.int16], counts: Ints, place: int) -> tuple[Demand, Ints]:
    """What further options still need: parts with a choice, and the places that are spoken for."""
    import numpy as np

    edges = [table == o for o in range(place + 1, counts.shape[1])]
    amounts = [counts[:, o] for o in range(place + 1, counts.shape[1])]
    if not edges:
        return Demand(amount=np.zeros(0, np.int64), edges=np.zeros((0, table.shape[1]), bool)), np.zeros(
            table.shape[1], np.int64
        )
    edge, amount = np.concatenate(edges), np.concatenate(amounts)
    edge, amount = edge[amount > 0], amount[amount > 0]
    alone = edge.sum(axis=1) == 1
    forced = amount[alone] @ edge[alone]
    edge, amount = edge[~alone], amount[~alone]
    if not len(edge):
        return Demand(amount=amount, edges=edge), forced
    first, merged = distinct_rows(edge)
    return Demand(amount=by_group(merged, amount, len(first)), edges=edge[first]), forced


def _given(
    lead: Ints, rep: Ints, number: Ints, option: Ints, reps: Sequence[Standing], options: Sequence[Option]
) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    order = np.argsort(lead, kind="stable")

    def named(names: Sequence[str], places: Ints) -> pa.Array:
        return pa.DictionaryArray.from_arrays(
            pa.array(places[order], pa.int32()), pa.array(names or [""], pa.string())
        ).cast(pa.string())

    return pa.table(
        {
            "lead_id": lead[order],
            "rep_id": named([s.rep.rep_id for s in reps], rep),
            "rule": named([o.rule.name for o in options], option),
            "method": named([o.method for o in options], option),
            "turn": number[order],
        }
    )


def _waiting(
    queue: Queue, waits: Mask, by_case: npt.NDArray[np.int16], reps: Sequence[Standing], rules: Rules
) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    case_of = queue.case_of[waits]
    used, place = np.unique(case_of, return_inverse=True)
    reasons = [
        why_waiting(queue.cases[c], rules, reps, np.flatnonzero(by_case[c] < NOBODY).tolist()) for c in used.tolist()
    ]
    order = np.argsort(queue.lead_ids[waits], kind="stable")
    texts = pa.array(reasons or [""], pa.string())
    encoded = pa.DictionaryArray.from_arrays(pa.array(place[order], pa.int32()), texts)
    return pa.table({"lead_id": queue.lead_ids[waits][order], "reason": encoded.cast(pa.string())})
