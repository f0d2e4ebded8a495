"""Products, quotes and their acceptance, over a real workspace."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import DataError, NotFound, PluginError, PolicyError
from sfactl.api.offers import PriceLayerOffer
from sfactl.quotes import usecases
from sfactl.session import FixedClock, Session

LINES = ["LX-300=12@1.5%", "FLT-10=150"]


def count(session: Session, dataset: str) -> int:
    with session.query() as query:
        return query.rows(f"select count(*) from {dataset}")[0][0]


def test_products_are_imported_once(session: Session) -> None:
    again = usecases.import_products(session, session.folder / "products.csv", decimal_comma=True)
    assert (again.rows, again.new, again.updated, again.unchanged, again.commit) == (3, 0, 0, 3, None)
    table = usecases.list_products(session, family="lasers")
    assert table.column("cost").to_pylist() == [Decimal("700.5000")]


def test_a_column_that_the_file_lacks_stays_and_an_empty_cell_clears(session: Session) -> None:
    path = session.folder / "more.csv"
    path.write_text("sku,name,family,note\nLX-300,Laser,,x\nNEW-1,New,a,x\n,no sku,,\nNEW-1,twice,,\nonly one\n")
    done = usecases.import_products(session, path)
    assert (done.rows, done.new, done.updated, done.unchanged, done.ignored_columns) == (5, 1, 1, 0, ("note",))
    assert [(r.row, r.reason) for r in done.rejected] == [
        (4, "sku is empty"),
        (5, "sku NEW-1 stands in the file twice"),
        (6, "has 1 columns, the header has 4"),
    ]
    with session.query() as query:
        row = query.get("products", "LX-300")
    assert row is not None
    assert (row["name"], row["family"], row["cost"], row["unit"]) == ("Laser", None, Decimal("700.5000"), "piece")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('sku,cost,currency\nA,"12,5",EUR\n', "is not a number with a decimal point"),
        ("sku,cost,currency\nA,1,\n", "cost 1 has no currency"),
        ("sku,currency\nA,XX1\n", "'XX1' is not a currency"),
        ("sku,active\nA,perhaps\n", "neither yes nor no"),
    ],
)
def test_a_bad_product_row_is_listed(session: Session, text: str, words: str) -> None:
    path = session.folder / "bad.csv"
    path.write_text(text)
    (bad,) = usecases.import_products(session, path).rejected
    assert bad.row == 2
    assert words in bad.reason


def test_a_product_file_without_sku_is_refused(session: Session) -> None:
    path = session.folder / "bad.csv"
    path.write_text("SKU,name\nA,b\n")
    with pytest.raises(DataError, match="no column 'sku'"):
        usecases.import_products(session, path)


def test_a_product_shows_its_prices(session: Session) -> None:
    view = usecases.show_product(session, "LX-300")
    assert [(p.book, p.from_quantity, p.price) for p in view.prices] == [("list", 1, 1000), ("list", 10, 950)]
    with pytest.raises(NotFound) as caught:
        usecases.show_product(session, "LX300")
    assert "LX-300" in (caught.value.hint or "")


def test_a_price_says_what_did_not_count(session: Session) -> None:
    view = usecases.show_price(session, "LX-300", quantity=Decimal(2), book="list")
    assert (view.line.amount, view.not_applied) == (2000, ("promo:spring -10% ended 2026-03-31",))
    early = usecases.show_price(session, "LX-300", quantity=Decimal(2), book="list", on=date(2026, 3, 31))
    assert (early.line.amount, early.not_applied) == (1800, ())


def test_price_check_names_every_fault(session: Session) -> None:
    assert usecases.check_prices(session).problems == ()
    (session.folder / "prices/bad.toml").write_text('schema = 1\ncurrency = "EUR"\nlayer = 1\n')
    (session.folder / "prices/odd.toml").write_text(
        'schema = 1\ncurrency = "EUR"\nprices = [{ sku = "LX-30", price = 1 }]\n[layers.metal]\n'
    )
    assert usecases.check_prices(session).problems == (
        "prices/bad.toml: layer: unknown key. Did you mean 'layers'?",
        "prices/odd.toml: there is no product 'LX-30'. Did you mean 'LX-300'?",
        "prices/odd.toml: layers: there is no price layer 'metal'",
    )


def test_a_quote_keeps_its_lines_and_steps(session: Session) -> None:
    made = usecases.create(session, opportunity="1", lines=LINES)
    assert made.quote.price_book == "dealer"
    assert (made.quote.account_id, made.quote.lead_id, made.quote.owner) == (1, 7, "ann")
    assert made.quote.valid_until == date(2026, 7, 15)
    shown = usecases.show(session, f"Q-{made.quote.quote_id}")
    assert shown.quote == made.quote
    assert [(line.sku, line.amount, line.steps) for line in shown.lines] == [
        (line.sku, line.amount, line.steps) for line in made.lines
    ]
    with session.query() as query:
        assert query.rows(
            "select count(*) from quote_lines l where amount <> (select sum(amount) from quote_steps s"
            " where s.quote_id = l.quote_id and s.line_no = l.line_no)"
        ) == [(0,)]
        assert query.rows("select total - (select sum(amount) from quote_lines) from quotes") == [(0,)]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"opportunity": "99"}, NotFound),
        ({"opportunity": "x"}, DataError),
        ({"lines": []}, DataError),
        ({"lines": ["LX-301=1"]}, NotFound),
        ({"book": "liste"}, NotFound),
        ({"on": date(2027, 1, 1), "book": "list"}, PolicyError),
    ],
)
def test_what_cannot_be_quoted_leaves_nothing(
    session: Session, options: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        usecases.create(session, **{"opportunity": "1", "lines": LINES} | options)  # type: ignore[arg-type]
    assert count(session, "quotes") == count(session, "quote_steps") == 0


def test_a_dry_run_prices_and_keeps_nothing(session: Session, open_again: Callable[..., Session]) -> None:
    head = session.workspace.head()
    trial = usecases.create(open_again(dry_run=True), opportunity="1", lines=LINES)
    assert (trial.commit, trial.dry_run, len(trial.lines)) == (None, True, 2)
    assert session.workspace.head() == head


def test_revising_with_fewer_lines_leaves_nothing_of_the_old_prices(session: Session) -> None:
    quote = str(usecases.create(session, opportunity="1", lines=LINES).quote.quote_id)
    usecases.send(session, quote)
    revised = usecases.revise(session, quote, lines=["LX-300=9"])
    assert (revised.quote.state, revised.quote.revision) == ("draft", 2)
    shown = usecases.show(session, quote)
    assert [(line.sku, [s.layer for s in line.steps]) for line in shown.lines] == [("LX-300", ["list", "book"])]
    assert shown.quote.total == Decimal("8460.0000")
    assert count(session, "quote_lines") == 1
    assert count(session, "quote_steps") == 2


def test_revising_without_lines_prices_the_same_lines_anew(session: Session) -> None:
    made = usecases.create(session, opportunity="1", lines=LINES, book="list", on=date(2026, 3, 1))
    again = usecases.revise(session, str(made.quote.quote_id))
    assert any(s.layer == "promotion" for s in made.lines[0].steps)
    assert not any(s.layer == "promotion" for s in again.lines[0].steps)
    assert again.lines[0].discount_percent == Decimal("1.5")


def test_accepting_makes_exactly_one_order_with_the_lines_of_the_quote(session: Session) -> None:
    quote = str(usecases.create(session, opportunity="1", lines=LINES).quote.quote_id)
    first = usecases.accept(session, quote)
    again = usecases.accept(session, quote)
    assert (first.repeated, again.repeated, again.order_id) == (False, True, first.order_id)
    assert (first.won, again.won, again.commit) == (True, False, None)
    with session.query() as query:
        assert query.rows("select count(*) from orders") == [(1,)]
        assert query.rows(
            "select line_no, sku, quantity, unit_price, amount from order_lines order by 1"
        ) == query.rows("select line_no, sku, quantity, unit_price, amount from quote_lines order by 1")
        assert query.rows("select amount - (select sum(amount) from order_lines), status, quote_id from orders") == [
            (0, "open", int(quote))
        ]
        assert query.rows("select stage, category, probability, amount from opportunities") == [
            ("won", "won", 1.0, first.amount)
        ]
        assert query.rows("select from_stage, to_stage, entity_id from stage_events") == [("proposal", "won", 1)]
    assert usecases.show(session, quote).quote.state == "accepted"
    with pytest.raises(PolicyError, match="was accepted"):
        usecases.revise(session, quote)


def test_many_who_accept_at_once_make_one_order(session: Session, open_again: Callable[..., Session]) -> None:
    quote = str(usecases.create(session, opportunity="1", lines=LINES).quote.quote_id)
    sessions = [open_again() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda s: usecases.accept(s, quote), sessions))
    assert sorted(d.repeated for d in done) == [False, True, True, True]
    assert len({d.order_id for d in done}) == 1
    assert (count(session, "orders"), count(session, "order_lines"), count(session, "stage_events")) == (1, 2, 1)


class Surcharge:
    """A price layer that adds to the unit price of what it knows."""

    def adjust(self, lines: pa.Table) -> pa.Table:
        chosen = [r["line_no"] for r in lines.to_pylist() if r["sku"] == "LX-300"]
        if not chosen:
            raise ValueError("nothing to add to")
        return pa.table({"line_no": chosen, "rule": ["steel"] * len(chosen), "amount": [Decimal("12.5")] * len(chosen)})


class LayerHost:
    """A plugin host with one price layer."""

    def offers(self, kind: str) -> dict[str, object]:
        return {"metal": self.find(kind, "metal")}

    def find(self, kind: str, name: str) -> Any:
        return SimpleNamespace(offer=PriceLayerOffer(name=name, summary="", target="x:Y", after="list"))

    def make(self, kind: str, name: str, settings: Any, *, where: str) -> Surcharge:
        assert (kind, dict(settings), where) == ("price_layer", {"per": "unit"}, "prices/metal.toml: layers.metal")
        return Surcharge()

    def close(self) -> None:
        pass


def test_a_plugin_layer_counts_only_in_a_book_that_names_it(session: Session) -> None:
    (session.folder / "prices/metal.toml").write_text(
        'schema = 1\ncurrency = "EUR"\nbase = "list"\npercent = 10\n[layers.metal]\nper = "unit"\n'
    )
    session.host = LayerHost()  # type: ignore[assignment]
    assert usecases.check_prices(session, ["metal"]).problems == ()
    made = usecases.create(session, opportunity="1", lines=["LX-300=2", "FLT-10=3"], book="metal")
    assert [(s.layer, s.rule, s.amount) for s in made.lines[0].steps] == [
        ("list", "book:list", 2000),
        ("metal", "metal:steel", 25),
        ("book", "book:metal -10%", Decimal("-202.5")),
    ]
    with pytest.raises(PluginError, match="price layer metal failed: ValueError: nothing to add to"):
        usecases.create(session, opportunity="1", lines=["FLT-10=3"], book="metal")
    assert [s.layer for s in usecases.create(session, opportunity="1", lines=["LX-300=1"]).lines[0].steps] == [
        "list",
        "book",
    ]


def test_a_deal_that_is_lost_stays_lost(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    with session.write("opportunities") as tx:
        tx.upsert("opportunities", "select * replace ('lost' as category, 'lost' as stage) from opportunities")
        tx.commit()
    quote = str(usecases.create(session, opportunity="1", lines=LINES).quote.quote_id)
    assert not usecases.accept(session, quote).won
    assert "stays so" in capsys.readouterr().err
    assert count(session, "stage_events") == 0


def test_an_expired_or_rejected_quote_cannot_be_accepted(session: Session, clock: FixedClock) -> None:
    late = str(usecases.create(session, opportunity="1", lines=LINES, valid_days=10).quote.quote_id)
    no = str(usecases.create(session, opportunity="1", lines=LINES).quote.quote_id)
    usecases.reject(session, no)
    clock.advance(timedelta(days=10))
    assert usecases.show(session, late).quote.state == "draft"
    clock.advance(timedelta(days=1))
    with pytest.raises(PolicyError, match="is expired \\(last day 2026-06-25\\)"):
        usecases.accept(session, late)
    with pytest.raises(PolicyError, match="is rejected"):
        usecases.accept(session, no)
    assert usecases.list_quotes(session, state="expired").column("quote").to_pylist() == [f"Q-{late}"]
    assert usecases.accept(session, str(usecases.revise(session, late).quote.quote_id)).lines == 2


def test_only_a_draft_is_sent(session: Session) -> None:
    quote = str(usecases.create(session, opportunity="1", lines=LINES).quote.quote_id)
    assert usecases.send(session, quote).quote.state == "sent"
    with pytest.raises(PolicyError, match="is sent"):
        usecases.send(session, quote)
