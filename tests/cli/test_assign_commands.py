"""``assign``, ``rep away``, ``lead pool`` and ``doctor --unhandled`` at the prompt: exit codes and machine formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]


@pytest.fixture
def office(acme: Path, sfactl: Call, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The preset's reps and four leads, on Monday 2026-06-15 at noon."""
    monkeypatch.setenv("SFACTL_NOW", "2026-06-15T12:00:00")
    monkeypatch.chdir(acme)
    (acme / "leads.csv").write_text(
        "name,email,company,country\nMing,m@a.example,Acme,TW\nMei,e@a.example,Acme,TW\n"
        "Hiro,h@y.example,Yama,JP\nJoe,j@q.example,Quest,US\n"
    )
    assert sfactl("rep", "import", "reps.csv").code == 0
    assert sfactl("lead", "import", "leads.csv").code == 0
    return acme


def test_from_unhandled_to_owned_and_into_the_pool(office: Path, sfactl: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = sfactl("doctor", "--unhandled", "--format", "json")
    assert (listed.code, len(listed.json["result"])) == (3, 4)
    planned = sfactl("assign", "plan", "--stage", "new", "--format", "json").json["result"]
    assert sfactl("assign", "set", "lead:4", "--to", "sam").code == 0
    moved = sfactl("assign", "run", "--plan", planned["plan_id"])
    assert (moved.code, "lead:4 is no longer in the queue" in moved.err) == (5, True)
    assert sfactl("assign", "run", "--stage", "new", "--dry-run").code == 0
    done = sfactl("assign", "run", "--stage", "new", "--format", "json").json["result"]
    assert (done["given"], done["strategy"], [r["leads"] for r in done["rules"]]) == (3, "rules", [1, 2])
    assert sfactl("assign", "run", "--stage", "new", "--fail-empty").code == 4
    assert sfactl("doctor", "--unhandled").code == 0
    assert sfactl("assign", "sla", "--state", "breached", "--fail-empty").code == 4
    monkeypatch.setenv("SFACTL_NOW", "2026-06-18T12:00:00")
    late = sfactl("assign", "sla", "--state", "breached", "--format", "json").json["result"]
    assert {row["lead_id"]: row["limit_s"] for row in late} == dict.fromkeys((1, 2, 3, 4), 14_400)
    assert sfactl("doctor", "--unhandled").code == 3
    assert sfactl("assign", "sla", "--apply", "--dry-run").code == 0
    assert sfactl("lead", "pool", "release", "1", "2", "3").code == 0
    assert sfactl("lead", "pool", "check", "--company", "YAMA k.k.").code == 0
    assert sfactl("lead", "pool", "claim", "1", "--by", "sam").code == 0
    assert sfactl("lead", "pool", "check", "--company", "ACME Ltd").code == 3
    assert sfactl("lead", "pool", "claim", "1", "2", "--by", "anna").code == 2
    partly = sfactl("lead", "pool", "claim", "3", "4", "--by", "mei", "--format", "json")
    assert (partly.code, partly.json["result"]["done"]) == (3, [3])
    assert [r["lead_id"] for r in partly.json["result"]["refused"]] == [4]


MISTAKES = {
    "assign explain lead:x": "is not the number of a lead",
    "assign explain lead:99": "there is no lead 99",
    "assign run --stage won": "only new, mql, sql leads can be given out",
    "assign apply beef": "there is no plan 'beef'",
    "assign sla --apply --rep mei": "--apply acts on all breached leads",
    "rep away mai --from 2026-06-20 --to 2026-06-21": "Did you mean 'mei'?",
    "rep away mei --from 2026-06-20": "Say --from and --to",
    "lead pool claim 1 --by mai": "there is no rep 'mai'",
    "lead pool check": "Name a lead, or say what is known",
    "lead pool due --within soon": "'soon' is not a period",
}


def test_mistakes_are_named(office: Path, sfactl: Call) -> None:
    for words, said in MISTAKES.items():
        answer = sfactl(*words.split())
        assert (answer.code, said in answer.err) == (2, True), f"{words}: {answer.err}"


def test_wrong_rules_stop_the_check_of_the_workspace(office: Path, sfactl: Call) -> None:
    rules = office / "assignment.toml"
    rules.write_text(rules.read_text().replace('name = "everyone"', 'name = "everyone"\nwhere = "contry = \'TW\'"'))
    for words in (["assign", "check"], ["config", "check"]):
        answer = sfactl(*words)
        assert (answer.code, 'rules.everyone.where, position 1: unknown field "contry"' in answer.out) == (2, True)
    (office / "pool.toml").write_text('schema = 1\nidle = "soon"\n')
    assert "pool.toml: file: idle: 'soon' is not a period" in sfactl("config", "check").out
