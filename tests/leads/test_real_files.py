"""Real files, as they are: each is imported with a mapping that a user could have written, and again with no effect."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Case:
    """One file: its mapping, the custom fields that needs, and what comes of it."""

    path: str
    rows: int
    rejected: int = 0
    mapping: str | None = None
    country: str = ""
    fields: dict[str, str] = field(default_factory=dict)


CASES = [
    Case("olist_funnel/mql_2017.csv", 2002, mapping="""
schema = 1
[columns]
external_id = "mql_id"
first_contact_on = "first_contact_date"
source = "origin"
campaign = "landing_page_id"
[placeholders.fields]
source = ["unknown"]
"""),
    Case("olist_funnel/closed_deals_2017mql.csv", 61, mapping="""
schema = 1
[columns]
external_id = "mql_id"
industry = "business_segment"
behaviour = "lead_behaviour_profile"
won_at = "won_date"
revenue = "declared_monthly_revenue"
[file]
time_zone = "America/Sao_Paulo"
""", fields={"behaviour": "text", "won_at": "time", "revenue": "money"}),
    Case("x_education_leads/Leads.head2000.csv", 2000, mapping="""
schema = 1
[columns]
external_id = "Prospect ID"
source = "Lead Source"
country = "Country"
city = "City"
industry = "Specialization"
title = "What is your current occupation"
note = "Tags"
visits = "TotalVisits"
do_not_email = "Do Not Email"
[transforms.source]
case = "lower"
[placeholders]
values = ["Select"]
""", fields={"visits": "integer", "do_not_email": "boolean"}),
    Case("bank_marketing/bank-full.head5000.csv", 5000, mapping="""
schema = 1
[columns]
title = "job"
age = "age"
marital = "marital"
balance = "balance"
channel = "contact"
called_for_s = "duration"
[transforms.channel.values]
cellular = "mobile"
telephone = "phone"
[placeholders]
values = ["unknown"]
""", fields={"age": "integer", "marital": "text", "balance": "number", "called_for_s": "integer"}),
    Case("rl_febrl/dataset1.csv", 1000, mapping="""
schema = 1
[columns]
external_id = "rec_id"
first_name = "given_name"
last_name = "surname"
street = ["street_number", "address_1", "address_2"]
city = "suburb"
postal_code = "postcode"
region = "state"
birth_date = "date_of_birth"
[constants]
country = "AU"
[rejects]
bad_values = "blank"
"""),
    Case("rl_febrl/dataset3.csv", 5000, rejected=35),
    Case("rl_senzing_truthset/customers.csv", 120, rejected=3, country="US", mapping="""
schema = 1
[columns]
external_id = "RECORD_ID"
full_name = "PRIMARY_NAME_FULL"
first_name = "PRIMARY_NAME_FIRST"
last_name = "PRIMARY_NAME_LAST"
company = "PRIMARY_NAME_ORG"
birth_date = "DATE_OF_BIRTH"
email = "EMAIL_ADDRESS"
phone = "PHONE_NUMBER"
country = "ADDR_COUNTRY"
[file]
day_month_order = "mdy"
"""),
    Case("rl_senzing_truthset/customers.jsonl", 120, country="US", mapping="""
schema = 1
[columns]
external_id = "RECORD_ID"
full_name = "FEATURES.NAME_FULL"
first_name = "FEATURES.NAME_FIRST"
last_name = "FEATURES.NAME_LAST"
email = "FEATURES.EMAIL_ADDRESS"
"""),
    Case("rl_splink/fake_1000.csv", 1000, rejected=30),
    Case("zh_company_short_names/Company-Shorter-Form.txt", 267_397, mapping="""
schema = 1
[columns]
company = "name"
[file]
header = false
skip = 3
names = ["name"]
"""),
    Case("zh_tmall_orders/tmall_order_report.head5000.csv", 5000, mapping="""
schema = 1
[columns]
external_id = "订单编号"
region = "收货地址"
budget = "总金额"
first_contact_on = "订单创建时间"
"""),
    Case("maven_crm/accounts.csv", 85, mapping="""
schema = 1
[columns]
company = "account"
industry = "sector"
employees = "employees"
country = "office_location"
"""),
    *[Case(f"vcard_samples/io/text/{n}.vcf", r, country="US") for n, r in {
        "gmail-single": 1, "John_Doe_MS_OUTLOOK": 1, "rfc2426-example": 2, "rfc6350-example": 1, "John_Doe_GMAIL": 1,
        "John_Doe_IPHONE": 1}.items()],
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.path)
def test_real_file(desk, shared_data: Path, case: Case) -> None:
    desk.country, desk.fields = case.country, case.fields
    first = desk.load(shared_data / case.path, case.mapping)
    assert (first.rows, first.rejected) == (case.rows, case.rejected)
    assert first.new + first.updated + first.unchanged == case.rows - case.rejected
    assert sum(r.rows for r in first.reasons) == first.rejected
    again = desk.load(shared_data / case.path, case.mapping)
    assert (again.new, again.updated, again.rejected) == (0, 0, case.rejected)


def test_what_came_of_the_dirt(desk, shared_data: Path) -> None:
    desk.load(shared_data / CASES[0].path, CASES[0].mapping)
    known = dict(desk.rows("select source, count(*) from leads group by 1"))
    assert known["unknown"] == sum(n for s, n in known.items() if s == "unknown") > 280  # blank and "unknown" are one
    assert sum(known.values()) == 2002


def test_placeholders_that_mean_nothing_are_told(desk, shared_data: Path) -> None:
    mapping = 'schema = 1\n[columns]\nexternal_id = "Prospect ID"\nindustry = "Specialization"\n'
    done = desk.load(shared_data / "x_education_leads/Leads.head2000.csv", mapping)
    assert any("'Select' in Specialization" in n for n in done.notes)
