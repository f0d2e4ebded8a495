"""Next actions: one for each qualified lead, kept once, overridden by people, counted by what came of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sfactl.api.errors import ConditionError, ConfigError, PolicyError, UserError
from sfactl.portrait.usecases import next_actions, overriding
from sfactl.portrait.usecases.next_explained import explain

from .conftest import NOW, Desk, touch

RULES = """
schema = 1
[default]
action = "letter"
why = "Send the brochure"
[[rules]]
id = "visit-big"
where = "budget >= 100000 and has(touchpoints) filter (where kind = 'form_submit')"
action = "visit"
why = "Go and see them"
due = "5 days"
[[rules]]
id = "call-tw"
where = "country = 'TW'"
action = "call"
why = "Call"
due = "1 day"
again_after = "30 days"
[[rules]]
id = "ask-customer"
stages = ["converted"]
where = "true"
action = "call"
why = "Whom else could we help?"
again_after = "180 days"
"""


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    desk = make_desk()
    desk.file("next_actions.toml", RULES)
    return desk


def chosen(desk: Desk, **options: object) -> dict[int, tuple[str, str]]:
    rows = next_actions.suggest(desk.session(**options)).to_pylist()
    return {row["lead_id"]: (row["action"], row["rule"]) for row in rows}


def test_each_qualified_lead_has_exactly_one_action_by_the_first_rule_that_holds(desk: Desk) -> None:
    assert chosen(desk) == {1: ("call", "call-tw"), 2: ("letter", "default")}
    desk.put("touchpoints", [touch(1, 1, "form_submit")])
    assert chosen(desk)[1] == ("visit", "visit-big")
    with pytest.raises(PolicyError, match="lead:3 is new, and next actions are for mql, sql"):
        next_actions.suggest(desk.session(), ["3"])


def test_what_is_kept_stays_until_it_no_longer_holds(desk: Desk) -> None:
    first = next_actions.save(desk.session(), create_tasks=True)
    assert (first.suggested, first.tasks, first.by_rule) == (2, 2, {"call-tw": 1, "default": 1})
    desk.later(hours=1)
    again = next_actions.save(desk.session(), create_tasks=True)
    assert (again.suggested, again.standing, again.tasks, again.commit) == (0, 2, 0, None)
    assert desk.rows("select since from next_actions where lead_id = 1") == [(NOW,)]
    desk.put("touchpoints", [touch(1, 1, "form_submit", days=0)])
    moved = next_actions.save(desk.session(), create_tasks=True)
    assert (moved.suggested, moved.tasks) == (1, 1)
    assert desk.rows("select step, kind, state from tasks where lead_id = 1 order by created_at") == [
        ("call-tw", "call", "dropped"),
        ("visit-big", "visit", "open"),
    ]
    desk.put("leads", [{"lead_id": 1, "status": "disqualified"}, {"lead_id": 2, "status": "mql"}])
    gone = next_actions.save(desk.session())
    assert gone.withdrawn == 1
    assert desk.rows("select lead_id from next_actions") == [(2,)]
    assert desk.rows("select count(*) from tasks where state = 'open'") == [(1,)]


def test_a_dry_run_keeps_nothing(desk: Desk) -> None:
    assert next_actions.save(desk.session(dry_run=True), create_tasks=True).tasks == 2
    assert desk.rows("select count(*) from next_actions") == [(0,)]


def test_a_rule_that_was_taken_up_rests(desk: Desk) -> None:
    next_actions.save(desk.session())
    desk.later(hours=2)
    desk.put("touchpoints", [{"event_id": "c", "at": desk.clock.at, "kind": "call", "lead_id": 1}])
    desk.later(hours=1)
    assert chosen(desk)[1] == ("letter", "default")
    assert explain(desk.session(), "1").rules[1].because == "was taken up on 2026-11-21 and rests for 30 days"
    desk.later(days=31)
    assert chosen(desk)[1] == ("call", "call-tw")


def test_a_done_task_takes_it_up_too_and_customers_are_asked_once_a_period(desk: Desk) -> None:
    desk.put("leads", [{"lead_id": 1, "status": "converted"}])
    next_actions.save(desk.session(), create_tasks=True)
    assert chosen(desk)[1] == ("call", "ask-customer")
    desk.later(hours=1)
    ((task,),) = desk.rows("select task_id from tasks where lead_id = 1")
    desk.put("tasks", [{"task_id": task, "lead_id": 1, "state": "done", "done_at": desk.clock.at}])
    desk.later(days=100)
    assert 1 not in chosen(desk), "no default for customers"
    desk.later(days=81)
    assert chosen(desk)[1] == ("call", "ask-customer")


def test_an_override_stands_is_counted_and_can_be_taken_back(desk: Desk) -> None:
    next_actions.save(desk.session(), create_tasks=True)
    desk.later(minutes=5)
    done = overriding.override(desk.session(actor="ann"), "lead:1", "visit", reason="asked us to come")
    assert (done.rule, done.changed) == ("call-tw", True)
    assert not overriding.override(desk.session(), "lead:1", "visit", reason="asked us to come").changed
    (row,) = next_actions.suggest(desk.session(), ["1"]).to_pylist()
    assert (row["action"], row["rule"], row["actor"], row["overrides"]) == ("visit", "override", "ann", "call-tw")
    assert next_actions.save(desk.session()).suggested == 0
    stats = {(r["rule"], r["action"]): r for r in next_actions.statistics(desk.session()).to_pylist()}
    assert stats["call-tw", "call"]["overridden"] == 1
    assert stats["override", "visit"]["open"] == 1
    assert explain(desk.session(), "1").actor == "ann"
    desk.later(minutes=5)
    overriding.clear(desk.session(), "1")
    assert chosen(desk)[1] == ("call", "call-tw")
    with pytest.raises(UserError, match="nobody set"):
        overriding.clear(desk.session(), "1")


def test_what_came_of_suggestions_is_counted(desk: Desk) -> None:
    next_actions.save(desk.session())
    desk.later(hours=3)
    desk.put("touchpoints", [{"event_id": "c", "at": desk.clock.at, "kind": "call", "lead_id": 1}])
    desk.later(days=6)
    rows = next_actions.statistics(desk.session()).to_pylist()
    told = {r["rule"]: (r["suggested"], r["taken"], r["ignored"], r["taken_percent"]) for r in rows}
    assert told == {"call-tw": (1, 1, 0, 100.0), "default": (1, 0, 1, 0.0)}


def test_explain_says_why_not_an_earlier_rule(desk: Desk) -> None:
    found = explain(desk.session(), "2")
    assert [(r.rule, r.decides, r.because) for r in found.rules] == [
        ("visit-big", False, "✗ budget >= 100000 (it is 5000)"),
        ("call-tw", False, "✗ country = 'TW' (it is 'US')"),
        ("ask-customer", False, "is for converted"),
        ("default", True, "no rule holds"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('action = "call"', 'action = "cal"', r"rules\[1\].action: there is no action 'cal'. Did you mean 'call'"),
        ('stages = ["converted"]', 'stages = ["convert"]', "no stage of a lead 'convert'. Did you mean 'converted'"),
        ('due = "5 days"', 'due = "soon"', r"rules\[0\].due: 'soon' is not a period"),
        ('id = "call-tw"', 'id = "visit-big"', "'visit-big' is taken already"),
        ("country = 'TW'", "contry = 'TW'", "rules\\[1\\] 'call-tw': where, position 1: unknown field"),
        ("[default]", "[fallback]", "fallback"),
        ('why = "Call"', "", r"rules\[1\].why: missing"),
    ],
)
def test_wrong_rules_are_named(desk: Desk, old: str, new: str, said: str) -> None:
    desk.file("next_actions.toml", RULES.replace(old, new, 1))
    with pytest.raises((ConfigError, ConditionError), match=said):
        next_actions.suggest(desk.session())
    assert next_actions.check(desk.session())


def test_an_action_nobody_knows_is_refused(desk: Desk) -> None:
    with pytest.raises(UserError, match="no action 'vist'") as caught:
        overriding.override(desk.session(), "1", "vist", reason="x")
    assert caught.value.hint == "Did you mean 'visit'?"


def test_the_preset_has_the_three_cases_and_the_asks(make_desk: Callable[..., Desk]) -> None:
    preset = Path(__file__).resolve().parents[2] / "configs" / "b2b" / "next_actions.toml"
    known = {"need": "x", "budget": 1, "status": "sql"}
    desk = make_desk(
        "b2b",
        [
            {"lead_id": 1, **known, "budget": 90000},
            {"lead_id": 2, **known},
            {"lead_id": 3, "status": "mql", "need": "x"},
            {"lead_id": 4, **known},
            {"lead_id": 5, "status": "converted"},
            {"lead_id": 6, "status": "converted"},
            {"lead_id": 7, "status": "converted"},
        ],
    )
    desk.file("next_actions.toml", preset.read_text(encoding="utf-8"))
    desk.file("scores/intent.toml", "schema = 1\n")
    desk.put("touchpoints", [touch(1, 1, "form_submit", days=20), touch(2, 2, "form_submit", days=2)])
    paid = {"status": "paid", "at": NOW.replace(month=3)}
    desk.put(
        "orders",
        [{"order_id": 1, "lead_id": 5, **paid}, {"order_id": 2, "lead_id": 6, **paid, "at": NOW.replace(year=2024)}],
    )
    assert chosen(desk) == {
        1: ("visit", "visit-in-person"),
        2: ("call", "call-while-warm"),
        3: ("call", "call-for-the-missing"),
        4: ("letter", "default"),
        5: ("call", "ask-for-referral"),
        6: ("email", "offer-again"),
    }
