"""Contracts: recorded once for one order, with the hash of what was signed, and never two orders under one number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import DataError, NotFound, PolicyError, UserError
from sfactl.config.settings import EngineSettings, Settings
from sfactl.orders import usecases
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOON = datetime(2026, 6, 15, 12)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("contracts") / "ws"
    Workspace.create(folder).close()
    settings = Settings(engine=EngineSettings(threads=1))
    with open_session(
        folder, settings=settings, command="order", actor="ana", clock=FixedClock(NOON), quiet=True
    ) as session:
        with session.write("orders") as tx:
            tx.upsert(
                "orders",
                "select unnest([1, 2, 3]) as order_id, 7 as lead_id, 5 as quote_id, timestamp '2026-06-01 09:00' as \"at\","
                " unnest(['open', 'paid', 'cancelled']) as status, 'EUR' as currency, 100::decimal(18,4) as amount,"
                " timestamp '2026-06-01 09:00' as updated_at",
            )
            tx.commit()
        yield session


def test_a_contract_is_recorded_once(session: Session, tmp_path: Path) -> None:
    """It carries the ids of its order; the same again changes nothing; the order shows it."""
    paper = tmp_path / "contract.pdf"
    paper.write_bytes(b"signed")
    said: dict[str, Any] = {"number": "C-1", "on": date(2026, 6, 3), "by": "Mei Lin", "file": paper}
    first = usecases.sign(session, "O-1", **said)
    again = usecases.sign(session, "1", **said)
    assert (first.repeated, again.repeated, again.commit) == (False, True, None)
    usecases.sign(session, "1", number="C-1a", on=date(2026, 6, 4))
    assert [c.number for c in usecases.show(session, "O-1").contracts] == ["C-1", "C-1a"]
    with session.query() as query:
        row = query.rows(
            "select order_id, lead_id, quote_id, signed_on, signed_by, amount, currency, document, document_sha256,"
            " made_by from contracts where number = 'C-1'"
        )[0]
    assert row[:5] == (1, 7, 5, date(2026, 6, 3), "Mei Lin")
    assert (row[5], *row[6:8], row[9]) == (100, "EUR", "contract.pdf", "ana")
    assert row[8] == first.document_sha256 == hashlib.sha256(b"signed").hexdigest()


WRONG: Mapping[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no such order": ({"order": "9", "number": "X"}, NotFound, "there is no order O-9"),
    "a cancelled order": ({"order": "3", "number": "X"}, PolicyError, "O-3 is cancelled"),
    "no number": ({"order": "2", "number": " "}, UserError, "the number of the contract is empty"),
    "tomorrow": ({"order": "2", "number": "X", "on": date(2026, 6, 16)}, UserError, "in the future"),
    "ends before": (
        {"order": "2", "number": "X", "on": date(2026, 6, 3), "ends": date(2026, 6, 2)}, UserError, "before it was signed",
    ),
    "another order's": ({"order": "1", "number": "k-2", "on": date(2026, 6, 3)}, UserError, "contract K-2 is that of O-2"),
    "otherwise": (
        {"order": "2", "number": "K-2", "on": date(2026, 6, 4)}, UserError, "recorded with signed_on = 2026-06-03",
    ),
    "no file": ({"order": "2", "number": "X", "file": Path("/nowhere/x.pdf")}, DataError, "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused(session: Session, name: str) -> None:
    """The message says what is wrong; nothing is written."""
    usecases.sign(session, "2", number="K-2", on=date(2026, 6, 3))
    seq = session.workspace.head()
    said, kind, expected = WRONG[name]
    with pytest.raises(kind, match=expected):
        usecases.sign(session, **said)
    assert session.workspace.head() == seq
