"""One walk over a strategy: who enters, moves, waits, gets what, and leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from .conftest import FRIDAY, HEAD, TASK, TOUCH, WAIT, Acme


def ago(days: float) -> object:
    return FRIDAY - timedelta(days=days)


def test_the_audience_enters_and_stays_at_its_first_touch(acme: Acme) -> None:
    acme.leads(1, 2)
    acme.leads(3, status="lost")
    acme.strategy(TOUCH, WAIT, TASK)
    assert acme.walked() == {
        (1, "entry"): "enter → offer",
        (1, "offer"): "send",
        (2, "entry"): "enter → offer",
        (2, "offer"): "send",
    }
    assert acme.moves == {1: ("offer", "active", None, False), 2: ("offer", "active", None, False)}


def test_who_cannot_be_written_to_goes_on_in_the_same_walk(acme: Acme) -> None:
    acme.leads(1, email=None)
    acme.strategy(TOUCH, TASK)
    assert acme.walked() == {
        (1, "entry"): "enter → offer",
        (1, "offer"): "skip (no address) → call",
        (1, "call"): "task → end",
    }
    assert acme.moves == {1: ("call", "finished", "finished", True)}


def test_a_settled_message_moves_on_from_the_time_it_was_settled(acme: Acme) -> None:
    acme.leads(1, 2)
    acme.strategy(TOUCH, WAIT, TASK)
    with acme.session() as session:
        tenant = session.workspace.id[:12]
    for n, days in ((1, 2), (2, 3)):
        acme.enrol(n, "offer", ago(5))
        key = f"{tenant}.winback.offer.{n}.1"
        message = {"at": ago(days), "message_key": key, "campaign": "winback", "step": "offer", "lead_id": n}
        acme.rows("messages", message | {"state": "accepted", "recipient": f"u{n}@example.com"})
    assert acme.walked() == {
        (1, "offer"): "pass (accepted) → breathe",
        (1, "breathe"): "wait (for 3 days)",
        (2, "offer"): "pass (accepted) → breathe",
        (2, "breathe"): "pass (3 days are over) → call",
        (2, "call"): "task → end",
    }


WAIT_CLICK = WAIT + 'until = "status = \'mql\'"\notherwise = "late"\n'
LATE = '[[steps]]\nname = "late"\naction = "stop"\n'


@pytest.mark.parametrize(
    ("status", "days", "said"),
    [
        ("mql", 1, "pass (condition holds) → call"),
        ("new", 1, "wait (for a condition)"),
        (None, 1, "wait (for a condition)"),
        ("new", 3, "pass (time ran out) → late"),
        ("mql", 3, "pass (condition holds) → call"),
    ],
)
def test_waiting_for_a_condition(acme: Acme, status: str | None, days: float, said: str) -> None:
    acme.leads(1, status=status)
    acme.strategy(WAIT_CLICK, TASK.replace("call", "call", 1), LATE)
    acme.enrol(1, "breathe", ago(days))  # type: ignore[arg-type]
    assert acme.walked()[1, "breathe"] == said


BRANCH = """[[steps]]
name = "big"
action = "branch"
where = "employees > 50"
then = "call"
otherwise = "end"
"""


@pytest.mark.parametrize(
    ("employees", "way"), [(51, "then) → call"), (50, "otherwise) → end"), (None, "otherwise) → end")]
)
def test_a_branch_sends_false_and_unknown_the_other_way(acme: Acme, employees: int | None, way: str) -> None:
    acme.leads(1, employees=employees)
    acme.strategy(BRANCH, TASK)
    assert acme.walked()[1, "big"] == f"pass ({way}"


SPLIT = """[[steps]]
name = "draw"
action = "split"
arms = [{ name = "a", share = 30, next = "call" }, { name = "b", share = 70, next = "end" }]
"""


def test_split_and_holdout_keep_their_shares_and_everybody_gets_one(acme: Acme) -> None:
    acme.leads(*range(1, 2001))
    acme.strategy("[holdout]\npercent = 10\n", SPLIT, TASK)
    found = acme.walked()
    held = [k for k, v in found.items() if v == "hold (holdout)"]
    arms = [v for (_, step), v in found.items() if step == "draw"]
    assert len(held) + len(arms) == 2000
    assert 150 < len(held) < 250
    assert 0.26 < arms.count("pass (arm a) → call") / len(arms) < 0.34
    assert not {n for n, _ in held} & {n for n, step in found if step == "call"}
    assert found == acme.walked()


@pytest.mark.parametrize(
    ("lead", "more", "said"),
    [
        ({"status": "won"}, "[goal]\nwhere = \"status = 'won'\"\n", "leave (goal) → end"),
        ({"status": "lost"}, "[exit]\nwhere = \"status = 'lost'\"\n", "leave (exit) → end"),
        ({}, '[exit]\nafter = "2 days"\n', "leave (too long) → end"),
        ({"company": "Rival"}, "", "leave (blacklisted) → end"),
        ({}, "", "pass (3 days are over) → call"),
    ],
)
def test_how_a_lead_leaves(acme: Acme, lead: dict[str, object], more: str, said: str) -> None:
    acme.write("segments/never.toml", "schema = 1\nwhere = \"company = 'Rival'\"\n")
    acme.leads(1, **lead)
    acme.strategy(more, WAIT, TASK, head=HEAD.replace("owner", 'blacklist = "never"\nowner'))
    acme.enrol(1, "breathe", ago(4))  # type: ignore[arg-type]
    assert acme.walked()[1, "breathe"] == said


@pytest.mark.parametrize(
    ("kind", "days", "said"),
    [
        pytest.param("reply", 1, "leave (exit on reply) → end", id="replied"),
        pytest.param("meeting", 1, "leave (exit on meeting) → end", id="met"),
        pytest.param("auto_reply", 1, "wait (for 3 days)", id="a-machine-answered"),
        pytest.param("reply", 3, "wait (for 3 days)", id="replied-before-it-entered"),
    ],
)
def test_what_they_do_lets_them_leave(acme: Acme, kind: str, days: float, said: str) -> None:
    acme.strategy(TOUCH, WAIT, TASK, head=HEAD + '[exit]\non = ["reply", "meeting"]\n')
    acme.leads(1)
    acme.enrol(1, "breathe", FRIDAY - timedelta(days=2))
    acme.rows("touchpoints", {"event_id": "e", "at": ago(days), "kind": kind, "lead_id": 1})
    assert acme.walked() == {(1, "breathe"): said}


def test_whom_nothing_ever_goes_to(acme: Acme) -> None:
    acme.write("segments/never.toml", "schema = 1\nwhere = \"company = 'Rival'\"\n")
    acme.leads(1, company="Rival")
    acme.leads(2)
    acme.leads(3, status="won")
    goal = "[goal]\nwhere = \"last_name = 'Done'\"\n"
    acme.leads(4, last_name="Done")
    acme.strategy(goal, TASK, head=HEAD.replace("owner", 'blacklist = "never"\nowner'))
    assert {n for n, _ in acme.walked()} == {2}


def test_the_limit_lets_in_the_lowest_numbers(acme: Acme) -> None:
    acme.leads(5, 3, 9)
    acme.strategy("[entry]\nlimit = 2\n", TASK)
    assert {n for n, _ in acme.walked()} == {3, 5}


@pytest.mark.parametrize(
    ("again", "left", "enters"),
    [("never", 400, False), ("30 days", 29, False), ("30 days", 30, True), ("30 days", None, False)],
)
def test_coming_again(acme: Acme, again: str, left: int | None, enters: bool) -> None:
    acme.leads(1)
    acme.strategy(f'[entry]\nagain = "{again}"\n', WAIT, TASK)
    gone = {} if left is None else {"left_at": ago(left), "state": "finished"}
    acme.enrol(1, "breathe", ago(1 if left is None else left + 1), **gone)  # type: ignore[arg-type]
    found = acme.walked()
    assert ((1, "entry") in found) is enters
    assert not enters or acme.moves[1][:2] == ("breathe", "active")


def test_a_task_that_is_there_is_not_made_again(acme: Acme) -> None:
    acme.leads(1)
    acme.strategy(WAIT, TASK)
    acme.enrol(1, "breathe", ago(4))  # type: ignore[arg-type]
    with acme.session() as session:
        key = f"{session.workspace.id[:12]}.winback.call.1.1"
    acme.rows("tasks", {"task_id": key, "lead_id": 1, "campaign": "winback", "step": "call", "state": "open"})
    assert acme.walked()[1, "call"] == "skip (already made) → end"


APPROVAL = '[[steps]]\nname = "boss"\naction = "approval"\ntask = { title = "May we?" }\n'


@pytest.mark.parametrize(
    ("state", "result", "said"),
    [
        (None, None, "approval"),
        ("open", None, "wait (approval by amy)"),
        ("done", "approved", "pass (approved) → call"),
        ("done", "refused", "pass (refused) → end"),
        ("dropped", None, "pass (refused) → end"),
    ],
)
def test_an_approval_waits_for_a_word(acme: Acme, state: str | None, result: str | None, said: str) -> None:
    acme.leads(1)
    acme.strategy(APPROVAL, TASK)
    acme.enrol(1, "boss", ago(1))  # type: ignore[arg-type]
    if state:
        with acme.session() as session:
            key = f"{session.workspace.id[:12]}.winback.boss.1.1"
        task = {"task_id": key, "lead_id": 1, "campaign": "winback", "step": "boss", "kind": "approval"}
        acme.rows("tasks", task | {"state": state, "result": result, "owner": "amy", "done_at": ago(0)})
    assert acme.walked()[1, "boss"] == said


PUSH = '[[steps]]\nname = "tell"\naction = "push"\nfeed = "marketing"\nwhat = "orders"\nwithin = "90 days"\n'


def test_a_push_counts_orders_that_the_feed_does_not_know(acme: Acme) -> None:
    acme.leads(1, 2)
    for number, days, status in (
        (1, 5, "paid"),
        (2, 50, "open"),
        (3, 100, "paid"),
        (4, 1, "cancelled"),
        (5, 2, "paid"),
    ):
        acme.rows("orders", {"order_id": number, "lead_id": 1, "at": ago(days), "status": status, "amount": 10})
    acme.rows("feeds", {"push_key": "marketing.5.1", "at": ago(1), "feed": "marketing", "order_id": 5})
    acme.strategy(PUSH)
    found = acme.walked()
    assert found[1, "tell"] == "push (2 orders to marketing) → end"
    assert found[2, "tell"] == "pass (no order to tell) → end"


def test_strategies_of_a_group_share_no_customer(acme: Acme) -> None:
    acme.leads(1, 2, 3)
    acme.leads(4, company="Big")
    group = HEAD.replace("owner", 'exclusive = "keep"\npriority = {}\nowner')
    acme.strategy(TASK, head=group.format(20))
    acme.strategy(WAIT, name="vip", head=group.format(90).replace("status = 'new'", "company = 'Big'"))
    acme.strategy(WAIT, name="other", head=group.format(10).replace("status = 'new'", "lead_id = 1"))
    acme.enrol(1, "breathe", ago(1), strategy="other")  # type: ignore[arg-type]
    assert {n for n, _ in acme.walked()} == {2, 3}
    assert {n for n, _ in acme.walked("vip")} == {4}


def test_looking_at_some_leads_only(acme: Acme) -> None:
    acme.leads(1, 2, 3)
    acme.strategy(WAIT, TASK)
    acme.enrol(1, "breathe", ago(4))  # type: ignore[arg-type]
    everybody = acme.walked()
    assert acme.walked(look_at=(1, 3)) == {k: v for k, v in everybody.items() if k[0] != 2}


def test_an_archived_strategy_lets_nobody_in_and_brings_the_others_home(acme: Acme) -> None:
    acme.leads(1, 2)
    acme.strategy(WAIT, TASK)
    acme.enrol(1, "breathe", ago(4))  # type: ignore[arg-type]
    acme.strategy(WAIT, TASK, head=HEAD.replace("owner", 'state = "archived"\nowner'))
    assert list(acme.walked()) == [(1, "breathe"), (1, "call")]
