"""Kill `sfactl erp push` again and again: the ERP's folder has every order once, and nothing is left open."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from sfactl.config.settings import Settings
from sfactl.session import Session, open_session
from sfactl.testkit import Commands
from sfactl.workspace import Workspace

ORDERS = 120
KILLS = max(12, int(os.environ.get("SFACTL_KILLS", "0")))

pytestmark = pytest.mark.crash


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with `ORDERS` open orders of 7 customers and the ERP that is a folder."""
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    (folder / "sfactl.toml").write_text("schema = 1\n")
    (folder / "erp").mkdir()
    (folder / "erp/files.toml").write_text('schema = 1\nuse = "files"\nfolder = "out"\n')
    with opened(folder) as session, session.write("accounts", "products", "orders", "order_lines") as tx:
        tx.upsert("accounts", "select n as account_id, 'Customer ' || n as name from range(7) t(n)")
        tx.upsert("products", "select 'A' as sku, 'Thing' as name")
        numbers = f"from range(1, {ORDERS + 1}) t(n)"
        tx.upsert(
            "orders",
            "select n as order_id, n % 7 as account_id, 'open' as status, timestamp '2026-06-01 10:00:00' as at,"
            f" 'EUR' as currency, n as amount {numbers}",
        )
        tx.upsert(
            "order_lines",
            f"select n as order_id, 1 as line_no, 'A' as sku, n as quantity, 1 as unit_price, n as amount {numbers}",
        )
        tx.commit()
    return folder


def opened(folder: Path) -> Session:
    return open_session(folder, settings=Settings(), command="test", actor="tester", quiet=True)


def pushed(folder: Path) -> int:
    return sum(1 for _ in (folder / "out/orders").glob("*.json"))


def test_every_order_is_there_once(folder: Path) -> None:
    with Commands() as sfactl:
        kill_and_finish(folder, sfactl)
    check(folder)


def kill_and_finish(folder: Path, sfactl: Commands) -> None:
    chance = random.Random(20260621)
    push = ("-w", folder, "erp", "push", "--format", "json")
    kills = 0
    while kills < KILLS:
        running = sfactl.start(*push)
        # Some are killed at their first signs of life, most in the middle of the orders, at any instruction.
        goal = min(pushed(folder) + chance.randint(0, 2 * ORDERS // KILLS - 2), ORDERS - 1)
        while running.at_work and pushed(folder) < goal:
            time.sleep(0.003)
        time.sleep(chance.uniform(0, 0.03))
        if running.kill().code < 0:
            kills += 1
        elif pushed(folder) >= ORDERS:
            break
    last = sfactl.run(*push)
    assert last.code == 0, last.err or last.out
    again = sfactl.run(*push)
    assert (again.code, [again.result[n] for n in ("orders", "customers", "recovered")]) == (0, [0, 0, 0])
    assert kills >= KILLS * 3 // 4


def check(folder: Path) -> None:
    documents = [json.loads(path.read_text()) for path in (folder / "out/orders").glob("*.json")]
    assert Counter(d["number"] for d in documents) == {f"O-{n}": 1 for n in range(1, ORDERS + 1)}
    assert all(d["lines"][0]["amount"] == d["number"].removeprefix("O-") for d in documents)
    assert len(list((folder / "out/customers").glob("*.json"))) == 7
    with opened(folder) as session:
        assert session.ledger.rows() == []
        with session.query() as query:
            assert query.rows("select status, count(*), count(distinct erp_id) from orders group by 1") == [
                ("pushed", ORDERS, ORDERS)
            ]
            assert query.rows("select kind, count(*) from erp_refs group by 1 order by 1") == [
                ("customer", 7),
                ("order", ORDERS),
                ("product", 1),
            ]
