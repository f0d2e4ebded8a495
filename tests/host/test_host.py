"""The host against plugins that are really installed: distributions with metadata in a folder on sys.path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import ConfigError, NotFound, PluginError
from sfactl.host import Host


def host(tmp_path: Path, notes: list[str] | None = None, **more: object) -> Host:
    notes = [] if notes is None else notes
    return Host(folder=tmp_path, cache=tmp_path / "cache", on_note=notes.append, **more)  # type: ignore[arg-type]


def test_a_source_is_found_and_made_with_its_settings(site: Any, tmp_path: Path) -> None:
    site.source("sfactl-source-good", "good")
    found = host(tmp_path).offers("lead_source")["good"]
    assert (found.dist, found.version, found.plugin) == ("sfactl-source-good", "1.2", "source-good")
    source = host(tmp_path).make(
        "lead_source", "good", {"schema": 1, "use": "good", "url": "http://x.test"}, where="a.toml"
    )
    assert source.settings.url == "http://x.test"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"urll": "x"}, "a.toml: urll: unknown key. Did you mean 'url'?"),
        ({"url": 3}, "a.toml: url: 3 is not text"),
        ({"token": "s3cret"}, "a.toml: token: a secret is written out here"),
        ({"token": 12345}, "a.toml: token: a secret is written out here"),
    ],
    ids=["unknown", "type", "secret", "secret of a wrong type"],
)
def test_wrong_settings_name_file_and_key(site: Any, tmp_path: Path, settings: dict[str, object], message: str) -> None:
    site.source("sfactl-source-good", "good")
    with pytest.raises(ConfigError) as caught:
        host(tmp_path).make("lead_source", "good", settings, where="a.toml")
    assert str(caught.value).startswith(message)
    assert "s3cret" not in str(caught.value)
    assert "12345" not in str(caught.value)


def test_an_unknown_name_is_told_with_the_nearest(site: Any, tmp_path: Path) -> None:
    site.source("sfactl-source-good", "good")
    with pytest.raises(NotFound) as caught:
        host(tmp_path).find("lead_source", "goood")
    assert caught.value.hint == "Did you mean good?"


BROKEN = {
    "import": ("import no_such_module_at_all", "ModuleNotFoundError"),
    "exit": ("raise SystemExit(3)", "SystemExit: 3"),
    "hook name": (
        "from sfactl.api import hookimpl\n@hookimpl\ndef sfactl_lead_source(): return ()\n",
        "there is no hook sfactl_lead_source",
    ),
    "hook argument": (
        "from sfactl.api import hookimpl\n@hookimpl\ndef sfactl_lead_sources(x): return ()\n",
        "PluginValidationError",
    ),
    "answer raises": (
        "from sfactl.api import hookimpl\n@hookimpl\ndef sfactl_lead_sources():\n    yield 1 / 0\n",
        "ZeroDivisionError",
    ),
    "answer of a wrong type": (
        "from sfactl.api import hookimpl\n@hookimpl\ndef sfactl_lead_sources(): return 'good'\n",
        "sfactl_lead_sources answered 'good', not offers",
    ),
    "answer is no list": (
        "from sfactl.api import hookimpl\n@hookimpl\ndef sfactl_lead_sources(): return 3\n",
        "sfactl_lead_sources answered 3, not offers",
    ),
    "answer holds something else": (
        "from sfactl.api import hookimpl\n@hookimpl\ndef sfactl_lead_sources(): return [3]\n",
        "it is a int, not a LeadSourceOffer",
    ),
    "api version": ("SFACTL_API = '2.0'", "it needs sfactl.api 2.0"),
}


@pytest.mark.parametrize(("code", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_named_and_the_others_carry_on(site: Any, tmp_path: Path, code: str, message: str) -> None:
    site.install("sfactl-source-bad", code)
    site.source("sfactl-source-good", "good")
    notes: list[str] = []
    tool = host(tmp_path, notes)
    assert "good" in tool.offers("lead_source")
    (fault,) = [f for f in tool.faults if f.plugin == "source-bad"]
    assert (fault.dist, fault.version) == ("sfactl-source-bad", "1.2")
    assert message in fault.message
    assert fault.traceback
    (note,) = [note for note in notes if "source-bad" in note]
    assert "source-bad (sfactl-source-bad 1.2)" in note


def test_a_clash_names_both_and_only_when_it_is_used(site: Any, tmp_path: Path) -> None:
    site.source("sfactl-source-one", "same")
    site.source("sfactl-source-two", "same")
    site.source("sfactl-source-good", "good")
    tool = host(tmp_path)
    assert "good" in tool.offers("lead_source")
    with pytest.raises(PluginError, match=r"sfactl-source-one 1\.2 and sfactl-source-two 1\.2"):
        tool.find("lead_source", "same")
    assert "same" in host(tmp_path, disabled=["sfactl-source-one"]).offers("lead_source")


def test_a_disabled_plugin_is_not_imported(site: Any, tmp_path: Path) -> None:
    site.install("sfactl-source-bad", "raise SystemExit('imported')")
    for name in ("source-bad", "sfactl-source-bad", "Sfactl_Source.Bad"):
        tool = host(tmp_path, disabled=[name])
        assert tool.offers("lead_source") is not None
        assert [f for f in tool.faults if f.plugin == "source-bad"] == []
        assert [p.state for p in tool.plugins() if p.origin.dist == "sfactl-source-bad"] == ["disabled"]


def test_what_a_plugin_prints_stays_off_stdout(site: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.source("sfactl-source-loud", "loud", before="print('hello')")
    assert "loud" in host(tmp_path).offers("lead_source")
    assert capsys.readouterr().out == ""


def test_a_slow_plugin_is_named(site: Any, tmp_path: Path) -> None:
    site.source("sfactl-source-slow", "slow")
    notes: list[str] = []
    tool = host(tmp_path, notes, slow_s=0.0)
    assert [p.slow for p in tool.plugins() if p.origin.dist == "sfactl-source-slow"] == [True]
    assert any("source-slow" in note and "slow" in note for note in notes)


NOTICE = """
from sfactl.api import hookimpl
@hookimpl
def sfactl_after_leads_pulled(summary):
    summary["rows"] = 0
    raise ValueError("no such table")
"""


def test_a_notice_that_fails_is_recorded_and_changes_nothing(site: Any, tmp_path: Path) -> None:
    (tmp_path / ".sfactl").mkdir()
    site.install("sfactl-note-bad", NOTICE)
    notes: list[str] = []
    tool = host(tmp_path, notes)
    summary = {"rows": 3}
    tool.notify("sfactl_after_leads_pulled", summary)
    assert summary == {"rows": 3}
    assert [f.stage for f in tool.faults if f.plugin == "note-bad"] == ["sfactl_after_leads_pulled"]
    assert any("ValueError: no such table" in note for note in notes)
    (later,) = [p for p in host(tmp_path).plugins() if p.origin.dist == "sfactl-note-bad"]
    assert [f.message for f in later.earlier] == ["ValueError: no such table"]
