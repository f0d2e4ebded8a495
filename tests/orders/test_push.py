"""Pushing to an ERP: once each, whatever it answers, and nothing undone goes unlisted."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest

from sfactl.api.errors import (
    Ambiguous,
    AuthError,
    Conflict,
    DataError,
    LockBusy,
    NeedsConfirmation,
    NotFound,
    RateLimited,
    Refused,
    ServerFault,
    Transient,
)
from sfactl.orders import usecases
from sfactl.orders.keys import key, our_id, our_number, parse_order, payload_hash, readable
from sfactl.session import FixedClock, Session

Opener = Callable[..., Session]


def states(session: Session) -> list[tuple[Any, ...]]:
    with session.query() as query:
        return query.rows("select order_id, status, erp_id from orders order by 1")


def push(opener: Opener, erp: Any, **options: Any) -> Any:
    return usecases.push(opener(erp=erp), pause=lambda _: None, **options)


def test_everything_is_pushed_once(session: Session, open_again: Opener, memory_erp: Any) -> None:
    first = push(open_again, memory_erp)
    again = push(open_again, memory_erp)
    assert (first.customers, first.products, first.orders, first.undone) == (1, 1, 2, ())
    assert (again.customers, again.products, again.orders, again.unchanged, again.commit) == (0, 0, 0, 2, None)
    assert states(session) == [(1, "pushed", "SO1"), (2, "pushed", "SO2")]
    own_key, order, _ = memory_erp.orders[0]
    assert own_key == f"sfactl:{session.workspace.id}:order:1"
    assert (order.number, order.payment_terms_days, order.lines[0].amount) == ("O-1", 14, 300)
    (customer,) = memory_erp.customers.values()
    assert (customer.name, customer.email, customer.tax_id) == ("Acme", "ann@acme.example", "12345678")
    assert session.ledger.rows() == []


def test_a_changed_customer_is_pushed_again_also_back_to_what_it_was(
    session: Session, open_again: Opener, memory_erp: Any, clock: FixedClock
) -> None:
    push(open_again, memory_erp)
    for name in ("Acme GmbH", "Acme", "Acme GmbH"):
        clock.advance(timedelta(hours=1))
        with session.write("accounts") as tx:
            tx.upsert("accounts", "select * replace ($name as name) from accounts", {"name": name})
            tx.commit()
        assert push(open_again, memory_erp, orders_only=True).customers == 0
        assert push(open_again, memory_erp).customers == 1
        assert [c.name for c in memory_erp.customers.values()] == [name]


def test_a_dry_run_changes_neither_side(session: Session, open_again: Opener, memory_erp: Any) -> None:
    head = session.workspace.head()
    trial = usecases.push(open_again(erp=memory_erp, dry_run=True))
    assert (trial.orders, trial.customers, trial.commit) == (2, 1, None)
    assert memory_erp.orders == []
    assert session.workspace.head() == head
    assert session.ledger.rows() == []


@pytest.mark.parametrize(
    "error", [Ambiguous("no answer"), ServerFault("500"), ValueError("odd")], ids=lambda e: type(e).__name__
)
@pytest.mark.parametrize("moment", ["early", "late"])
def test_a_lost_answer_never_makes_a_second_order(
    session: Session, open_again: Opener, memory_erp: Any, clock: FixedClock, error: Exception, moment: str
) -> None:
    memory_erp.script["order"] = [(moment, error)]
    first = push(open_again, memory_erp)
    assert [x.what for x in first.unknown] == ["order O-1"]
    assert states(session)[0] == (1, "open", None)
    soon = push(open_again, memory_erp)
    if moment == "early":
        # It may still be on its way: nothing is sent before the ERP's longest request is over.
        assert [x.order_id for x in soon.unknown] == [1]
        assert "may still be on its way until 2026-06-15 12:02:00" in soon.unknown[0].reason
        clock.advance(timedelta(seconds=121))
        assert push(open_again, memory_erp).orders == 1
    else:
        assert (soon.recovered, soon.orders) == (1, 0)
    assert sorted(k for k, _, _ in memory_erp.orders) == sorted({k for k, _, _ in memory_erp.orders})
    assert len(memory_erp.orders) == 2
    assert all(status == "pushed" for _, status, _ in states(session))
    assert push(open_again, memory_erp).undone == ()


def test_where_keys_are_unique_nobody_needs_to_wait(session: Session, open_again: Opener, memory_erp: Any) -> None:
    memory_erp.unique_key = True
    memory_erp.script["order"] = [("early", Ambiguous("no answer"))]
    assert len(push(open_again, memory_erp).unknown) == 1
    assert push(open_again, memory_erp).orders == 1
    assert len(memory_erp.orders) == 2


@pytest.mark.parametrize(
    "error", [Transient("503"), Conflict("stale"), RateLimited("slow", after_s=7)], ids=lambda e: type(e).__name__
)
def test_what_is_safe_is_tried_again_at_once(
    session: Session, open_again: Opener, memory_erp: Any, error: Exception
) -> None:
    memory_erp.script["order"] = [("early", error), ("early", error)]
    waits: list[float] = []
    done = usecases.push(open_again(erp=memory_erp), pause=waits.append)
    assert (done.orders, len(memory_erp.orders), done.undone) == (2, 2, ())
    assert waits == ([7, 7] if isinstance(error, RateLimited) else [0.5, 1.0])


def test_a_long_wait_is_left_to_the_next_push(
    session: Session, open_again: Opener, memory_erp: Any, clock: FixedClock
) -> None:
    memory_erp.script["order"] = [("early", RateLimited("come back in an hour", after_s=3600))]
    waits: list[float] = []
    first = usecases.push(open_again(erp=memory_erp), pause=waits.append)
    assert ([x.reason for x in first.postponed], waits) == (["come back in an hour"], [])
    assert [x.order_id for x in push(open_again, memory_erp).postponed] == [1]
    clock.advance(timedelta(hours=1))
    assert push(open_again, memory_erp).orders == 1


def test_a_refusal_is_listed_and_stands_until_a_person_asks(
    session: Session, open_again: Opener, memory_erp: Any
) -> None:
    memory_erp.script["order"] = [("early", Refused("unknown unit"))]
    assert [(x.order_id, x.reason) for x in push(open_again, memory_erp).refused] == [(1, "unknown unit")]
    calls = len(memory_erp.calls)
    assert [x.reason for x in push(open_again, memory_erp).refused] == ["unknown unit"]
    assert len(memory_erp.calls) == calls
    memory_erp.script["order"] = [("early", Refused("still unknown"))]
    assert [x.reason for x in push(open_again, memory_erp, retry=["O-1"]).refused] == ["still unknown"]
    assert push(open_again, memory_erp, retry=["O-1"]).orders == 1
    assert len(memory_erp.orders) == 2


def test_a_refused_customer_holds_its_orders_until_it_changes(
    session: Session, open_again: Opener, memory_erp: Any
) -> None:
    memory_erp.script["customer"] = [("early", Refused("tax id wrong"))]
    first = push(open_again, memory_erp)
    assert [x.what for x in first.refused] == ["customer 1"]
    assert [x.reason for x in first.postponed] == ["waits for customer 1", "waits for customer 1"]
    assert memory_erp.orders == []
    with session.write("accounts") as tx:
        tx.upsert("accounts", "select * replace ('87654321' as tax_id) from accounts")
        tx.commit()
    assert push(open_again, memory_erp).orders == 2


def test_a_confirmation_becomes_a_task_and_its_answer_lets_the_order_through(
    session: Session, open_again: Opener, memory_erp: Any
) -> None:
    memory_erp.script["order"] = [("early", NeedsConfirmation("credit limit exceeded"))]
    assert [x.reason for x in push(open_again, memory_erp).to_confirm] == ["credit limit exceeded"]
    assert [x.reason for x in push(open_again, memory_erp).to_confirm] == ["credit limit exceeded"]
    with session.query() as query:
        tasks = query.rows("select kind, title, owner, opportunity_id, state from tasks")
    title = "The ERP main asks to confirm order O-1: credit limit exceeded"
    assert tasks == [("approve", title, "ann", 9, "open")]
    with session.write("tasks") as tx:
        tx.upsert("tasks", "select * replace ('done' as state) from tasks")
        tx.commit()
    assert push(open_again, memory_erp).orders == 1
    assert len(memory_erp.orders) == 2


def test_wrong_credentials_stop_the_push_and_lose_nothing(
    session: Session, open_again: Opener, memory_erp: Any
) -> None:
    memory_erp.script["product"] = [("early", AuthError("401"))]
    first = push(open_again, memory_erp)
    assert [x.what for x in first.postponed] == ["product LX-300", "order O-1", "order O-2"]
    assert first.customers == 1
    assert push(open_again, memory_erp).orders == 2


def test_a_duplicate_in_the_erp_is_parked_for_a_person(session: Session, open_again: Opener, memory_erp: Any) -> None:
    push(open_again, memory_erp, only=["O-2"])
    memory_erp.orders.append((key(session.workspace.id, "order", 1), memory_erp.orders[0][1], "confirmed"))
    done = push(open_again, memory_erp)
    assert [(x.order_id, x.reason) for x in done.duplicates] == [(1, "is at the ERP 2 times: SO2, SO3")]
    with session.query() as query:
        assert query.rows("select title from tasks") == [
            ("O-1 is at the ERP main 2 times (SO2, SO3): keep one and cancel the others there",)
        ]
        assert query.rows("select state from erp_refs where our_key like '%order:1'") == [("duplicate",)]


def test_only_one_push_at_a_time(session: Session, open_again: Opener, memory_erp: Any) -> None:
    with session.ledger.lease("erp:main", run_id="other"), pytest.raises(LockBusy):
        push(open_again, memory_erp)
    assert memory_erp.orders == []


def test_an_order_cancelled_here_is_cancelled_there(session: Session, open_again: Opener, memory_erp: Any) -> None:
    push(open_again, memory_erp)
    assert usecases.cancel(session, "O-1").tell_erp
    assert usecases.cancel(session, "1").repeated
    memory_erp.script["cancel"] = [("late", Ambiguous("no answer"))]
    assert len(push(open_again, memory_erp).unknown) == 1
    assert push(open_again, memory_erp).cancelled == 1
    assert [state for _, _, state in memory_erp.orders] == ["cancelled", "confirmed"]
    assert push(open_again, memory_erp).cancelled == 0


def test_an_order_cancelled_before_it_was_found_to_be_there_is_still_cancelled_there(
    session: Session, open_again: Opener, memory_erp: Any
) -> None:
    memory_erp.script["order"] = [("late", Ambiguous("no answer")), ("early", Ambiguous("no answer"))]
    assert len(push(open_again, memory_erp).unknown) == 2
    for order in ("O-1", "O-2"):
        usecases.cancel(session, order)
    done = push(open_again, memory_erp)
    assert (done.recovered, done.cancelled) == (1, 1)
    assert [(k[-1], s) for k, _, s in memory_erp.orders] == [("1", "cancelled")]


def test_a_crash_between_the_erp_and_the_record_is_mended(
    session: Session, open_again: Opener, memory_erp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module("sfactl.orders.usecases.push")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "record", die)
    with pytest.raises(KeyboardInterrupt):
        push(open_again, memory_erp)
    monkeypatch.undo()
    done = push(open_again, memory_erp)
    assert (done.recovered, done.customers, done.orders) == (2, 0, 2)
    assert len(memory_erp.orders) == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_no_storm_of_faults_makes_a_duplicate(
    session: Session, open_again: Opener, memory_erp: Any, clock: FixedClock, seed_orders: Any, seed: int
) -> None:
    """Every call may fail before or after its work, or take the whole process with it; in the end all is there once."""
    seed_orders(session, 40)
    chance = random.Random(seed)
    faults = [Ambiguous("lost"), Transient("busy"), Conflict("stale"), ServerFault("500"), KeyboardInterrupt()]
    safe = (Transient, Conflict)  # what promises that nothing was done cannot come after the work

    def storm() -> list[tuple[str, BaseException] | None]:
        drawn = [chance.choice([None, None, *faults]) for _ in range(12)]
        moments = [chance.choice(["early", "late"]) for _ in drawn]
        return [f and ("early" if isinstance(f, safe) else m, f) for f, m in zip(drawn, moments, strict=True)]

    for _ in range(25):
        memory_erp.script = {verb: storm() for verb in ("customer", "product", "order", "find")}
        with contextlib.suppress(KeyboardInterrupt):
            push(open_again, memory_erp)
        clock.advance(timedelta(seconds=chance.choice([1, 200])))
    memory_erp.script = {}
    clock.advance(timedelta(seconds=200))
    push(open_again, memory_erp)
    assert push(open_again, memory_erp).undone == ()
    assert Counter(k for k, _, _ in memory_erp.orders) == {
        key(session.workspace.id, "order", n): 1 for n in range(1, 41)
    }
    assert session.ledger.rows() == []


def test_an_order_without_a_customer_is_listed(session: Session, open_again: Opener, memory_erp: Any) -> None:
    with session.write("orders") as tx:
        tx.upsert("orders", "select * replace (null as account_id) from orders where order_id = 1")
        tx.commit()
    done = push(open_again, memory_erp)
    assert [(x.order_id, x.reason) for x in done.refused] == [
        (1, "has neither account nor lead, so there is no customer")
    ]
    assert done.orders == 1


def test_a_lead_that_ordered_without_an_account_is_a_customer(
    session: Session, open_again: Opener, memory_erp: Any
) -> None:
    with session.write("orders", "leads") as tx:
        tx.upsert("orders", "select * replace (null as account_id, 7 as lead_id) from orders where order_id = 1")
        tx.upsert("leads", "select 7 as lead_id, '王小明' as full_name, 'w@x.example' as email")
        tx.commit()
    assert push(open_again, memory_erp).customers == 2
    assert memory_erp.orders[0][1].customer_key == key(session.workspace.id, "customer", "lead-7")
    assert memory_erp.customers[memory_erp.orders[0][1].customer_key].name == "王小明"


@pytest.mark.parametrize(
    ("settings", "name", "error", "words"),
    [
        ({}, None, NotFound, "no ERP is set up"),
        ({"a": {"use": "files"}, "b": {"use": "files"}}, None, DataError, "several ERPs: a, b"),
        ({"main": {"use": "files"}}, "mian", NotFound, "no ERP 'mian'"),
    ],
)
def test_the_erp_must_be_clear(
    open_again: Opener, erp_settings: dict[str, Any], settings: Any, name: Any, error: Any, words: str
) -> None:
    erp_settings.clear()
    erp_settings.update(settings)
    with pytest.raises(error, match=words):
        usecases.push(open_again(), name)


def test_keys_read_back() -> None:
    made = key("t1", "product", "A:1")
    assert (our_id(made, "t1", "product"), our_id(made, "t2", "product")) == ("A:1", None)
    assert our_number(key("t1", "order", 12), "t1", "order") == 12
    assert our_number(made, "t1", "product") is None
    assert [readable(k) for k in (made, key("t", "order", 3), "else")] == ["product A:1", "order O-3", "else"]
    assert [parse_order(t) for t in ("O-3", "order:3", "3")] == [3, 3, 3]
    with pytest.raises(DataError, match="'x' is not an order"):
        parse_order("x")


def test_a_payload_hash_does_not_depend_on_the_scale_of_numbers() -> None:
    from decimal import Decimal

    from sfactl.api.records import ErpProduct

    one, other = (ErpProduct(sku="a", name="b", list_price=Decimal(p)) for p in ("1.50", "1.5000"))
    assert payload_hash(one) == payload_hash(other)
    assert payload_hash(one) != payload_hash(ErpProduct(sku="a", name="b", list_price=Decimal("1.51")))
