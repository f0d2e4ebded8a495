"""Qualification by several paths and by lifetime value: each lead goes by one path, and the reason says which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import ConditionError, ConfigError, UserError
from sfactl.config.settings import Settings
from sfactl.leads import lifecycle_usecases, qualification
from sfactl.leads.qualification_explained import explain
from sfactl.leads.qualification_usecases import check, missing, qualify
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

MQL = 'schema = 1\n[mql]\nwhere = "email is not null"\n'
VALUE = """
[sql]
score = "intent"
pass_mark = 50
expected_ltv_min = 1000
[ltv]
name = "three years"
version = "2026-1"
value = "coalesce(sum(orders.amount), 0) + budget * 0.1"
budget_ok = "budget >= 5000"
"""
PATHS = """
[sql]
score = "intent"
pass_mark = 50
required = ["need"]
among = "coalesce(employees, 0) < 500"
[[sql.path]]
name = "enterprise"
among = "employees >= 500"
score = "fit"
pass_mark = 20
required = ["need", "budget"]
[[sql.path]]
name = "laser"
among = "contains(product_interest, 'laser')"
where = "budget > 100"
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    with open_session(
        folder, settings=Settings(), command="t", actor="mei", clock=FixedClock(datetime(2026, 5, 4)), quiet=True
    ) as opened:
        yield opened


def world(session: Session, rules: str, leads: list[dict[str, Any]], scores: Mapping[tuple[int, str], float]) -> None:
    (session.folder / qualification.FILE).write_text(MQL + rules, encoding="utf-8")
    rows = {
        "leads": [{"status": "mql", "email": f"{lead['lead_id']}@acme.com", **lead} for lead in leads],
        "scores": [{"lead_id": n, "score": name, "points": points} for (n, name), points in scores.items()],
    }
    with session.write("leads", "scores") as tx:
        for dataset, found in rows.items():
            if found:
                schema = session.workspace.schemas[dataset].arrow()
                tx.upsert(dataset, pa.Table.from_pylist(found, schema=schema))
        tx.commit()


def moved(session: Session) -> dict[int, str]:
    with session.query() as query:
        return dict(query.rows("select entity_id, reason from stage_events where to_stage = 'sql' order by 1"))


def lacking(session: Session, **options: Any) -> dict[int, str]:
    return {row["lead_id"]: row["missing"] for row in missing(session, **options).to_pylist()}


def test_an_sql_is_worth_something_and_able_to_buy(session: Session) -> None:
    leads = [
        {"lead_id": 1, "budget": Decimal(10000)},
        {"lead_id": 2, "budget": Decimal(9999)},
        {"lead_id": 3, "budget": Decimal(4000), "expected_ltv": Decimal(9)},
        {"lead_id": 4},
    ]
    world(session, VALUE, leads, {(n, "intent"): 60.0 for n in (1, 2, 3, 4)})
    with session.write("orders") as tx:
        tx.upsert(
            "orders",
            "select 1 as order_id, 3 as lead_id, timestamp '2026-01-01' as \"at\", 5000 as amount, 'paid' as status",
        )
        tx.commit()
    assert lacking(session) == {
        2: "expected lifetime value 999.9 (needs >= 1000, three years v2026-1)",
        3: "budget not enough",
        4: "expected lifetime value none (needs >= 1000, three years v2026-1), budget not enough",
    }
    qualify(session, to="sql")
    assert moved(session) == {
        1: "intent at 50 or more, expected lifetime value 1000.00 by three years v2026-1, budget enough"
    }


def test_clv_asks_for_both_even_where_the_rules_do_not(session: Session) -> None:
    leads = [
        {"lead_id": 1, "expected_ltv": Decimal(5), "budget": Decimal(1)},
        {"lead_id": 2, "expected_ltv": Decimal(0), "budget": Decimal(1)},
        {"lead_id": 3, "expected_ltv": Decimal(5), "budget": Decimal(1), "budget_ok": False},
        {"lead_id": 4, "expected_ltv": Decimal(5), "budget_ok": True},
    ]
    world(session, '[sql]\nscore = "intent"\npass_mark = 1\n', leads, {(n, "intent"): 1.0 for n in (1, 2, 3, 4)})
    assert lacking(session, clv=True) == {
        2: "expected lifetime value 0 (needs > 0, stated value v1)",
        3: "budget not enough",
    }
    assert lacking(session) == {}
    qualify(session, to="sql", clv=True)
    assert sorted(moved(session)) == [1, 4]


def test_each_lead_goes_by_the_first_path_that_is_for_it_and_that_it_fulfils(session: Session) -> None:
    leads = [
        {"lead_id": 1, "employees": 9, "need": "x"},
        {"lead_id": 2, "employees": 900, "need": "x", "budget": Decimal(1)},
        {"lead_id": 3, "employees": 900, "need": "x"},
        {"lead_id": 4, "employees": 9, "product_interest": "Laser", "budget": Decimal(101)},
        {"lead_id": 5, "employees": 900, "product_interest": "Laser", "budget": Decimal(1)},
    ]
    marks = {(1, "intent"): 50.0, (2, "intent"): 99.0, (2, "fit"): 20.0, (3, "fit"): 30.0}
    world(session, PATHS, leads, marks)
    assert lacking(session) == {3: "budget", 5: "laser.where"}
    (step,) = qualify(session, to="sql").steps
    assert step.paths == {"sql": 1, "enterprise": 1, "laser": 1}
    assert [(m.item, m.leads) for m in step.missing] == [("budget is known", 1), ("laser.where", 1)]
    assert moved(session) == {
        1: "intent at 50 or more, all required fields known",
        2: "path enterprise: fit at 20 or more, all required fields known",
        4: "path laser: fulfils sql.path[1].where",
    }
    verdict = explain(session, "lead:3")
    assert (verdict.path, verdict.qualifies, verdict.others) == ("enterprise", False, ())
    assert [t.change for t in verdict.terms if not t.holds] == ["budget filled in"]
    verdict = explain(session, "lead:5")
    assert [(o.name, o.missing) for o in verdict.others] == [("enterprise", "fit none of 20, need")]
    assert [t.change for t in verdict.terms if not t.holds] == ["budget 100.0001 (99.0001 more)"]


def test_a_lead_for_which_there_is_no_path_is_told_so(session: Session) -> None:
    world(session, "[[sql.path]]\nname = 'big'\namong = 'employees > 500'\nrequired = ['need']\n", [{"lead_id": 1}], {})
    assert lacking(session) == {1: "no path is for this lead"}
    (step,) = qualify(session, to="sql").steps
    assert [(m.item, m.leads) for m in step.missing] == [("a path for them", 1)]
    assert [t.name for t in explain(session, "1").terms] == ["big is for: employees > 500"]


def test_the_smallest_change_admits_the_lead(session: Session) -> None:
    world(session, VALUE, [{"lead_id": 1, "budget": Decimal(10000)}], {(1, "intent"): 47.5})
    (lacks,) = [t for t in explain(session, "1").terms if not t.holds]
    assert lacks.change == "intent 50 (2.5 more points)"
    with session.write("scores") as tx:
        tx.upsert("scores", "select 1 as lead_id, 'intent' as score, 50.0::double as points")
        tx.commit()
    assert explain(session, "1").qualifies


@pytest.mark.parametrize(
    ("rules", "error", "said"),
    [
        ("[sql]\n", ConfigError, "sql: states nothing that a lead must have"),
        ('[sql]\nscore = "intent"\n', ConfigError, "sql: score and pass_mark go together"),
        ('[sql]\n[[sql.path]]\nname = "a"\n', ConfigError, r"sql.path\[0\]: states nothing"),
        (
            '[sql]\n[[sql.path]]\nname="a"\nrequired=["ned"]\n',
            ConfigError,
            r"sql.path\[0\].required: .*Did you mean 'need'",
        ),
        ('[sql]\n[[sql.path]]\nname="a"\nwhere="x"\n[[sql.path]]\nname="a"\nwhere="y"\n', ConfigError, "two paths"),
        (VALUE.replace("budget * 0.1", "bugdet"), ConditionError, 'ltv.value, position 35: .*Did you mean "budget"'),
        (
            VALUE.replace("budget >= 5000", "email"),
            ConditionError,
            "ltv.budget_ok, position 1: .* a condition is needed",
        ),
        (
            VALUE.replace('"coalesce(sum(orders.amount), 0) + budget * 0.1"', '"email"'),
            ConditionError,
            "a number is needed",
        ),
        ('[sql]\nrequired=["need"]\nexpected_ltv=3\n', ConfigError, "Did you mean 'expected_ltv_min'"),
    ],
)
def test_wrong_paths_are_named(session: Session, rules: str, error: type[Exception], said: str) -> None:
    world(session, rules, [{"lead_id": 1}], {})
    with pytest.raises(error, match=said):
        qualify(session)
    assert check(session)


def test_a_lead_is_dropped_for_a_reason_that_is_listed_and_taken_up_again(session: Session) -> None:
    world(session, "[sql]\nrequired = ['need']\n[disqualify]\nreasons = ['student', 'rival']\n", [{"lead_id": 1}], {})
    with pytest.raises(UserError, match="'studnet' is no reason") as caught:
        lifecycle_usecases.move(session, ["1"], to="disqualified", reason="studnet")
    assert caught.value.hint == "Did you mean 'student'?"
    lifecycle_usecases.move(session, ["1"], to="disqualified", reason="student")
    lifecycle_usecases.move(session, ["1"], to="new")
    assert qualify(session).steps[0].qualified == 1
