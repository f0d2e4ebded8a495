"""Segments over real orders and web sessions, imported as a user would, equal what pandas finds in the raw files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sfactl.config.settings import Settings, WorkspaceSettings
from sfactl.leads import usecases as leads
from sfactl.segments import usecases
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

pd = pytest.importorskip("pandas", reason="pandas is the second way to the members")

Members = Callable[[Any], Any]
NO_REFUND = "status <> 'refund'"


def opened(folder: Path, now: datetime, zone: str, fields: dict[str, str] | None = None) -> Session:
    Workspace.create(folder).close()
    settings = Settings(workspace=WorkspaceSettings(time_zone=zone), fields={"leads": fields or {}})
    return open_session(folder, settings=settings, command="test", actor="t", clock=FixedClock(now), quiet=True)


def write_segments(session: Session, conditions: dict[str, str]) -> None:
    (session.folder / "segments").mkdir(exist_ok=True)
    for name, where in conditions.items():
        text = f"schema = 1\nwhere = '''{where}'''\n"
        (session.folder / "segments" / f"{name}.toml").write_text(text, encoding="utf-8")


def mapping(session: Session, text: str) -> str:
    path = session.folder / "m.toml"
    path.write_text(f"schema = 1\n{text}", encoding="utf-8")
    return str(path)


def stored(session: Session, space: str) -> dict[str, set[str]]:
    """The customers of each segment by the ids of the files; built in one pass."""
    usecases.build(session)
    with session.query() as query:
        rows = query.rows(
            "select m.segment, l.external_id from segment_members m join leads l using (lead_id)"
            f" where l.id_namespace = '{space}'"
        )
    found: dict[str, set[str]] = {}
    for segment, customer in rows:
        found.setdefault(segment, set()).add(customer)
    return found


RETAIL_NOW = datetime(2011, 2, 1)


def days(frame: Any, number: float) -> Any:
    return frame[frame["at"] >= RETAIL_NOW - pd.Timedelta(days=number)]


def having(grouped: Any) -> set[str]:
    return set(grouped[grouped].index)


def buys(shop: Any) -> Any:
    return shop.orders[shop.orders["amount"] >= 0]


def lines_with(shop: Any, word: str) -> Any:
    return shop.lines[shop.lines["name"].str.contains(word, case=False, regex=False)]


def followed(first: Any, second: Any, span: Any) -> set[str]:
    """Customers with a row of ``first`` after which one of ``second`` came, by a join of all pairs."""
    pairs = first.merge(second, on="customer", suffixes=("", "_then"))
    gap = pairs["at_then"] - pairs["at"]
    return set(pairs[(gap > pd.Timedelta(0)) & (gap <= span)]["customer"])


def quiet_after_first(shop: Any) -> set[str]:
    found = set()
    for customer, group in buys(shop).sort_values("at").groupby("customer"):
        first = group["at"].iloc[0]
        mine = shop.orders[(shop.orders["customer"] == customer)]["at"]
        after = mine[(mine > first) & (mine <= first + pd.Timedelta(days=14))]
        if after.empty and first + pd.Timedelta(days=14) < RETAIL_NOW:
            found.add(customer)
    return found


RETAIL: dict[str, tuple[str, Members]] = {
    "ordered in the last days": (
        "has(orders) filter (where within('3 days'))",
        lambda s: set(days(s.orders, 3)["customer"]),
    ),
    "bought more than three times": (
        f"count(orders) filter (where {NO_REFUND}) > 3",
        lambda s: having(buys(s).groupby("customer").size() > 3),
    ),
    "mean of recent orders": (
        f"avg(orders.amount) filter (where within('30 days') and {NO_REFUND}) > 1000",
        lambda s: having(days(buys(s), 30).groupby("customer")["amount"].mean() > 10_000_000),
    ),
    "net sum": (
        "sum(orders.amount) >= 500",
        lambda s: having(s.orders.groupby("customer")["amount"].sum() >= 5_000_000),
    ),
    "least and most": (
        f"max(orders.amount) > 2000 and min(orders.amount) filter (where {NO_REFUND}) < 200",
        lambda s: (
            having(s.orders.groupby("customer")["amount"].max() > 20_000_000)
            & having(buys(s).groupby("customer")["amount"].min() < 2_000_000)
        ),
    ),
    "many products": (
        "count(distinct order_lines.sku) > 60",
        lambda s: having(s.lines.groupby("customer")["sku"].nunique() > 60),
    ),
    "on three days": (
        "count(distinct date(orders.at)) >= 3",
        lambda s: having(s.orders.assign(day=s.orders["at"].dt.date).groupby("customer")["day"].nunique() >= 3),
    ),
    "a word": (
        "has(order_lines) filter (where contains(product_name, 'ｌａｎｔｅｒｎ'))",
        lambda s: set(lines_with(s, "lantern")["customer"]),
    ),
    "a pattern": (
        "has(order_lines) filter (where matches(product_name, '^SET (OF )?[0-9]+ '))",
        lambda s: set(s.lines[s.lines["name"].str.match("SET (OF )?[0-9]+ ")]["customer"]),
    ),
    "again within a week": (
        f"has(orders) filter (where {NO_REFUND} and followed_by(orders, '7 days') filter (where {NO_REFUND}))",
        lambda s: followed(buys(s), buys(s), pd.Timedelta(days=7)),
    ),
    "one thing, then another": (
        "has(order_lines) filter (where contains(product_name, 'lantern')"
        " and followed_by(order_lines, '14 days') filter (where contains(product_name, 'holder')))",
        lambda s: followed(lines_with(s, "lantern"), lines_with(s, "holder"), pd.Timedelta(days=14)),
    ),
    "paid back within a day": (
        f"has(orders) filter (where {NO_REFUND} and followed_by(orders, '1 day') filter (where status = 'refund'))",
        lambda s: followed(buys(s), s.orders[s.orders["amount"] < 0], pd.Timedelta(days=1)),
    ),
    "one order, then quiet": (
        f"has(orders) filter (where {NO_REFUND} and nth(1) and not followed_by(orders, '14 days'))",
        quiet_after_first,
    ),
    "one but not the other": (
        "has(order_lines) filter (where contains(product_name, 'christmas'))"
        " and not has(order_lines) filter (where contains(product_name, 'lantern'))",
        lambda s: set(lines_with(s, "christmas")["customer"]) - set(lines_with(s, "lantern")["customer"]),
    ),
    "on Sundays in the morning": (
        "count(orders) filter (where isodow(at) = 7 and hour(at) < 12) >= 1",
        lambda s: set(s.orders[(s.orders["at"].dt.day_of_week == 6) & (s.orders["at"].dt.hour < 12)]["customer"]),
    ),
    "of two countries": (
        "country in ('DE', 'FR')",
        lambda s: set(s.lines[s.lines["country"].isin(["Germany", "France"])]["customer"]),
    ),
}


class Shop:
    """The raw rows of a shop: lines, and orders with amounts in whole ten-thousandths."""

    def __init__(self, lines: Any) -> None:
        known = lines[lines["CustomerID"].notna()]
        self.lines = pd.DataFrame(
            {
                "customer": known["CustomerID"].str.removesuffix(".0"),
                "order": known["InvoiceNo"],
                "at": pd.to_datetime(known["InvoiceDate"]),
                "sku": known["StockCode"].str.strip(),
                "name": known["Description"].fillna("").str.strip(),
                "country": known["Country"],
                "cents": [int(Decimal(q) * Decimal(p) * 10_000) for q, p in zip(known["Quantity"], known["UnitPrice"])],
            }
        )
        grouped = self.lines.groupby("order")
        self.orders = grouped.agg(customer=("customer", "min"), at=("at", "min"), amount=("cents", "sum"))


@pytest.fixture(scope="module")
def retail(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, set[str]], Shop]]:
    base = tmp_path_factory.mktemp("retail")
    files = sorted((shared_data / "uci_online_retail" / "by-day").glob("*.csv"))
    raw = pd.concat([pd.read_csv(f, dtype=str) for f in files])
    raw.to_csv(base / "all.csv", index=False)
    with opened(base / "ws", RETAIL_NOW, "UTC") as session:
        done = leads.import_orders(session, [base / "all.csv"], source="shop")
        assert (done.rejected, done.rows) == (0, len(raw))
        write_segments(session, {name: where for name, (where, _) in RETAIL.items()})
        yield stored(session, "shop"), Shop(raw)


@pytest.mark.parametrize("name", RETAIL)
def test_retail_segments(retail: tuple[dict[str, set[str]], Shop], name: str) -> None:
    members, shop = retail
    expected = RETAIL[name][1](shop)
    assert members.get(name, set()) == expected
    assert 0 < len(expected) < shop.orders["customer"].nunique(), "the case tells nothing"


OLIST_ZONE = "America/Sao_Paulo"
OLIST: dict[str, tuple[str, Members]] = {
    "in two years": (
        "has(orders) filter (where year(at) = 2017 and month(at) = 11)",
        lambda f: set(f.orders[(f.orders["at"].dt.year == 2017) & (f.orders["at"].dt.month == 11)].index),
    ),
    "on a day of theirs": (
        "has(orders) filter (where date(at) = '2017-11-24')",
        lambda f: set(f.orders[f.orders["at"].dt.date == datetime(2017, 11, 24).date()].index),
    ),
    "late in the evening": (
        "has(orders) filter (where hour(at) >= 22)",
        lambda f: set(f.orders[f.orders["at"].dt.hour >= 22].index),
    ),
    "several items": (
        "count(order_lines) >= 2 and sum(order_lines.amount) > 100",
        lambda f: (
            having(f.items.groupby("customer").size() >= 2)
            & having(f.items.groupby("customer")["price"].sum() > 100.004)
        ),
    ),
    "mean price": (
        "avg(order_lines.unit_price) > 250",
        lambda f: having(f.items.groupby("customer")["price"].mean() > 250),
    ),
    "not delivered": (
        "has(orders) filter (where status <> 'paid')",
        lambda f: set(f.orders[~f.orders["order_status"].isin(["delivered", "shipped"])].index),
    ),
}


class Frames:
    """Raw orders and items."""

    orders: Any
    items: Any


@pytest.fixture(scope="module")
def olist(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, set[str]], Frames]:
    folder = shared_data / "olist_orders_sample"
    raw = Frames()
    raw.orders = pd.read_csv(folder / "olist_orders.csv", parse_dates=["order_purchase_timestamp"])
    raw.items = pd.read_csv(folder / "olist_order_items.csv").merge(raw.orders[["order_id", "customer_id"]])
    raw.orders = raw.orders.rename(columns={"order_purchase_timestamp": "at"}).set_index("customer_id")
    raw.items = raw.items.rename(columns={"customer_id": "customer"})
    with opened(tmp_path_factory.mktemp("olist") / "ws", datetime(2019, 1, 1), OLIST_ZONE) as session:
        files = [folder / "olist_orders.csv", folder / "olist_order_items.csv"]
        assert leads.import_orders(session, files, source="olist").rejected == 0
        write_segments(session, {name: where for name, (where, _) in OLIST.items()})
        return stored(session, "olist"), raw


@pytest.mark.parametrize("name", OLIST)
def test_olist_segments(olist: tuple[dict[str, set[str]], Frames], name: str) -> None:
    expected = OLIST[name][1](olist[1])
    assert olist[0].get(name, set()) == expected
    assert 0 < len(expected) < 1000


TMALL: dict[str, tuple[str, Members]] = {
    "many orders": (
        "count(orders) filter (where status <> 'refund') > 200",
        lambda t: having(t.groupby("who").size() > 200),
    ),
    "mean": (
        "avg(orders.amount) filter (where status <> 'refund') > 100",
        lambda t: having(t.groupby("who")["总金额"].mean() > 100),
    ),
    "money back": (
        "sum(orders.amount) filter (where status = 'refund') < -1000",
        lambda t: having(t.groupby("who")["退款金额"].sum() > 1000.001),
    ),
    "either script": (
        "contains(external_id, '廣東', 'folded') or equals(external_id, '臺灣省', 'folded') or contains(external_id, '江蘇', 'folded')",
        lambda t: {who for who in t["who"] if "广东" in who or "江苏" in who},
    ),
    "on a day": (
        "count(orders) filter (where date(at) = '2020-02-20' and status <> 'refund') > 10",
        lambda t: having(t[t["at"].dt.date == datetime(2020, 2, 20).date()].groupby("who").size() > 10),
    ),
}


@pytest.fixture(scope="module")
def tmall(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, set[str]], Any]:
    (path,) = (shared_data / "zh_tmall_orders").glob("*.csv")
    raw = pd.read_csv(path).rename(columns=str.strip)
    raw = raw.assign(who=raw["收货地址"].str.strip(), at=pd.to_datetime(raw["订单创建时间"]))
    with opened(tmp_path_factory.mktemp("tmall") / "ws", datetime(2020, 3, 1), "Asia/Shanghai") as session:
        said = (
            'dataset = "orders"\n[columns]\norder_number = "订单编号"\namount = "总金额"\nexternal_id = "收货地址"\n'
            'at = "订单创建时间"\nrefunded = "退款金额"\n'
        )
        leads.import_orders(session, [path], mapping=mapping(session, said), source="tmall")
        write_segments(session, {name: where for name, (where, _) in TMALL.items()})
        return stored(session, "tmall"), raw


@pytest.mark.parametrize("name", TMALL)
def test_tmall_segments(tmall: tuple[dict[str, set[str]], Any], name: str) -> None:
    members, raw = tmall
    expected = TMALL[name][1](raw)
    assert members.get(name, set()) == expected
    assert 0 < len(expected) < raw["who"].nunique()


SESSIONS: dict[str, tuple[str, Members]] = {
    "many sessions": ("count(touchpoints) >= 10", lambda v: having(v.groupby("id_visitor").size() >= 10)),
    "on a telephone": (
        "has(touchpoints) filter (where contains(content, 'iphone'))",
        lambda v: set(v[v["dim_device_app_combo"].str.contains("iphone", case=False)]["id_visitor"]),
    ),
    "searched, then asked": (
        "has(touchpoints) filter (where channel = '1' and followed_by(touchpoints, '3 days') filter (where value = 1))",
        lambda v: followed(
            *(
                v.assign(customer=v["id_visitor"], at=v["ts_min"])[["customer", "at"]][rows]
                for rows in (v["did_search"] == 1, v["sent_message"] == 1)
            ),
            pd.Timedelta(days=3),
        ),
    ),
    "days": (
        "count(distinct date(touchpoints.at)) >= 7",
        lambda v: having(v.assign(day=v["ts_min"].dt.date).groupby("id_visitor")["day"].nunique() >= 7),
    ),
}


@pytest.fixture(scope="module")
def visits(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, set[str]], Any]:
    (path,) = (shared_data / "airbnb_sessions").glob("*.txt")
    raw = pd.read_csv(path, sep="|", parse_dates=["ts_min"])
    with opened(tmp_path_factory.mktemp("visits") / "ws", datetime(2016, 1, 1), "America/Los_Angeles") as session:
        people = mapping(session, '[columns]\nexternal_id = "id_visitor"\n[identity]\nnamespace = "site"\n')
        leads.import_files(session, [path], mapping=people)
        said = (
            'dataset = "touchpoints"\n[columns]\nevent_id = "id_session"\nexternal_id = "id_visitor"\nat = "ts_min"\n'
            'content = "dim_device_app_combo"\nchannel = "did_search"\nvalue = "sent_message"\n'
            '[constants]\nkind = "session"\n[identity]\nnamespace = "site"\n'
        )
        assert leads.import_touches(session, [path], mapping=mapping(session, said)).rejected == 0
        write_segments(session, {name: where for name, (where, _) in SESSIONS.items()})
        return stored(session, "site"), raw


@pytest.mark.parametrize("name", SESSIONS)
def test_web_sessions(visits: tuple[dict[str, set[str]], Any], name: str) -> None:
    expected = SESSIONS[name][1](visits[1])
    assert visits[0].get(name, set()) == expected
    assert 0 < len(expected) < visits[1]["id_visitor"].nunique()


SHOPPERS: dict[str, tuple[str, Members]] = {
    "bought": ("bought and page_values > 20", lambda v: v["Revenue"] & (v["PageValues"] > 20)),
    "looked long, left early": (
        "product_pages >= 30 and exit_rate between 0.01 and 0.05 and not bought",
        lambda v: (v["ProductRelated"] >= 30) & v["ExitRates"].between(0.01, 0.05) & ~v["Revenue"],
    ),
    "new in November": (
        "equals(month_name, 'NOV') and contains(visitor, 'new_') or month_name in ('June')",
        lambda v: ((v["Month"] == "Nov") & v["VisitorType"].str.startswith("New_")) | (v["Month"] == "June"),
    ),
}


def test_shoppers(shared_data: Path, tmp_path: Path) -> None:
    (path,) = (shared_data / "online_shoppers_intention").glob("*.csv")
    raw = pd.read_csv(path, sep=";")
    fields = {
        "bought": ("boolean", "Revenue"),
        "page_values": ("number", "PageValues"),
        "product_pages": ("integer", "ProductRelated"),
        "exit_rate": ("number", "ExitRates"),
        "month_name": ("text", "Month"),
        "visitor": ("text", "VisitorType"),
    }
    with opened(tmp_path / "ws", datetime(2026, 1, 1), "UTC", {n: kind for n, (kind, _) in fields.items()}) as session:
        said = "[columns]\n" + "".join(f'{name} = "{column}"\n' for name, (_, column) in fields.items())
        done = leads.import_files(session, [path], mapping=mapping(session, said))
        assert (done.new, done.rejected) == (len(raw), 0)
        write_segments(session, {name: where for name, (where, _) in SHOPPERS.items()})
        counted = {built.name: built.members for built in usecases.build(session).segments}
    assert counted == {name: int(find(raw).sum()) for name, (_, find) in SHOPPERS.items()}
    assert all(0 < number < len(raw) for number in counted.values())
