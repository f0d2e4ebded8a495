"""Conformance equals a plain replay event by event; times add up; deadlines, reopenings and links are what they say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.api.errors import ConditionError, ConfigError, NotFound, PolicyError, UserError
from sfactl.processes import usecases
from sfactl.session import Session
from tests.process_world import NOW, activity, told

Event = tuple[str, str, datetime]
HEAD = 'schema = 1\ncase = "ticket"\nquiet = "30 days"\n'
ABC = (
    HEAD
    + activity("a", start=True, next=["b", "c"])
    + activity("b", next=["b", "c"], at_most=2)
    + activity("c", end=True, next=["a"])
    + activity("x", anytime=True)
)
NEXT = {"": {"a"}, "a": {"b", "c"}, "b": {"b", "c"}, "c": {"a", ""}}
START = datetime(2026, 1, 1)


def token_replay(events: Sequence[Event], *, next_: Mapping[str, set[str]], ends: set[str]) -> tuple[float, int, int]:
    """Token replay on the net with one place an activity: fitness, cases, and the sum of all steps in microseconds.

    Each event takes the token from the place of the activity before and puts one into its own; where no transition
    leads from there, a token is missing, and the one in the place before is left behind.
    """
    cases: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for case, name, at in events:
        if name in "abc":
            cases[case].append((at, name))
    missing = remaining = consumed = produced = 0
    total = timedelta()
    for case, found in cases.items():
        found.sort(key=lambda e: (e[0], e[1]))
        last = max(at for c, _, at in events if c == case)
        total += found[-1][0] - found[0][0]
        trace = [name for _, name in found]
        if trace[-1] in ends or last < NOW - timedelta(days=30):
            trace.append("")
        before = ""
        for name in trace:
            produced += 1
            consumed += 1
            if name not in next_[before]:
                missing += 1
                remaining += 1
            before = name
    fitness = (1 - missing / consumed) / 2 + (1 - remaining / produced) / 2
    return fitness, len(cases), int(total / timedelta(microseconds=1))


def test_fitness_is_that_of_a_plain_token_replay(session: Session, folder: Path) -> None:
    (folder / "processes/p.toml").write_text(ABC)
    draw = session.random("log")
    events = [
        (f"T{draw.randrange(40)}", draw.choice("abcx"), START + timedelta(seconds=draw.randrange(140 * 86_400)))
        for _ in range(300)
    ]
    told(session, events)
    result = usecases.conformance(session, "p")
    fitness, cases, total_us = token_replay(events, next_=NEXT, ends={"c"})
    assert result.fitness == pytest.approx(fitness, abs=1e-12)
    # A case of nothing but what may happen at any time is a case without steps.
    assert result.cases >= cases
    assert result.total_us == total_us == sum(step.total_us for step in result.times)
    assert result.wrong == sum(d.times for d in result.deviations if d.kind in ("order", "unfinished"))


def test_the_steps_of_every_case_add_up_to_it(session: Session, folder: Path) -> None:
    (folder / "processes/p.toml").write_text(ABC)
    told(
        session,
        [("1", "a", START), ("1", "b", START + timedelta(microseconds=7)), ("1", "c", START + timedelta(days=3))],
    )
    found = usecases.explain(session, "p", "ticket:1")
    assert sum(e.wait_us or 0 for e in found.events) == found.total_us == 3 * 86_400_000_000
    assert (found.state, found.problems, found.waiting_us) == ("over", (), None)
    assert [e.row for e in found.events] == [f"process_events p:{i}" for i in range(3)]


CASES: Mapping[str, tuple[str, Sequence[tuple[str, float]], set[str]]] = {
    "as allowed": ("", [("a", 0), ("b", 1), ("c", 2)], set()),
    "begins wrongly": ("", [("b", 0), ("c", 2)], {"order: begin → b"}),
    "skips back": ("", [("a", 0), ("b", 1), ("a", 2), ("c", 3)], {"order: b → a"}),
    "stops": ("", [("a", 0), ("b", 1)], {"unfinished: b → end"}),
    "still running": ("", [("a", 140)], set()),
    "too often": ("", [("a", 0), ("b", 1), ("b", 2), ("b", 3), ("c", 4)], {"too often: b more than 2 times"}),
    "on the last moment": ("2 days", [("a", 0), ("c", 2)], set()),
    "late": ("2 days", [("a", 0), ("c", 2.00001)], {"late: a → c within 2 days"}),
    "missed": ("2 days", [("a", 145)], {"missed: a → c within 2 days"}),
    "not yet": ("30 days", [("a", 145)], set()),
    "void": ("2 days", [("a", 145), ("b", 146)], set()),
    "void too late": ("2 days", [("a", 140), ("b", 143)], {"missed: a → c within 2 days"}),
}


@pytest.mark.parametrize("name", CASES)
def test_deviations(session: Session, folder: Path, name: str) -> None:
    within, events, expected = CASES[name]
    deadline = f'[[deadlines]]\nfrom = "a"\nto = "c"\nwithin = "{within}"\nunless = ["b"]\n' if within else ""
    (folder / "processes/p.toml").write_text(ABC + deadline)
    told(session, [("1", what, START + timedelta(days=day)) for what, day in events])
    assert set(usecases.explain(session, "p", "1").problems) == expected
    assert usecases.deviations(session, "p").num_rows == len(expected)
    result = usecases.conformance(session, "p")
    assert result.fitting == (0 if expected else 1)
    assert {f"{d.kind}: {d.what}" for d in result.deviations} == expected


WAYS: dict[str, tuple[str, int]] = {
    "never": ("open assign resolve confirm", 0),
    "once": ("open assign resolve reopen assign resolve confirm", 1),
    "told twice": ("open assign resolve reopen reopen assign resolve confirm", 1),
    "given to somebody before": ("open assign resolve assign reopen resolve confirm", 1),
    "after confirming": ("open resolve confirm reopen resolve confirm", 1),
    "twice": ("open resolve reopen resolve reopen resolve confirm", 2),
    "given to somebody only": ("open assign resolve assign confirm", 0),
}
SAID = {
    "open": ("opened", "open"),
    "assign": ("assigned", None),
    "resolve": ("moved", "resolved"),
    "confirm": ("moved", "closed"),
    "reopen": ("reopened", "open"),
}


def test_each_reopening_counts_once(session: Session, shipped: Callable[[str], Path]) -> None:
    shipped("itr")
    rows = [
        {"event_id": f"{case}.{n}", "at": START + timedelta(hours=n), "case_id": case, "kind": kind, "to_state": state}
        for case, (way, _) in enumerate(WAYS.values(), 1)
        for n, (kind, state) in enumerate(SAID[what] for what in way.split())
    ]
    with session.write("case_events") as tx:
        tx.append("case_events", pa.Table.from_pylist(rows, session.workspace.schemas["case_events"].arrow()))
        tx.commit()
    counted = {name: usecases.explain(session, "itr", str(n)).reopened for n, name in enumerate(WAYS, 1)}
    assert counted == {name: times for name, (_, times) in WAYS.items()}
    result = usecases.conformance(session, "itr").reopened
    assert result is not None
    assert (result.times, result.cases, result.closed) == (6, 5, 7)


@pytest.fixture
def shipped(folder: Path) -> Callable[[str], Path]:
    """Put a process of the preset into the workspace."""
    source = Path(__file__).resolve().parents[2] / "configs/b2b/processes"

    def put(name: str) -> Path:
        into = folder / "processes" / f"{name}.toml"
        into.write_text((source / f"{name}.toml").read_text())
        return into

    return put


def test_lead_to_cash_is_linked_by_ids(session: Session, shipped: Callable[[str], Path]) -> None:
    shipped("ltc")
    at = datetime(2026, 1, 5, 9)
    rows: dict[str, list[dict[str, object]]] = {
        "leads": [{"lead_id": n, "created_at": at} for n in (1, 2)],
        "opportunities": [
            {"opportunity_id": 5, "lead_id": 1, "category": "won", "created_at": at + timedelta(days=1)},
            {"opportunity_id": 6, "category": "open", "created_at": at},
        ],
        "quotes": [
            {
                "quote_id": 7, "lead_id": 1, "state": "accepted", "created_at": at + timedelta(days=2),
                "accepted_at": at + timedelta(days=4),
            }
        ],
        "orders": [
            {"order_id": 8, "lead_id": 1, "status": "paid", "at": at + timedelta(days=4)},
            {"order_id": 9, "status": "paid", "at": at},
        ],
        "contracts": [
            {"contract_id": 3, "number": "C-3", "order_id": 8, "signed_on": date(2026, 1, 9)},
            {"contract_id": 4, "number": "C-4", "order_id": 9, "signed_on": date(2026, 1, 9)},
        ],
        "receivables": [
            {"receivable_id": "R1", "order_id": 8, "state": "settled", "invoiced_on": date(2026, 1, 9)},
            {"receivable_id": "R2", "order_id": 9, "state": "settled", "invoiced_on": date(2026, 1, 9)},
        ],
        "allocations": [
            {"allocation_id": "A1", "receivable_id": "R1", "allocated_on": date(2026, 2, 20), "amount": Decimal(1)},
            {"allocation_id": "A2", "receivable_id": "gone", "allocated_on": date(2026, 2, 20), "amount": Decimal(1)},
        ],
    }  # fmt: skip
    with session.write(*rows) as tx:
        for dataset, given in rows.items():
            names = dict.fromkeys(name for row in given for name in row)
            tx.upsert(dataset, pa.table({name: [row.get(name) for row in given] for name in names}))
        tx.commit()
    found = usecases.explain(session, "ltc", "lead:1")
    # The invoice has only a day: it stands behind the order of the same day.
    assert [e.activity for e in found.events] == [
        "lead",
        "opportunity",
        "quote",
        "accepted",
        "order",
        "contract",
        "invoice",
        "payment",
    ]
    # The time of all steps is the time from the first to the last, to the microsecond.
    moments = [e.at for e in found.events]
    assert timedelta(microseconds=sum(e.wait_us or 0 for e in found.events)) == moments[-1] - moments[0]
    assert (found.problems, found.fitness) == (("late: invoice → payment within 30 days",), 1.0)
    result = usecases.conformance(session, "ltc")
    assert {t.activity: t.unlinked for t in result.activities if t.unlinked} == {
        "opportunity": 1, "order": 1, "contract": 1, "invoice": 1, "payment": 1,
    }  # fmt: skip
    assert result.cases == 1, "a lead of which nothing came is no case"


def test_nothing_later_than_as_of_is_seen(opened: Callable[..., Session], folder: Path) -> None:
    (folder / "processes/p.toml").write_text(ABC)
    told(opened(), [("1", "a", datetime(2026, 5, 1)), ("1", "c", datetime(2026, 7, 1))])
    assert usecases.explain(opened(), "p", "1").events[-1].activity == "a"
    assert usecases.explain(opened(now=datetime(2026, 8, 1)), "p", "1").events[-1].activity == "c"


WRONG: Mapping[str, tuple[str, str, type[Exception]]] = {
    "dataset": ('from = "process_events"', 'from = "process_event"', ConfigError),
    "case": ('case = "case_id"', 'case = "cas_id"', ConfigError),
    "time": ('time = "at"', 'time = "actor"', ConfigError),
    "condition": ("activity = 'a'", "activty = 'a'", ConditionError),
    "next": ('next = ["b", "c"]', 'next = ["b", "d"]', ConfigError),
    "twice": ('name = "b"', 'name = "a"', ConfigError),
    "no start": ("start = true", "start = false", ConfigError),
    "key": ("anytime = true", "any_time = true", ConfigError),
    "hop": ('case = "case_id"', 'case = ["lead_id", "order.lead_id"]', ConfigError),
    "hop of another type": ('case = "case_id"', 'case = ["case_id", "leads.owner"]', ConfigError),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_named(session: Session, folder: Path, name: str) -> None:
    right, wrong, kind = WRONG[name]
    assert right in ABC
    (folder / "processes/p.toml").write_text(ABC.replace(right, wrong, 1))
    with pytest.raises(kind, match=r"processes/p\.toml"):
        usecases.conformance(session, "p")
    (problem,) = usecases.check(session).problems
    assert "p.toml" in problem


def test_a_file_is_put_into_the_workspace_once(opened: Callable[..., Session], folder: Path, tmp_path: Path) -> None:
    draft = tmp_path / "drafts" / "p.toml"
    draft.parent.mkdir()
    draft.write_text(ABC)
    assert not usecases.define(opened(dry_run=True), draft).known
    assert not (folder / "processes/p.toml").exists()
    assert [usecases.define(opened(), draft).known for _ in range(2)] == [False, True]
    draft.write_text(ABC.replace("30 days", "31 days"))
    with pytest.raises(PolicyError, match="says something else"):
        usecases.define(opened(), draft)
    draft.write_text(ABC.replace("activity = 'a'", "activty = 'a'"))
    with pytest.raises(ConditionError, match="Did you mean"):
        usecases.define(opened(), draft)


def test_unknown_names(session: Session, folder: Path) -> None:
    (folder / "processes/p.toml").write_text(ABC)
    with pytest.raises(NotFound, match="there is no process 'q'"):
        usecases.conformance(session, "q")
    with pytest.raises(NotFound, match="no row belongs to ticket 9"):
        usecases.explain(session, "p", "ticket:9")
    with pytest.raises(UserError, match="there is no 'late'"):
        usecases.cases(session, "p", state="late")
    empty = usecases.conformance(session, "p")
    assert (empty.cases, empty.fitness, empty.times) == (0, None, ())


def test_what_can_hardly_be_meant_is_noted(session: Session, folder: Path) -> None:
    (folder / "processes/p.toml").write_text(HEAD + activity("a", start=True, end=True) + activity("b", next=["b"]))
    notes = usecases.check(session).notes
    assert [note.partition("activity ")[2] for note in notes] == [
        "'b': no allowed way leads there",
        "'b': no allowed way leads from there to an end",
    ]


def test_what_ships_is_right(session: Session, shipped: Callable[[str], Path]) -> None:
    for name in ("mtl", "ltc", "itr"):
        shipped(name)
        assert usecases.conformance(session, name).cases == 0
    result = usecases.check(session)
    assert (result.checked, result.problems, result.notes) == (3, (), ())
