"""Find the leads whose owner no rule would give them any more: the market was divided anew, or somebody left.

Who is only away, at a limit, or has no turns keeps what is theirs, and so does who was given a lead by hand.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sfactl.reps.eligibility import NOBODY, matches, options_of, ranks, why_not
from sfactl.reps.model import Case, Realigned, Standing
from sfactl.reps.usecases.scene import Scene, look_at_candidates, read_queue

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session


def misplaced(session: Session, query: Query, scene: Scene) -> None:
    """Make the temporary tables ``misplaced`` (lead_id, owner, why), ``candidates`` of those leads, and ``barred``."""
    import pyarrow as pa

    stages = {"stages": list(scene.stages)}
    query.run(f"create or replace temp table owned as {query.statement('reps', 'owned')}", stages)
    query.run("create or replace temp table candidates as select lead_id from owned")
    query.run("create or replace temp table barred as select 0::bigint as lead_id, '' as barred where false")
    queue = read_queue(query, look_at_candidates(session, query, scene))
    query.register(
        "owned_cases",
        pa.table({"lead_id": pa.array(queue.lead_ids), "case_no": pa.array(queue.case_of, pa.int64())}),
    )
    query.register("verdicts", _verdicts(query, scene, queue.cases))
    query.run(f"create or replace temp table misplaced as {query.statement('reps', 'misplaced')}")
    query.run("create or replace temp table candidates as select lead_id from misplaced")


def told(query: Query, given: pa.Table) -> pa.Table:
    """``given`` with reasons that begin with whom each lead leaves, and why."""
    query.register("seats_told", given)
    return query.table(query.statement("reps", "realigned"))


def moves(query: Query, given: pa.Table) -> tuple[Realigned, ...]:
    """From whom to whom how many leads go, and why, the most first."""
    query.register("moving", given)
    rows = query.rows(
        "select m.owner, g.rep_id, m.why, count(*) from moving as g join misplaced as m on m.lead_id = g.lead_id"
        " group by all order by 4 desc, 1, 2, 3"
    )
    return tuple(Realigned(before=before, after=after, why=why, leads=n) for before, after, why, n in rows)


def _verdicts(query: Query, scene: Scene, cases: tuple[Case, ...]) -> pa.Table:
    """One row is a case and a rep who owns a lead of it: why the rep should not, empty where a rule would allow it."""
    import pyarrow as pa

    lasting = [_lasting(s) for s in scene.standings]
    places = {s.rep.rep_id: i for i, s in enumerate(lasting)}
    found = ranks(cases, scene.rules, lasting) < NOBODY
    pairs = query.rows(
        "select distinct c.case_no, o.owner from owned as o join owned_cases as c on c.lead_id = o.lead_id"
    )
    rows = []
    for case_no, owner in sorted(pairs):
        place = places.get(owner)
        if place is not None:
            allowed = bool(found[case_no, place])
            rows.append((case_no, owner, "" if allowed else _why(lasting[place], cases[case_no], scene)))
    types = {"case_no": pa.int64(), "rep_id": pa.string(), "why": pa.string()}
    return pa.table([pa.array([r[i] for r in rows], t) for i, t in enumerate(types.values())], names=list(types))


def _lasting(standing: Standing) -> Standing:
    """The rep as for a lead that is theirs already: absence, working hours and turns do not matter."""
    rep = replace(standing.rep, weight=max(standing.rep.weight, 1))
    return replace(standing, rep=rep, away_until=None, at_work_from=None)


def _why(standing: Standing, case: Case, scene: Scene) -> str:
    """What the first rule about the lead that is not about ties says against the rep."""
    asked = [o for o in options_of(scene.rules) if matches(o.rule, case) and o.method != "sticky"]
    return next((said for o in asked if (said := why_not(standing, case, o, scene.rules))), "no rule is about it")
