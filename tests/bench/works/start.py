"""``sfactl --help`` with twenty plugins installed, beside the bare import of click."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import SFACTL, best

PLUGINS = 20


def run(size: Size, place: Place) -> Iterator[Measured]:
    folder = place.once("plugins", install)
    times = 3 if place.quick else 15
    env = {"PYTHONPATH": str(folder)}
    for words in (["--help"], ["report", "--help"]):
        # In turns, so that both see the same state of the machine.
        bare = best([sys.executable, "-c", "import click"], times, env=env)
        ours = best([*SFACTL, *words], times, env=env)
        yield Measured(
            name="start",
            size=f"{PLUGINS} plugins",
            seconds=ours.seconds,
            bare_seconds=bare.seconds,
            rss_mb=ours.rss_mb,
            value=ours.seconds / bare.seconds,
            unit="×",
            bar=3,
            note=f"sfactl {' '.join(words)} / import click",
        )


def install(folder: Path) -> None:
    """Put twenty distributions with an entry point each where Python finds them."""
    for n in range(PLUGINS):
        module = f"sfactl_source_bench{n}"
        (folder / f"{module}.py").write_text("raise RuntimeError('help must not import plugins')\n")
        info = folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: sfactl-source-bench{n}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[sfactl]\nbench{n} = {module}\n")


BENCH = Bench(name="start", summary="sfactl --help with 20 plugins", run=run, sized=False)
