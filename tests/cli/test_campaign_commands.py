"""Campaigns at the prompt: what a person reads, what a script gets, and the exit codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sfactl.cli.times import local_and_utc

CSV = "company,full_name,email,country\n台灣精機,王小明,wang@example.com,TW\nFoo,Ann Lee,ann@example.com,US\n,Bo,bo@example.com,TW\n"


@pytest.fixture
def run(acme: Path, sfactl: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Call sfactl in a workspace with three leads, on a Tuesday at 11:00 in Taipei."""
    monkeypatch.setenv("SFACTL_NOW", "2026-11-24T03:00:00")
    monkeypatch.chdir(acme)
    toml = Path("sfactl.toml")
    toml.write_text(toml.read_text().replace('time_zone = "UTC"', 'time_zone = "Asia/Taipei"'))
    Path("expo.csv").write_text(CSV, encoding="utf-8")
    assert sfactl("lead", "import", "expo.csv").code == 0
    return sfactl


def test_plan_apply_and_again(run: Callable[..., Any]) -> None:
    plan = run("campaign", "plan", "welcome")
    assert plan.code == 0
    lines = plan.out.splitlines()
    assert re.fullmatch(
        r"Plan [0-9a-f]{6} for welcome v1 at 2026-11-24 11:00 Asia/Taipei, data as of commit 1", lines[0]
    )
    assert lines[1] == "  send   hello              2   via outbox"
    assert lines[2] == "  wait                      1   outside window, from 2026-11-24 22:00 (14:00 UTC)"
    assert lines[-1].startswith("Next: sfactl campaign apply ")
    plan_id = lines[-1].split()[-1]

    dry = run("campaign", "apply", plan_id, "--dry-run")
    assert (dry.code, dry.out) == (0, f"Dry run: plan {plan_id} would send 2 messages and make 0 tasks.\n")
    done = run("campaign", "apply", plan_id)
    assert (done.code, done.out) == (0, f"Plan {plan_id} via outbox: accepted 2\n")
    again = run("campaign", "apply", plan_id)
    assert (again.code, again.out) == (0, f"Plan {plan_id} was applied on 2026-11-24 11:00. Nothing to do.\n")
    assert len(list(Path("outbox/new").iterdir())) == 2
    assert run("campaign", "plan", "welcome", "--fail-empty").code == 4


def test_moved_data_is_exit_code_5(run: Callable[..., Any]) -> None:
    plan_id = run("campaign", "plan", "welcome", "--format", "json").json["result"]["plan_id"]
    Path("more.csv").write_text("email,full_name,country\nnew@example.com,New,TW\n")
    assert run("lead", "import", "more.csv").code == 0
    answer = run("campaign", "apply", plan_id)
    assert answer.code == 5
    assert "error [conflict] the data moved since this plan (commit 1 → 3): 1 recipient differs (lead 4)" in answer.err
    assert "sfactl campaign diff" in answer.err
    diff = run("campaign", "diff", plan_id[:8])
    assert "new@example.com" in diff.out


def test_one_person_can_be_asked_about(run: Callable[..., Any]) -> None:
    plan_id = run("campaign", "plan", "welcome", "--format", "json").json["result"]["plan_id"]
    run("touch", "suppress", "WANG@example.com", "--reason", "complaint")
    assert run("touch", "suppress", "wang@example.com").out == "wang@example.com was suppressed already (all).\n"
    assert run("campaign", "apply", plan_id).code == 5
    shown = run("campaign", "preview", "welcome", 1)
    assert "hello (en): skip · suppressed" in shown.out
    assert "Subject: Thank you for your interest, 台灣精機" in shown.out
    assert "plan" in run("campaign", "status", "welcome", "--lead", 1).out
    run("touch", "unsuppress", "wang@example.com")
    assert run("campaign", "apply", plan_id).code == 0
    sent = run("touch", "list", "--campaign", "welcome", "--format", "jsonl")
    assert len(sent.out.splitlines()) == 2


def test_rows_for_scripts(run: Callable[..., Any]) -> None:
    plan = run("campaign", "plan", "welcome", "--format", "csv")
    assert plan.out.splitlines()[0] == "lead_id,step,action,reason,due_at,recipient,owner"
    assert len(plan.out.splitlines()) == 4
    listing = run("campaign", "list", "--format", "json").json["result"]
    assert [c["campaign"] for c in listing] == ["price-list", "satisfaction", "spring-webinar", "welcome"]


def test_pausing(run: Callable[..., Any]) -> None:
    plan_id = run("campaign", "plan", "welcome", "--format", "json").json["result"]["plan_id"]
    assert run("campaign", "pause", "welcome").out == "welcome is paused now.\n"
    answer = run("campaign", "apply", plan_id)
    assert (answer.code, "welcome is paused by" in answer.err) == (2, True)
    assert run("campaign", "unpause", "welcome").code == 0
    assert run("campaign", "apply", plan_id).code == 0


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        pytest.param(["plan", "welcom"], 2, "there is no campaign 'welcom'", id="no-such-campaign"),
        pytest.param(["apply", "abcdef"], 2, "there is no plan 'abcdef'", id="no-such-plan"),
        pytest.param(["preview", "welcome", "99"], 2, "there is no lead 99", id="no-such-lead"),
    ],
)
def test_mistakes(run: Callable[..., Any], args: list[str], code: int, said: str) -> None:
    answer = run("campaign", *args)
    assert answer.code == code
    assert said in answer.err


def test_check_finds_what_is_wrong(run: Callable[..., Any]) -> None:
    assert run("campaign", "check").code == 0
    path = Path("campaigns/welcome.toml")
    path.write_text(path.read_text(encoding="utf-8").replace("status = 'new'", "statsu = 'new'"), encoding="utf-8")
    answer = run("campaign", "check", "welcome")
    assert answer.code == 2
    assert "✗ welcome:" in answer.out
    assert 'Did you mean "status"?' in answer.out


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("UTC", "2026-03-08 07:30"),
        ("Asia/Taipei", "2026-03-08 15:30 (07:30 UTC)"),
        ("America/Los_Angeles", "2026-03-07 23:30 (2026-03-08 07:30 UTC)"),
    ],
)
def test_an_opening_is_told_here_and_in_utc(zone: str, said: str) -> None:
    """Nobody has to guess which of the two it is."""
    assert local_and_utc(datetime(2026, 3, 8, 7, 30), zone) == said
