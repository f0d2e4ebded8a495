"""From lead to won deal at the prompt: qualify, assign, convert, move, close, and what a person reads of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wcwidth import wcswidth

Call = Callable[..., Any]

LEADS = """email,full_name,company,country,need,budget,product_interest
wang@tpm.com.tw,王小明,台灣精密機械,TW,speed,1200000,雷射 LX-300
sato@nihon.co.jp,佐藤,日本機械,JP,speed,,LX-500
anna@gmail.com,Anna Weber,,DE,price,30000,
"""
RULES = """
schema = 1
[mql]
where = "email is not null"
[sql]
score = "intent"
pass_mark = 0
required = ["need", "budget"]
"""


@pytest.fixture
def shop(acme: Path, monkeypatch: pytest.MonkeyPatch, sfactl: Call) -> Path:
    monkeypatch.chdir(acme)
    monkeypatch.setenv("SFACTL_NOW", "2026-05-04T09:00")
    (acme / "leads.csv").write_text(LEADS, encoding="utf-8")
    (acme / "qualification.toml").write_text(RULES, encoding="utf-8")
    for command in ("rep import reps.csv", "lead import leads.csv"):
        answer = sfactl(*command.split())
        assert answer.code == 0, answer.err
    return acme


def test_from_lead_to_won_deal(shop: Path, sfactl: Call) -> None:
    qualified = sfactl("lead", "qualify")
    assert "MQL  3 of 3 new leads qualify" in qualified.out
    assert "SQL  2 of 3 MQLs qualify" in qualified.out
    assert "Staying for want of: 1 budget is known" in qualified.out
    missing = sfactl("lead", "qualify", "--missing", "--format", "json").json["result"]
    assert [(row["full_name"], row["missing"]) for row in missing] == [("佐藤", "budget")]

    plan = sfactl("assign", "plan", "--format", "json").json["result"]
    assert (plan["given"], plan["waiting"]) == (2, 0)
    assert sfactl("assign", "run", "--plan", plan["plan_id"]).code == 0
    assert "turn 1" in sfactl("assign", "explain", "lead:1").out
    assert sfactl("assign", "run", "--plan", plan["plan_id"]).code == 5

    converted = sfactl("lead", "convert", "--all-sql", "--close", "2026-12-31")
    assert converted.code == 0
    assert "2 converted · accounts 2 new, 0 known · contacts 2 new, 0 known" in converted.out
    again = sfactl("lead", "convert", "lead:1")
    assert (again.code, again.out) == (0, "already converted: lead:1\n")
    refused = sfactl("lead", "convert", "lead:2")
    assert (refused.code, refused.out) == (2, "")
    assert "lead:2 is mql; only an SQL is converted" in refused.err

    assert sfactl("opp", "move", "1", "--to", "proposal").code == 0
    wrong = sfactl("opp", "close", "2", "--lost", "--reason", "prize")
    assert (wrong.code, "Did you mean 'price'" in wrong.err) == (2, True)
    assert sfactl("opp", "close", "2", "--lost", "--reason", "price").code == 0
    assert "proposal → won · 100%" in sfactl("opp", "close", "1", "--won", "--amount", "1250000").out
    (rate,) = sfactl("opp", "winrate", "--format", "json").json["result"]["rows"]
    assert (rate["won"], rate["lost"], rate["of_closed"]["value"]) == (1, 1, 0.5)
    assert "20.7% – 100.0%" in sfactl("opp", "winrate", "--by", "rep").out
    flat = sfactl("opp", "winrate", "--by", "rep", "--format", "csv", "--columns", "group,won,of_all_value").out
    assert flat == "group,won,of_all_value\nanna,0,0.0\nmei,1,1.0\n"
    assert sfactl("opp", "pipeline", "--format", "jsonl").out.count("\n") == 4
    assert "王小明" in sfactl("account", "show", "account:1").out
    assert sfactl("contact", "list", "--format", "csv").out.count("\n") == 3


def test_wide_characters_line_up_on_the_board_and_in_lists(
    shop: Path, sfactl: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    sfactl("opp", "add", "雷射切割機 LX-300 台中廠", "--amount", "1280000", "--owner", "mei")
    sfactl("opp", "add", "Filter", "--amount", "99.5", "--stage", "needs")
    monkeypatch.setenv("COLUMNS", "120")
    lines = sfactl("opp", "board").out.splitlines()
    bars = [
        [wcswidth(line[:i]) for i, c in enumerate(line) if c in "│┼"] for line in lines if "│" in line or "┼" in line
    ]
    assert len(bars) > 3
    assert all(row == bars[1][: len(row)] for row in bars)
    assert lines[-1] == "2 deals · 1,280,099.50 USD"
    monkeypatch.setenv("COLUMNS", "60")
    narrow = sfactl("opp", "board").out.splitlines()
    assert narrow[0] == "qualification 1"
    listed = sfactl("opp", "list").out.splitlines()
    assert listed[-1] == "2 deals · 1,280,099.50 USD, weighted 128,024.88"


def test_a_rate_of_nothing_is_not_a_number(shop: Path, sfactl: Call) -> None:
    assert "n/a" in sfactl("opp", "winrate").out
    (rate,) = sfactl("opp", "winrate", "--format", "json").json["result"]["rows"]
    assert rate["of_all"] == {"value": None, "low": None, "high": None}


def test_a_filter_by_name_and_dry(shop: Path, sfactl: Call) -> None:
    sfactl("opp", "add", "Tiny", "--amount", "20")
    dry = sfactl("opp", "filter", "bad-deals", "--dry-run")
    assert dry.code == 0
    assert "1 open deal would leave the pipeline" in dry.out
    assert "1 deal" in sfactl("opp", "list").out
    assert sfactl("opp", "filter", "bad-deals").code == 0
    assert "1 open deal filtered out, not counted" in sfactl("opp", "pipeline").out
    assert sfactl("opp", "filter", "bad-deals", "--fail-empty").code == 4
