"""Every code block of the plugin guide is run: files are installed and tested, commands answer as shown."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "plugins.md"


@dataclass(frozen=True)
class Block:
    line: int
    language: str
    text: str

    @property
    def path(self) -> str:
        return self.text.partition("\n")[0].removeprefix("# ")


def blocks() -> list[Block]:
    text = GUIDE.read_text(encoding="utf-8")
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    return [Block(text[: m.start()].count("\n") + 1, m[1], m[2]) for m in found]


FILES = [block for block in blocks() if block.language in {"python", "toml"} and not block.path.endswith("(a part)")]
PARTS = [block for block in blocks() if block.path.endswith("(a part)")]
CONSOLE = [block for block in blocks() if block.language == "console"]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide's plugins, written down and installed: metadata in ``site``, sources on the path."""
    folder = tmp_path_factory.mktemp("guide")
    for block in FILES:
        path = folder / block.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    for pyproject in folder.glob("*/pyproject.toml"):
        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
        name, version = project["name"], project["version"]
        info = folder / "site" / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
        points = "\n".join(f"{key} = {value}" for key, value in project["entry-points"]["sfactl"].items())
        (info / "entry_points.txt").write_text(f"[sfactl]\n{points}\n", encoding="utf-8")
    return folder


def environment(shelf: Path) -> dict[str, str]:
    sources = [str(path) for path in sorted(shelf.glob("*/src"))]
    path = os.pathsep.join([*sources, str(shelf / "site"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "SFACTL_CACHE_DIR": str(shelf / "cache"), "COLUMNS": "200"}


def test_every_block_is_run() -> None:
    assert len(FILES) + len(PARTS) + len(CONSOLE) == len(blocks()) > 15


@pytest.mark.slow
@pytest.mark.parametrize("dist", sorted({b.path.split("/")[0] for b in FILES if "/tests/" in b.path}))
def test_the_tests_in_the_guide_pass(shelf: Path, dist: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(shelf / dist),
        str(shelf / dist),
    ]
    done = subprocess.run(command, cwd=shelf, env=environment(shelf), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("block", CONSOLE, ids=lambda block: f"line {block.line}")
def test_commands_answer_as_shown(shelf: Path, block: Block, tmp_path: Path) -> None:
    for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
        command, _, expected = part.partition("\n")
        words = shlex.split(command)
        assert words[0] == "sfactl"
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            env=environment(shelf),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        pattern = ".*".join(re.escape(piece) for piece in re.split(r" *… *", expected.rstrip()))
        assert re.fullmatch(pattern, done.stdout.rstrip(), re.S), f"{command}\n{done.stdout}"


@pytest.mark.parametrize("block", PARTS, ids=lambda block: f"line {block.line}")
def test_parts_are_as_generated(block: Block, tmp_path: Path) -> None:
    from sfactl.host.scaffold import new_plugin

    path = block.path.removesuffix(" (a part)")
    new_plugin("erp", "ledger", tmp_path)
    assert block.text.partition("\n")[2] in (tmp_path / path).read_text(encoding="utf-8")
