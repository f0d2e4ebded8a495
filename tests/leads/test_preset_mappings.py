"""The mappings that presets ship are whole, and read the files they are for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfactl.config.objects import read_object
from sfactl.leads.mapping import check_fields
from sfactl.leads.model import LeadMapping
from sfactl.schemas import core_schemas

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "b2b" / "mappings"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda p: p.stem)
def test_preset_mapping(desk, path: Path) -> None:
    mapping = read_object(LeadMapping, path, inject={"name": path.stem})
    if mapping.dataset not in (None, "leads"):
        pytest.skip(f"is for {mapping.dataset}, and tested there")
    check_fields(mapping, core_schemas()["leads"], where=str(path))
    needed = [c for f, c in mapping.columns.items() if f not in mapping.optional]
    assert all(isinstance(c, str) for c in needed)
    values = {"Id": "7", "Record ID": "7", "Email": "a@example.tw", "電郵": "a@example.tw"}
    row = ",".join(values.get(str(c), "x") for c in needed)
    done = desk.load(f"{','.join(map(str, needed))}\n{row}\n", mapping=path.read_text(encoding="utf-8"))
    assert (done.new, done.not_mapped) == (1, ())
