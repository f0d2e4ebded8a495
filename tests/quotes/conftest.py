"""A workspace with an account, a deal, products and price books."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sfactl.config.settings import Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

LIST = """
schema = 1
currency = "EUR"
valid_from = 2026-01-01
valid_to = 2026-12-31
prices = [
    { sku = "LX-300", price = 1000 },
    { sku = "LX-300", price = 950, from_quantity = 10 },
    { sku = "FLT-10", price = "0.333", mode = "graduated" },
    { sku = "FLT-10", price = "0.25", from_quantity = 100, mode = "graduated" },
]

[[promotions]]
name = "spring"
percent = 10
valid_to = 2026-03-31
"""

DEALER = """
schema = 1
currency = "EUR"
base = "list"
percent = 6
tier = ["dealer"]
"""

PRODUCTS = """\
sku;name;family;unit;cost;currency
LX-300;雷射切割機 LX-300;lasers;piece;700,50;EUR
FLT-10;Filter;parts;piece;0,10;EUR
OLD-1;Old one;parts;piece;;
"""


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 6, 15, 9))


@pytest.fixture
def open_again(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[..., Session]]:
    """Opens the one workspace of the test, as often as asked."""
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    (folder / "prices").mkdir()
    (folder / "prices/list.toml").write_text(LIST, encoding="utf-8")
    (folder / "prices/dealer.toml").write_text(DEALER, encoding="utf-8")
    (folder / "products.csv").write_text(PRODUCTS, encoding="utf-8-sig")
    opened: list[Session] = []

    def opener(**options: object) -> Session:
        session = open_session(folder, settings=Settings(), command="test", actor="tester", clock=clock, **options)
        opened.append(session)
        return session

    yield opener
    for session in opened:
        session.close()


@pytest.fixture
def session(open_again: Callable[..., Session]) -> Session:
    """A workspace with products, account 1 (a dealer), and the open deal 1."""
    from sfactl.quotes import usecases

    session = open_again()
    usecases.import_products(session, session.folder / "products.csv", decimal_comma=True)
    with session.write("accounts", "opportunities") as tx:
        tx.upsert("accounts", "select 1 as account_id, 'Acme' as name, 'DE' as country, 'dealer' as tier")
        tx.upsert(
            "opportunities",
            "select 1 as opportunity_id, 'Big deal' as name, 1 as account_id, 7 as lead_id, 'ann' as owner,"
            " 'opportunity' as pipeline, 'proposal' as stage, 'open' as category",
        )
        tx.commit()
    return session
