"""Deals: stages with their rules, history of every change, sums that agree, and customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfactl.api.errors import DataError, NotFound, PolicyError, UserError
from sfactl.config.settings import Settings
from sfactl.opportunities.usecases import customers, deals, pipeline
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 5, 4, 9)
CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "b2b"
OPEN = Callable[..., Session]


@pytest.fixture
def open_sales(tmp_path: Path) -> Iterator[OPEN]:
    opened: list[Session] = []

    def opener(name: str = "ws", **options: Any) -> Session:
        folder = tmp_path / name
        if not folder.exists():
            Workspace.create(folder).close()
            (folder / "stages").mkdir()
            text = (CONFIGS / "stages" / "opportunity.toml").read_text(encoding="utf-8")
            (folder / "stages" / "opportunity.toml").write_text(text, encoding="utf-8")
        clock = FixedClock(NOW)
        session = open_session(folder, settings=Settings(), command="opp test", actor="mei", clock=clock, **options)
        opened.append(session)
        return session

    yield opener
    for session in opened:
        session.close()


@pytest.fixture
def session(open_sales: OPEN) -> Session:
    return open_sales()


def later(session: Session, days: int) -> None:
    session.clock.advance(timedelta(days=days))  # type: ignore[attr-defined]


def put(session: Session, dataset: str, *rows: dict[str, Any]) -> None:
    with session.write(dataset) as tx:
        tx.upsert(dataset, pa.Table.from_pylist(list(rows), schema=session.workspace.schemas[dataset].arrow()))
        tx.commit()


def add(session: Session, name: str = "Deal", **given: Any) -> str:
    return f"opp:{deals.add(session, name, given).opportunity_id}"


def row(session: Session, ref: str) -> dict[str, Any]:
    return dict(deals.show(session, ref).fields)


def test_a_deal_begins_in_the_first_stage(session: Session) -> None:
    put(session, "accounts", {"account_id": 3, "name": "Acme"})
    ref = add(session, "Saw", account_id=3, amount=Decimal(100))
    found = row(session, ref)
    assert (found["stage"], found["category"], found["probability"]) == ("qualification", "open", 0.1)
    assert (found["pipeline"], found["currency"], found["created_at"]) == ("opportunity", "USD", NOW)
    assert [(h.field, h.old, h.new) for h in deals.history(session, ref)] == [("stage", None, "qualification")]
    with pytest.raises(NotFound, match="account_id: there is no account 4"):
        add(session, account_id=4)


def test_a_move_leaves_old_and_new_and_takes_the_probability_of_the_stage(session: Session) -> None:
    ref = add(session)
    later(session, 3)
    deals.move(session, [ref], "proposal", values={"amount": "1,500.50", "close_date": "2026-09-30"}, reason="asked")
    found = row(session, ref)
    assert (found["stage"], found["probability"], found["amount"]) == ("proposal", 0.5, Decimal("1500.5"))
    told = [(h.field, h.old, h.new, h.cause, h.days) for h in deals.history(session, ref)]
    assert sorted(told, key=str) == sorted(
        [
            ("stage", None, "qualification", "opp test", None),
            ("stage", "qualification", "proposal", "opp test: asked", 3.0),
            ("amount", None, "1500.5", "opp test", None),
            ("close_date", None, "2026-09-30", "opp test", None),
        ],
        key=str,
    )


@pytest.mark.parametrize(
    ("given", "to", "values", "message"),
    [
        pytest.param({}, "proposal", {}, "to enter proposal, amount must be filled", id="entry"),
        pytest.param({"amount": 5}, "negotiation", {}, "to enter negotiation, close_date must", id="second field"),
        pytest.param({}, "qualification", {}, "in stage qualification already", id="same"),
        pytest.param({}, "propsal", {}, "Did you mean 'proposal'", id="unknown stage"),
        pytest.param({}, "lost", {}, "lost_reason must be filled", id="loss without a reason"),
        pytest.param({}, "needs", {"amout": "5"}, "Did you mean 'amount'", id="unknown field"),
        pytest.param({}, "needs", {"amount": "much"}, "amount: 'much' is not an amount", id="wrong value"),
        pytest.param({}, "needs", {"stage": "won"}, "stage is not set by hand", id="derived field"),
        pytest.param({}, "needs", {"owner": "bob"}, "there is no rep bob", id="unknown rep"),
    ],
)
def test_a_move_that_may_not_be_names_the_rule_and_changes_nothing(
    session: Session, given: dict[str, Any], to: str, values: dict[str, str], message: str
) -> None:
    ref = add(session, **{k: Decimal(v) for k, v in given.items()})
    head = session.workspace.head()
    with pytest.raises(UserError, match=message):
        deals.move(session, [ref], to, values=values)
    assert session.workspace.head() == head


def test_the_exit_criterion_of_a_stage(session: Session) -> None:
    ref = add(session, amount=Decimal(5))
    deals.move(session, [ref], "proposal")
    with pytest.raises(PolicyError, match="to leave proposal, close_date must be filled"):
        deals.close(session, [ref], won=True)
    deals.move(session, [ref], "needs")
    assert row(session, ref)["stage"] == "needs"


def test_all_deals_move_or_none(session: Session) -> None:
    first, second = add(session, amount=Decimal(5)), add(session)
    with pytest.raises(PolicyError, match="amount"):
        deals.move(session, [first, second], "proposal")
    assert deals.move(session, [first, second], "needs").moved == 2


def test_closing(session: Session) -> None:
    won, lost = add(session, amount=Decimal(5)), add(session)
    later(session, 10)
    deals.close(session, [won], won=True, amount=Decimal(7))
    found = row(session, won)
    assert (found["stage"], found["category"], found["probability"]) == ("won", "won", 1.0)
    assert (found["closed_at"], found["amount"]) == (NOW + timedelta(days=10), Decimal(7))
    with pytest.raises(UserError, match="without a reason"):
        deals.close(session, [lost], won=False)
    with pytest.raises(PolicyError, match="Did you mean 'price'"):
        deals.close(session, [lost], won=False, reason="prize")
    deals.close(session, [lost], won=False, reason="price")
    assert (row(session, lost)["lost_reason"], row(session, lost)["category"]) == ("price", "lost")
    with pytest.raises(PolicyError, match="closed"):
        deals.close(session, [won], won=False, reason="price")


def test_a_change_of_fields_is_history_too(session: Session) -> None:
    ref = add(session, amount=Decimal(5))
    done = deals.change(session, ref, {"amount": "8", "next_step": "call", "probability": "0.4"})
    assert [(c.field, c.old, c.new) for c in done.changes] == [
        ("amount", "5", "8"),
        ("next_step", None, "call"),
        ("probability", "0.1", "0.4"),
    ]
    assert deals.change(session, ref, {"amount": "8.00"}).commit is None
    deals.move(session, [ref], "needs")
    told = [(h.field, h.old, h.new) for h in deals.history(session, ref) if h.field == "probability"]
    assert told == [("probability", "0.1", "0.4"), ("probability", "0.4", "0.25")]


def test_a_dry_run_writes_nothing(open_sales: OPEN) -> None:
    ref = add(open_sales(), amount=Decimal(5))
    dry = open_sales(dry_run=True)
    head = dry.workspace.head()
    assert deals.close(dry, [ref], won=True).deals[0].stage == "won"
    assert deals.add(dry, "More", {}).commit is None
    assert deals.change(dry, ref, {"amount": "9"}).changes
    assert dry.workspace.head() == head


def test_show_says_what_comes_next_and_what_it_needs(session: Session) -> None:
    found = deals.show(session, add(session))
    assert found.next_stages == ("needs", "proposal", "negotiation", "won", "lost")
    assert found.missing["negotiation"] == ("amount", "close_date")
    assert "needs" not in found.missing


def world(session: Session) -> None:
    put(session, "reps", {"rep_id": "mei"}, {"rep_id": "sam"})
    for i, (amount, owner) in enumerate([(100, "mei"), (200, "mei"), (400, "sam"), (800, None), (1600, "sam")]):
        add(session, f"雷射 {i}", amount=Decimal(amount), owner=owner, source="expo" if i % 2 else "web")
    deals.move(session, ["1"], "proposal")
    deals.move(session, ["2"], "needs")
    deals.close(session, ["3"], won=True)
    deals.close(session, ["5"], won=False, reason="price")


def test_the_weighted_pipeline_is_the_sum_of_amount_times_probability(session: Session) -> None:
    world(session)
    totals = pipeline.pipeline_totals(session)
    assert {(t.stage, t.deals, t.amount, t.weighted) for t in totals.stages if t.deals} == {
        ("qualification", 1, Decimal(800), Decimal(80)),
        ("needs", 1, Decimal(200), Decimal(50)),
        ("proposal", 1, Decimal(100), Decimal(50)),
    }
    assert (totals.amount, totals.weighted) == ({"USD": Decimal(1100)}, {"USD": Decimal(180)})
    listed = pipeline.list_deals(session, category="open").to_pylist()
    assert sum(d["weighted"] for d in listed) == Decimal(180)
    assert pipeline.pipeline_totals(session, owner="mei").weighted == {"USD": Decimal(100)}


def test_the_board_adds_up_to_the_list(session: Session) -> None:
    world(session)
    put(session, "accounts", {"account_id": 1, "name": "Acme"})
    add(session, "Yen", amount=Decimal(9), currency="JPY")
    board, listed = pipeline.board(session, cards=1), pipeline.list_deals(session)
    assert board.deals == listed.num_rows == 6
    by_currency: dict[str, Decimal] = {}
    for deal in listed.to_pylist():
        by_currency[deal["currency"]] = by_currency.get(deal["currency"], Decimal(0)) + deal["amount"]
    assert board.amount == by_currency
    assert [(c.stage, c.deals, len(c.cards)) for c in board.columns][:3] == [
        ("qualification", 2, 1),
        ("needs", 1, 1),
        ("proposal", 1, 1),
    ]


def test_list_filters(session: Session) -> None:
    world(session)

    def found(**filters: Any) -> list[int]:
        return pipeline.list_deals(session, **filters)["opportunity_id"].to_pylist()

    assert found(owner="sam") == [3, 5]
    assert found(stage="proposal") == [1]
    assert found(category="lost") == [5]
    assert found(where="amount > 150 and source = 'expo'") == [2, 4]
    assert found(limit=2) == [1, 2]


def test_win_rates_with_both_denominators(session: Session) -> None:
    world(session)
    (total,) = pipeline.win_rates(session).rows
    assert (total.deals, total.won, total.lost, total.open) == (5, 1, 1, 3)
    assert (total.of_all.value, total.of_closed.value) == (0.2, 0.5)
    by_rep = {r.group: r for r in pipeline.win_rates(session, by="rep").rows}
    assert by_rep["mei"].of_closed.value is None
    assert by_rep["sam"].of_closed.value == 0.5
    assert {r.group: r.of_all.value for r in pipeline.win_rates(session, by="source").rows} == {
        "expo": 0.0,
        "web": 1 / 3,
    }
    assert pipeline.win_rates(session, since=date(2027, 1, 1)).rows[0].of_all.value is None


def test_filtered_deals_leave_the_pipeline_and_stay_in_the_history(session: Session, tmp_path: Path) -> None:
    world(session)
    rules = tmp_path / "bad.toml"
    rules.write_text(
        'schema = 1\n[[rules]]\nname = "small"\nwhere = "amount < 150"\nreason = "too small"\n'
        '[[rules]]\nname = "web"\nwhere = "source = \'web\' or amount < 150"\nreason = "not our trade"\n'
    )
    done = pipeline.filter_deals(session, str(rules))
    assert (done.filtered, done.by_rule) == (1, {"small": 1, "web": 0})
    assert (done.before.of_all.value, done.after.of_all.value) == (0.2, 0.25)
    assert done.before.of_closed == done.after.of_closed
    assert pipeline.list_deals(session).num_rows == 4
    assert pipeline.list_deals(session, disqualified=True).num_rows == 5
    totals = pipeline.pipeline_totals(session)
    assert (totals.deals, totals.disqualified) == (2, 1)
    assert [(r.scope, r.deals) for r in pipeline.win_rates(session).rows] == [("all", 5), ("qualified", 4)]
    last = deals.history(session, "1")[-1]
    assert (last.field, last.new, last.cause) == ("disqualified_reason", "too small", "bad.toml: small")
    head = session.workspace.head()
    assert pipeline.filter_deals(session, str(rules)).filtered == 0
    assert session.workspace.head() == head


def test_the_shipped_filter_compiles(session: Session) -> None:
    world(session)
    assert pipeline.filter_deals(session, str(CONFIGS / "filters" / "bad-deals.toml")).by_rule == {
        "too-small": 2,
        "asleep": 0,
    }


def test_a_stage_that_is_in_the_data_alone_is_an_error_naming_the_rows(session: Session) -> None:
    world(session)
    file = session.folder / "stages" / "opportunity.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('name = "needs"', 'name = "need"'), encoding="utf-8")
    for look in (pipeline.pipeline_totals, pipeline.board, pipeline.win_rates):
        with pytest.raises(DataError, match=r"opp:2: stage 'needs' of pipeline 'opportunity'.*Did you mean 'need'"):
            look(session)
    assert pipeline.list_deals(session).num_rows == 5


def test_check_names_unknown_fields_and_wrong_conditions(session: Session) -> None:
    assert pipeline.check(session) == ()
    file = session.folder / "stages" / "opportunity.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"close_date"', '"closedate"'), encoding="utf-8")
    (session.folder / "filters").mkdir()
    rule = 'schema = 1\n[[rules]]\nname = "x"\nwhere = "amout < 5"\nreason = "small"\n'
    (session.folder / "filters" / "bad.toml").write_text(rule)
    problems = pipeline.check(session)
    assert problems[0] == "stages/opportunity.toml: stage proposal: no field 'closedate'. Did you mean 'close_date'?"
    assert "amout" in problems[-1]


def test_customers(session: Session) -> None:
    put(session, "accounts", {"account_id": 3, "name": "Acme"}, {"account_id": 4, "name": "Bolt"})
    put(session, "contacts", {"contact_id": 8, "account_id": 3, "full_name": "Ann"})
    add(session, "Saw", account_id=3, contact_id=8)
    listed = customers.list_accounts(session).to_pylist()
    assert [(a["name"], a["contacts"], a["open_deals"]) for a in listed] == [("Acme", 1, 1), ("Bolt", 0, 0)]
    shown = customers.show_account(session, "account:3")
    assert [c["full_name"] for c in shown.related["contacts"]] == ["Ann"]
    assert [o["name"] for o in shown.related["opportunities"]] == ["Saw"]
    assert customers.show_contact(session, "8").related["accounts"][0]["name"] == "Acme"
    assert customers.list_contacts(session)["account"].to_pylist() == ["Acme"]
    with pytest.raises(NotFound, match="no account 9"):
        customers.show_account(session, "9")


STEP = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 9)),
    st.tuples(st.just("move"), st.sampled_from(["qualification", "needs", "proposal", "negotiation", "won", "lost"])),
    st.tuples(st.just("amount"), st.integers(1, 9)),
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(STEP, st.integers(1, 3)), min_size=2, max_size=8))
def test_the_list_as_of_any_day_equals_a_replay_of_the_history(
    open_sales: OPEN, tmp_path: Path, steps: list[tuple[tuple[str, Any], int]]
) -> None:
    session = open_sales(f"ws{sum(1 for _ in tmp_path.iterdir())}")
    for (what, value), which in steps:
        later(session, 1)
        try:
            if what == "add":
                add(session, amount=Decimal(value), close_date=date(2026, 12, 1))
            elif what == "move":
                values = {"lost_reason": "price"} if value == "lost" else {}
                deals.move(session, [str(which)], value, values=values)
            else:
                deals.change(session, str(which), {"amount": str(value)})
        except UserError:
            continue
    with session.query() as query:
        events = query.rows("select e.at, e.entity_id, e.to_stage from stage_events as e order by e.at, e.event_id")
        fields = query.rows(
            "select f.at, f.entity_id, f.old_value from field_events as f where f.field = 'amount' order by f.at desc"
        )
        amounts = dict(query.rows("select opportunity_id, amount from opportunities"))
    for day in range(len(steps) + 2):
        at = NOW + timedelta(days=day)
        stages = {entity: stage for when, entity, stage in events if when <= at}
        known = dict(amounts)
        for when, entity, old in fields:
            if when > at:
                known[entity] = Decimal(old)
        session.as_of = at.date().isoformat()
        listed = {r["opportunity_id"]: (r["stage"], r["amount"]) for r in pipeline.list_deals(session).to_pylist()}
        assert listed == {entity: (stage, known[entity]) for entity, stage in stages.items()}
