"""``sfactl strategy test`` of the preset's own tests, as often as it takes for a thousand cases."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import SFACTL, BenchFailed, best, ran

CASES = 1000
BAR_SECONDS = 5


def run(size: Size, place: Place) -> Iterator[Measured]:
    """The preset's tests as they are, and copies of them: the same rules, kinds and clocks, asked about more cases."""
    del size
    folder = place.folder / "tested"
    ran([*SFACTL, "init", folder, "--preset", "b2b"])
    own = sorted((folder / "tests").glob("*.toml"))
    shipped = tested(folder, own[:1] if place.quick else own, 1 if place.quick else 3)
    yield measured(shipped, f"{shipped[0]:,} cases of the preset")
    if place.quick:
        return
    copies = -(-CASES // shipped[0])
    for number in range(2, copies + 1):
        for path in own:
            shutil.copy(path, path.with_stem(f"{path.stem}-{number}"))
    many = tested(folder, sorted((folder / "tests").glob("*.toml")), 3)
    yield measured(many, f"{many[0]:,} cases of the preset, {copies} times each")


def tested(folder: Path, files: list[Path], times: int) -> tuple[int, float, float]:
    """How many cases passed, in how many seconds and megabytes. Raises `BenchFailed` where one does not."""
    done = best([*SFACTL, "-w", folder, "strategy", "test", *files, "--format", "json"], times)
    result = json.loads(done.out)["result"]
    if result["passed"] != result["cases"]:
        raise BenchFailed(f"{result['cases'] - result['passed']} cases of the preset failed")
    return result["cases"], done.seconds, done.rss_mb


def measured(told: tuple[int, float, float], size: str) -> Measured:
    """The row of one run."""
    cases, seconds, rss_mb = told
    return Measured(
        name="strategy-test",
        size=size,
        seconds=seconds,
        bare_seconds=None,
        rss_mb=rss_mb,
        value=seconds,
        unit="s",
        bar=BAR_SECONDS,
        note=f"{1000 * seconds / cases:.1f} ms a case",
    )


BENCH = Bench(name="strategy-test", summary="tests of rules, a thousand cases of all kinds", run=run, sized=False)
