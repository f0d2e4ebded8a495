"""How many leads of each kind find a place, and by which option: flows between kinds of leads and kinds of reps. Pure.

Leads whom the same reps may serve are one *part*, reps who may serve the same parts are one *class*: what is computed
are flows from parts to classes, so the work does not grow with the number of leads. No lead waits that need not (a
maximum flow; Ford and Fulkerson 1956); where some must wait, the lower numbers go first; and of all ways to serve
them, the one with the fewest steps down the rules is taken (a transport problem, whose corners are whole numbers).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sfactl.api.errors import InternalError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]


class Network:
    """A source, parts, classes and a sink. The edges stay; how much may flow is asked again and again."""

    def __init__(self, edges: Mask, *, second: Mask | None = None) -> None:
        """``edges`` says which part may go to which class.

        With ``second`` there are further parts (rows) behind the first ones, and each class has a gate of its own for
        the first parts, so that how much these take of it can be limited.
        """
        import numpy as np

        parts, self._classes = edges.shape
        others = 0 if second is None else second.shape[0]
        gated = 0 if second is None else self._classes
        first_gate = 1 + parts + others
        first_class = first_gate + gated
        self._size = first_class + self._classes + 1
        rows: list[Ints] = []
        columns: list[Ints] = []

        def connect(begin: Ints, end: Ints) -> None:
            rows.append(begin)
            columns.append(end)

        connect(np.zeros(parts + others, dtype=np.int64), 1 + np.arange(parts + others))
        part, klass = np.nonzero(edges)
        connect(1 + part, (first_gate if gated else first_class) + klass)
        if second is not None:
            later, klass_of_later = np.nonzero(second)
            connect(1 + parts + later, first_class + klass_of_later)
            connect(first_gate + np.arange(gated), first_class + np.arange(gated))
        connect(first_class + np.arange(self._classes), np.full(self._classes, self._size - 1))
        row, column = np.concatenate(rows), np.concatenate(columns)
        order = np.lexsort((column, row))
        self._row, self._column = row[order], column[order]
        self._pointers = np.searchsorted(self._row, np.arange(self._size + 1))
        self._from_source = np.flatnonzero(self._row == 0)
        self._into_sink = np.flatnonzero(self._column == self._size - 1)
        in_gate = (self._row >= first_gate) & (self._row < first_class)
        self._gates = np.flatnonzero(in_gate)
        self._first_class, self._first_gate, self._parts = first_class, first_gate, parts

    def flow(self, demand: Ints, capacity: Ints, gates: Ints | None = None) -> tuple[int, Ints]:
        """The greatest flow, and how much of it goes from each of the first parts to each class."""
        import numpy as np
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import maximum_flow

        data = np.full(len(self._row), int(demand.sum()), dtype=np.int32)
        data[self._from_source] = demand
        data[self._into_sink] = np.minimum(capacity, demand.sum())
        if gates is not None:
            data[self._gates] = np.minimum(gates, demand.sum())
        shape = (self._size, self._size)
        graph = csr_matrix((data, self._column.astype(np.int32), self._pointers.astype(np.int32)), shape=shape)
        found = maximum_flow(graph, 0, self._size - 1)
        first = self._first_gate if gates is not None else self._first_class
        within = found.flow[1 : 1 + self._parts, first : first + self._classes]
        return int(found.flow_value), np.asarray(within.todense(), dtype=np.int64)


def distinct_rows(table: npt.NDArray[np.generic]) -> tuple[Ints, Ints]:
    """The first row of each distinct one, in a stable order, and for every row the place of its like."""
    import numpy as np

    _, first, inverse = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return first.astype(np.int64), inverse.reshape(-1).astype(np.int64)


def by_group(group: Ints, values: Ints, size: int) -> Ints:
    """The sum of ``values`` by group."""
    import numpy as np

    return np.bincount(group, weights=values, minlength=size).astype(np.int64)


def served(lead_ids: Ints, part_of: Ints, edges: Mask, capacity: Ints) -> Mask:
    """Which leads find a place. As many as can be; where not all can, the leads with lower numbers before others.

    ``part_of`` is each lead's part, ``edges`` which part may go to which rep, ``capacity`` the places of each rep.
    """
    import numpy as np

    demand = np.bincount(part_of, minlength=len(edges))
    if _plenty(demand, edges, capacity):
        has_anybody: Mask = np.asarray(edges.any(axis=1))
        return has_anybody[part_of]
    classes, class_of = distinct_rows(edges.T)
    room = by_group(class_of, capacity, len(classes))
    network = Network(edges[:, classes])
    if network.flow(demand, room)[0] == len(lead_ids):
        return np.ones(len(lead_ids), dtype=bool)
    order = np.argsort(lead_ids, kind="stable")
    places = [np.flatnonzero(part_of[order] == part) for part in range(len(edges))]
    kept: dict[int, int] = {}
    reached = 0
    while reached < len(order):

        def of_first(n: int) -> Ints:
            return np.array([kept.get(p, int(np.searchsorted(at, n))) for p, at in enumerate(places)], dtype=np.int64)

        low, high = reached, len(order)
        while low < high:
            middle = (low + high + 1) // 2
            wanted = of_first(middle)
            low, high = (middle, high) if network.flow(wanted, room)[0] == wanted.sum() else (low, middle - 1)
        reached = low
        if reached < len(order):
            # One more lead of this part finds no place, so no later one of it does either.
            part = int(part_of[order[reached]])
            kept[part] = int(np.searchsorted(places[part], reached))
    answer = np.zeros(len(lead_ids), dtype=bool)
    for part, at in enumerate(places):
        answer[order[at[: kept.get(part, len(at))]]] = True
    return answer


def _plenty(demand: Ints, edges: Mask, capacity: Ints) -> bool:
    """Whether every rep alone has room for all who might come: then nobody needs to wait who has anybody."""
    return bool((demand @ edges <= capacity).all())


def by_option(demand: Ints, ranks: npt.NDArray[np.int16], options: int, capacity: Ints) -> Ints:
    """How many leads of each part go by each option, when all of ``demand`` can be served.

    ``ranks`` says for each part and rep the option by which the rep may take such a lead; beyond ``options`` none.
    """
    import numpy as np

    first = ranks.min(axis=1)
    edges = ranks == first[:, None]
    merged, part_of = distinct_rows(edges)
    together = by_group(part_of, demand, len(merged))
    enough = _plenty(together, edges[merged], capacity)
    if not enough:
        classes, class_of = distinct_rows(edges[merged].T)
        room = by_group(class_of, capacity, len(classes))
        enough = Network(edges[merged][:, classes]).flow(together, room)[0] == demand.sum()
    if enough:
        answer = np.zeros((len(demand), options), dtype=np.int64)
        answer[np.arange(len(demand)), np.minimum(first, options - 1)] = demand
        return answer
    return _transport(demand, ranks, options, capacity)


def _transport(demand: Ints, ranks: npt.NDArray[np.int16], options: int, capacity: Ints) -> Ints:
    """The same as `by_option` where the first choice of some leads has no room."""
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix

    classes, class_of = distinct_rows(ranks.T)
    room = by_group(class_of, capacity, len(classes))
    part, klass = np.nonzero(ranks[:, classes] < options)
    rank = ranks[:, classes][part, klass]
    count = len(part)
    ones = np.ones(count)
    from_part = csr_matrix((ones, (part, np.arange(count))), shape=(len(demand), count))
    into_class = csr_matrix((ones, (klass, np.arange(count))), shape=(len(classes), count))
    found = linprog(rank, A_eq=from_part, b_eq=demand, A_ub=into_class, b_ub=room, method="highs-ds")
    if found.x is None:
        raise InternalError(f"the transport of {int(demand.sum())} leads has no solution: {found.message}")
    amount = np.rint(found.x).astype(np.int64)
    answer = np.zeros((len(demand), options), dtype=np.int64)
    np.add.at(answer, (part, rank), amount)
    if not (answer.sum(axis=1) == demand).all():
        raise InternalError("the transport of leads to options is not in whole numbers")
    return answer


def spread(sizes: Sequence[int]) -> Ints:
    """0 as often as the first size says, 1 as often as the second, and so on."""
    import numpy as np

    return np.repeat(np.arange(len(sizes)), sizes)
