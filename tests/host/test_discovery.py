"""Discovery remembers what is installed, and never for longer than it is true."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import pytest

from sfactl.host import discovery

OLD = 1_600_000_000


@pytest.fixture
def alone(site: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Only the site's own plugins, none of the environment's."""
    monkeypatch.setattr(sys, "path", [str(site.folder)])
    others = [finder for finder in sys.meta_path if not hasattr(finder, "find_distributions")]
    monkeypatch.setattr(sys, "meta_path", [*others, PathFinder])
    return site


def names(site: Any) -> list[str]:
    return [origin.name for origin in discovery.installed(site.cache)]


def settle(site: Any, at: int = OLD) -> None:
    """Make everything look as if it had been installed long ago."""
    for path in [*site.folder.rglob("*"), site.folder]:
        os.utime(path, (at, at))


def scans(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often the metadata is really read."""
    counted: list[int] = []
    real = importlib.metadata.entry_points

    def counting(**more: Any) -> Any:
        counted.append(1)
        return real(**more)

    monkeypatch.setattr(importlib.metadata, "entry_points", counting)
    return counted


def test_a_second_look_reads_no_metadata(alone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alone.source("sfactl-source-one", "one")
    settle(alone)
    counted = scans(monkeypatch)
    assert names(alone) == names(alone) == ["source-one"]
    assert len(counted) == 1


def test_what_changed_a_moment_ago_is_not_remembered(alone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alone.source("sfactl-source-one", "one")
    counted = scans(monkeypatch)
    assert names(alone) == names(alone) == ["source-one"]
    assert len(counted) == 2


@pytest.mark.parametrize("change", ["install", "uninstall", "upgrade", "edit"])
def test_every_change_is_seen(alone: Any, change: str) -> None:
    info = alone.source("sfactl-source-one", "one")
    settle(alone)
    before = discovery.installed(alone.cache)
    if change == "install":
        alone.source("sfactl-source-two", "two")
    elif change == "uninstall":
        shutil.rmtree(info)
    elif change == "upgrade":
        shutil.rmtree(info)
        alone.install("sfactl-source-one", "", version="2.0")
    else:
        (info / "entry_points.txt").write_text("[sfactl]\nanother = sfactl_source_one\n")
        os.utime(alone.folder, (OLD, OLD))
    after = discovery.installed(alone.cache)
    assert after != before
    assert after == discovery.installed(None)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": 99}', '{"schema": 1, "python": 3}', "\x00\xff", "null"], ids=repr
)
def test_a_memory_that_is_torn_or_foreign_means_a_new_scan(alone: Any, text: str) -> None:
    alone.source("sfactl-source-one", "one")
    settle(alone)
    names(alone)
    (memory,) = alone.cache.iterdir()
    memory.write_text(text)
    assert names(alone) == ["source-one"]
    assert names(alone) == ["source-one"]


def test_rows_that_no_longer_fit_mean_a_new_scan(alone: Any) -> None:
    alone.source("sfactl-source-one", "one")
    settle(alone)
    names(alone)
    (memory,) = alone.cache.iterdir()
    memory.write_text(memory.read_text().replace('"value"', '"worth"'))
    assert names(alone) == ["source-one"]


def test_a_cache_that_cannot_be_written_is_no_error(alone: Any, tmp_path: Path) -> None:
    alone.source("sfactl-source-one", "one")
    settle(alone)
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert names(alone) == ["source-one"]


def test_a_distribution_without_metadata_is_still_reported(alone: Any) -> None:
    info = alone.source("sfactl-source-one", "one")
    (info / "METADATA").unlink()
    assert names(alone) == ["source-one"]
