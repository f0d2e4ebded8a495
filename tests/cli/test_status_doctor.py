"""What is in the workspace, what to do next, and what is out of order."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.records import Receipt
from sfactl.cli.status import next_steps
from sfactl.config.layers import load_settings
from sfactl.session import Session, open_session
from sfactl.workspace.ledger import Effect

Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def _inside(acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(acme)


def _session(folder: Path) -> Session:
    return open_session(folder, settings=load_settings(folder), command="lead import", actor="王小明")


def _add_leads(folder: Path, status: str = "new") -> None:
    with _session(folder) as session, session.write("leads") as tx:
        tx.upsert("leads", f"select * from (values (1, 'Ada', '{status}')) t(lead_id, full_name, status)")
        tx.commit()


def _leave_unknown(folder: Path) -> None:
    with _session(folder) as session, session.ledger.lease("spring", run_id="r") as lease:
        lease.claim([Effect(key="k", kind="message", payload_hash="h")])
        lease.settle([Receipt(key="k", outcome="unknown")])


def _checks(answer: Any) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in answer.json["result"]["checks"]}


def test_a_fresh_workspace_says_how_to_begin(sfactl: Call) -> None:
    answer = sfactl("status")
    assert answer.code == 0
    assert "no commit yet" in answer.out
    assert answer.out.endswith("Next: sfactl lead import FILE\n")


def test_rows_runs_and_the_next_step(sfactl: Call, acme: Path) -> None:
    _add_leads(acme)
    out = sfactl("status").out
    assert "commit 1 of " in out
    assert "dataset  rows\nleads       1\n" in out
    assert "王小明  lead import" in out
    assert "Next: sfactl score run" in out


def test_status_as_of_an_earlier_commit(sfactl: Call, acme: Path) -> None:
    _add_leads(acme)
    result = sfactl("status", "--as-of", "0", "--format", "json").json["result"]
    assert (result["commit"], result["datasets"], result["runs"]) == (0, {}, [])


STEPS = {
    "empty": ({}, {}, ["sfactl lead import FILE"]),
    "stuck first": ({}, {"unknown": 2}, ["2 messages with unknown outcome: sfactl touch list --state unknown"]),
    "leads": ({"leads": 3}, {}, ["sfactl score run"]),
    "all": (
        dict.fromkeys(("leads", "scores", "segment_members", "plans", "opportunities", "quotes", "orders"), 1),
        {},
        ["sfactl report funnel"],
    ),
}


@pytest.mark.parametrize(("counts", "effects", "expected"), STEPS.values(), ids=STEPS)
def test_next_steps(counts: dict[str, int], effects: dict[str, int], expected: list[str]) -> None:
    assert list(next_steps(counts, effects))[: len(expected)] == expected


def test_a_fresh_workspace_is_in_order(sfactl: Call) -> None:
    answer = sfactl("doctor", "--format", "json")
    assert answer.code == 0, answer.out
    assert {check["state"] for check in _checks(answer).values()} == {"ok"}
    assert sfactl("doctor").out.endswith("checks, all in order.\n")


def _break_settings(folder: Path) -> None:
    (folder / "sfactl.toml").write_text("schema = 1\n[workspce]\n", encoding="utf-8")


def _break_file(folder: Path) -> None:
    _add_leads(folder)
    (path,) = (folder / ".sfactl" / "data" / "leads").glob("*.parquet")
    path.write_bytes(path.read_bytes()[:-10])


def _lose_file(folder: Path) -> None:
    _add_leads(folder)
    (path,) = (folder / ".sfactl" / "data" / "leads").glob("*.parquet")
    path.unlink()


def _open_to_others(folder: Path) -> None:
    (folder / ".sfactl").chmod(0o755)


def _copy(folder: Path) -> None:
    kept = folder.with_name("kept")
    folder.rename(kept)
    shutil.copytree(kept, folder)


WRONG = {
    "settings": (_break_settings, "settings", "fail", 1),
    "torn file": (_break_file, "data", "fail", 1),
    "lost file": (_lose_file, "data", "fail", 1),
    "open to others": (_open_to_others, "rights", "warn", 3),
    "unknown effect": (_leave_unknown, "effects", "warn", 3),
    "no owner": (lambda folder: _add_leads(folder, "mql"), "owners", "warn", 3),
    "a copy": (_copy, "effects", "warn", 3),
}


@pytest.mark.parametrize(("spoil", "name", "state", "code"), WRONG.values(), ids=WRONG)
def test_what_is_out_of_order_is_told_with_its_remedy(
    sfactl: Call, acme: Path, spoil: Callable[[Path], None], name: str, state: str, code: int
) -> None:
    spoil(acme)
    answer = sfactl("-w", acme, "doctor", "--format", "json")
    assert answer.code == code, answer.out
    check = _checks(answer)[name]
    assert check["state"] == state
    assert check["remedy"]
    assert "→" in sfactl("-w", acme, "doctor").out


def test_a_clock_that_went_back_is_told(sfactl: Call, acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _add_leads(acme)
    monkeypatch.setenv("SFACTL_NOW", "2020-01-01T00:00:00")
    answer = sfactl("doctor", "--format", "json")
    assert _checks(answer)["clock"]["state"] == "fail"


def test_little_room_is_told(sfactl: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil._ntuple_diskusage(10**12, 10**12, 10**6)  # type: ignore[attr-defined]
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage)
    answer = sfactl("doctor", "--format", "json")
    assert (answer.code, _checks(answer)["disk"]["state"]) == (1, "fail")
