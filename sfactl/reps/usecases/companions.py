"""Leads of one customer that look for an owner together: the first is dealt as any other, the rest follow it.

Only where a sticky rule ties leads to who knows the person or the company. Whoever finds no room there is dealt as if
nobody were tied to it, so that nobody waits for the sake of a tie.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sfactl.reps.dealing import TURNS, deal
from sfactl.reps.model import Queue, Round, Standing
from sfactl.reps.usecases.scene import Scene, look_at_candidates, read_queue

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session


def deal_together(session: Session, query: Query, scene: Scene) -> tuple[Round, int]:
    """Deal the leads of ``candidates``, those of one customer to one rep; answers how many there were, too."""
    names = look_at_candidates(session, query, scene)
    found = read_queue(query, names)
    led = _followers(query, scene)
    if not led.num_rows:
        return deal(found, scene.standings, scene.rules), len(found.lead_ids)
    first = deal(_without(found, led), scene.standings, scene.rules)
    query.register("led", led)
    query.register("placed", first.given)
    query.run(
        "insert into bonds select l.lead_id, l.bond, p.rep_id from led as l join placed as p on p.lead_id = l.leader_id"
    )
    query.run("create or replace temp table candidates as select lead_id from led")
    second = deal(read_queue(query, names), _after(scene.standings, first.given), scene.rules)
    return _joined(first, second), len(found.lead_ids)


def _followers(query: Query, scene: Scene) -> pa.Table:
    """One row is a lead that goes where the first lead of its customer goes: lead_id, leader_id, bond."""
    import numpy as np
    import pyarrow as pa
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    empty = pa.table({"lead_id": pa.array([], pa.int64()), "leader_id": pa.array([], pa.int64()), "bond": []})
    if not any(rule.method == "sticky" for rule in scene.rules.rules):
        return empty
    shared = query.table(query.statement("reps", "shared_keys"), {"bonds": list(scene.rules.bonds)})
    if not shared.num_rows:
        return empty
    leads, lead_of = np.unique(shared["lead_id"].to_numpy(), return_inverse=True)
    keys = shared["key"].combine_chunks().dictionary_encode()
    key_of = np.asarray(keys.indices, dtype=np.int64) + len(leads)
    size = len(leads) + len(keys.dictionary)
    graph = coo_array((np.ones(len(lead_of), dtype=np.int8), (lead_of, key_of)), shape=(size, size))
    _, group = connected_components(graph, directed=False)
    _, leader, group_of = np.unique(group[: len(leads)], return_index=True, return_inverse=True)
    # Leads are sorted, so that the first of a group is the one with the lowest number.
    led = np.flatnonzero(leader[group_of] != np.arange(len(leads)))
    _, first_row = np.unique(lead_of, return_index=True)
    return pa.table(
        {
            "lead_id": pa.array(leads[led], pa.int64()),
            "leader_id": pa.array(leads[leader[group_of]][led], pa.int64()),
            # Rows are sorted by bond: of a lead that shares both, the company is told.
            "bond": shared["bond"].combine_chunks().take(pa.array(first_row[led], pa.int64())),
        }
    )


def _without(queue: Queue, led: pa.Table) -> Queue:
    import numpy as np

    stays = ~np.isin(queue.lead_ids, led["lead_id"].to_numpy())
    return replace(queue, lead_ids=queue.lead_ids[stays], case_of=queue.case_of[stays])


def _after(standings: Sequence[Standing], given: pa.Table) -> tuple[Standing, ...]:
    """Where the reps stand once ``given`` is theirs."""
    import pyarrow.compute as pc

    turns = given.filter(pc.is_in(given["method"], value_set=_strings(TURNS)))
    got, had = ({r["values"]: r["counts"] for r in pc.value_counts(t["rep_id"]).to_pylist()} for t in (given, turns))
    return tuple(
        replace(
            s,
            open=s.open + got.get(s.rep.rep_id, 0),
            today=s.today + got.get(s.rep.rep_id, 0),
            protected=s.protected + got.get(s.rep.rep_id, 0),
            turns=s.turns + had.get(s.rep.rep_id, 0),
        )
        for s in standings
    )


def _strings(values: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string())


def _joined(first: Round, second: Round) -> Round:
    import pyarrow as pa

    return Round(
        given=pa.concat_tables([first.given, second.given]).sort_by("lead_id"),
        waiting=pa.concat_tables([first.waiting, second.waiting]).sort_by("lead_id"),
    )
