"""Preferences: shares that add up to exactly one whatever fades, by products or by what was looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.segments.layers import PreferenceRules
from sfactl.segments.usecases import layering
from sfactl.segments.usecases.layer_explaining import explain
from sfactl.session import Session
from tests.retail_world import workspace

NOW = datetime(2026, 11, 21, 9)
Seen = tuple[int, int, str | None]  # lead, days ago, page
Shares = dict[int, dict[str, Decimal]]


def run(folder: Path, seen: list[Seen], text: str) -> tuple[Shares, dict[int, str]]:
    """The stored shares and preferences of touchpoints, by page."""
    with workspace(folder, NOW) as session:
        _write(session, text)
        table = pa.table(
            {
                "event_id": [f"e{n}" for n in range(len(seen))],
                "lead_id": [lead for lead, _, _ in seen],
                "at": pa.array([NOW - timedelta(days=days) for _, days, _ in seen], pa.timestamp("us")),
                "kind": ["visit"] * len(seen),
                "content": pa.array([page for _, _, page in seen], pa.string()),
            }
        )
        with session.write("leads") as tx:
            tx.upsert("leads", pa.table({"lead_id": sorted({lead for lead, _, _ in seen})}))
            tx.append("touchpoints", table)
            tx.commit()
        layering.run(session, "preference")
        return _stored(session)


def _write(session: Session, text: str) -> None:
    (session.folder / "layers").mkdir(exist_ok=True)
    path = session.folder / "layers" / "preference.toml"
    path.write_text(f'schema = 1\nkind = "preference"\n[settings]\n{text}', encoding="utf-8")


def _stored(session: Session) -> tuple[Shares, dict[int, str]]:
    with session.query() as query:
        shares: Shares = defaultdict(dict)
        for lead, category, share in query.rows("select lead_id, category, share from layer_shares"):
            shares[lead][category] = share
        return dict(shares), dict(query.rows("select lead_id, class from layers"))


LOOKED = 'source = "touchpoints"\nby = "content"\nmin_rows = 1\n'


@settings(max_examples=12)
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 400), st.sampled_from(["a", "b", "c", "d"])),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from(["", 'half_life = "7 days"\n', 'half_life = "90 days"\n']),
)
def test_shares_add_up(tmp_path_factory: pytest.TempPathFactory, seen: Any, fading: str) -> None:
    shares, best = run(tmp_path_factory.mktemp("p"), seen, LOOKED + fading)
    life = {"": None, 'half_life = "7 days"\n': 7, 'half_life = "90 days"\n': 90}[fading]
    weights: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for lead, days, page in seen:
        weights[lead][page] += round(0.5 ** (days / life), 9) if life else 1.0
    for lead, known in weights.items():
        total = sum(known.values())
        if total == 0:
            continue  # so long ago that nothing is left of it
        assert sum(shares[lead].values()) == 1
        for page, share in shares[lead].items():
            assert abs(float(share) - known[page] / total) < 2e-6
        assert shares[lead][best[lead]] == max(shares[lead].values())


def test_support_ties_and_what_says_nothing(tmp_path: Path) -> None:
    seen: list[Seen] = [(1, 1, "b"), (1, 2, "a"), (2, 5, "a"), (2, 5, "b"), (3, 1, "a"), (4, 1, None), (4, 1, " ")]
    seen += [(5, 1, "a"), (5, 1, "b"), (5, 1, "c")]
    shares, best = run(tmp_path, seen, LOOKED.replace("min_rows = 1", "min_rows = 2\nmin_share = 0.4"))
    assert best == {1: "b", 2: "a"}  # the latest of equals, then the first by name; 3 has too few, 5 prefers nothing
    assert set(shares) == {1, 2, 5}
    assert sorted(shares[5].values()) == [Decimal("0.333333"), Decimal("0.333333"), Decimal("0.333334")]
    with workspace(tmp_path, NOW) as session:
        said = {n: explain(session, "preference", None, n).reasons[-1] for n in (3, 4, 5)}
    assert [said[3].why, said[4].answer, said[5].why] == [
        "fewer than 2, or none with a content",
        "0",
        "no share reaches 0.4",
    ]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Callable[[str], tuple[Shares, dict[int, str]]]]:
    """One customer with two products in two currencies and a returned one."""
    with workspace(tmp_path, NOW) as session:
        with session.write("leads", "orders", "order_lines", "products") as tx:
            tx.upsert("leads", "select 1 as lead_id")
            orders = [(1, "EUR", "paid"), (2, "USD", "paid"), (3, "EUR", "cancelled")]
            rows = [{"order_id": n, "lead_id": 1, "currency": c, "status": s, "at": NOW} for n, c, s in orders]
            tx.upsert("orders", pa.Table.from_pylist(rows))
            lines = [
                (1, 1, "LX", 3, 900),
                (1, 2, "NOZ", 1, 100),
                (2, 1, "NOZ", 50, 9000),
                (3, 1, "NOZ", 99, 99),
                (1, 3, "BAD", -2, -50),
            ]
            names = ("order_id", "line_no", "sku", "quantity", "amount")
            tx.upsert("order_lines", pa.Table.from_pylist([dict(zip(names, line, strict=True)) for line in lines]))
            products = [
                {"sku": "LX", "family": "laser"},
                {"sku": "NOZ", "family": "parts"},
                {"sku": "BAD", "family": "odd"},
            ]
            tx.upsert("products", pa.Table.from_pylist(products))
            tx.commit()

        def asked(text: str) -> tuple[Shares, dict[int, str]]:
            _write(session, f"min_rows = 1\n{text}")
            layering.run(session, "preference")
            return _stored(session)

        yield asked


@pytest.mark.parametrize(
    ("text", "shares", "best"),
    [
        ('measure = "rows"\n', {"laser": "0.333333", "parts": "0.666667"}, "parts"),
        ('measure = "quantity"\n', {"laser": "0.055556", "parts": "0.944444"}, "parts"),
        ('measure = "amount"\ncurrency = "EUR"\n', {"laser": "0.9", "parts": "0.1"}, "laser"),
        ('measure = "rows"\nby = "sku"\nleave_out = []\n', {"LX": "0.25", "NOZ": "0.75"}, "NOZ"),
    ],
    ids=["rows", "quantity", "amount", "by article"],
)
def test_what_is_shared_out(shop: Any, text: str, shares: dict[str, str], best: str) -> None:
    found, preferred = shop(text)
    assert found == {1: {name: Decimal(share) for name, share in shares.items()}}
    assert preferred == {1: best}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"half_life": "1 month"}, "no fixed length"),
        ({"half_life": "0 days"}, "longer than 0"),
        ({"min_share": 1.5}, "not between 0 and 1"),
        ({"min_rows": 0}, "below 1"),
        ({"source": "touchpoints", "measure": "quantity"}, "counted by rows"),
    ],
)
def test_rules_without_meaning_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PreferenceRules(**wrong)
