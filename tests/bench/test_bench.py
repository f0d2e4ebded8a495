"""The benchmarks run at a tiny size, so that they do not rot. Nothing here asserts how fast anything is."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMTP = pytest.mark.skipif(find_spec("sfactl_sender_smtp") is None, reason="sfactl-sender-smtp is not installed")
QUICK = [
    "start",
    "commit",
    "import",
    "show",
    "dedupe",
    "score",
    "segment",
    "assign",
    "plan",
    pytest.param("dispatch", marks=SMTP),
]


@pytest.mark.parametrize("name", QUICK)
def test_benchmark_runs(name: str, tmp_path: Path) -> None:
    options = {"--leads": "300", "--events": "2000", "--work": str(tmp_path), "--json": str(tmp_path / "bench.json")}
    words = [name, "--quick", "--full-size-only", *(word for pair in options.items() for word in pair)]
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    said = json.loads((tmp_path / "bench.json").read_text())
    assert said["failed"] == {}
    assert {row["name"] for row in said["rows"]} == {name}
    assert all(row["seconds"] > 0 and row["value"] > 0 for row in said["rows"])
    assert said["machine"]["cores"] >= 1


def test_unknown_benchmark_is_named() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench", "speed"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert "there is no benchmark 'speed'" in answer.stderr
