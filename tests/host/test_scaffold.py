"""``plugin new``: what it writes installs into a fresh virtual environment, passes its own tests and the check."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

from sfactl.api.errors import PolicyError, UserError
from sfactl.host.scaffold import PREFIXES, NewPlugin, new_plugin

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kind", PREFIXES)
def test_a_dry_run_names_the_files_and_writes_none(tmp_path: Path, kind: str) -> None:
    made = new_plugin(kind, "expo", tmp_path, dry_run=True)
    assert made.distribution == f"sfactl-{PREFIXES[kind]}-expo"
    assert list(tmp_path.iterdir()) == []
    assert made.files == new_plugin(kind, "expo", tmp_path).files
    written = [str(p.relative_to(made.folder)) for p in made.folder.rglob("*") if p.is_file()]
    assert sorted(written) == sorted(made.files)


@pytest.mark.parametrize("name", ["Expo", "1st", "a_b", "a--b", "a-", "../x", "class", ""])
def test_a_name_that_python_could_not_import_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError):
        new_plugin("sender", name, tmp_path)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    new_plugin("erp", "x", tmp_path)
    with pytest.raises(PolicyError, match="exists already"):
        new_plugin("erp", "x", tmp_path)


@pytest.fixture(scope="module")
def fresh_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment that sees the libraries of this one, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    shared = [sysconfig.get_path("purelib"), *site.getsitepackages(), str(ROOT)]
    lines = [f"import site; site.addsitedir({path!r})" for path in dict.fromkeys(shared)]
    (packages / "shared.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return python


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, fresh_python: Path) -> dict[str, NewPlugin]:
    """A new plugin of each kind, all installed in one go."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("plugins")
    made = {kind: new_plugin(kind, "expo-2026", folder) for kind in PREFIXES}
    # Not editable: the wheels themselves must hold everything.
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [sys.executable, "-m", "pip", "--python", fresh_python, "install", *options]
    run([*command, *(plugin.folder for plugin in made.values())], folder)
    return made


def run(command: Sequence[str | Path], folder: Path) -> str:
    clean = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "PYTEST_ADDOPTS"}}
    clean["SFACTL_CACHE_DIR"] = str(folder.parent / "cache")
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", PREFIXES)
def test_a_new_plugin_installs_and_passes_its_own_tests(
    installed: dict[str, NewPlugin], fresh_python: Path, kind: str
) -> None:
    made = installed[kind]
    assert " passed" in run([fresh_python, "-m", "pytest", "-q", "-p", "no:cacheprovider"], made.folder)
    said = run([fresh_python, "-m", "sfactl", "plugin", "check", made.distribution], made.folder)
    assert "In order." in said
