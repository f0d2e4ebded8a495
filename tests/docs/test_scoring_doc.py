"""The guide to scores happens as it is told there, on a year of made-up leads."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from tests.docs.console import ROOT, blocks, follow, quiet_environment

GUIDE = ROOT / "docs" / "scoring.md"
LEADS = 600


def write_history(path: Path) -> None:
    """Leads of one year; who looks at many pages, or comes by referral, buys more often. Minutes came with the deal."""
    draw = random.Random(7)
    with path.open("w", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(["ID", "Country", "Source", "Pages", "Minutes", "Bought", "Closed"])
        for n in range(1, LEADS + 1):
            source = draw.choice(["fair", "web", "web", "referral"])
            pages = min(40, int(draw.expovariate(1 / 6)))
            won = draw.random() < 0.08 + 0.25 * (source == "referral") + 0.02 * pages
            minutes = draw.randrange(40, 90) if won else draw.randrange(0, 35)
            closed = f"2026-{1 + n * 9 // LEADS:02d}-{1 + n % 28:02d}"
            country = draw.choice(["TW", "TW", "JP", "DE", ""])
            sheet.writerow([f"L{n}", country, source, pages, minutes, "yes" if won else "no", closed])


def test_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-23T03:00")
    write_history(tmp_path / "year.csv")
    follow([block for block in blocks(GUIDE) if block.language != "text"], capsys, monkeypatch)
