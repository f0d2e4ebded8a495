"""The whole loop at the prompt: every writing command is first run dry and must leave every byte as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]

LEADS = """\
Name,Email,Phone,Company,Country,Employees,Source,Budget
王小明,ming@tpm.com.tw,0912-345-678,台灣精密機械股份有限公司,TW,250,expo,1200000
Ada Byron,ada@analytic.co.uk,+44 20 7946 0958,Analytic Ltd,GB,400,web,90000
Hans Weber,weber@weber-maschinen.de,+49 30 901820,Weber Maschinen GmbH,DE,80,web,50000
"""

STEPS = (
    "config set workspace.currency TWD",
    "rep import reps.csv",
    "rep add lin --name 林美 --countries TW",
    "rep set lin --capacity 5",
    "data undo 3",
    "product import products.csv",
    "lead import leads.csv",
    "lead set lead:1 title=CEO",
    "lead clean",
    "score run",
    "segment build --all",
    "lead move lead:1 lead:2 --to mql --reason met",
    "lead qualify",
    "assign run",
    "assign set lead:1 --to lin --reason known",
    "lead move lead:1 lead:2 --to sql --reason called",
    "lead convert lead:1 --amount 1200000 --close 2026-12-31",
    "campaign plan welcome",
    "campaign approve {plan}",
    "campaign apply {plan}",
    "touch suppress weber@weber-maschinen.de --reason asked",
    "quote create --opportunity 1 --line LX-300=2",
    "quote send Q-1",
    "quote accept Q-1",
    "erp push",
    "erp pull",
    "data compact",
    "data gc",
)


def _bytes(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def _words(step: str, sfactl: Call) -> list[str]:
    """The arguments; ``{plan}`` stands for the newest plan."""
    if "{plan}" in step:
        rows = sfactl("sql", "select plan_id from plans", "--format", "json").json["result"]
        step = step.replace("{plan}", rows[-1]["plan_id"])
    return step.split()


@pytest.mark.slow
def test_a_dry_run_leaves_every_byte_as_it_was(sfactl: Call, acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(acme)
    monkeypatch.setenv("SFACTL_NOW", "2026-11-20T09:00:00")
    (acme / "leads.csv").write_text(LEADS, encoding="utf-8")
    for step in STEPS:
        words = _words(step, sfactl)
        before = _bytes(acme)
        dry = sfactl(*words, "--dry-run")
        assert dry.code in (0, 3), f"{step}: {dry.err}{dry.out}"
        after = _bytes(acme)
        assert after == before, f"{step}: {sorted(set(after.items()) ^ set(before.items()))}"
        done = sfactl(*words)
        assert done.code in (0, 3), f"{step}: {done.err}{done.out}"
    assert sfactl("data", "verify").code == 0
