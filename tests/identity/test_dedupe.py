"""Duplicates are found, explained and kept as a plan; what is no duplicate is left alone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import ConfigError, NotFound, UserError
from sfactl.config.settings import Settings
from sfactl.identity.usecases import dedupe
from sfactl.identity.usecases.dedupe import Planned, pairs_of_plan, plan
from sfactl.identity.usecases.explain import explain
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 11, 21, 9, 0)
Row = Mapping[str, Any]
FIRST = (
    "Ada",
    "Bruno",
    "Clara",
    "Dmitri",
    "Elena",
    "Farid",
    "Greta",
    "Hugo",
    "Irene",
    "Jonas",
    "Karin",
    "Luis",
    "Mona",
)
LAST = (
    "Abel",
    "Brandt",
    "Castillo",
    "Dorn",
    "Eriksen",
    "Fontana",
    "Gruber",
    "Hashemi",
    "Ivanova",
    "Jansen",
    "Kowalski",
)
TOWNS = ("Basel", "Cork", "Delft", "Espoo", "Faro")


class Desk:
    """A workspace whose leads are written straight in."""

    def __init__(self, folder: Path, fields: Mapping[str, str]) -> None:
        folder.mkdir()
        Workspace.create(folder).close()
        self.folder = folder
        self.fields = dict(fields)

    def session(self, *, dry_run: bool = False) -> Session:
        settings = Settings(fields={"leads": self.fields})
        return open_session(
            self.folder,
            settings=settings,
            command="test",
            actor="mei",
            clock=FixedClock(NOW),
            dry_run=dry_run,
            quiet=True,
        )

    def put(self, dataset: str, rows: Sequence[Row]) -> None:
        with self.session() as session:
            schema = session.workspace.schemas[dataset].arrow()
            whole = [{name: row.get(name) for name in schema.names} for row in rows]
            with session.write(dataset) as tx:
                tx.upsert(dataset, pa.Table.from_pylist(whole, schema=schema))
                tx.commit()

    def plan(self, entity: Any = "lead", **options: Any) -> Planned:
        with self.session() as session:
            return plan(session, entity, **options)

    def merged(self, **options: Any) -> set[tuple[int, int]]:
        return {(p["a"], p["b"]) for p in self.plan(**options).pairs.to_pylist() if p["decision"] == "merge"}


@pytest.fixture
def desk(tmp_path: Path) -> Callable[..., Desk]:
    """Make a workspace with these leads."""

    def make(rows: Sequence[Row] = (), **fields: str) -> Desk:
        made = Desk(tmp_path / "acme", fields)
        if rows:
            made.put("leads", rows)
        return made

    return make


def strangers(n: int, start: int = 1) -> Iterator[dict[str, Any]]:
    """People who are all different, some of them with a name or a town in common."""
    draw = random.Random(7)
    for i in range(n):
        first, last = draw.choice(FIRST), draw.choice(LAST)
        yield {
            "lead_id": start + i, "first_name": first, "last_name": last, "full_name": f"{first} {last}",
            "email": f"{first}.{last}.{i}@mail{i % 37}.example".lower(), "phone": f"+4179{draw.randrange(10**7):07d}",
            "street": f"{draw.choice(LAST)} street {i % 90 + 1}", "city": draw.choice(TOWNS),
            "birth_date": date(1950 + i % 50, 1 + i % 12, 1 + draw.randrange(28)), "source": "expo",
        }  # fmt: skip


def with_copies(n: int = 300, copied: int = 30) -> list[dict[str, Any]]:
    """Strangers, and slips of some of them: numbered 1000 + the number of the original."""
    rows = list(strangers(n))
    for row in rows[:copied]:
        first, last = row["first_name"], row["last_name"]
        changed = dict(row, lead_id=row["lead_id"] + 1000, last_name=last[:-2] + last[-1] + last[-2], full_name=None)
        if row["lead_id"] % 3 == 0:
            changed["email"] = None
        if row["lead_id"] % 3 == 1:
            changed |= {"first_name": last, "last_name": first, "phone": None}
        rows.append(changed)
    return rows


def test_copies_with_slips_are_found_and_strangers_are_not(desk: Callable[..., Desk]) -> None:
    found = desk(with_copies()).merged()
    assert found == {(i, i + 1000) for i in range(1, 31)}


def test_without_duplicates_nothing_is_merged(desk: Callable[..., Desk]) -> None:
    assert desk(list(strangers(400))).merged() == set()


def test_the_order_of_the_rows_changes_nothing(desk: Callable[..., Desk], tmp_path: Path) -> None:
    rows = with_copies(120, 12)
    one = desk(rows)
    turned = list(rows)
    random.Random(3).shuffle(turned)
    numbers = {row["lead_id"]: 5000 - i for i, row in enumerate(turned)}
    other = Desk(tmp_path / "other", {})
    other.put("leads", [dict(row, lead_id=numbers[row["lead_id"]]) for row in turned])
    expected = {tuple(sorted((numbers[a], numbers[b]))) for a, b in one.merged()}
    assert other.merged() == expected
    assert one.plan().plan.plan_id == one.plan().plan.plan_id


def test_the_terms_of_every_pair_add_up_to_its_weight(desk: Callable[..., Desk]) -> None:
    made = desk(with_copies())
    planned = made.plan(threshold=0.9, review=0.01).plan
    with made.session() as session, session.query() as query:
        rows = query.rows("select a, b, weight, terms from dedupe_pairs where plan_id = $p", {"p": planned.plan_id})
        assert rows
        for _a, _b, weight, terms in rows:
            assert sum(round(1000 * t["bits"]) for t in json.loads(terms)) == round(1000 * weight)
        for a, b, weight, _terms in rows[:3]:
            told = explain(session, f"lead:{a}", str(b))
            assert told.weight == weight
            assert sum(round(1000 * t.bits) for t in told.terms) == round(1000 * weight)
            assert told.found


def test_an_explanation_says_what_the_plan_said_whatever_changed_since(desk: Callable[..., Desk]) -> None:
    made = desk(with_copies(120, 12))
    planned = made.plan(threshold=0.9, review=0.01).plan
    with made.session() as session, session.query() as query:
        said = query.rows("select a, b, weight, probability, decision from dedupe_pairs order by a, b")[:3]
    made.put("leads", [dict(row, city="Oslo", street=None) for row in strangers(120) if row["lead_id"] % 2])
    with made.session() as session:
        for a, b, weight, probability, _ in said:
            told = explain(session, str(a), str(b))
            assert (told.weight, told.plan_id) == (weight, planned.plan_id)
            assert told.probability == pytest.approx(probability)
            assert told.threshold == 0.9
        anew = explain(session, str(said[0][0]), str(said[0][1]), anew=True)
        assert anew.plan_id is None
        assert anew.weight != said[0][2]
        assert explain(session, "1", "2").plan_id is None, "no plan lists them"


def test_any_two_records_can_be_explained_even_if_no_key_brings_them_together(desk: Callable[..., Desk]) -> None:
    made = desk([*strangers(60), {"lead_id": 900, "company": "Zebra Works", "phone": "+49301234567"}])
    with made.session() as session:
        told = explain(session, "900", "lead:1")
        assert not told.found
        assert told.decision == "apart"
        assert {t.field for t in told.terms} >= {"prior", "phone"}
        with pytest.raises(NotFound, match="no lead 999"):
            explain(session, "1", "999")
        with pytest.raises(UserError, match="one record"):
            explain(session, "1", "lead:1")
        with pytest.raises(UserError, match="two kinds"):
            explain(session, "lead:1", "account:1")


def test_a_mailbox_or_phone_that_several_people_use_joins_nobody(desk: Callable[..., Desk]) -> None:
    rows = list(strangers(120))
    for i, row in enumerate(rows[:12]):
        first = FIRST[i]
        row |= {
            "email": "info@acme.example" if i % 2 else "family@acme.example", "phone": "+41441234567",
            "first_name": first, "last_name": "Meyer", "full_name": f"{first} Meyer", "company": "Acme Ltd",
        }  # fmt: skip
    assert desk(rows).merged() == set()


def test_one_person_under_an_address_of_her_own_is_found_by_it(desk: Callable[..., Desk]) -> None:
    rows = list(strangers(120))
    rows.append({"lead_id": 900, "first_name": "Ada", "email": rows[0]["email"].upper(), "source": "web"})
    rows[0] |= {"first_name": "Ada", "full_name": f"Ada {rows[0]['last_name']}"}
    assert desk(rows).merged() == {(1, 900)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dobbins Jr", "Dobbins Senior"),
        ("Dobbins III PhD", "Dobbins II"),
        ("Dobbins 2nd", "Dobbins 3rd"),
        ("Dobbins, Jr.", "Dobbins Sr."),
    ],
)
def test_father_and_son_are_left_to_people_whatever_they_share(desk: Callable[..., Desk], one: str, other: str) -> None:
    rows = list(strangers(80))
    home = {
        "street": "Elm street 4", "city": "Cork", "phone": "+41791112233", "email": "dobbins@elm.example",
        "company": "Dobbins Tools", "tax_id": "77712345", "website": "dobbins.example",
    }  # fmt: skip
    rows.append({"lead_id": 900, "first_name": "David", "last_name": one, **home})
    rows.append({"lead_id": 901, "first_name": "David", "last_name": other, **home})
    rows.append({"lead_id": 902, "first_name": "David", "last_name": "Dobbins", **home})
    pairs = {(p["a"], p["b"]): p["decision"] for p in desk(rows).plan().pairs.to_pylist()}
    assert pairs.get((900, 901)) != "merge"
    assert sum(decision == "merge" for (a, _), decision in pairs.items() if a >= 900) <= 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("台灣精密機械股份有限公司", "台湾精密机械"),
        ("ＡＣＭＥ Precision Tools Co., Ltd.", "Acme Precision Tools"),
        ("Übermut Werkzeug GmbH", "Ubermut Werkzeug"),
        ("Kronos Instruments Inc", "Kronos Instrumnets Incorporated"),
    ],
)
def test_companies_are_known_by_their_names(desk: Callable[..., Desk], one: str, other: str) -> None:
    draw = random.Random(5)
    rows: list[dict[str, Any]] = [
        {
            "lead_id": i,
            "company": f"{draw.choice(LAST)} {draw.choice(FIRST)} {i} Works",
            "city": TOWNS[i % 5],
            "street": f"Ring {i}",
        }
        for i in range(1, 200)
    ]
    rows.append({"lead_id": 900, "company": one, "city": "Faro", "street": "Harbour 7"})
    rows.append({"lead_id": 901, "company": other, "city": "Faro", "street": "Harbour street 7"})
    assert desk(rows).merged() == {(900, 901)}


def test_titles_with_a_year_are_compared_too(desk: Callable[..., Desk]) -> None:
    draw = random.Random(11)
    nouns = [f"{a} {b}" for a in ("query", "index", "stream", "graph", "cache", "schema") for b in LAST]
    rows: list[dict[str, Any]] = [
        {"lead_id": i, "work": f"{draw.choice(nouns)} for {draw.choice(nouns)} {i}", "year": str(1990 + i % 30)}
        for i in range(1, 250)
    ]
    rows += [dict(row, lead_id=row["lead_id"] + 1000, work=row["work"].upper() + ".") for row in rows[:20]]
    assert desk(rows, work="text", year="text").merged() == {(i, i + 1000) for i in range(1, 21)}


def test_between_two_sources_each_record_has_one_partner(desk: Callable[..., Desk]) -> None:
    rows = with_copies()
    for row in rows:
        row["source"] = "crm" if row["lead_id"] > 1000 else "expo"
    rows.append(dict(rows[-1], lead_id=2000))  # a second copy in the source said to have none
    found = desk(rows).merged(between=("expo", "crm"))
    used = [x for p in found for x in p]
    assert len(used) == len(set(used))
    assert len(found & {(i, i + 1000) for i in range(1, 31)}) >= 29
    assert all(a <= 1000 < b for a, b in found)


def test_what_people_decided_goes_before_everything(desk: Callable[..., Desk]) -> None:
    made = desk(with_copies())
    said = {"entity": "lead", "decided_by": "mei", "decided_at": NOW}
    made.put("match_decisions", [
        said | {"a": 1, "b": 1001, "decision": "different"}, said | {"a": 200, "b": 201, "decision": "same"},
    ])  # fmt: skip
    planned = made.plan()
    pairs = {(p["a"], p["b"]): p for p in planned.pairs.to_pylist()}
    assert (1, 1001) not in pairs
    assert pairs[200, 201]["decision"] == "merge"
    with made.session() as session:
        assert explain(session, "1", "1001").decided == "different"


def test_no_record_is_in_two_groups(desk: Callable[..., Desk]) -> None:
    rows = with_copies()
    rows += [
        dict(row, lead_id=row["lead_id"] + 1000, city=None, birth_date=None) for row in rows if row["lead_id"] > 1010
    ]
    groups: dict[int, set[int]] = {}
    for p in desk(rows).plan().pairs.to_pylist():
        if p["decision"] == "merge":
            groups.setdefault(p["a"], set()).add(p["cluster_id"])
            groups.setdefault(p["b"], set()).add(p["cluster_id"])
    assert groups
    assert all(len(g) == 1 and None not in g for g in groups.values())


def test_plans_are_kept_looked_up_and_dropped_in_time(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dedupe, "KEPT", 2)
    made = desk(with_copies(60, 6))
    with made.session(dry_run=True) as session:
        dry = plan(session)
    with made.session() as session, pytest.raises(NotFound, match="no plan"):
        pairs_of_plan(session, dry.plan.plan_id)
    ids = [made.plan(threshold=0.90 + i / 100).plan.plan_id for i in range(3)]
    assert dry.plan.plan_id == ids[0]
    with made.session() as session:
        assert pairs_of_plan(session, ids[-1][:6]).num_rows == made.plan(threshold=0.92).pairs.num_rows
        with session.query() as query:
            assert query.rows("select count(*) from dedupe_plans") == [(2,)]
            assert query.rows(
                "select count(*) from dedupe_pairs where plan_id not in (select plan_id from dedupe_plans)"
            ) == [(0,)]


GARBAGE: Mapping[str, list[Row]] = {
    "nothing at all": [],
    "one record": [{"lead_id": 1, "full_name": "Ada Abel"}],
    "empty records": [{"lead_id": 1}, {"lead_id": 2}],
    "signs only": [{"lead_id": i, "full_name": "***", "company": "--", "email": "@", "phone": "+"} for i in (1, 2, 3)],
    "one column": [{"lead_id": i, "city": "Basel"} for i in range(1, 40)],
    "long and odd": [
        {"lead_id": 1, "full_name": "x" * 20_000, "company": "\u202e\u0000a'\"\\", "website": "http://[::1"},
        {"lead_id": 2, "full_name": "Ma\u0301ria " * 300, "company": "'; drop table leads; --", "phone": "0" * 300},
    ],
    "the same row a hundred times over with nothing in it that tells": [
        {"lead_id": i, "first_name": "Test", "last_name": "Test", "city": "Test"} for i in range(1, 101)
    ],
}


@pytest.mark.parametrize("rows", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_no_error(desk: Callable[..., Desk], rows: list[Row]) -> None:
    planned = desk(rows).plan().plan
    assert planned.records <= len(rows)
    assert planned.merges >= 0


def test_many_people_of_one_name_cost_little_and_are_left_apart(desk: Callable[..., Desk]) -> None:
    rows = [
        {
            "lead_id": i,
            "first_name": "Wei",
            "last_name": "Wang",
            "email": f"w{i * 7919 % 100_003}@m{i % 501}.example",
            "city": "Taipei",
        }
        for i in range(1, 20_001)
    ]
    planned = desk(rows).plan().plan
    assert planned.merges == 0
    assert planned.compared < 1_500_000


def test_accounts_and_contacts_have_duplicates_too(desk: Callable[..., Desk]) -> None:
    made = desk()
    made.put("accounts", [
        *({"account_id": i, "name": f"{LAST[i % 11]} {FIRST[i % 13]} {i}", "city": TOWNS[i % 5], "domain": f"w{i}.example"} for i in range(1, 150)),
        {"account_id": 900, "name": "Kronos Instruments GmbH", "city": "Faro", "domain": "kronos.example"},
        {"account_id": 901, "name": "Kronos Instruments", "city": "Faro", "website": "https://www.kronos.example/x"},
    ])  # fmt: skip
    made.put("contacts", [
        *({"contact_id": r["lead_id"], "full_name": r["full_name"], "email": f"{r['lead_id'] * 7919 % 1009}@mail.example", "phone": r["phone"]} for r in strangers(150)),
        {"contact_id": 900, "full_name": "Zoe Quist", "email": "zoe@quist.example", "phone": "+41790000001"},
        {"contact_id": 901, "full_name": "Quist, Zoe", "email": "zoe@quist.example"},
    ])  # fmt: skip
    assert made.merged(entity="account") == {(900, 901)}
    assert made.merged(entity="contact") == {(900, 901)}


def test_the_configuration_is_strict_and_counts(desk: Callable[..., Desk]) -> None:
    made = desk(with_copies(120, 10))
    before = made.plan().plan
    file = made.folder / "identity.toml"
    file.write_text('schema = 1\n[match]\nignore = ["phone", "email"]\n[blocking]\nkeys = [["last_name", "city"]]\n')
    after = made.plan().plan
    assert {"phone", "email"} <= {f.field for f in before.fields}
    assert not {"phone", "email"} & {f.field for f in after.fields}
    assert "last_name and city" in {b.key for b in after.blocks}
    assert after.config_hash != before.config_hash
    file.write_text('schema = 1\n[match]\nignore = ["phnoe"]\n')
    with pytest.raises(ConfigError, match=r"identity.toml: match.ignore: no column 'phnoe'.* 'phone'"):
        made.plan()
    file.write_text("schema = 1\n[match]\nthreshold = 2.0\n")
    with pytest.raises(ConfigError, match="thresholds"):
        made.plan()
    file.unlink()
    with pytest.raises(UserError, match="--threshold"):
        made.plan(threshold=1.5)
    with pytest.raises(NotFound, match="no lead has the source 'x'"):
        made.plan(between=("x", "expo"))
    with pytest.raises(UserError, match="twice"):
        made.plan(between=("expo", "expo"))
