"""Conversion: one account, contact and opportunity for each lead, in one commit, never twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfactl.api.errors import NotFound, PolicyError, UserError
from sfactl.config.settings import Settings
from sfactl.engine.mailboxes import is_free_mail
from sfactl.leads.conversion import Deal
from sfactl.leads.conversion_usecases import convert
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 5, 4, 9)
OPEN = Callable[..., Session]


@pytest.fixture
def open_sales(tmp_path: Path) -> Iterator[OPEN]:
    opened: list[Session] = []

    def opener(name: str = "ws", **options: Any) -> Session:
        folder = tmp_path / name
        if not folder.exists():
            Workspace.create(folder).close()
        session = open_session(
            folder, settings=Settings(), command="lead convert", actor="mei", clock=FixedClock(NOW), **options
        )
        opened.append(session)
        return session

    yield opener
    for session in opened:
        session.close()


@pytest.fixture
def session(open_sales: OPEN) -> Session:
    return open_sales()


def put(session: Session, dataset: str, *rows: dict[str, Any]) -> None:
    schema = session.workspace.schemas[dataset].arrow()
    with session.write(dataset) as tx:
        tx.upsert(dataset, pa.Table.from_pylist(list(rows), schema=schema))
        tx.commit()


def sql_lead(lead_id: int, **fields: Any) -> dict[str, Any]:
    return {"lead_id": lead_id, "status": "sql", "full_name": f"Person {lead_id}", **fields}


def read(session: Session, dataset: str, order: str) -> list[dict[str, Any]]:
    with session.query() as query:
        return query.table(f"select * from {dataset} order by {order}").to_pylist()


def accounts_of(session: Session) -> dict[int, int]:
    return {r["lead_id"]: r["account_id"] for r in read(session, "leads", "lead_id")}


def test_a_lead_becomes_account_contact_and_opportunity(session: Session) -> None:
    put(
        session,
        "leads",
        sql_lead(
            7,
            full_name="王小明",
            company="台灣精密機械",
            company_key="台灣精密機械",
            email="wang@tpm.com.tw",
            tax_id="04595257",
            source="expo",
            campaign="spring",
            product_interest="LX-300",
            budget=Decimal(1200000),
            owner="mei",
        ),
    )
    done = convert(session, ["lead:7"])
    assert (done.converted, done.accounts_new, done.contacts_new, done.opportunities) == (1, 1, 1, 1)
    (account,), (contact,) = read(session, "accounts", "1"), read(session, "contacts", "1")
    (deal,), (lead,) = read(session, "opportunities", "1"), read(session, "leads", "1")
    assert (account["name"], account["tax_id"], account["domain"]) == ("台灣精密機械", "04595257", "tpm.com.tw")
    assert (contact["full_name"], contact["account_id"]) == ("王小明", account["account_id"])
    assert deal["name"] == "台灣精密機械 – LX-300"
    assert (deal["amount"], deal["currency"]) == (Decimal("1200000.0000"), "USD")
    assert (deal["source"], deal["campaign"], deal["owner"]) == ("expo", "spring", "mei")
    assert (deal["stage"], deal["category"], deal["probability"]) == ("qualification", "open", 0.1)
    assert lead["status"] == "converted"
    assert lead["converted_at"] == NOW
    assert (lead["account_id"], lead["contact_id"], lead["opportunity_id"]) == (
        account["account_id"],
        contact["contact_id"],
        deal["opportunity_id"],
    )
    events = read(session, "stage_events", "entity")
    assert [(e["entity"], e["from_stage"], e["to_stage"]) for e in events] == [
        ("lead", "sql", "converted"),
        ("opportunity", None, "qualification"),
    ]


def test_a_second_conversion_writes_nothing_and_says_so(session: Session) -> None:
    put(session, "leads", sql_lead(1), sql_lead(2))
    convert(session, ["1"])
    head = session.workspace.head()
    again = convert(session, ["1"])
    assert (again.converted, again.already, again.commit) == (0, (1,), None)
    assert session.workspace.head() == head
    both = convert(session, ["1", "2"])
    assert (both.converted, both.already) == (1, (1,))
    assert len(read(session, "opportunities", "1")) == 2


def test_a_dry_run_writes_nothing(open_sales: OPEN) -> None:
    put(open_sales(), "leads", sql_lead(1))
    dry = open_sales(dry_run=True)
    head = dry.workspace.head()
    done = convert(dry, all_sql=True)
    assert (done.converted, done.commit, done.dry_run) == (1, None, True)
    assert dry.workspace.head() == head


@pytest.mark.parametrize(
    ("status", "message"),
    [("new", "is new; only an SQL"), ("mql", "is mql; only an SQL"), ("disqualified", "is disqualified")],
)
def test_what_is_no_sql_is_not_converted(session: Session, status: str, message: str) -> None:
    put(session, "leads", sql_lead(1), {"lead_id": 2, "status": status})
    with pytest.raises(PolicyError, match=message):
        convert(session, ["1", "2"])
    assert read(session, "accounts", "1") == []


def test_all_sql_takes_the_sqls_alone(session: Session) -> None:
    put(session, "leads", sql_lead(1), {"lead_id": 2, "status": "mql"}, sql_lead(3))
    assert convert(session, all_sql=True).converted == 2
    assert convert(session, all_sql=True).converted == 0


def test_which_leads_must_be_said(session: Session) -> None:
    with pytest.raises(UserError, match="say which leads"):
        convert(session)
    with pytest.raises(NotFound, match="no lead 9"):
        convert(session, ["9"])


def test_a_field_the_first_stage_asks_for_is_named(session: Session) -> None:
    stages = session.folder / "stages"
    stages.mkdir()
    (stages / "opportunity.toml").write_text(
        'schema = 1\n[[stages]]\nname = "first"\nprobability = 0.1\nenter = ["amount", "close_date"]\n'
        '[[stages]]\nname = "won"\nprobability = 1\ncategory = "won"\n'
        '[[stages]]\nname = "lost"\nprobability = 0\ncategory = "lost"\n'
    )
    put(session, "leads", sql_lead(1, budget=Decimal(5)), sql_lead(2))
    with pytest.raises(PolicyError, match="lead:2 lacks amount"):
        convert(session, ["1", "2"], deal=Deal(close_date=date(2026, 9, 30)))
    done = convert(session, all_sql=True, deal=Deal(close_date=date(2026, 9, 30)))
    assert done.converted == 1
    assert [r.lead_id for r in done.refused] == [2]
    assert convert(session, ["2"], deal=Deal(close_date=date(2026, 9, 30), amount=Decimal("10.5"))).converted == 1
    assert [d["amount"] for d in read(session, "opportunities", "1")] == [Decimal(5), Decimal("10.5")]


KNOWN = {"account_id": 50, "name": "Acme", "tax_id": "T1", "company_key": "acme", "domain": "acme.com"}


@pytest.mark.parametrize(
    ("lead", "found"),
    [
        pytest.param({"tax_id": "T1", "company_key": "other"}, "tax id", id="tax id"),
        pytest.param({"company_key": "acme"}, "company name", id="company"),
        pytest.param({"email": "x@acme.com", "company_key": "acme labs"}, "domain", id="domain"),
        pytest.param({"website": "https://www.acme.com/en"}, "domain", id="web domain"),
        pytest.param({"email": "boss@gmail.com"}, "e-mail", id="known contact"),
        pytest.param({"tax_id": "T2", "company_key": "acme", "email": "x@acme.com"}, "new", id="another tax id"),
        pytest.param({"email": "x@gmail.com"}, "new", id="free mail"),
        pytest.param({"email": "boss@gmail.com", "company_key": "rival"}, "new", id="another company's person"),
        pytest.param({}, "new", id="nothing known"),
    ],
)
def test_the_account_is_found_by_the_strongest_key(session: Session, lead: dict[str, Any], found: str) -> None:
    put(session, "accounts", KNOWN, {"account_id": 51, "name": "Gmail users", "domain": "gmail.com"})
    put(session, "contacts", {"contact_id": 60, "account_id": 50, "email": "boss@gmail.com"})
    put(session, "leads", sql_lead(1, **lead))
    (row,) = convert(session, ["1"]).leads
    assert row.account_by == found
    assert (row.account_id == 50) == (found != "new")
    if lead.get("email") == "boss@gmail.com" and found != "new":
        assert row.contact_id == 60


def test_leads_of_one_company_share_the_account_they_make(session: Session) -> None:
    put(
        session,
        "leads",
        sql_lead(1, company="Acme", company_key="acme", email="a@acme.com"),
        sql_lead(2, tax_id="T1", company_key="acme"),
        sql_lead(3, email="b@acme.com"),
        sql_lead(4, email="a@acme.com"),
        sql_lead(5, tax_id="T2", company_key="acme"),
        sql_lead(6, email="c@gmail.com"),
        sql_lead(7, email="d@gmail.com"),
        sql_lead(8, email="c@gmail.com"),
    )
    done = convert(session, all_sql=True)
    home = accounts_of(session)
    assert home[1] == home[2] == home[3] == home[4]
    assert len({home[1], home[5], home[6], home[7]}) == 4
    assert home[8] == home[6]
    assert (done.accounts_new, done.accounts_found) == (4, 4)
    people = {r["lead_id"]: r["contact_id"] for r in read(session, "leads", "1")}
    assert people[1] == people[4] != people[2]
    assert (done.contacts_new, done.contacts_found) == (6, 2)


def test_of_two_tax_ids_the_first_gets_the_account_that_has_none(session: Session) -> None:
    put(session, "accounts", {"account_id": 50, "name": "Acme", "company_key": "acme"})
    put(session, "leads", sql_lead(1, tax_id="T1", company_key="acme"), sql_lead(2, tax_id="T2", company_key="acme"))
    convert(session, all_sql=True)
    assert accounts_of(session) == {1: 50, 2: 1}
    put(session, "leads", sql_lead(3, tax_id="T1"), sql_lead(4, tax_id="T3", company_key="acme"))
    convert(session, all_sql=True)
    assert accounts_of(session) == {1: 50, 2: 1, 3: 50, 4: 2}


def test_free_mail_domains() -> None:
    assert is_free_mail("gmail.com") and is_free_mail("yahoo.com.tw") and is_free_mail("qq.com")
    assert not is_free_mail("acme.com") and not is_free_mail("gmailing.com")


LEAD = st.fixed_dictionaries(
    {
        "tax_id": st.sampled_from([None, None, "T1", "T2", "T3"]),
        "company_key": st.sampled_from([None, "a", "b", "c"]),
        "email": st.sampled_from([None, "x@a.com", "y@a.com", "x@b.com", "p@gmail.com", "q@gmail.com"]),
    }
)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(leads=st.lists(LEAD, min_size=1, max_size=9), split=st.integers(0, 9))
def test_every_lead_gets_one_account_and_companies_stay_whole(
    open_sales: OPEN, tmp_path: Path, leads: list[dict[str, Any]], split: int
) -> None:
    session = open_sales(f"ws{sum(1 for _ in tmp_path.iterdir())}")
    put(session, "leads", *(sql_lead(i, **fields) for i, fields in enumerate(leads)))
    if 0 < split < len(leads):
        convert(session, [str(i) for i in range(split)])
    convert(session, all_sql=True)
    home = accounts_of(session)
    accounts = {a["account_id"]: a for a in read(session, "accounts", "1")}
    contacts = {c["contact_id"]: c for c in read(session, "contacts", "1")}
    deals = read(session, "opportunities", "lead_id")
    assert [d["lead_id"] for d in deals] == list(range(len(leads)))
    assert set(home.values()) == set(accounts)
    for lead in read(session, "leads", "lead_id"):
        assert lead["status"] == "converted"
        assert contacts[lead["contact_id"]]["account_id"] == lead["account_id"] == home[lead["lead_id"]]
    pairs = {(x["tax_id"], x["account_id"]) for x in read(session, "leads", "lead_id") if x["tax_id"]}
    assert len(pairs) == len({tax for tax, _ in pairs}) == len({account for _, account in pairs})
    # A company known to an account is never made a second time without a tax id of its own.
    keys = [a["company_key"] for a in accounts.values() if a["tax_id"] is None and a["company_key"]]
    assert len(keys) == len(set(keys))


def test_conversion_can_be_looked_at_as_of_before(session: Session) -> None:
    put(session, "leads", sql_lead(1))
    before = session.workspace.head()
    convert(session, ["1"])
    with session.query(as_of=before) as query:
        assert query.one("select status from leads") == ("sql",)
        assert query.one("select count(*) from opportunities") == (0,)
