"""Layers on real shops against pandas, their storage, and what conditions, explanations and two times make of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import ConditionError, ConfigError, NotFound, UserError
from sfactl.segments import layer_files, usecases
from sfactl.segments.layers import PERIODS, ClassRule
from sfactl.segments.usecases import layer_needs, layering
from sfactl.segments.usecases.layer_explaining import explain
from sfactl.segments.value_classes import SHIPPED
from sfactl.session import Session
from tests.retail_world import RETAIL_NOW, load_retail, retail_lines, workspace

pd = pytest.importorskip("pandas", reason="pandas is the second way to the figures")


@pytest.fixture(scope="module")
def lines(shared_data: Path) -> pa.Table:
    return retail_lines(shared_data)


@pytest.fixture(scope="module")
def shop(lines: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with workspace(tmp_path_factory.mktemp("shop"), RETAIL_NOW) as session:
        load_retail(session, lines)
        yield session


@pytest.fixture
def layer(shop: Session) -> Iterator[Any]:
    """Writes a layer file that is gone after the test."""
    folder, written = shop.folder / "layers", []
    folder.mkdir(exist_ok=True)

    def write(name: str, text: str) -> None:
        written.append(folder / f"{name}.toml")
        written[-1].write_text(f"schema = 1\n{text}", encoding="utf-8")

    yield write
    for path in written:
        path.unlink()


def by_pandas(lines: pa.Table) -> Any:
    """Recency, frequency and money of each customer by group-by alone; money is counted in whole ten-thousandths."""
    frame = lines.to_pandas()
    frame["amount"] = (frame["quantity"].astype(float) * frame["price"].astype(float) * 10_000).round().astype(int)
    orders = frame.groupby("InvoiceNo").agg(
        customer=("customer", "min"), at=("seen_at", "min"), amount=("amount", "sum")
    )
    whole = orders.groupby("customer").agg(last=("at", "max"), orders=("at", "size"), money=("amount", "sum"))
    return whole.assign(money=whole["money"] / 10_000)


def found(table: pa.Table) -> Any:
    return table.to_pandas().set_index("lead_id")


def test_rfm_is_what_pandas_says(shop: Session, lines: pa.Table) -> None:
    mine = found(layering.customers(shop, "rfm"))
    theirs = by_pandas(lines)
    assert len(mine) == len(theirs) > 1000
    for column, source in (("recency", "last"), ("frequency", "orders"), ("third", "money")):
        below = theirs[source].rank(method="min") - 1
        expected = 1 + (5 * below // len(theirs)).astype(int)
        assert (mine[column] == expected).all()
    assert (mine["orders"] == theirs["orders"]).all()
    assert (mine["money"] - theirs["money"]).abs().max() < 1e-6
    assert (mine["days"] == (RETAIL_NOW - theirs["last"].dt.normalize()).dt.days).all()


def test_edges_are_those_of_qcut(shop: Session, lines: pa.Table, layer: Any) -> None:
    layer("deciles", 'kind = "rfm"\n[settings]\nmethod = "edges"\nquantiles = 4\nrecency_by = "day"\n')
    mine = found(layering.customers(shop, "rfm", "deciles"))
    theirs = by_pandas(lines)
    days = (RETAIL_NOW - theirs["last"].dt.normalize()).dt.days
    assert (mine["recency"] == 4 - pd.qcut(days, 4, labels=False)).all()
    assert (mine["third"] == 1 + pd.qcut(theirs["money"], 4, labels=False)).all()


def test_classes_of_equal_size_cut_equals_by_number(shop: Session, lines: pa.Table, layer: Any) -> None:
    layer("even", 'kind = "rfm"\n[settings]\nmethod = "ntile"\n')
    mine = found(layering.customers(shop, "rfm", "even"))
    ranks = by_pandas(lines).sort_values(["orders"], kind="stable")["orders"].rank(method="first")
    sizes = mine["frequency"].value_counts()
    assert sizes.max() - sizes.min() <= 1
    order = ranks.sort_values().index
    assert mine["frequency"].reindex(order).is_monotonic_increasing


def test_the_grid_names_every_customer_once(shop: Session) -> None:
    for recency in range(1, 6):
        for frequency in range(1, 6):
            named = [
                rule.name
                for rule in SHIPPED
                if rule.recency[0] <= recency <= rule.recency[1] and rule.frequency[0] <= frequency <= rule.frequency[1]
            ]
            assert len(named) == 1
    run = layering.look(shop, "rfm")
    assert sum(size.customers for size in run.classes) == run.customers
    assert "other" not in {size.name for size in run.classes}


def test_declared_cuts_codes_and_classes(shop: Session, lines: pa.Table, layer: Any) -> None:
    layer(
        "value",
        'kind = "rfa"\n[settings]\ncurrency = "GBP"\nleave_out = []\n'
        "[settings.cuts]\nrecency = [7, 30]\nfrequency = [2, 5]\nthird = [300, 1000]\n"
        '[[classes]]\nname = "top"\nrecency = [3, 3]\nfrequency = [2, 3]\n[[classes]]\nname = "gone"\nrecency = [1, 1]\n',
    )
    run, mine, theirs = layering.look(shop, "rfa"), found(layering.customers(shop, "rfa")), by_pandas(lines)
    days = (RETAIL_NOW - theirs["last"].dt.normalize()).dt.days
    r = 1 + (days <= 30).astype(int) + (days <= 7).astype(int)
    f = 1 + (theirs["orders"] >= 2).astype(int) + (theirs["orders"] >= 5).astype(int)
    a = 1 + (theirs["money"] >= 300).astype(int) + (theirs["money"] >= 1000).astype(int)
    letters = {1: "C", 2: "B", 3: "A"}
    assert (mine["code"] == r.map(letters) + f.map(letters) + a.map(letters)).all()
    expected = pd.Series("other", index=r.index).mask(r == 1, "gone").mask((r == 3) & (f >= 2), "top")
    assert (mine["class"] == expected).all()
    assert (run.layer, run.value_name, run.unit) == ("value", "amount", "GBP")
    assert "recency cut at 7, 30" in run.method
    assert {size.name: size.customers for size in run.classes} == expected.value_counts().to_dict()


def test_shares_add_up_to_one_and_agree_with_pandas(shop: Session, lines: pa.Table, layer: Any) -> None:
    layer("taste", 'kind = "preference"\n[settings]\nmin_rows = 10\n')
    done = layering.run(shop, "preference")
    frame = lines.to_pandas()
    names = frame.groupby("sku")["description"].min()
    families = names.str.extract(r"([A-Za-z]+)[^A-Za-z]*$")[0].str.lower()
    frame["family"] = frame["sku"].map(families)
    counts = frame.dropna(subset="family").groupby(["customer", "family"]).size()
    counts = counts[counts.groupby("customer").transform("sum") >= 10]
    shares = counts / counts.groupby("customer").transform("sum")
    with shop.query() as query:
        stored = query.table("select lead_id, category, share from layer_shares where layer = 'taste'").to_pandas()
        sums = query.rows("select distinct total from (select sum(share) as total from layer_shares group by lead_id)")
    assert [float(row[0]) for row in sums] == [1.0]
    mine = stored.set_index(["lead_id", "category"])["share"].astype(float)
    assert len(mine) == len(shares)
    assert (mine - shares.rename_axis(["lead_id", "category"])).abs().max() < 1e-6
    assert done.customers == shares.index.get_level_values(0).nunique()
    best = shares.groupby("customer").max()
    tops = found(layering.customers(shop, "preference"))
    assert (tops["share"].sort_index() - best.rename_axis("lead_id")).abs().max() < 1e-6
    why = explain(shop, "preference", None, int(tops.index[0]))
    assert why.name == why.stored == why.reasons[0].what


def test_what_is_stored_can_be_asked_for(shop: Session, layer: Any) -> None:
    done = layering.run(shop, "rfm")
    assert done.commit is not None
    assert layering.run(shop, "rfm").commit is None  # nothing changed
    champions = next(size.customers for size in done.classes if size.name == "champion")
    (shop.folder / "segments").mkdir(exist_ok=True)
    conditions = {
        "champions": "layer.rfm = 'champion'",
        "by-axes": "layer.rfm.recency = 5 and layer.rfm.frequency >= 4",
        "rich": "layer.rfm.value > 5000 and layer.rfm.code like '5%'",
    }
    for name, text in conditions.items():
        (shop.folder / "segments" / f"{name}.toml").write_text(f'schema = 1\nwhere = """{text}"""\n', encoding="utf-8")
    built = {one.name: one.members for one in usecases.build(shop, []).segments}
    assert built["champions"] == built["by-axes"] == champions > 0
    assert 0 < built["rich"] < champions
    (shop.folder / "segments" / "wrong.toml").write_text("schema = 1\nwhere = \"layer.rmf = 'x'\"\n", encoding="utf-8")
    with pytest.raises(ConditionError, match=r'unknown layer "rmf"\. Did you mean "rfm"'):
        usecases.build(shop, ["wrong"])
    (shop.folder / "segments" / "wrong.toml").unlink()
    with shop.query() as query:
        events = query.one("select count(*), count(from_class) from layer_events where layer = 'rfm'")
    assert events == (done.customers, 0)


def test_explanation_and_transitions(shop: Session) -> None:
    best = found(layering.customers(shop, "rfm", only="champion"))
    why = explain(shop, "rfm", None, int(best.index[0]))
    assert [reason.what for reason in why.reasons] == ["recency", "frequency", "money", "class"]
    assert why.reasons[-1].why == "recency 5 and frequency 4–5"
    then = (RETAIL_NOW - timedelta(days=31)).date().isoformat()
    moves = layering.transitions(shop, "rfm", None, then).to_pylist()
    now, before = layering.look(shop, "rfm"), layering.look(shop, "rfm", valid_at=then)
    for end, run in (("from_class", before), ("to_class", now)):
        counted: dict[str, int] = {}
        for move in moves:
            counted[move[end]] = counted.get(move[end], 0) + move["customers"]
        counted.pop(None, None)  # type: ignore[call-overload]
        assert counted == {size.name: size.customers for size in run.classes if size.customers}


def test_questions_without_an_answer(shop: Session, layer: Any) -> None:
    with pytest.raises(NotFound, match="there is no lead 999999999"):
        explain(shop, "rfm", None, 999999999)
    with pytest.raises(UserError, match="no class 'champoin'"):
        layering.customers(shop, "rfm", only="champoin")
    with pytest.raises(NotFound, match="there is no layer 'valu'"):
        layering.look(shop, "rfa", "valu")
    with pytest.raises(UserError, match="is later than"):
        layering.transitions(shop, "rfm", None, "2011-01-20", "2011-01-10")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('kind = "rfn"\n', "'rfn' is not one of rfm, rfa"),
        ('kind = "rfm"\n[settings]\nquantile = 4\n', "settings.quantile: unknown key. Did you mean 'quantiles'"),
        ('kind = "rfm"\n[[classes]]\nname = "top"\nrecency = [6, 6]\n', "6, but there are 5 classes of recency"),
        ('kind = "rfm"\n[[classes]]\nname = "a"\n[[classes]]\nname = "a"\n', "'a' is there twice"),
        ('kind = "lifecycle"\n[settings]\nyoung = "soon"\n', "young: 'soon' is not a period"),
        ('kind = "lifecycle"\n[[classes]]\nname = "a"\n', "has its own"),
        ('kind = "preference"\n[settings]\nmeasure = "amount"\n', "amounts need a currency"),
        ('kind = "rfm"\n[settings.cuts]\nthird = [100]\n', "borders of money need a currency"),
    ],
)
def test_files_without_meaning_are_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "mine.toml").write_text(f"schema = 1\n{text}", encoding="utf-8")
    with pytest.raises(ConfigError, match=says.replace("[", r"\[")):
        layer_files.read_layers(tmp_path)


def test_a_class_needs_both_ends() -> None:
    with pytest.raises(ValueError, match="the lowest and the highest class"):
        ClassRule(name="x", recency=(4,))


def test_a_dry_run_and_an_empty_workspace(tmp_path: Path) -> None:
    with workspace(tmp_path, datetime(2026, 1, 1), dry_run=True) as session:
        for kind in ("rfm", "rfa", "lifecycle", "preference"):
            run = layering.run(session, kind)
            assert (run.customers, run.commit) == (0, None)
        assert layering.list_layers(session) == ()


def test_a_field_that_does_not_exist(shop: Session, layer: Any) -> None:
    layer("odd", 'kind = "preference"\n[settings]\nby = "famly"\n')
    (problem,) = layering.check(shop)
    assert problem.startswith("layers/odd.toml: settings.by: products and order_lines have no text field 'famly'")
    assert 'Did you mean "family"' in problem


def test_each_customer_is_in_exactly_one_period(shop: Session) -> None:
    run = layering.look(shop, "lifecycle")
    rows = layering.customers(shop, "lifecycle").column("lead_id").to_pylist()
    assert len(rows) == len(set(rows)) == run.customers
    assert tuple(size.name for size in run.classes) == PERIODS


def test_segments_have_their_layers_first(tmp_path: Path, lines: pa.Table) -> None:
    with workspace(tmp_path, RETAIL_NOW) as session:
        load_retail(session, lines)
        (tmp_path / "segments").mkdir()
        for name, text in {
            "base": "layer.rfm.recency = 5",
            "best": "member_of('base') and Layer.rfa.code like 'AA%'",
        }.items():
            (tmp_path / "segments" / f"{name}.toml").write_text(f'schema = 1\nwhere = "{text}"\n', encoding="utf-8")
        assert layer_needs.never_run(session, ["best"]) == ("rfa", "rfm")
        assert [one.members for one in usecases.build(session).segments] == [0, 0]
        assert [run.layer for run in layer_needs.refresh(session)] == ["rfa", "rfm"]
        assert layer_needs.never_run(session) == ()
        base, best = (one.members for one in usecases.build(session).segments)
        assert base > best > 0


def test_a_refund_is_no_purchase(tmp_path: Path) -> None:
    """Customer 1 gave back all of a large order, 2 never bought; whether money is net is said in the file."""
    given = [(1, 1000, 30), (1, -990, 1), (2, -50, 2), (3, 100, 5), (3, 100, 9)]
    rows = [
        {"order_id": n, "lead_id": lead, "amount": amount, "at": RETAIL_NOW - timedelta(days=days), "currency": "EUR"}
        for n, (lead, amount, days) in enumerate(given, 1)
    ]
    with workspace(tmp_path, RETAIL_NOW) as session:
        with session.write("leads", "orders") as tx:
            tx.upsert("leads", pa.table({"lead_id": [1, 2, 3]}))
            tx.upsert("orders", pa.Table.from_pylist(rows))
            tx.commit()
        found = layering.customers(session, "rfm").select(["lead_id", "days", "orders", "money"]).to_pylist()
        assert [tuple(row.values()) for row in found] == [(1, 30, 1, 10.0), (3, 5, 2, 200.0)]
        (tmp_path / "layers").mkdir()
        (tmp_path / "layers" / "rfm.toml").write_text(
            'schema = 1\nkind = "rfm"\n[settings]\nrefunds = "ignore"\n', encoding="utf-8"
        )
        assert layering.customers(session, "rfm").column("money").to_pylist() == [1000.0, 200.0]
        periods = layering.customers(session, "lifecycle").select(["lead_id", "orders"]).to_pylist()
        assert [tuple(row.values()) for row in periods] == [(1, 1), (3, 2)]


def test_activity_and_growth_by_amount(tmp_path: Path) -> None:
    """The third axis may be touchpoints; growth may be told by amounts of one currency."""
    given = [(1, 10, 20, "EUR"), (1, 100, 40, "EUR"), (1, 9000, 130, "USD"), (2, 90, 20, "EUR"), (2, 100, 130, "EUR")]
    rows = [
        {
            "order_id": n,
            "lead_id": lead,
            "amount": amount,
            "at": RETAIL_NOW - timedelta(days=days),
            "currency": currency,
        }
        for n, (lead, amount, days, currency) in enumerate(given, 1)
    ]
    with workspace(tmp_path, RETAIL_NOW) as session:
        with session.write("leads", "orders") as tx:
            tx.upsert("leads", pa.table({"lead_id": [1, 2]}))
            tx.upsert("orders", pa.Table.from_pylist(rows))
            seen = [{"event_id": f"e{n}", "lead_id": 2, "at": RETAIL_NOW, "kind": "visit"} for n in range(3)]
            tx.append("touchpoints", pa.Table.from_pylist(seen))
            tx.commit()
        (tmp_path / "layers").mkdir()
        for name, text in {
            "busy": 'kind = "rfa"\n[settings]\nthird = "activity"\nquantiles = 2\n',
            "money": 'kind = "lifecycle"\n[settings]\nmeasure = "amount"\ncurrency = "EUR"\nyoung = "30 days"\n',
        }.items():
            (tmp_path / "layers" / f"{name}.toml").write_text(f"schema = 1\n{text}", encoding="utf-8")
        run = layering.look(session, "rfa", "busy")
        assert (run.value_name, run.unit) == ("activity", "touchpoints")
        busy = layering.customers(session, "rfa", "busy").select(["lead_id", "activity", "code"]).to_pylist()
        assert [tuple(row.values()) for row in busy] == [(1, 0.0, "BAB"), (2, 3.0, "BBA")]
        lives = layering.customers(session, "lifecycle", "money").select(["lead_id", "class"]).to_pylist()
        assert [row["class"] for row in lives] == ["growth", "maturity"]
