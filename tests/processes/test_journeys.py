"""A customer's node is what the data tell; stays add up; what is stored is what is derived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.api.errors import ConditionError, ConfigError, NotFound, UserError
from sfactl.processes import usecases
from sfactl.session import Session
from tests.process_world import NOW

NODES = ("one", "two", "three", "four")
TEXT = 'schema = 1\n' + "".join(
    f"[[nodes]]\nname = \"{name}\"\nreached = \"min(touchpoints.at) filter (where kind = '{name}')\"\nstay = \"30 days\"\n"
    for name in NODES
)  # fmt: skip


def lived(session: Session, rows: list[tuple[int, str, datetime]], leads: int) -> None:
    """Write leads 1 to ``leads`` and what happened to them."""
    with session.write("leads", "touchpoints") as tx:
        numbers = list(range(1, leads + 1))
        tx.upsert("leads", pa.table({"lead_id": numbers, "account_id": [n % 3 for n in numbers]}))
        columns = {
            "event_id": [str(i) for i in range(len(rows))],
            "lead_id": [r[0] for r in rows],
            "kind": [r[1] for r in rows],
            "at": pa.array([r[2] for r in rows], pa.timestamp("us")),
        }
        tx.append("touchpoints", pa.table(columns))
        tx.commit()


def way(first: Mapping[str, datetime]) -> list[tuple[str, datetime]]:
    """The nodes that count: come to before any later one was."""
    found = []
    for place, name in enumerate(NODES):
        later = [first[n] for n in NODES[place + 1 :] if n in first]
        if name in first and all(first[name] <= at for at in later):
            found.append((name, first[name]))
    return found


def test_nodes_and_stays_equal_plain_code(session: Session, folder: Path) -> None:
    (folder / "journeys/j.toml").write_text(TEXT)
    draw = session.random("journey")
    rows = [
        (draw.randrange(1, 31), draw.choice([*NODES, "other"]), NOW - timedelta(seconds=draw.randrange(200 * 86_400)))
        for _ in range(90)
    ]
    lived(session, rows, 30)
    first: dict[int, dict[str, datetime]] = {n: {} for n in range(1, 31)}
    for lead, kind, at in rows:
        if kind in NODES:
            first[lead][kind] = min(at, first[lead].get(kind, at))
    expected = {lead: way(times) for lead, times in first.items()}
    result = usecases.status(session)
    ends = [found[-1][0] for found in expected.values() if found]
    assert [node.here for node in result.nodes] == [ends.count(name) for name in NODES]
    assert result.before == sum(not found for found in expected.values())
    overdue = [found[-1][0] for found in expected.values() if found and NOW - found[-1][1] > timedelta(days=30)]
    assert [node.overdue for node in result.nodes] == [overdue.count(name) for name in NODES]
    got = [sum(NODES.index(end) >= place for end in ends) for place in range(4)]
    assert [node.got_here for node in result.nodes] == got
    for lead in (1, 2, 3, 4):
        (one,) = usecases.customer(session, f"lead:{lead}")
        found = expected[lead]
        assert one.node == (found[-1][0] if found else None)
        assert [(s.node, s.reached_at) for s in one.standings if s.state in ("passed", "here")] == found
        assert one.total_us == ((NOW - found[0][1]) // timedelta(microseconds=1) if found else 0)


def test_what_is_stored_is_what_is_derived(opened: Callable[..., Session], folder: Path) -> None:
    (folder / "journeys/j.toml").write_text(TEXT)
    lived(opened(), [(1, "one", NOW - timedelta(days=9)), (2, "one", NOW), (1, "two", NOW + timedelta(days=1))], 3)
    assert usecases.run(opened(dry_run=True)).commit is None
    assert (usecases.run(opened()).moved, usecases.run(opened()).commit) == (2, None)
    later = opened(now=NOW + timedelta(days=2))
    found = usecases.run(later)
    assert (found.customers, found.moved, found.gone) == (2, 1, 0)
    with later.query() as query:
        stored = query.rows("select lead_id, node, previous from journeys order by lead_id")
    assert stored == [(1, "two", "one"), (2, "one", None)]


def test_a_node_may_come_later_and_need_another(session: Session, folder: Path) -> None:
    text = TEXT.replace('name = "three"', 'name = "three"\nneeds = "two"\nafter = "1 month"')
    (folder / "journeys/j.toml").write_text(text)
    lived(
        session,
        [
            (1, "two", datetime(2026, 3, 31)), (1, "three", datetime(2026, 3, 31)),
            (2, "three", datetime(2026, 3, 1)), (2, "one", datetime(2026, 1, 1)),
            (3, "two", datetime(2026, 5, 3)), (3, "three", datetime(2026, 5, 3)),
        ],
        3,
    )  # fmt: skip
    places = {one.lead_id: (one.node, one.since) for n in (1, 2, 3) for one in usecases.customer(session, str(n))}
    assert places == {
        1: ("three", datetime(2026, 4, 30)), 2: ("one", datetime(2026, 1, 1)), 3: ("two", datetime(2026, 5, 3)),
    }  # fmt: skip


def test_an_account_stands_where_its_furthest_lead_does(session: Session, folder: Path) -> None:
    (folder / "journeys/j.toml").write_text(TEXT)
    lived(session, [(1, "one", NOW), (4, "three", NOW)], 4)
    assert [(c.lead_id, c.node) for c in usecases.customer(session, "account:1")] == [(4, "three"), (1, "one")]
    with pytest.raises(NotFound):
        usecases.customer(session, "account:77")


WRONG = {
    "no time": ("min(touchpoints.at)", "count(touchpoints)", "a time or a day is needed"),
    "field": ("kind = 'one'", "knd = 'one'", "unknown field"),
    "period": ("30 days", "30 dys", "unknown unit"),
    "twice": ('name = "two"', 'name = "one"', "is there twice"),
    "key": ("stay =", "stays =", "unknown key"),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_named(session: Session, folder: Path, name: str) -> None:
    right, wrong, message = WRONG[name]
    (folder / "journeys/j.toml").write_text(TEXT.replace(right, wrong, 1))
    with pytest.raises((ConfigError, ConditionError), match=message):
        usecases.status(session)
    assert len(usecases.check_journeys(session).problems) == 1


def test_which_journey_must_be_clear(session: Session, folder: Path) -> None:
    with pytest.raises(NotFound, match="there is no journey"):
        usecases.status(session)
    (folder / "journeys/a.toml").write_text(TEXT)
    (folder / "journeys/b.toml").write_text(TEXT)
    with pytest.raises(UserError, match="--journey a or --journey b"):
        usecases.status(session)
    assert usecases.status(session, "b").customers == 0


def test_the_eight_nodes_ship(session: Session, folder: Path) -> None:
    shipped = Path(__file__).resolve().parents[2] / "configs/b2b/journeys/customer.toml"
    (folder / "journeys/customer.toml").write_text(shipped.read_text())
    titles = ["破冰", "產品介紹", "演示", "成交", "使用跟進", "客戶成果", "關鍵節點營銷", "續約維護"]
    assert [node.title for node in usecases.status(session).nodes] == titles
