"""Rows of a file that would make a new lead of a protected customer are refused, with the rep and until when."""

from __future__ import annotations

import pyarrow as pa
import pytest

POOL = "schema = 1\n[collision]\n"
HELD = "name,email,company,phone\nMing,ming@acme.tw,Acme Co. Ltd.,0912345678\n"


@pytest.fixture
def guarded(desk):
    """Ken protects lead 1 of Acme until the end of the year."""
    (desk.folder / "pool.toml").write_text(POOL)
    desk.load(HELD)
    with desk.session() as session, session.write("leads", "lead_pool") as tx:
        tx.upsert("leads", "select * replace ('ken' as owner) from leads")
        row = "select 1 as lead_id, 'held' as state, 'ken' as holder, timestamp '2026-12-31' as protected_until"
        tx.upsert("lead_pool", row)
        tx.commit()
    return desk


def reasons(done) -> list[str]:
    return [r.reason.partition(" (")[0] for r in done.reasons]


def test_a_new_person_of_a_protected_company_is_refused_and_the_rest_comes_in(guarded) -> None:
    done = guarded.load("name,email,company\nMei,mei@acme.tw,ACME\nLin,lin@beta.tw,Beta\n")
    assert (done.new, done.rejected) == (1, 1)
    assert reasons(done) == ["the same company as lead:1, protected by ken until 2026-12-31"]
    assert (guarded.folder / "rejects" / "leads.csv").read_text(encoding="utf-8-sig").count("protected by ken") == 1
    again = guarded.load("name,email,company\nMei,mei@acme.tw,ACME\nLin,lin@beta.tw,Beta\n")
    assert (again.new, again.updated, again.rejected) == (0, 0, 1)


def test_what_is_known_already_is_brought_up_to_date_and_keeps_its_owner(guarded) -> None:
    done = guarded.load("name,email,company,city\nMing,MING@acme.tw,Acme,Taipei\n")
    assert (done.updated, done.rejected) == (1, 0)
    assert guarded.rows("select owner, city from leads") == [("ken", "Taipei")]


@pytest.mark.parametrize(
    ("rules", "content"),
    [
        pytest.param('imports = "allow"\n', "name,email,company\nMei,mei@acme.tw,Acme\n", id="allowed"),
        pytest.param('keys = ["phone"]\n', "name,email,company\nMei,mei@acme.tw,Acme\n", id="another key"),
        pytest.param("", "name,email,company,owner\nMei,mei@acme.tw,Acme,ken\n", id="the holder's own"),
    ],
)
def test_what_is_let_through(guarded, rules: str, content: str) -> None:
    (guarded.folder / "pool.toml").write_text(POOL + rules)
    assert guarded.load(content).new == 1


def test_an_ended_protection_refuses_nothing(guarded) -> None:
    with guarded.session() as session, session.write("lead_pool") as tx:
        tx.upsert("lead_pool", "select * replace (timestamp '2026-11-21 08:59:59' as protected_until) from lead_pool")
        tx.commit()
    assert guarded.load("name,email,company\nMei,mei@acme.tw,ACME\n").new == 1


def test_rows_without_keys_are_refused_as_before(guarded) -> None:
    done = guarded.load("name,email,company\nMei,,Acme\nNo,not-an-address,\n")
    assert done.rejected == 2
    assert not pa.array(reasons(done)).is_null().to_pylist()[0]
