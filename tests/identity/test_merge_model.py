"""Random merges, unmerges and late events agree with a simple model, and undone in any order they leave no trace."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfactl.api.errors import UserError
from sfactl.identity.usecases.links import problems_of
from sfactl.identity.usecases.merge import merge
from sfactl.identity.usecases.unmerge import unmerge
from sfactl.session import Session

from . import merge_world
from .merge_world import content, put, rows_of

LEADS = range(1, 6)
STEPS = st.one_of(
    st.tuples(st.just("merge"), st.sampled_from(LEADS), st.sampled_from(LEADS)),
    st.tuples(st.just("merge"), st.sampled_from(LEADS), st.sampled_from(LEADS)),
    st.tuples(st.just("unmerge"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("event"), st.sampled_from(LEADS), st.just(0)),
)


class Model:
    """Who is merged into whom, by merge, and how many events carry each number."""

    def __init__(self) -> None:
        self.merges: dict[int, tuple[int, int]] = {}
        self.events = dict.fromkeys(LEADS, 1)

    def root(self, number: int) -> int:
        into = dict(self.merges.values())
        while number in into:
            number = into[number]
        return number

    def living(self) -> list[int]:
        return sorted({self.root(n) for n in LEADS})

    def counted(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for number, n in self.events.items():
            found[self.root(number)] = found.get(self.root(number), 0) + n
        return found


def make(folder: Path) -> None:
    with merge_world.world(folder) as session:
        known = [
            {"lead_id": n, "email": f"p{n}@x.example" if n % 2 else None, "title": f"T{n}" if n > 2 else None,
             "note": f"note {n}", "status": ("new", "mql", "sql")[n % 3], "owner": "kim" if n == 4 else None,
             "created_at": merge_world.day(n), "updated_at": merge_world.day(9 - n)}
            for n in LEADS
        ]  # fmt: skip
        put(session, "leads", *known)
        put(session, "tasks", *({"task_id": f"t{n}", "lead_id": n} for n in LEADS))
        put(
            session,
            "scores",
            *({"lead_id": n, "score": s, "points": float(n)} for n in LEADS for s in ("fit", f"own{n % 2}")),
        )
        put(session, "touchpoints", *({"event_id": f"e{n}", "at": merge_world.day(n), "kind": "visit", "lead_id": n} for n in LEADS))  # fmt: skip


def check(session: Session, model: Model) -> None:
    assert [n for (n,) in rows_of(session, "select lead_id from leads order by 1")] == model.living()
    assert dict(rows_of(session, "select lead_id, count(*) from touchpoints group by 1")) == model.counted()
    tasks = dict(rows_of(session, "select task_id, lead_id from tasks"))
    assert tasks == {f"t{n}": model.root(n) for n in LEADS}
    aliases = rows_of(session, "select id, root_id from record_aliases order by 1")
    assert aliases == [(n, model.root(n)) for n in LEADS if model.root(n) != n]
    assert problems_of(session) == []


@given(steps=st.lists(STEPS, min_size=3, max_size=7), order=st.randoms(use_true_random=False))
@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_any_history_agrees_with_the_model_and_can_be_taken_back(
    steps: list[tuple[str, int, int]], order: object
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder) / "ws")
        with merge_world.world(Path(folder) / "ws") as session:
            before, model = content(session), Model()
            for number, (what, one, other) in enumerate(steps):
                take(session, model, number, what, one, other)
            check(session, model)
            left = list(model.merges)
            order.shuffle(left)  # type: ignore[attr-defined]
            for merge_id in left:
                unmerge(session, "lead", str(merge_id))
                del model.merges[merge_id]
            check(session, model)
            events = [r for r in content(session)["touchpoints"] if "late" in r]
            after = content(session)
            after["touchpoints"] = [r for r in after["touchpoints"] if r not in events]
            assert after == before


def take(session: Session, model: Model, number: int, what: str, one: int, other: int) -> None:
    if what == "event":
        put(
            session,
            "touchpoints",
            {"event_id": f"late{number}", "at": merge_world.day(20), "kind": "visit", "lead_id": one},
        )
        model.events[one] += 1
    elif what == "unmerge" and model.merges:
        merge_id = list(model.merges)[one % len(model.merges)]
        unmerge(session, "lead", str(merge_id))
        del model.merges[merge_id]
    elif what == "merge":
        try:
            done = merge(session, "lead", [str(one), str(other)], into=str(one))
        except UserError:
            assert model.root(one) == model.root(other)
            return
        model.merges[done.merge_ids[0]] = (done.merged[0], done.survivor_id)
