"""A workspace with rules and tests, and the report of running them."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from sfactl.config.settings import Settings
from sfactl.proofs.model import Report
from sfactl.proofs.usecases.running import Options, run
from sfactl.session import open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 11, 24, 10)
PRESET = Path(__file__).parents[2] / "configs" / "b2b"


def preset(folder: Path) -> Path:
    """A workspace with the preset's rules and no tests."""
    Workspace.create(folder).close()
    shutil.copytree(PRESET, folder, dirs_exist_ok=True)
    shutil.rmtree(folder / "tests")
    (folder / "tests").mkdir()
    return folder


def proved(folder: Path, text: str = "", options: Options | None = None) -> Report:
    """The report of the tests in ``text``, or of all in the workspace."""
    paths = []
    if text:
        path = folder / "tests" / "own.toml"
        path.write_text(text, encoding="utf-8")
        paths = [path]
    with open_session(folder, settings=Settings(), command="test", actor="tester") as session:
        return run(session, paths, options)
