"""Qualification: who becomes MQL and SQL, why not the others, and that a replay of the history agrees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfactl.api.errors import ConfigError, NotFound, PolicyError, UserError
from sfactl.config.settings import Settings
from sfactl.leads import lifecycle, qualification, qualification_explained
from sfactl.leads import lifecycle_usecases as usecases
from sfactl.leads import qualification_usecases as qualifying
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 5, 4, 9)
RULES = """
schema = 1
[mql]
where = "email is not null and has(touchpoints) filter (where kind = 'form_submit')"
[sql]
score = "intent"
pass_mark = 50
required = ["need", "budget"]
"""
FULL = {"email": "a@acme.com", "need": "speed", "budget": Decimal(10)}
OPEN = Callable[..., Session]


@pytest.fixture
def open_sales(tmp_path: Path) -> Iterator[OPEN]:
    opened: list[Session] = []
    clock = FixedClock(NOW)

    def opener(name: str = "ws", **options: Any) -> Session:
        folder = tmp_path / name
        if not folder.exists():
            Workspace.create(folder).close()
            (folder / qualification.FILE).write_text(RULES)
        session = open_session(folder, settings=Settings(), command="lead qualify", actor="mei", clock=clock, **options)
        opened.append(session)
        return session

    yield opener
    for session in opened:
        session.close()


@pytest.fixture
def session(open_sales: OPEN) -> Session:
    return open_sales()


def put(session: Session, dataset: str, *rows: dict[str, Any]) -> None:
    schema = session.workspace.schemas[dataset]
    table = pa.Table.from_pylist(list(rows), schema=schema.arrow())
    with session.write(*([dataset] if schema.kind == "state" else [])) as tx:
        (tx.upsert if schema.kind == "state" else tx.append)(dataset, table)
        tx.commit()


def form(lead_id: int, *, days: int = -1, event_id: str | None = None) -> dict[str, Any]:
    at = NOW + timedelta(days=days)
    return {"event_id": event_id or f"form-{lead_id}", "at": at, "kind": "form_submit", "lead_id": lead_id}


def score(lead_id: int, points: float) -> dict[str, Any]:
    return {"lead_id": lead_id, "score": "intent", "points": points}


def statuses(session: Session) -> dict[int, str]:
    with session.query() as query:
        return dict(query.rows("select lead_id, coalesce(status, 'new') from leads"))


def events(session: Session) -> list[tuple[Any, ...]]:
    with session.query() as query:
        return query.rows(
            "select entity_id, from_stage, to_stage, cause, actor from stage_events where entity = 'lead' order by event_id"
        )


def test_a_form_makes_an_mql_with_the_event_as_cause(session: Session) -> None:
    put(session, "leads", {"lead_id": 1, "status": "new", "email": "a@acme.com"}, {"lead_id": 2, "email": "b@acme.com"})
    put(session, "touchpoints", form(1, days=-3, event_id="late"), form(1, days=-9, event_id="first"))
    (step,) = qualifying.qualify(session, to="mql").steps
    assert (step.qualified, step.staying) == (1, 1)
    assert [(m.item, m.leads) for m in step.missing] == [("mql.where", 1)]
    assert statuses(session) == {1: "mql", 2: "new"}
    assert events(session) == [(1, "new", "mql", "first", "mei")]


@pytest.mark.parametrize(
    ("lead", "item"),
    [
        pytest.param({"email": "not an address"}, "e-mail is valid", id="not valid"),
        pytest.param({"email": "Gone@acme.com"}, "e-mail is not suppressed", id="suppressed"),
        pytest.param({"email": None}, "mql.where", id="none"),
    ],
)
def test_an_address_nobody_may_write_to_qualifies_nobody(session: Session, lead: dict[str, Any], item: str) -> None:
    put(session, "suppressions", {"kind": "email", "value": "gone@acme.com", "scope": "all", "reason": "bounce"})
    put(session, "suppressions", {"kind": "email", "value": "a@acme.com", "scope": "newsletter"})
    put(session, "leads", {"lead_id": 1, **lead}, {"lead_id": 2, "email": "a@acme.com"})
    put(session, "touchpoints", form(1), form(2))
    (step,) = qualifying.qualify(session, to="mql").steps
    assert [m.item for m in step.missing] == [item]
    assert statuses(session) == {1: "new", 2: "mql"}


SQL_CASES: list[tuple[dict[str, Any], float | None, str | None]] = [
    (FULL, 50, None),
    (FULL, 49, "intent 49 of 50"),
    (FULL, 49.999, "intent 49.999 of 50"),
    (FULL, None, "intent none of 50"),
    ({**FULL, "need": None}, 80, "need"),
    ({**FULL, "need": "  "}, 80, "need"),
    ({**FULL, "budget": None}, 80, "budget"),
    ({**FULL, "budget": Decimal(0)}, 80, None),  # a budget of nothing is known
    ({"email": "a@acme.com"}, 3, "intent 3 of 50, need, budget"),
]


def test_an_mql_becomes_sql_at_the_mark_or_the_missing_item_is_named(session: Session) -> None:
    put(session, "leads", *({"lead_id": i, "status": "mql", **lead} for i, (lead, _, _) in enumerate(SQL_CASES)))
    put(session, "scores", *(score(i, points) for i, (_, points, _) in enumerate(SQL_CASES) if points is not None))
    listed = {row["lead_id"]: row["missing"] for row in qualifying.missing(session, to="sql").to_pylist()}
    assert listed == {i: missing for i, (_, _, missing) in enumerate(SQL_CASES) if missing}
    qualifying.qualify(session, to="sql")
    assert statuses(session) == {i: "mql" if missing else "sql" for i, (_, _, missing) in enumerate(SQL_CASES)}
    head = session.workspace.head()
    qualifying.qualify(session)
    assert session.workspace.head() == head, "a second run changes nothing"


def test_the_event_that_raised_the_score_is_the_cause_of_an_sql(session: Session) -> None:
    put(session, "leads", {"lead_id": 1, "status": "mql", **FULL})
    put(session, "scores", score(1, 60))
    put(
        session,
        "score_events",
        {"event_id": "s1", "at": NOW - timedelta(days=2), "lead_id": 1, "score": "intent", "points": 20.0},
        {"event_id": "s2", "at": NOW - timedelta(days=1), "lead_id": 1, "score": "intent", "points": 60.0},
    )
    qualifying.qualify(session, to="sql")
    assert events(session) == [(1, "mql", "sql", "s2", "mei")]


def test_both_steps_in_one_run(session: Session) -> None:
    put(session, "leads", {"lead_id": 1, **FULL})
    put(session, "touchpoints", form(1))
    put(session, "scores", score(1, 50))
    done = qualifying.qualify(session)
    assert [(s.to, s.qualified) for s in done.steps] == [("mql", 1), ("sql", 1)]
    assert [e[1:3] for e in events(session)] == [("new", "mql"), ("mql", "sql")]
    assert not usecases.stages(session).differing, "both moves bear the same time and still replay in order"


def test_an_event_used_already_is_not_the_cause_a_second_time(session: Session, open_sales: OPEN) -> None:
    put(session, "leads", {"lead_id": 1, "email": "a@acme.com"})
    put(session, "touchpoints", form(1, days=-5, event_id="old"))
    qualifying.qualify(session, to="mql")
    usecases.move(session, ["1"], to="new", reason="too early")
    session.clock.advance(timedelta(days=3))  # type: ignore[attr-defined]
    put(session, "touchpoints", form(1, days=2, event_id="again"))
    qualifying.qualify(session, to="mql")
    assert [e[3] for e in events(session)] == ["old", "lead qualify", "again"]


def test_a_dry_run_counts_and_writes_nothing(open_sales: OPEN) -> None:
    put(open_sales(), "leads", {"lead_id": 1, "status": "mql", **FULL})
    put(open_sales(), "scores", score(1, 50))
    dry = open_sales(dry_run=True)
    done = qualifying.qualify(dry, to="sql")
    assert (done.steps[0].qualified, done.steps[0].commit) == (1, None)
    assert statuses(dry) == {1: "mql"}


def test_explain_shows_every_requirement(session: Session) -> None:
    put(session, "leads", {"lead_id": 1, "status": "mql", "full_name": "王小明", **FULL, "need": None})
    put(session, "scores", score(1, 49))
    verdict = qualification_explained.explain(session, "a@acme.com")
    assert (verdict.name, verdict.to, verdict.qualifies) == ("王小明", "sql", False)
    assert [(t.name, t.holds, t.value) for t in verdict.terms] == [
        ("intent >= 50", False, "49"),
        ("need is known", False, "nothing"),
        ("budget is known", True, "10"),
        ("e-mail is valid", True, "a@acme.com"),
        ("e-mail is not suppressed", True, "not suppressed"),
    ]


@pytest.mark.parametrize("new", [s for s in lifecycle.MOVES if s != "converted"])
@pytest.mark.parametrize("old", lifecycle.MOVES)
def test_moves_by_hand_follow_the_rule(old: str, new: str) -> None:
    if new in lifecycle.MOVES[old]:
        lifecycle.check_move(1, old, new)
    else:
        with pytest.raises(PolicyError, match=f"lead:1 is {old} and may not become {new}"):
            lifecycle.check_move(1, old, new)


def test_of_several_leads_none_moves_when_one_may_not(session: Session) -> None:
    put(session, "leads", {"lead_id": 1, "status": "mql"}, {"lead_id": 2, "status": "converted"})
    with pytest.raises(PolicyError, match="lead:2 is converted"):
        usecases.move(session, ["1", "2"], to="new")
    usecases.move(session, ["lead:1"], to="new", reason="wrong person")
    assert statuses(session) == {1: "new", 2: "converted"}
    assert events(session) == [(1, "mql", "new", "lead qualify", "mei")]


@pytest.mark.parametrize(
    ("refs", "to", "error", "message"),
    [
        (["1"], "mqll", UserError, "Did you mean 'mql'"),
        (["1"], "converted", UserError, "command of its own"),
        (["1"], "disqualified", UserError, "without a reason"),
        (["7"], "mql", NotFound, "no lead 7"),
        (["bob"], "mql", NotFound, "'bob' is not a lead"),
        (["x@y.z"], "mql", NotFound, "no lead with the e-mail"),
        (["two@acme.com"], "mql", UserError, "the e-mail of 2 leads"),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)
def test_what_cannot_be_moved_is_named(
    session: Session, refs: list[str], to: str, error: type[Exception], message: str
) -> None:
    put(
        session,
        "leads",
        {"lead_id": 1},
        {"lead_id": 2, "email": "two@acme.com"},
        {"lead_id": 3, "email": "two@acme.com"},
    )
    with pytest.raises(error, match=message):
        usecases.move(session, refs, to=to)


def test_a_reason_stays_while_the_lead_is_disqualified(session: Session) -> None:
    put(session, "leads", {"lead_id": 1, "status": "mql"})
    usecases.move(session, ["1"], to="disqualified", reason="student")
    usecases.move(session, ["1"], to="new")
    with session.query() as query:
        assert query.rows("select status, disqualified_reason from leads") == [("new", None)]
    with session.query(as_of=2) as query:
        assert query.rows("select status, disqualified_reason from leads") == [("disqualified", "student")]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"need"', '"ned"', "unknown field 'ned' of lead. Did you mean 'need'"),
        ("pass_mark", "passmark", "Did you mean 'pass_mark'"),
        ("kind =", "kid =", "kid"),
    ],
    ids=["field", "key", "condition"],
)
def test_wrong_rules_are_named(session: Session, old: str, new: str, message: str) -> None:
    (session.folder / qualification.FILE).write_text(RULES.replace(old, new))
    with pytest.raises(UserError, match=message):
        qualifying.qualify(session)


def test_explain_takes_the_condition_apart(session: Session) -> None:
    put(session, "leads", {"lead_id": 1, "email": "a@acme.com"})
    verdict = qualification_explained.explain(session, "lead:1")
    assert [(t.name, t.holds) for t in verdict.terms] == [
        ("email is not null", True),
        ("has(touchpoints) filter (where kind = 'form_submit')", False),
        ("e-mail is valid", True),
        ("e-mail is not suppressed", True),
    ]


def test_check_lists_what_is_wrong(session: Session) -> None:
    assert qualifying.check(session) == ()
    (session.folder / "scores").mkdir()
    (session.folder / "scores" / "intents.toml").write_text("")
    (session.folder / qualification.FILE).write_text(RULES.replace("kind =", "kid ="))
    mql, sql = qualifying.check(session)
    assert "kid" in mql
    assert "no score 'intent' in scores/. Did you mean 'intents'?" in sql


def test_no_rules_are_an_error_that_names_the_file(session: Session) -> None:
    (session.folder / qualification.FILE).unlink()
    with pytest.raises(ConfigError, match=r"qualification\.toml: no such file"):
        qualifying.qualify(session)


MOVE = st.tuples(st.integers(1, 3), st.sampled_from(sorted(lifecycle.MOVES)))


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(MOVE, min_size=1, max_size=6))
def test_at_every_commit_the_counts_equal_a_replay(
    open_sales: OPEN, tmp_path: Path, moves: list[tuple[int, str]]
) -> None:
    session = open_sales(f"ws{sum(1 for _ in tmp_path.iterdir())}")
    put(session, "leads", *({"lead_id": n} for n in (1, 2, 3)))
    expected = {session.workspace.head(): dict.fromkeys((1, 2, 3), "new")}
    for lead_id, to in moves:
        try:
            usecases.move(session, [str(lead_id)], to=to, reason="why")
        except UserError:
            continue
        head = session.workspace.head()
        expected[head] = {**expected[max(expected)], lead_id: to}
    for seq, stages in expected.items():
        session.as_of = str(seq)
        found = usecases.stages(session)
        assert not found.differing
        counted = {s.stage: s.leads for s in found.stages}
        assert counted == {s.stage: s.replayed for s in found.stages}
        assert counted == {s: list(stages.values()).count(s) for s in stages.values()}


def test_the_shipped_rules_compile(session: Session) -> None:
    configs = Path(__file__).resolve().parents[2] / "configs" / "b2b"
    (session.folder / qualification.FILE).write_bytes((configs / qualification.FILE).read_bytes())
    put(session, "leads", {"lead_id": 1, **FULL, "background": "uses a rival"})
    put(session, "touchpoints", form(1))
    put(session, "scores", score(1, 50))
    assert [s.qualified for s in qualifying.qualify(session).steps] == [1, 1]
