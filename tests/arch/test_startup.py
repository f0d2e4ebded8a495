"""Help and light commands stay fast: they import nothing heavy and no plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "pyarrow",
    "duckdb",
    "_duckdb",
    "sqlglot",
    "numpy",
    "scipy",
    "requests",
    "jinja2",
    "babel",
    "tomlkit",
    "tabulate",
)

CODE = """
import contextlib, io, sys
from sfactl.cli.main import main
with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
    code = main(sys.argv[1:])
heavy = set({heavy!r}) & set(sys.modules)
plugins = [m for m in sys.modules if m.startswith("sfactl_") or (m.startswith("sfactl.") and m.endswith(".plugin"))]
plugins = [m for m in plugins if m != "sfactl.cli.plugin"]
print(code, *sorted(heavy), *plugins)
"""


def _groups() -> list[str]:
    from sfactl.cli.groups import GROUPS, exists

    return [name for name in GROUPS if exists(name)]


def _imported(*args: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(heavy=HEAVY), *args], capture_output=True, text=True, check=True, cwd=cwd
    )
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["completion", "bash"], ["ldea"]], ids=" ".join)
def test_light_calls_import_nothing_heavy(args: list[str]) -> None:
    assert _imported(*args) in ("0", "2")


@pytest.mark.parametrize("group", _groups())
def test_the_help_of_a_group_imports_nothing_heavy(group: str) -> None:
    # The commands under x are the plugins' own: to list them is to ask the plugins.
    imported = _imported(group, "--help").split()
    heavy = [n for n in imported if group != "x" or not (n.endswith(".plugin") or n.startswith("sfactl_"))]
    assert heavy == ["0"]


@pytest.mark.parametrize(
    "args", [["config", "get", "workspace.name"], ["config", "list"], ["config", "explain", "preset"]], ids=" ".join
)
def test_reading_settings_imports_nothing_heavy(args: list[str], tmp_path: Path) -> None:
    (tmp_path / "sfactl.toml").write_text('schema = 1\npreset = "b2b"\n', encoding="utf-8")
    assert _imported(*args, cwd=tmp_path) == "0"


def test_one_lead_is_shown_without_what_writes_or_compiles(tmp_path: Path) -> None:
    from sfactl.workspace import Workspace

    (tmp_path / "sfactl.toml").write_text("schema = 1\n", encoding="utf-8")
    Workspace.create(tmp_path).close()
    assert _imported("lead", "show", "1", cwd=tmp_path) == "2 _duckdb"  # no such lead: 2
