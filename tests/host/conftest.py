"""Plugins that are really installed: distributions with metadata in a folder on sys.path."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = """
import dataclasses
from sfactl.api import hookimpl
from sfactl.api.offers import LeadSourceOffer

@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    url: str = "https://example.com"
    token: str = ""

class Source:
    def __init__(self, settings, context):
        self.settings, self.context = settings, context
    def check(self):
        return None
    def pull(self, cursor):
        return iter(())

@hookimpl
def sfactl_lead_sources():
    yield LeadSourceOffer(name="{name}", summary="A source", target=__name__ + ":Source",
                          settings=__name__ + ":Settings", hosts=("setting:url",), secrets=("token",))
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A folder like site-packages, and a command line that sees it."""

    folder: Path
    cache: Path

    def install(self, dist: str, code: str, *, version: str = "1.2", points: str | None = None) -> Path:
        """Install a distribution made of one module; answers its metadata folder."""
        module = dist.replace("-", "_")
        (self.folder / f"{module}.py").write_text(code, encoding="utf-8")
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n", encoding="utf-8")
        named = points or f"[sfactl]\n{dist.removeprefix('sfactl-')} = {module}\n"
        (info / "entry_points.txt").write_text(named, encoding="utf-8")
        return info

    def source(self, dist: str, name: str, *, before: str = "") -> Path:
        """Install a distribution that offers the lead source ``name``; its module begins with the line ``before``."""
        return self.install(dist, f"{before}\n{SOURCE.replace('{name}', name)}")

    def sfactl(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run ``sfactl`` as a process, in an empty folder."""
        return subprocess.run(
            [sys.executable, "-m", "sfactl", *arguments],
            cwd=self.folder.parent,
            env={**os.environ, "PYTHONPATH": self.path, "SFACTL_CACHE_DIR": str(self.cache), **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def path(self) -> str:
        """PYTHONPATH with the folder first."""
        project = Path(__file__).resolve().parents[2]
        return os.pathsep.join([str(self.folder), str(project)])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty folder on sys.path to install plugins into."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield Site(folder, tmp_path / "cache")
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]
