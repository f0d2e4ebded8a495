"""From a price book to money received, as a salesperson types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfactl.config.settings import Settings
from sfactl.session import open_session

Call = Callable[..., Any]

LIST = """
schema = 1
currency = "EUR"
valid_from = 2026-01-01
valid_to = 2026-12-31
prices = [
    { sku = "LX-300", price = 1000 },
    { sku = "LX-300", price = 950, from_quantity = 10 },
    { sku = "NOZ-1", price = "9.505" },
]

[[promotions]]
name = "summer"
percent = 3
valid_from = 2026-06-01
valid_to = 2026-08-31
family = "lasers"
"""


@pytest.fixture
def shop(sfactl: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command line on a workspace with products, a price book, an ERP folder and the deal 1."""
    monkeypatch.setenv("SFACTL_NOW", "2026-06-15T12:00:00")
    folder = tmp_path / "shop"
    assert sfactl("init", folder).code == 0
    for name, text in {
        "prices/list.toml": LIST,
        "erp/files.toml": 'schema = 1\nuse = "files"\nfolder = "books"\n',
        "products.csv": "sku,name,family,cost,currency\nLX-300,雷射切割機 LX-300,lasers,700,EUR\nNOZ-1,Nozzle,parts,,\n",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "prices/dealer.toml").unlink()
    with open_session(folder, settings=Settings(), command="test", actor="tester") as session:
        with session.write("accounts", "opportunities") as tx:
            tx.upsert("accounts", "select 1 as account_id, '台灣精密機械' as name")
            tx.upsert(
                "opportunities",
                "select 1 as opportunity_id, 1 as account_id, 'proposal' as stage, 'open' as category",
            )
            tx.commit()

    def call(*args: object) -> Any:
        return sfactl("-w", folder, *args)

    assert call("product", "import", folder / "products.csv").code == 0
    call.folder = folder  # type: ignore[attr-defined]
    return call


EXPLAINED = """\
Q-1 · draft · revision 1 · opportunity 1 · book list, prices of 2026-06-15

Line 1  雷射切割機 LX-300 × 12                               EUR
  list price        book:list                        12,000.0000   2026-01-01 to 2026-12-31
  quantity          volume:10+                         −600.0000   volume price, 950 from 10
  promotion         promo:summer −3%                   −342.0000   2026-06-01 to 2026-08-31
  discount by hand  manual −1.25%                      −138.2250
  rounding          half-up to 2 digits                   0.0050
  net                                                10,919.7800   margin 23.1 %

Line 2  NOZ-1 Nozzle × 3                                     EUR
  list price        book:list                            28.5150   2026-01-01 to 2026-12-31
  rounding          half-up to 2 digits                   0.0050
  net                                                    28.5200

total of 2 lines                                       10,948.30
"""


def test_a_quote_explains_itself_and_becomes_money(shop: Call) -> None:
    made = shop("quote", "create", "--opp", 1, "--line", "LX-300=12@1.25%", "--line", "NOZ-1=3")
    assert made.code == 0
    assert made.out.splitlines()[-2:] == [
        "Total EUR 10,948.30, valid until 2026-07-15",
        "Q-1 created (commit 3). Why these prices: sfactl quote explain Q-1",
    ]
    assert shop("quote", "explain", "Q-1").out == EXPLAINED
    as_json = shop("quote", "explain", "Q-1", "--format", "json").json["result"]
    assert [line["amount"] for line in as_json["lines"]] == [10919.78, 28.52]
    assert shop("quote", "accept", "Q-1").out.splitlines()[:2] == [
        "Q-1 accepted: order O-1, 2 lines, EUR 10,948.30",
        "Opportunity 1 is won.",
    ]
    assert shop("quote", "accept", "Q-1").out == "Q-1 was accepted before: order O-1. Nothing to do.\n"
    assert shop("erp", "push").out == "Pushed to files: 1 order · 1 customer · 2 products · 0 unchanged\n"
    assert shop("erp", "push", "--fail-empty").code == 4

    books = shop.folder / "books"  # type: ignore[attr-defined]
    (books / "invoices.csv").write_text(
        "id,order,invoiced_on,due_on,currency,amount\n7,O-1,2026-04-01,2026-05-01,EUR,10948.30\n"
    )
    (books / "payments.csv").write_text("id,invoice,paid_on,currency,amount\np1,7,2026-06-01,EUR,10000\n")
    assert shop("erp", "pull").code == 0
    assert shop("ar", "age", "--buckets", "30,60").out.splitlines() == [
        "Outstanding on 2026-06-15",
        "customer      currency  not due  1-30   31-60  over 60  outstanding",
        "台灣精密機械  EUR          0.00  0.00  948.30     0.00       948.30",
        "Total EUR     EUR          0.00  0.00  948.30     0.00       948.30",
        "EUR: owed 10,948.30 = allocated 10,000.00 + outstanding 948.30",
    ]
    early = shop("ar", "age", "--as-of", "2026-05-31", "--format", "json").json["result"]
    assert [row["outstanding"] for row in early] == [10948.3]
    (books / "payments.csv").write_text("id,invoice,paid_on,currency,amount\np1,7,2026-06-01,EUR,10948.30\n")
    shop("erp", "pull")
    assert shop("order", "show", "O-1").out.startswith("O-1 · paid · ordered 2026-06-15 from Q-1 · to pay in 30 days\n")
    assert shop("erp", "reconcile", "--orders").out.endswith("No difference.\n")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("price", "show", "LX300"), 2, "Did you mean LX-300"),
        (("price", "show", "LX-300", "--on", "2027-01-01", "--book", "list"), 2, "does not hold on 2027-01-01"),
        (("price", "show", "LX-300", "--on", "soon"), 2, "'soon' is not a date"),
        (("price", "show", "LX-300", "--quantity", "many"), 2, "'many' is not a number"),
        (("quote", "create", "--opp", "1", "--line", "LX-300"), 2, "is not SKU=QUANTITY"),
        (("quote", "create", "--opp", "9", "--line", "LX-300=1"), 2, "there is no opportunity 9"),
        (("quote", "show", "Q-9"), 2, "there is no quote Q-9"),
        (("order", "show", "x"), 2, "'x' is not an order"),
        (("ar", "age", "--buckets", "60,30"), 2, "must rise"),
        (
            (
                "ar",
                "match",
            ),
            2,
            "Give --receipt and --receivable",
        ),
        (("erp", "push", "oracle"), 2, "there is no ERP 'oracle'"),
    ],
    ids=lambda v: " ".join(map(str, v)) if isinstance(v, tuple) else None,
)
def test_what_is_wrong_is_said(shop: Call, args: tuple[object, ...], code: int, words: str) -> None:
    answer = shop(*args)
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err


def test_a_price_book_that_is_wrong_is_not_passed(shop: Call) -> None:
    assert shop("price", "check").out == "1 price book checked, all in order.\n"
    (shop.folder / "prices/odd.toml").write_text('schema = 1\ncurrency = "EUR"\nbase = "lst"\n')  # type: ignore[attr-defined]
    answer = shop("price", "check")
    assert (answer.code, answer.out) == (
        2,
        "prices/odd.toml: base: there is no price book 'lst'\n2 price books checked, 1 problem.\n",
    )


@pytest.mark.parametrize(
    "args",
    [
        ("quote", "create", "--opp", "1", "--line", "LX-300=1"),
        ("quote", "accept", "Q-1"),
        ("erp", "push"),
        ("erp", "pull"),
        ("order", "cancel", "O-1"),
    ],
    ids=lambda v: " ".join(v),
)
def test_a_dry_run_leaves_the_workspace_as_it_was(shop: Call, args: tuple[str, ...]) -> None:
    folder: Path = shop.folder  # type: ignore[attr-defined]
    shop("quote", "create", "--opp", 1, "--line", "LX-300=1")
    if args[0] != "quote":
        shop("quote", "accept", "Q-1")

    def everything() -> dict[Path, bytes]:
        return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    before = everything()
    answer = shop(*args, "--dry-run")
    assert answer.code == 0
    assert answer.out.startswith("Dry run: nothing is written")
    assert everything() == before
