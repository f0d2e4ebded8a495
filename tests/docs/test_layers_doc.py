"""Every block of docs/layers.md: files are laid down, commands are run, and the answers are compared."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from tests.docs.console import blocks, follow, quiet_environment
from tests.retail_world import workspace

DOC = Path(__file__).resolve().parents[2] / "docs" / "layers.md"
NOW = datetime(2026, 11, 23, 3)
BOUGHT = {  # lead: the days ago of each order, and what was bought each time
    1: ([3, 20, 45, 80, 130, 200, 260], ["LX-300", "FIL-2"]),
    2: ([5, 33, 61, 95, 122, 150, 181, 240, 300], ["LX-300", "FIL-2", "NOZ-1"]),
    3: ([4, 30, 64, 90, 190, 230, 280, 340], ["LX-300", "FIL-2"]),
    4: ([17, 70, 110, 170, 290], ["LX-300", "LX-500"]),
    5: ([25, 40], ["LX-300", "LX-500"]),
    6: ([12], ["LX-300"]),
    7: ([48], ["NOZ-1"]),
    8: ([150, 390], ["FIL-2", "NOZ-1"]),
    9: ([210, 260, 330, 410], ["LX-300", "LX-500"]),
    10: ([320], ["FIL-2", "NOZ-1"]),
    11: ([400], ["NOZ-1"]),
    12: ([90, 365], ["FIL-2"]),
}
PRODUCTS = {
    "LX-300": ("Laser cutter LX-300", "laser", 500),
    "LX-500": ("Laser cutter LX-500", "laser", 900),
    "FIL-2": ("Filter", "filter", 40),
    "NOZ-1": ("Nozzle", "parts", 10),
}
DEALS = [
    (1, "Retrofit", "negotiation", 0.75, 40_000, 30.0),
    (2, "New line", "qualification", 0.1, 250_000, None),
    (3, "Spare parts", "proposal", 0.5, 3_000, 1.0),
    (4, "Second hall", "needs", 0.25, None, None),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with twelve customers, their orders, and four deals."""
    orders, lines = [], []
    for lead, (days, skus) in BOUGHT.items():
        for ago in days:
            amounts = [PRODUCTS[sku][2] for sku in skus]
            at = NOW - timedelta(days=ago)
            orders.append({"order_id": len(orders) + 1, "lead_id": lead, "at": at, "amount": sum(amounts)})
            lines += [
                {"order_id": len(orders), "line_no": n, "sku": sku, "quantity": 1, "amount": amount}
                for n, (sku, amount) in enumerate(zip(skus, amounts, strict=True), 1)
            ]
    names = ("opportunity_id", "name", "stage", "probability", "amount", "effort_h")
    with (
        workspace(tmp_path, NOW) as session,
        session.write("leads", "orders", "order_lines", "products", "opportunities") as tx,
    ):
        tx.upsert("leads", pa.table({"lead_id": list(BOUGHT), "full_name": [f"Customer {n}" for n in BOUGHT]}))
        tx.query.register("given", pa.Table.from_pylist(orders))
        tx.upsert("orders", "select *, 'EUR' as currency, 'paid' as status from given")
        tx.upsert("order_lines", pa.Table.from_pylist(lines))
        rows = [
            {"sku": sku, "name": name, "family": family, "active": True} for sku, (name, family, _) in PRODUCTS.items()
        ]
        tx.upsert("products", pa.Table.from_pylist(rows))
        tx.query.register("deals", pa.Table.from_pylist([dict(zip(names, deal, strict=True)) for deal in DEALS]))
        tx.upsert(
            "opportunities", "select *, 'opportunity' as pipeline, 'open' as category, 'EUR' as currency from deals"
        )
        tx.commit()
    (tmp_path / "sfactl.toml").write_text(
        'schema = 1\n[workspace]\ncurrency = "EUR"\n[engine]\nthreads = 1\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now=NOW.isoformat(), columns=150)
    return tmp_path


def test_the_document_is_true(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = blocks(DOC)
    assert {block.language for block in found} == {"toml", "console"}
    follow(found, capsys, monkeypatch)
