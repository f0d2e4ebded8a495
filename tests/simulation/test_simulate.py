"""What a simulation answers, on both kinds of history, alone and beside an edited wording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sfactl.cli.main import main
from sfactl.simulation.usecases import Asked, people

if TYPE_CHECKING:
    from tests.simulation.conftest import Life

PERIOD = {"name": "winback", "start": "2026-09-07T09:00", "end": "2026-09-23", "every": "2 days"}


def met(life: Life, **values: Any) -> list[dict[str, Any]]:
    """Everybody with whom the simulated strategy did something."""
    with life.session() as session:
        found: list[dict[str, Any]] = people(session, Asked(**PERIOD | values)).to_pylist()
    return found


@pytest.mark.parametrize("history", ["known", "happened"])
def test_looking_at_those_who_may_move_is_looking_at_all(life: Life, history: str) -> None:
    values = {"history": history, "fresh": True, "end": "2026-09-17"}
    few = met(life, **values)
    assert few == met(life, **values, everybody=True)
    assert sum(row["messages"] for row in few) > 20


def test_edited_wording_is_set_beside_the_real_one(life: Life, tmp_path: Path) -> None:
    edited = tmp_path / "edited.toml"
    text = (life.folder / "strategies" / "winback.toml").read_text()
    for old, new in (
        ('otherwise = "end"', 'otherwise = "call"'),
        ("4 days", "1 day"),
        ("percent = 10", "percent = 30"),
        ("limit = 12", "limit = 40"),
    ):
        text = text.replace(old, new)
    edited.write_text(text)
    found = life.simulate(**PERIOD | {"end": "2026-09-15"}, file=edited, fresh=True, contact=1)
    assert found.edited is not None
    figures = {line.figure: line for line in found.lines}
    assert figures["tasks"].difference > 0
    assert figures["control"].edited > figures["control"].real > 0
    shifted = {shift.what: shift for shift in found.shifts}
    assert shifted["messages"].more > 0
    assert shifted["messages"].less > 0
    assert shifted["tasks"].more > 0
    assert {stage.wording for stage in found.path} == {"the file", str(edited)}


def test_path_of_one_lead_is_in_order(life: Life) -> None:
    found = life.simulate(**PERIOD | {"end": "2026-09-15"}, contact=2, history="happened")
    assert found.path[0].step == "entry"
    assert [stage.at for stage in found.path] == sorted(stage.at for stage in found.path)
    assert {"send", "settled"} <= {stage.what for stage in found.path} or found.path[0].what == "hold"
    assert any("Not known" in note for note in found.notes)


FAULTS = {
    "unknown strategy": (["winbak", "--from", "2026-09-07", "--to", "2026-09-08"], "winback"),
    "period backwards": (["winback", "--from", "2026-09-08", "--to", "2026-09-07"], "lies before"),
    "bad period": (["winback", "--from", "2026-09-07", "--to", "2026-09-08", "--every", "often"], "'often'"),
    "no run in it": (["winback", "--from", "2026-09-07T10:00", "--to", "2026-09-07T09:59"], "lies before"),
    "too often": (["winback", "--from", "2020-01-01", "--to", "2026-09-07", "--every", "1 min"], "more than"),
    "no length": (["winback", "--from", "2026-09-07", "--to", "2026-09-08", "--every", "0 days"], "no length"),
    "nothing recorded": (["winback", "--from", "2020-01-01", "--to", "2020-01-02", "--recorded"], "was recorded"),
    "no such file": (["winback", "--from", "2026-09-07", "--to", "2026-09-08", "--file", "none.toml"], "none.toml"),
    "nobody": (["winback", "--from", "2026-09-07", "--to", "2026-09-08", "--contact", "999"], "--contact 999"),
    "recorded and happened": (
        ["winback", "--from", "2026-09-07", "--to", "2026-09-08", "--recorded", "--history", "happened"],
        "--recorded",
    ),
}


@pytest.mark.parametrize(("words", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_what_cannot_be_simulated_is_said(
    life: Life, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-w", str(life.folder), "strategy", "simulate", *words]) in (1, 2)
    assert said in capsys.readouterr().err


def test_command_prints_for_people_and_machines(life: Life, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["-w", str(life.folder), "strategy", "simulate", "winback", "--from", "2026-09-07", "--to", "2026-09-08"]
    assert main([*words, "--every", "1 day"]) == 0
    text = capsys.readouterr().out
    assert "Simulated winback from 2026-09-07 to 2026-09-08: 2 runs, every 1 day from 09:00 Asia/Taipei" in text
    assert "Nothing was written or sent." in text
    assert main([*words, "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)["result"]
    assert said["history"] == "known"
    assert said["real"]["entered"] > 0
