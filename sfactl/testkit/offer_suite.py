"""What every kind of offer must hold to, and the fixtures that the suites of the four main kinds share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sfactl.api.errors import ConfigError
from sfactl.host import Host
from sfactl.host.builtin import BUILTIN
from sfactl.host.conformance import check_imports, check_offer
from sfactl.host.model import Origin

NOW = datetime(2026, 3, 2, 9, 30)
"""The time of the run in every suite, so that tests do not depend on the day they run."""

HEAVY = ("pyarrow", "duckdb", "numpy", "pandas", "requests", "sqlglot", "sklearn")

Make = Callable[..., Any]


class OfferSuite:
    """Inherit a suite, set ``plugin`` and ``offer``, and give ``settings`` where the offer needs them.

    ``plugin`` is the module that the entry point names, ``offer`` the name of the offer under test. The fixture
    ``make`` answers a new object each time it is called, with the settings of the fixture ``settings`` and, on top,
    those given by name.
    """

    kind: ClassVar[str] = ""
    plugin: ClassVar[str] = ""
    offer: ClassVar[str] = ""

    @pytest.fixture
    def settings(self) -> Mapping[str, Any]:
        """The settings under test, as they stand in the TOML file. Override where the offer has any that matter."""
        return {}

    @pytest.fixture
    def workspace(self, tmp_path: Path) -> Path:
        """An empty workspace folder."""
        folder = tmp_path / "workspace"
        folder.mkdir()
        (folder / "sfactl.toml").write_text('schema = 1\n\n[workspace]\nname = "test"\n', encoding="utf-8")
        return folder

    @pytest.fixture
    def host(self, workspace: Path) -> Iterator[Host]:
        """A host that knows sfactl's own plugins and the one under test."""
        # What is built in is there already; named a second time it would clash with itself.
        origins = () if self._is_builtin() else (self._origin(),)
        host = Host(folder=workspace, tenant="test", now=lambda: NOW, origins=origins)
        yield host
        host.close()

    @pytest.fixture
    def make(self, host: Host, settings: Mapping[str, Any]) -> Make:
        """Make the object under test, as the core would."""

        def new(**more: Any) -> Any:
            return host.make(self.kind, self.offer, {**settings, **more}, where="test.toml")

        return new

    def _origin(self) -> Origin:
        return Origin(name=self.offer, value=self.plugin, dist=self.plugin.replace("_", "-"), version="0")

    def _is_builtin(self) -> bool:
        return self.plugin in BUILTIN.values()

    def test_the_plugin_loads_without_faults(self, host: Host) -> None:
        """The plugin is imported, registered and asked without anything going wrong."""
        assert [fault for fault in host.faults if fault.plugin == self._origin().name] == []
        assert self.offer in host.offers(self.kind)

    def test_the_offer_keeps_the_contract(self, host: Host) -> None:
        """The target and settings exist, fit their protocol, and declare what they use."""
        failed = [check for check in check_offer(host.find(self.kind, self.offer)) if check.verdict == "failed"]
        assert failed == []

    def test_only_the_public_api_is_imported(self) -> None:
        """Of sfactl, the package imports `sfactl.api` only. (What is built in may do otherwise.)"""
        if self._is_builtin():
            return
        check = check_imports(self._origin())
        assert check.verdict == "ok", check.detail

    def test_an_unknown_setting_is_refused(self, make: Make) -> None:
        """A misspelt key is an error, not ignored."""
        with pytest.raises(ConfigError):
            make(no_such_setting_anywhere=1)

    def test_a_secret_written_out_is_refused(self, host: Host, make: Make) -> None:
        """Each setting declared as a secret takes references only."""
        for name in host.find(self.kind, self.offer).offer.secrets:
            with pytest.raises(ConfigError) as caught:
                make(**{name: "opensesame"})
            assert "opensesame" not in f"{caught.value}{caught.value.hint}"

    def test_offering_costs_nothing(self) -> None:
        """Importing the plugin's module imports nothing heavy: that waits until the offer is used."""
        code = f"import sys, {self.plugin}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.split() == []
