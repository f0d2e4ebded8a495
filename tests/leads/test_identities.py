"""A lead stays one lead under every key it was ever known by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sfactl.config.settings import Settings
from sfactl.leads.usecases.imports import import_files
from sfactl.leads.usecases.records import set_fields
from sfactl.leads.usecases.touches import import_touches
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Author, Workspace
from sfactl.workspace.undo import undo

Counts = tuple[int, int, int]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    Workspace.create(tmp_path / "ws").close()
    clock = FixedClock(datetime(2026, 1, 1))
    with open_session(tmp_path / "ws", settings=Settings(), command="test", actor="t", clock=clock) as opened:
        yield opened


@pytest.fixture
def take(session: Session, tmp_path: Path) -> Callable[[str], Counts]:
    """Import lines of name,email,phone,company and answer (new, updated, unchanged)."""

    def importer(lines: str, name: str = "leads") -> Counts:
        path = tmp_path / f"{name}.csv"
        path.write_text("name,email,phone,company\n" + lines + "\n", encoding="utf-8")
        done = import_files(session, [path])
        assert done.rejected == 0
        return done.new, done.updated, done.unchanged

    return importer


OLD = "Ann Lee,ann@old.example.com,+886 912 345 678,Acme"
NEW = "Ann Lee,ann@new.example.com,+886 912 345 678,Acme"


def test_an_address_that_a_newer_one_replaced_makes_no_second_lead(
    session: Session, take: Callable[[str], Counts]
) -> None:
    assert take(OLD) == (1, 0, 0)
    assert take(NEW) == (0, 1, 0)
    assert take(OLD) == (0, 0, 1)
    assert take(NEW) == (0, 0, 1)
    assert take("Ann Lee,ANN@OLD.example.com,,") == (0, 0, 1)
    with session.query() as q:
        assert q.rows("select email from leads") == [("ann@new.example.com",)]
        assert q.rows("select kind, value, lead_id from identities") == [("email", "ann@old.example.com", 1)]


def test_a_row_that_came_by_another_key_is_known_by_its_own_later(
    session: Session, take: Callable[[str], Counts]
) -> None:
    take("Ann Lee,ann@old.example.com,+886 912 345 678,Acme")
    take("Ann Lee,,+886 912 345 678,Beta")
    take("Ann Lee,ann@new.example.com,+886 912 345 678,")
    take("Bo Chen,ann@new.example.com,+886 955 555 555,")
    assert take("Ann Lee,,+886 912 345 678,")[0] == 0
    with session.query() as q:
        assert q.rows("select count(*)::bigint from leads") == [(1,)]


def test_a_key_changed_by_hand_is_remembered(session: Session, take: Callable[[str], Counts]) -> None:
    take(OLD)
    set_fields(session, "1", {"email": "ann@hand.example.com", "phone": "+886 987 654 321"})
    assert take(OLD) == (0, 0, 1)
    assert take("Ann Lee,,+886 912 345 678,") == (0, 0, 1)
    with session.query() as q:
        assert q.rows("select email, phone from leads") == [("ann@hand.example.com", "+886987654321")]


def test_events_find_a_lead_by_the_address_it_had(
    session: Session, take: Callable[[str], Counts], tmp_path: Path
) -> None:
    take(OLD)
    take(NEW)
    path = tmp_path / "events.csv"
    path.write_text("email,kind,at\nann@old.example.com,visit,2026-01-02 10:00\n")
    import_touches(session, [path])
    with session.query() as q:
        assert q.rows("select lead_id, kind from touchpoints") == [(1, "visit")]


def test_undoing_the_import_forgets_the_key(session: Session, take: Callable[[str], Counts]) -> None:
    take(OLD)
    take(NEW)
    author = Author(actor="t", command="undo", run_id="r", at=session.now())
    undo(session.workspace, author, 2)
    with session.query() as q:
        assert q.rows("select count(*)::bigint from identities") == [(0,)]
        assert q.rows("select email from leads") == [("ann@old.example.com",)]


def test_business_cards_of_one_person_import_once(session: Session, shared_data: Path) -> None:
    cards = sorted((shared_data / "vcard_samples").rglob("*.vcf"))
    first = import_files(session, cards)
    again = import_files(session, cards)
    assert first.rows == again.rows == first.new + first.updated + first.unchanged + first.rejected
    assert again.new == 0
