"""Two workspaces that travel is tried between: one with the rules of a preset, one with its settings alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sfactl.cli.init import create
from sfactl.config.layers import load_settings
from sfactl.session import Session, open_session
from sfactl.transfer import usecases
from sfactl.transfer.model import RULES, SINGLE, Kind
from sfactl.transfer.usecases.archiving import Exported, Imported
from sfactl.transfer.usecases.patching import Applied
from sfactl.transfer.usecases.placing import Check
from sfactl.workspace import Workspace


def unchecked(_: Session) -> frozenset[str]:
    """Finds nothing wrong."""
    return frozenset()


class Place:
    """One workspace, and what is done with its rules."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, path: str, text: str | bytes) -> None:
        """Write one of its files."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(text.encode() if isinstance(text, str) else text)

    def read(self, path: str) -> bytes:
        """The bytes of one of its files."""
        return (self.folder / path).read_bytes()

    def files(self) -> dict[str, bytes]:
        """All its files but the data."""
        found = (p for p in self.folder.rglob("*") if p.is_file() and ".sfactl" not in p.parts)
        return {p.relative_to(self.folder).as_posix(): p.read_bytes() for p in found}

    @contextmanager
    def session(self, *, dry_run: bool = False) -> Iterator[Session]:
        """Open it for one command."""
        settings = load_settings(self.folder, env=None, environ={}, no_plugins=())
        with open_session(
            self.folder, settings=settings, command="test", actor="mei", dry_run=dry_run, quiet=True
        ) as session:
            yield session

    def exported(self, *names: str, kind: Kind = "strategy", into: str = "rules.zip") -> tuple[Exported, Path]:
        """Export rules into a file beside the workspaces."""
        path = self.folder.parent / into
        with self.session() as session:
            return usecases.export_rules(session, kind, names, path), path

    def imported(
        self,
        path: Path,
        *,
        kind: Kind = "strategy",
        replace: bool = False,
        dry_run: bool = False,
        check: Check = unchecked,
    ) -> Imported:
        """Import rules from a file; whether they would be right here is asked only with a ``check``, which takes time."""
        with self.session(dry_run=dry_run) as session:
            return usecases.import_rules(session, kind, path, replace=replace, check=check)

    def patched(self, path: Path, check: Check = unchecked) -> Applied:
        """Apply a patch."""
        with self.session() as session:
            return usecases.apply_patch(session, path, check)


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("transfer") / "dev"
    create(folder, preset="b2b")
    shutil.rmtree(folder / ".sfactl")
    return folder


@pytest.fixture
def dev(_made: Path, tmp_path: Path) -> Place:
    """A workspace with all rules of the preset."""
    shutil.copytree(_made, tmp_path / "dev")
    Workspace.create(tmp_path / "dev").close()
    return Place(tmp_path / "dev")


@pytest.fixture
def prod(_made: Path, tmp_path: Path) -> Place:
    """A workspace with the same settings and sender, and no rules."""
    left_out = shutil.ignore_patterns(*RULES, *SINGLE, "*.csv")
    shutil.copytree(_made, tmp_path / "prod", ignore=left_out)
    Workspace.create(tmp_path / "prod").close()
    return Place(tmp_path / "prod")
