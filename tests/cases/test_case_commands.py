"""``sfactl case`` at the prompt: exit codes, machine formats, and nothing but data on stdout."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfactl.cli.main import main

from .conftest import Desk

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def sfactl(desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setenv("SFACTL_NOW", "2026-05-04T09:00:00")
    monkeypatch.delenv("SFACTL_ENV", raising=False)

    def call(*args: object) -> tuple[int, str, str]:
        code = main(["-w", str(desk.folder), *map(str, args)])
        return code, *capsys.readouterr()

    return call


def test_exit_codes(sfactl: Call, tmp_path: Path) -> None:
    """0 done, 2 what cannot be, 3 partly, 4 nothing where that was asked for."""

    def result(*args: object) -> Any:
        code, out, _ = sfactl(*args, "--format", "json")
        assert code == 0
        return json.loads(out)["result"]

    assert sfactl("case", "ack", "--fail-empty")[0] == 4
    made = result("case", "open", "Broken", "--lead", "2")
    assert (made["case_id"], made["owner"], made["status"]) == (1, "ken", "new")
    assert result("case", "ack", "--dry-run")["notices"][0]["subject"] == "[Case 1] Broken"
    assert result("case", "ack")["accepted"] == 1
    assert sfactl("case", "set", 1, "--status", "resolved")[0] == 0
    code, out, err = sfactl("case", "set", 1, "--status", "waiting")
    assert (code, out) == (2, "")
    assert "cases.toml: statuses[3].next" in err
    assert sfactl("case", "show", 9)[0] == 2
    assert sfactl("case", "ack", "--as-of", "2026-05-01")[0] == 2
    assert [row["what"] for row in result("case", "show", 1)["events"]] == [
        *("opened", "assigned: owner", "moved: new → resolved", "notice: new, accepted")
    ]
    assert sfactl("case", "list", "--fail-empty")[0] == 4
    (tmp_path / "t.csv").write_text("Ticket,Status,Timestamp\nT1,New,2026-04-01\nT2,Odd,2026-04-01\n")
    assert sfactl("case", "import", tmp_path / "t.csv")[0] == 3
    assert sfactl("case", "open", "x", "--from-mail", tmp_path)[0] == 2
    assert "in order" in sfactl("config", "check")[1]
