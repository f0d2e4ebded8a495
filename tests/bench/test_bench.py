"""The benchmarks run at a tiny size, so that they do not rot. Nothing here asserts how fast anything is."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.bench.rows import BENCHES

OVER_SMTP = ("dispatch", "pipelining")
ROOT = Path(__file__).resolve().parents[2]
SMTP = pytest.mark.skipif(find_spec("sfactl_sender_smtp") is None, reason="sfactl-sender-smtp is not installed")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the benchmarks say of themselves, all run at once so that they share a workspace."""
    folder = tmp_path_factory.mktemp("bench")
    names = [name for name in BENCHES if name not in OVER_SMTP or find_spec("sfactl_sender_smtp")]
    options = {"--leads": "300", "--events": "2000", "--work": str(folder), "--json": str(folder / "bench.json")}
    words = [*names, "--quick", "--full-size-only", *(word for pair in options.items() for word in pair)]
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found: dict[str, Any] = json.loads((folder / "bench.json").read_text())
    assert (answer.returncode, found["failed"]) == (0, {}), answer.stderr
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(n, marks=SMTP if n in OVER_SMTP else ()) for n in BENCHES])
def test_benchmark_runs(said: dict[str, Any], name: str) -> None:
    rows = [row for row in said["rows"] if row["name"] == name]
    assert rows
    assert all(row["seconds"] > 0 and row["value"] > 0 for row in rows)
    assert said["machine"]["cores"] >= 1


def test_unknown_benchmark_is_named() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench", "speed"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert "there is no benchmark 'speed'" in answer.stderr
