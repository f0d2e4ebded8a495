"""Enrichment: facts fill what is empty, once; what people gave stays; what cannot be is named; distances are right."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import ConfigError, DataError, NotFound, PluginError, UserError
from sfactl.api.offers import EnricherOffer
from sfactl.config.tables import NamedTables
from sfactl.engine.duck import Limits, Query
from sfactl.leads.enriching import EARTH_RADIUS_KM, Enriched, answer_problem, distance_sql, read_place
from sfactl.leads.file_source import NoDatasets
from sfactl.leads.usecases.enrich import check, enrich_leads
from sfactl.workspace.transaction import Author
from sfactl.workspace.undo import undo

LEADS = """id,name,email,company,industry,postal_code,country,tax_id,website
A1,Mei Wang,mei@acme.com.tw,Acme Ltd,,104,TW,04595257,
A2,Jo Lin,jo@gmail.com,Beta,,110,TW,,https://www.beta.example/x
A3,Bo Li,bo@gamma.example,Gamma,Steel,75001,FR,,
A4,Di Wu,di@gmail.com,Delta,,104,FR,,
"""
COMPANIES = """domain,Industry,Employees
https://www.acme.com.tw/,Machines,"1,200"
beta.example,Food,many
gamma.example,Metals,30
gmail.com,Mail,9
"""
BY_DOMAIN = """schema = 1
use = "file"
file = "companies.csv"
key = "domain"

[columns]
industry = "Industry"
employees = "Employees"
"""


@pytest.fixture
def told(desk: Any) -> Any:
    desk.fields = {"distance_km": "number", "rating": "text"}
    desk.load(LEADS)
    provide(desk, BY_DOMAIN, COMPANIES)
    return desk


@pytest.fixture(scope="module")
def unharmed(make_desk: Any) -> Any:
    """The same, for tests after which it is as it was."""
    desk = make_desk()
    desk.load(LEADS)
    return desk


def provide(desk: Any, settings: str, content: str, *, file: str = "companies.csv") -> None:
    folder = desk.folder / "enrichers"
    folder.mkdir(exist_ok=True)
    (folder / "companies.toml").write_text(settings)
    (desk.folder / file).write_text(content)


def opened(desk: Any, **options: Any) -> Any:
    session = desk.session(**options)
    session.settings = replace(session.settings, enrichers=NamedTables(desk.folder / "enrichers"))
    return session


def enrich(desk: Any, *refs: str, dry_run: bool = False, **options: Any) -> Enriched:
    with opened(desk, dry_run=dry_run) as session:
        return enrich_leads(session, refs, provider="companies", every=not refs, **options)


def totals(done: Enriched) -> tuple[int, ...]:
    """(matched, filled, overwritten, known, differing, facts, failed)."""
    return (done.matched, done.filled, done.overwritten, done.known, done.differing, done.facts, done.failed)


def test_empty_fields_are_filled_and_a_given_one_stays(told: Any) -> None:
    before = told.leads("industry", "employees")
    assert totals(enrich(told, dry_run=True)) == (3, 4, 0, 0, 1, 5, 1)
    assert told.leads("industry", "employees") == before
    done = enrich(told)
    assert totals(done) == (3, 4, 0, 0, 1, 5, 1)
    assert told.leads("industry", "employees") == [("Machines", 1200), ("Food", None), ("Steel", 30), (None, None)]
    (bad,) = done.failures
    assert (bad.place, bad.field, bad.value) == ("companies.csv line 3", "employees", "many")
    (differs,) = done.differences
    assert (differs.lead_id, differs.ours, differs.theirs, differs.taken) == (3, "Steel", "Metals", False)
    again = enrich(told)
    assert (totals(again), again.commit) == ((3, 0, 0, 4, 1, 0, 1), None)


def test_a_newer_fact_renews_what_the_provider_gave_and_nothing_else(told: Any) -> None:
    enrich(told)
    with told.session() as session, session.write("leads") as tx:
        tx.upsert("leads", "select * replace (cast(1500 as bigint) as employees) from leads where lead_id = 1")
        tx.commit()
    provide(told, BY_DOMAIN, COMPANIES.replace("Machines", "Robots").replace("1,200", "1,300"))
    done = enrich(told)
    assert (done.renewed, done.differing, done.facts) == (1, 2, 2)
    assert told.rows("select industry, employees from leads where lead_id = 1") == [("Robots", 1500)]
    facts = told.rows("select field, value, taken from enrichments where entity_id = 1 order by 1")
    assert facts == [("employees", "1300", False), ("industry", "Robots", True)]


def test_preferred_values_are_listed_and_undone_in_one_step(told: Any) -> None:
    enrich(told)
    done = enrich(told, "lead:3", prefer=True)
    assert [(d.ours, d.theirs, d.taken) for d in done.differences] == [("Steel", "Metals", True)]
    assert told.rows("select industry from leads where lead_id = 3") == [("Metals",)]
    with told.session() as session:
        author = Author(actor="mei", command="data undo", run_id="r", at=session.now())
        undo(session.workspace, author, done.commit or 0)
    assert told.rows("select industry from leads where lead_id = 3") == [("Steel",)]
    assert told.rows("select taken from enrichments where entity_id = 3 and field = 'industry'") == [(False,)]


def test_a_preferred_key_leaves_the_old_one_known(told: Any) -> None:
    provide(told, BY_DOMAIN.split("[columns]")[0] + '[columns]\ntax_id = "t"\n', "domain,t\nacme.com.tw,22099131\n")
    assert enrich(told, prefer=True).overwritten == 1
    assert told.rows("select tax_id from leads where lead_id = 1") == [("22099131",)]
    assert told.rows("select kind, value, lead_id from identities where kind = 'tax_id'") == [("tax_id", "04595257", 1)]


@pytest.mark.parametrize(
    ("key", "content", "expected"),
    [
        ("tax_id", "tax_id,Industry\n0459-5257,X\n", [("X",), (None,), ("Steel",), (None,)]),
        ("email", "email,Industry\nMEI@acme.com.tw,X\nnot an address,Y\n", [("X",), (None,), ("Steel",), (None,)]),
        ("company_key", "company_key,Industry\nACME Ltd.,X\n", [("X",), (None,), ("Steel",), (None,)]),
        ("postal_code", "postal_code,country,Industry\n104,Taiwan,X\n", [("X",), (None,), ("Steel",), (None,)]),
    ],
)
def test_keys(told: Any, key: str, content: str, expected: list[tuple[Any]]) -> None:
    settings = f'schema = 1\nuse = "file"\nfile = "companies.csv"\nkey = "{key}"\n[columns]\nindustry = "Industry"\n'
    provide(told, settings, content)
    enrich(told)
    assert told.leads("industry") == expected


@pytest.mark.parametrize(
    ("settings", "content", "error", "said"),
    [
        (BY_DOMAIN, COMPANIES + "acme.com.tw,Again,1\n", DataError, r"companies.csv: .*domain: 'acme.com.tw' in rows 2, 6"),
        (BY_DOMAIN.replace("industry =", "industy ="), COMPANIES, ConfigError, "columns.industy.*'industry'"),
        (BY_DOMAIN.replace("industry =", "status ="), COMPANIES, ConfigError, "status is kept by sfactl"),
        (BY_DOMAIN.replace('"Industry"', '"Industri"'), COMPANIES, DataError, "no column 'Industri'"),
        (BY_DOMAIN.replace('"companies.csv"', '"../leads.csv"'), COMPANIES, ConfigError, "outside the workspace"),
        (BY_DOMAIN.replace('"companies.csv"', '"none.csv"'), COMPANIES, ConfigError, "no file 'none.csv'"),
        (BY_DOMAIN.replace('"domain"', '"domian"'), COMPANIES, ConfigError, "Did you mean 'domain'"),
        (BY_DOMAIN, "", DataError, "companies.csv"),
        (BY_DOMAIN.replace('"domain"', '"postal_code"'), "postal_code,Industry,Employees\n1,2,3\n", ConfigError, "country"),
        (BY_DOMAIN + '[distance]\nfrom = [25.0, 121.0]\nfield = "industry"\n', COMPANIES, ConfigError, "cannot hold a dist"),
    ],
    ids=["doubles", "field", "own-field", "column", "outside", "absent", "key", "empty", "country", "distance"],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_written(
    unharmed: Any, settings: str, content: str, error: type[Exception], said: str
) -> None:
    provide(unharmed, settings, content)
    with pytest.raises(error, match=said):
        enrich(unharmed)
    assert unharmed.rows("select * from enrichments") == []


def test_unknown_names(unharmed: Any) -> None:
    provide(unharmed, BY_DOMAIN, COMPANIES)
    with opened(unharmed) as session:
        with pytest.raises(NotFound, match="companie'"):
            enrich_leads(session, provider="companie", every=True)
        with pytest.raises(NotFound, match="segment"):
            enrich_leads(session, provider="companies", segment="x")
        with pytest.raises(UserError, match="which leads"):
            enrich_leads(session, ["lead:1"], provider="companies", every=True)
        assert list(check(session)) == []
    provide(unharmed, BY_DOMAIN.replace("industry =", "industy =").replace("companies.csv", "x.csv"), COMPANIES)
    with opened(unharmed) as session:
        assert ["columns.industy" in p for p in check(session)] == [True, False]


def test_distances_of_a_file_with_coordinates(told: Any) -> None:
    towns = "postal_code,country,Latitude,Longitude\n104,TW,25.0640,121.5330\n110,TW,25.03,999\n"
    provide(told, 'schema = 1\nuse = "file"\nfile = "companies.csv"\nkey = "postal_code"\n', towns)
    done = enrich(told, distance_from="25.0330,121.5654")
    assert (done.matched, done.filled, done.failed) == (2, 1, 1)
    ((km,),) = told.rows("select distance_km from leads where lead_id = 1")
    assert km == pytest.approx(4.7475, abs=2e-3)
    assert told.rows("select field from enrichments where entity_id = 2") == [("latitude",)]
    assert enrich(told, distance_from="25.0640,121.5330").renewed == 1
    assert told.rows("select distance_km from leads where lead_id = 1") == [(0.0,)]
    with pytest.raises(UserError, match="is no place"):
        read_place("91,0")


HALF = math.pi * EARTH_RADIUS_KM


@pytest.mark.parametrize(
    ("here", "there", "km"),
    [
        ((36.12, -86.67), (33.94, -118.40), 2886.4484),  # BNA to LAX; Rosetta Code's 2887.2600 for R = 6372.8, scaled
        ((0.0, 0.0), (0.0, 1.0), HALF / 180),
        ((90.0, 0.0), (-90.0, 77.0), HALF),
        ((90.0, 10.0), (90.0, -170.0), 0.0),
        ((0.0, 0.0), (0.0, 180.0), HALF),
        ((25.03, 121.56), (-25.03, -58.44), HALF),
        ((25.03, 121.56), (-25.03, -58.440001), HALF - math.radians(1e-6) * math.cos(math.radians(25.03)) * HALF / math.pi),
        ((10.0, 179.5), (10.0, -179.5), None),
        ((25.03, 121.56), (25.03, 121.56), 0.0),
    ],
    ids=["airports", "degree", "poles", "one-pole", "antipodes", "taipei", "nearly", "date-line", "same"],
)  # fmt: skip
def test_great_circles(
    arithmetic: Query, here: tuple[float, float], there: tuple[float, float], km: float | None
) -> None:
    def between(a: tuple[float, float], b: tuple[float, float]) -> float:
        row = arithmetic.one(f"select {distance_sql(f'{a[0]!r}::double', f'{a[1]!r}::double', b)}")
        return float(row[0]) if row else math.nan

    expected = between((10.0, 0.0), (10.0, 1.0)) if km is None else km
    assert between(here, there) == pytest.approx(expected, abs=1e-4)
    assert between(there, here) == pytest.approx(expected, abs=1e-4)


@pytest.fixture(scope="module")
def arithmetic() -> Iterator[Query]:
    with Query(NoDatasets(), Limits(memory="200MB", threads=1)) as query:
        yield query


class Outside:
    """An enricher of a plugin, and the host that has it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.given: list[pa.Table] = []

    def enrich(self, table: pa.Table) -> Any:
        self.given.append(table)
        return self.answer(table)

    def find(self, kind: str, name: str) -> Any:
        offer = EnricherOffer(name=name, summary="", target="x:y", fields=("email_domain", "country"))
        return SimpleNamespace(offer=offer, builtin=False, label=f"{kind} 1.0")

    def make(self, *_: Any, **__: Any) -> Any:
        return self

    def redact(self, text: str) -> str:
        return text

    def close(self) -> None:
        pass


def ask(desk: Any, answer: Any) -> tuple[Enriched, Outside]:
    host = Outside(answer)
    (desk.folder / "enrichers" / "companies.toml").write_text('schema = 1\nuse = "outside"\n')
    with opened(desk) as session:
        session.__dict__["host"] = host
        return enrich_leads(session, provider="companies", every=True), host


def test_a_plugin_answers_in_batches_and_one_bad_batch_loses_nothing(told: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("sfactl.leads.usecases.enrich.BATCH", 2)

    def answer(table: pa.Table) -> Any:
        if 1 in table["id"].to_pylist():
            raise RuntimeError("line is dead")
        return pa.table({"id": [3, 4, 4], "field": ["rating", "rating", "shoe"], "value": ["A", "B", "9"]})

    done, host = ask(told, answer)
    assert [t.column_names for t in host.given] == [["id", "email_domain", "country"]] * 2
    assert host.given[1].to_pylist()[1] == {"id": 4, "email_domain": None, "country": "FR"}
    assert (done.filled, done.failed, len(done.problems)) == (2, 1, 1)
    assert "companies (enricher 1.0), leads 1 to 2: RuntimeError: line is dead" in done.problems[0]
    assert "'shoe' is no field of leads" in done.failures[0].reason
    assert told.leads("rating") == [(None,), (None,), ("A",), ("B",)]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("text", "not an Arrow table"),
        (pa.table({"id": [1], "field": ["rating"]}), "'value'"),
        (pa.table({"id": ["x"], "field": ["rating"], "value": ["A"]}), "wrong type"),
        (pa.table({"id": [None], "field": ["rating"], "value": ["A"]}), "without an id"),
        (pa.table({"id": [9], "field": ["rating"], "value": ["A"]}), "lead:9"),
        (pa.table({"id": [1, 1], "field": ["rating"] * 2, "value": ["A", "B"]}), "rating of lead:1 more than once"),
    ],
    ids=["no-table", "no-value", "type", "no-id", "strange", "twice"],
)
def test_nonsense_is_told(answer: Any, said: str) -> None:
    assert said in (answer_problem(answer, [1, 2]) or "")


def test_a_plugin_that_never_answers_is_named(told: Any) -> None:
    with pytest.raises(PluginError, match=r"companies .*not an Arrow table"):
        ask(told, lambda _: None)


def test_the_file_may_be_parquet(told: Any) -> None:
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"domain": ["gamma.example"], "n": [7]}), Path(told.folder) / "c.parquet")
    provide(told, 'schema = 1\nuse = "file"\nfile = "c.parquet"\nkey = "domain"\n[columns]\nemployees = "n"\n', "")
    assert enrich(told).filled == 1
