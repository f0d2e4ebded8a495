"""What all tests share: real data beside the project, and what keeps thousands of small workspaces cheap."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from sfactl.engine import duck
from sfactl.workspace import manifest

# A busy machine is no failure: nothing here is judged by the clock.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# Tests start hundreds of processes: none should compile what another has compiled, whatever the shell says.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What workspaces of tests remember outside themselves is not the user's.
os.environ["SFACTL_STATE_DIR"] = str(Path(tempfile.gettempdir()) / f"sfactl-state-{os.getuid()}")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real third-party data that may lie beside the project."""
    folder = Path(__file__).resolve().parents[1] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the project: real data is not copied into it")
    return folder


@pytest.fixture(scope="module", autouse=True)
def one_engine() -> Iterator[None]:
    """All workspaces of a test file share an engine: to start one takes longer than most statements of a test."""
    connected = duck._connected
    patch = pytest.MonkeyPatch()
    patch.setattr(duck, "_connected", lambda limits: connected(replace(limits, spill=None)))
    yield
    patch.undo()
    duck._engines.clear()  # with what it remembers of files that are gone


@pytest.fixture(scope="session", autouse=True)
def mains() -> Iterator[None]:
    """Nobody pulls the plug on the process of the tests, so it need not wait for the disk; those that are killed do."""
    patch = pytest.MonkeyPatch()
    patch.setattr(os, "fsync", lambda _: None)
    patch.setattr(manifest, "SYNCHRONOUS", "off")
    yield
    patch.undo()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with the longest tests go first, so that no worker is left with one of them at the end."""
    lasting = {item.path for item in items if item.get_closest_marker("crash") or item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in lasting)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file stays on one worker: what its tests share is made once."""
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)
