"""Every block of docs/erp-files.md: files are laid down, commands are run, and the output is compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfactl.cli.main import main
from sfactl.config.settings import Settings
from sfactl.session import open_session
from sfactl.workspace import Workspace

DOC = Path(__file__).resolve().parents[2] / "docs/erp-files.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with one order, on 2026-06-15."""
    monkeypatch.setenv("SFACTL_NOW", "2026-06-15T12:00:00")
    monkeypatch.setenv("COLUMNS", "120")
    folder = tmp_path / "ws"
    Workspace.create(folder).close()
    (folder / "sfactl.toml").write_text("schema = 1\n")
    with open_session(folder, settings=Settings(), command="test", actor="tester") as session:
        with session.write("accounts", "products", "orders", "order_lines") as tx:
            tx.upsert("accounts", "select 1 as account_id, 'Acme' as name")
            tx.upsert("products", "select 'LX-300' as sku, 'Laser' as name, 'piece' as unit")
            tx.upsert(
                "orders",
                "select 1 as order_id, 1 as account_id, 'open' as status, timestamp '2026-06-01 10:00:00' as at,"
                " 'EUR' as currency, 1202 as amount, 14 as payment_terms_days",
            )
            tx.upsert(
                "order_lines",
                "select 1 as order_id, 1 as line_no, 'LX-300' as sku, 'Laser' as product_name, 4 as quantity,"
                " 300.50 as unit_price, 1202 as amount",
            )
            tx.commit()
    return folder


def commands(text: str) -> Iterator[tuple[list[str], str]]:
    """Commands of a console block with the output that should follow."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        yield line.split()[1:], output


def test_the_document_is_true(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tenant = Workspace.open(folder)
    own_id = tenant.id
    tenant.close()
    kinds = []
    for kind, name, text in BLOCK.findall(DOC.read_text(encoding="utf-8")):
        kinds.append(kind)
        path = folder / name.replace("TENANT", own_id)
        if kind in {"toml", "csv"}:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="cp1252" if "office/" in name else "utf-8")
        elif kind == "json":
            assert json.loads(path.read_text()) == json.loads(text.replace("TENANT", own_id))
        elif kind == "console":
            for arguments, expected in commands(text):
                capfd.readouterr()
                main(["-w", str(folder), *arguments])
                assert capfd.readouterr().out == expected, arguments
        else:
            pytest.fail(f"nothing checks a block of kind {kind}")
    assert kinds.count("console") == 3
