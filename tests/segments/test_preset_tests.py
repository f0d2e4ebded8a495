"""The cases that the preset ships for its segments of customers to win back and to sell more to come out as they say."""

from __future__ import annotations

from pathlib import Path

from tests.proofs.proving import PRESET, preset, proved


def test_the_cases_of_the_preset(tmp_path: Path) -> None:
    report = proved(preset(tmp_path / "ws"), (PRESET / "tests" / "winback.toml").read_text(encoding="utf-8"))
    assert (report.failures, report.invalid) == ((), ())
    assert report.passed == report.cases > 20
