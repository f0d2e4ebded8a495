"""Looking at leads, correcting one, and cleaning them again."""

from __future__ import annotations

import pytest

from sfactl.api.errors import DataError, NotFound, UserError
from sfactl.leads import usecases


@pytest.fixture
def two(desk):
    """Two leads."""
    desk.load(
        "id,name,email,phone,company\n7,Ming,a@example.tw,0912345678,Acme Co.\n8,Mei,b@example.tw,,\n", source="crm"
    )
    return desk


@pytest.mark.parametrize("ref", ["1", "lead:1", "A@example.tw", "7"])
def test_show_by_any_reference(two, ref: str) -> None:
    with two.session() as session:
        detail = usecases.show_lead(session, ref)
    assert detail.lead_id == 1
    assert detail.fields["email"] == "a@example.tw"


def test_show_what_is_not_there(two) -> None:
    with two.session() as session, pytest.raises(NotFound, match=r"there is no lead 'nobody@example\.tw'"):
        usecases.show_lead(session, "nobody@example.tw")


def test_an_id_of_several_leads_is_not_guessed(two) -> None:
    two.load("id,name\n7,Other\n", source="expo")
    with two.session() as session, pytest.raises(UserError, match="7 is several leads: lead:1, lead:3"):
        usecases.show_lead(session, "7")


def test_list_and_its_columns(two) -> None:
    with two.session() as session:
        table, total = usecases.list_leads(session, where="company is null", columns=["id", "email"])
        assert (table.to_pylist(), total) == ([{"id": 2, "email": "b@example.tw"}], 1)
        table, total = usecases.list_leads(session, limit=1)
        assert (table.num_rows, total) == (1, 2)
        with pytest.raises(UserError, match="no field 'emial'"):
            usecases.list_leads(session, columns=["emial"])


def test_set_cleans_and_keeps_the_rest(two) -> None:
    with two.session() as session:
        result = usecases.set_fields(session, "1", {"phone": "0987 654 321", "company": "Beta Ltd.", "title": " CEO "})
    assert result.before == {"phone": "+886912345678", "company": "Acme Co.", "title": None, "company_key": "acme"}
    assert two.leads("phone", "company", "company_key", "title", "email")[0] == (
        "+886987654321", "Beta Ltd.", "beta", "CEO", "a@example.tw",
    )  # fmt: skip
    with two.session() as session:
        assert usecases.set_fields(session, "1", {"title": "CEO"}).commit is None
        assert usecases.set_fields(session, "1", {"title": "", "company": ""}).after == {
            "title": None, "company": None, "company_key": None,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "error", "said"),
    [
        ("email", "nonsense", DataError, "e-mail not valid: email=nonsense"),
        ("lead_id", "9", UserError, "lead_id is kept by sfactl itself"),
        ("emial", "x", UserError, "emial is no field of a lead"),
        ("employees", "many", DataError, "employees is not a number"),
    ],
)
def test_set_refuses(two, field: str, value: str, error: type[Exception], said: str) -> None:
    with two.session() as session, pytest.raises(error, match=said):
        usecases.set_fields(session, "1", {field: value})


def test_clean_again_after_the_country_was_set(desk) -> None:
    desk.country = ""
    desk.load("name,email,phone\nMing,a@example.tw,0912345678\nMei,b@example.tw,+886 2 2345 6789\n")
    assert desk.leads("phone") == [("0912345678",), ("+886223456789",)]
    desk.country = "TW"
    with desk.session(dry_run=True) as session:
        assert usecases.clean_leads(session).changed == 1
    with desk.session() as session:
        result = usecases.clean_leads(session)
    assert (result.rows, result.changed) == (2, 1)
    assert desk.leads("phone") == [("+886912345678",), ("+886223456789",)]
    with desk.session() as session:
        assert usecases.clean_leads(session).commit is None
