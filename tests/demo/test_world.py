"""The made-up world: the same bytes for the same seed, true to its countries, and governed by what it hides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import phonenumbers
import pyarrow.csv
import pyarrow.parquet
import pytest
from stdnum.cn import uscc
from stdnum.de import vat as de_vat
from stdnum.gb import vat as gb_vat
from stdnum.jp import cn as jp_cn
from stdnum.sg import uen
from stdnum.tw import ubn
from stdnum.us import ein

from sfactl.demo.world import Tables, World, made, words
from sfactl.schemas import core_schemas

CHECKS = {"TW": ubn, "CN": uscc, "JP": jp_cn, "DE": de_vat, "GB": gb_vat, "SG": uen, "US": ein}


@pytest.fixture(scope="module")
def world() -> Iterator[Tables]:
    with made(World(leads=4_000, events=60_000, seed=3)) as tables:
        yield tables


def digests(folder: Path, world: World, threads: int) -> dict[str, str]:
    folder.mkdir()
    with made(world, threads=threads) as tables:
        tables.write_leads(folder / "leads.csv")
        tables.write_events(folder / "events.csv")
        tables.write_truth(folder / "truth.csv")
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def test_same_seed_gives_the_same_bytes_on_any_number_of_threads(tmp_path: Path) -> None:
    first = digests(tmp_path / "a", World(leads=3_000, events=30_000, seed=5), threads=1)
    again = digests(tmp_path / "b", World(leads=3_000, events=30_000, seed=5), threads=2)
    other = digests(tmp_path / "c", World(leads=3_000, events=30_000, seed=6), threads=2)
    assert first == again
    assert all(first[name] != other[name] for name in first)


def test_sizes_are_as_asked(world: Tables, tmp_path: Path) -> None:
    assert world.write_leads(tmp_path / "leads.csv") == 4_000
    assert world.write_events(tmp_path / "events.parquet", ordered=False) == 60_000
    assert world.write_truth(tmp_path / "truth.parquet") == world.world.people == 3_940
    columns = pyarrow.csv.read_csv(tmp_path / "leads.csv").column_names
    assert len(columns) == 30
    assert set(columns) <= set(core_schemas()["leads"].types)


def test_periods_cut_the_files_without_loss(world: Tables, tmp_path: Path) -> None:
    cut = datetime(2026, 6, 1)
    for write, total in ((world.write_leads, 4_000), (world.write_events, 60_000)):
        before = write(tmp_path / "before.parquet", before=cut)
        after = write(tmp_path / "after.parquet", since=cut)
        assert before > 0 < after
        assert before + after == total


def test_phones_are_valid_in_their_country(world: Tables) -> None:
    for row in world.table("select distinct country, phone from person").to_pylist():
        number = phonenumbers.parse(row["phone"])
        assert phonenumbers.is_valid_number_for_region(number, row["country"]), row


def test_tax_ids_have_right_check_digits(world: Tables) -> None:
    rows = world.table("select country, tax_id from company where tax_id is not null").to_pylist()
    assert {row["country"] for row in rows} == set(CHECKS)
    assert [row for row in rows if not CHECKS[row["country"]].is_valid(row["tax_id"])] == []


def test_people_and_companies_are_told_apart(world: Tables) -> None:
    assert world.table("select count(*) - count(distinct email) as same from person")["same"][0].as_py() == 0
    assert world.table("select count(*) - count(distinct domain) as same from company")["same"][0].as_py() == 0
    assert world.table("select count(*) - count(distinct name) as same from company")["same"][0].as_py() < 20


def test_events_lie_between_first_contact_and_the_end(world: Tables) -> None:
    outside = world.table(
        "select count(*) as n from event e join person p using (person_no)"
        " where e.at < p.first_contact_at or e.at >= getvariable('closes')"
    )
    assert outside["n"][0].as_py() == 0
    assert world.table("select count(distinct event_id) as n from event")["n"][0].as_py() == 60_000


def test_file_is_dirty_in_the_stated_shares(world: Tables) -> None:
    shares = world.table(
        "select avg((email is null)::int) as no_email, avg((phone is null)::int) as no_phone,"
        " avg((email = '-')::int) as placeholder, avg((email = upper(email) and email like '%@%')::int) as shouted"
        " from lead_row"
    ).to_pylist()[0]
    assert 0.02 < shares["no_email"] < 0.04
    assert 0.02 < shares["no_phone"] < 0.04
    assert 0.001 < shares["placeholder"] < 0.01
    assert 0.03 < shares["shouted"] < 0.06


def test_fates_are_nested_and_follow_the_propensities(world: Tables) -> None:
    row = world.table(
        "select avg(accepts::int) as accepts, avg(converts::int) as converts, avg(quotes::int) as quotes,"
        " avg(wins::int) as wins, sum((wins and not quotes or quotes and not converts)::int) as impossible,"
        " avg(fit) filter (where wins) - avg(fit) filter (where not wins) as fit_gap,"
        " avg(intent) filter (where wins) - avg(intent) filter (where not wins) as intent_gap,"
        " abs(avg(win_chance) - avg(wins::int)) as miscalibrated from truth"
    ).to_pylist()[0]
    assert row["impossible"] == 0
    assert 0.2 < row["accepts"] < 0.4
    assert row["accepts"] > row["converts"] > row["quotes"] > row["wins"] > 0.02
    assert row["fit_gap"] > 0.15
    assert row["intent_gap"] > 0.5
    assert row["miscalibrated"] < 0.02


def test_what_people_do_tells_something_about_what_they_will_buy(world: Tables) -> None:
    row = world.table(
        "select avg(n) filter (where wins) as winners, avg(n) filter (where not wins) as others from ("
        " select t.person_no, t.wins, count(e.person_no) as n from truth t left join event e"
        " on e.person_no = t.person_no and e.content in ('/pricing', 'quote request 詢價') group by all) t"
    ).to_pylist()[0]
    assert row["winners"] > 2 * row["others"]


def test_word_lists_are_as_long_in_every_language() -> None:
    counts = words.tables()["word"].group_by(["kind", "language"]).aggregate([("i", "count")])
    by_kind: dict[str, set[int]] = {}
    for row in counts.to_pylist():
        by_kind.setdefault(row["kind"], set()).add(row["i_count"])
    assert all(len(lengths) == 1 for lengths in by_kind.values()), by_kind
    assert len(counts) == len(by_kind) * len(words.LANGUAGES)


@pytest.mark.parametrize(
    "values",
    [{"leads": 9}, {"events": -1}, {"days": 3}],
    ids=["too few leads", "less than no events", "too short"],
)
def test_impossible_worlds_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        World(**values)


def test_the_world_ends_where_it_is_told_to() -> None:
    world = World(closes_on=date(2026, 1, 1), days=31)
    assert world.opens_at == datetime(2025, 12, 1)
