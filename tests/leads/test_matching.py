"""Who is who: exact keys, in the file and against known leads; and rows always add up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROW = "schema = 1\n[columns]\n"


def counts(done) -> tuple[int, int, int, int]:
    """(new, updated, unchanged, rejected)."""
    return done.new, done.updated, done.unchanged, done.rejected


FILES = {
    "e-mails": "name,email\nMing,a@example.tw\nMei,b@example.tw\n",
    "ids": "id,name\n1,Ming\n2,Mei\n",
    "phones": "name,phone\nMing,0912345678\nMei,0987654321\n",
    "nothing": "company,city\nAcme,Taipei\nAcme,Taipei\nBeta,Tainan\n",
    "doubles": "name,email\nMing,a@example.tw\nMing Wang,A@example.tw\nMing,a@example.tw\n",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_the_same_file_twice_adds_nothing(desk, content: str) -> None:
    first = desk.load(content)
    leads = desk.leads("*")
    again = desk.load(content)
    assert again.new == again.updated == 0
    assert again.unchanged == first.rows - first.rejected
    assert desk.leads("*") == leads


def test_the_case_of_an_email_makes_no_new_lead(desk) -> None:
    desk.load("name,email\nMing,Ming@Example.TW\n")
    done = desk.load("name,email,city\nMing,mING@example.tw,Taipei\n")
    assert counts(done) == (0, 1, 0, 0)
    assert desk.leads("email", "city") == [("Ming@example.tw", "Taipei")]


def test_an_id_counts_within_its_source_only(desk) -> None:
    desk.load("id,name\n1,Ming\n", source="crm")
    assert counts(desk.load("id,name\n1,Mei\n", source="expo")) == (1, 0, 0, 0)
    assert counts(desk.load("id,name\n1,Ming Wang\n", source="crm")) == (0, 1, 0, 0)
    assert desk.leads("external_id", "id_namespace", "full_name", "source") == [
        ("1", "crm", "Ming Wang", "crm"),
        ("1", "expo", "Mei", "expo"),
    ]


def test_without_a_source_ids_belong_to_their_file(desk) -> None:
    desk.load("id,name\n1,Ming\n", name="a.csv")
    assert desk.load("id,name\n1,Mei\n", name="b.csv").new == 1


def test_two_ids_of_one_source_are_two_leads_though_they_share_an_email(desk) -> None:
    content = "id,name,email\n1,Ming,info@example.tw\n2,Mei,info@example.tw\n"
    assert counts(desk.load(content, source="crm")) == (2, 0, 0, 0)
    assert counts(desk.load(content, source="crm")) == (0, 0, 2, 0)


def test_an_id_meets_a_lead_known_by_email_and_is_kept(desk) -> None:
    desk.load("name,email\nMing,a@example.tw\n")
    assert counts(desk.load("id,email\n7,A@example.tw\n", source="crm")) == (0, 1, 0, 0)
    assert desk.leads("external_id", "id_namespace", "source") == [("7", "crm", "crm")]
    assert counts(desk.load("id,email\n7,new@example.tw\n", source="crm")) == (0, 1, 0, 0)


def test_a_phone_identifies_only_together_with_the_name(desk) -> None:
    desk.load("name,phone\nMing,0912345678\n")
    assert counts(desk.load("name,phone,city\nMei,0912 345 678,Taipei\nMING,0912-345-678,Tainan\n")) == (1, 1, 0, 0)


def test_rows_of_one_person_in_a_file_collapse_in_file_order(desk) -> None:
    content = (
        "name,email,city,phone\n"
        "Ming,a@example.tw,Taipei,\n"
        "Ming,A@example.tw,,0912345678\n"  # says the phone
        "Ming,a@example.tw,Taipei,\n"  # says nothing new
        "Ming,a@example.tw,Tainan,\n"  # moved
    )
    assert counts(desk.load(content)) == (1, 2, 1, 0)
    assert desk.leads("city", "phone") == [("Tainan", "+886912345678")]
    assert counts(desk.load(content)) == (0, 0, 4, 0)


def test_rows_without_the_first_key_join_by_the_second(desk) -> None:
    content = "id,name,email,phone\n1,Ming,a@example.tw,0912345678\n,Ming,a@example.tw,\n,Ming,,0912345678\n,Mei,,0912345678\n"
    assert counts(desk.load(content, source="crm")) == (2, 0, 2, 0)
    assert counts(desk.load(content, source="crm")) == (0, 0, 4, 0)


def test_blank_cells_blank_nothing(desk) -> None:
    desk.load("name,email,city\nMing,a@example.tw,Taipei\n")
    assert counts(desk.load("name,email,city\n,a@example.tw,\n")) == (0, 0, 1, 0)
    assert desk.leads("full_name", "city") == [("Ming", "Taipei")]


@pytest.mark.parametrize(("mode", "city"), [("overwrite", "Tainan"), ("fill", "Taipei")])
def test_which_value_wins(desk, mode: str, city: str) -> None:
    desk.load("email,city\na@example.tw,Taipei\n")
    mapping = f'{ROW}email = "email"\ncity = "city"\nregion = "region"\n[update]\nmode = "{mode}"\n'
    desk.load("email,city,region\na@example.tw,Tainan,South\n", mapping)
    assert desk.leads("city", "region") == [(city, "South")]


def test_the_first_source_stays(desk) -> None:
    desk.load("email\na@example.tw\n", source="expo", event="Expo 2026")
    desk.load("email\na@example.tw\nb@example.tw\n", source="web")
    assert desk.leads("source", "event") == [("expo", "Expo 2026"), ("web", None)]


def test_an_unknown_source_is_said_and_can_be_learned(desk) -> None:
    desk.load("email\na@example.tw\n")
    assert desk.leads("source", "direction") == [("unknown", "unknown")]
    desk.load("email\na@example.tw\n", source="web")
    assert desk.leads("source") == [("web",)]


def test_identical_rows_without_a_key_are_counted(desk) -> None:
    one, two = "company,city\nAcme,Taipei\n", "company,city\nAcme,Taipei\nAcme,Taipei\n"
    assert counts(desk.load(one)) == (1, 0, 0, 0)
    done = desk.load(two)
    assert counts(done) == (1, 0, 1, 0)
    assert any("known again by all its mapped values" in n for n in done.notes)


def test_a_row_without_any_key_is_refused(desk) -> None:
    done = desk.load("name,email,phone\nMing,,\nMei,b@example.tw,\n")
    assert counts(done) == (1, 0, 0, 1)
    assert done.reasons[0].reason == "no e-mail and no phone (row 2)"


def test_history_of_an_import(desk) -> None:
    done = desk.load("name,email\nMing,a@example.tw\nMei,wrong\n")
    rows = desk.rows("select source, kind, rows, new, updated, unchanged, rejected, rejects_file from imports")
    assert rows == [("leads.csv", "file", 2, 1, 0, 0, 1, "rejects/leads.csv")]
    assert desk.rows("select entity, entity_id, from_stage, to_stage, actor from stage_events") == [
        ("lead", 1, None, "new", "mei")
    ]
    assert done.commit == 1


def test_dry_run_says_the_same_and_writes_nothing(desk) -> None:
    content = "name,email\nMing,a@example.tw\nMei,wrong\n"
    before = {p: p.read_bytes() for p in desk.folder.rglob("*") if p.is_file() and "manifest" not in p.name}
    done = desk.load(content, dry_run=True)
    assert counts(done) == (1, 0, 0, 1)
    assert done.commit is None
    assert {p: p.read_bytes() for p in desk.folder.rglob("*") if p.is_file() and "manifest" not in p.name} == before
    assert desk.rows("select count(*) from leads") == [(0,)]
    assert counts(desk.load(content)) == counts(done)


TWO_ADDRESSES = {
    "one person under two addresses": (["Ming,a@x.tw,0912345678", "Ming,b@x.tw,0912345678"], 1),
    "a third row knows the second address": (["Ming,a@x.tw,0912345678", "Ming,b@x.tw,0912345678", "Ming,b@x.tw,"], 1),
    "two phones join three addresses": (
        ["Ming,a@x.tw,0912345678", "Ming,b@x.tw,0912345678", "Ming,b@x.tw,0987654321", "Ming,c@x.tw,0987654321"],
        1,
    ),
    "another name": (["Ming,a@x.tw,0912345678", "Mei,b@x.tw,0912345678"], 2),
    "a switchboard and no names": ([",a@x.tw,0223456789", ",b@x.tw,0223456789"], 2),
    "another phone": (["Ming,a@x.tw,0912345678", "Ming,b@x.tw,0987654321"], 2),
}


@pytest.mark.parametrize(("rows", "leads"), TWO_ADDRESSES.values(), ids=TWO_ADDRESSES)
def test_a_phone_with_a_name_joins_two_addresses_in_whatever_order(make_desk, rows: list[str], leads: int) -> None:
    desk = make_desk()
    head = "name,email,phone\n"
    assert desk.load(head + "\n".join(rows[::-1]) + "\n", dry_run=True).new == leads
    assert desk.load(head + "\n".join(rows) + "\n").new == leads
    again = desk.load(head + "\n".join(rows) + "\n")
    assert (again.new, again.updated) == (0, 0)
    first = desk.load(f"{head}{rows[0]}\n", dry_run=True)
    assert first.new == 0, "the address that a later row replaced leads there too"


@pytest.mark.parametrize("turned", [False, True])
def test_ids_of_their_own_keep_two_apart_whatever_they_share(make_desk, turned: bool) -> None:
    rows = ["1,Ming,a@x.tw,0912345678", "2,Ming,b@x.tw,0912345678", ",Ming,c@x.tw,0912345678"]
    desk = make_desk()
    content = "id,name,email,phone\n" + "\n".join(rows[::-1] if turned else rows) + "\n"
    assert desk.load(content, source="crm").new == 2
    assert desk.rows("select count(*) from leads where external_id is not null") == [(2,)]


person = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", "", "1", "2", "3"]),
        "name": st.sampled_from(["", "Ming", "ming", "Mei"]),
        "email": st.sampled_from(["", "a@example.tw", "A@example.tw", "b@example.tw", "wrong"]),
        "phone": st.sampled_from(["", "0912345678", "+886912345678", "0987654321", "12"]),
        "city": st.sampled_from(["", "Taipei", "Tainan"]),
    }
)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.lists(person, min_size=1, max_size=8), min_size=1, max_size=2))
def test_rows_add_up_and_a_repeat_changes_nothing(make_desk, files: list[list[dict[str, str]]]) -> None:
    desk = make_desk()
    for rows in files:
        lines = "".join(",".join(r.values()) + "\n" for r in rows)
        content = f"id,name,email,phone,city\n{lines}"
        done = desk.load(content, source="crm")
        assert sum(counts(done)) == done.rows == len(rows)
        before = desk.leads("* exclude (updated_at)")
        again = desk.load(content, source="crm")
        assert (again.new, again.updated, again.rejected) == (0, 0, done.rejected)
        assert desk.leads("* exclude (updated_at)") == before
        ids = desk.rows("select id_namespace, external_id from leads where external_id is not null")
        assert len(ids) == len(set(ids)), "an id of one source is one lead"
