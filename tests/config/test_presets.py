"""Every file of every preset loads, and a workspace made from it is in order."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfactl.cli.main import main
from sfactl.config.presets import preset_folder, preset_names, presets_folder

FILES = sorted(p for p in presets_folder().rglob("*") if p.is_file())
Call = Callable[..., Any]


def _name(path: Path) -> str:
    return path.relative_to(presets_folder()).as_posix()


def test_the_presets_are_found() -> None:
    assert "b2b" in preset_names()
    assert (preset_folder("b2b") / "sfactl.toml").is_file()


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix == ".toml"], ids=_name)
def test_every_toml_file_states_its_version(path: Path) -> None:
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    assert raw["schema"] == 1


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_every_file_is_text_that_ends_with_a_line(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert "\t" not in text
    assert "\r" not in text


@pytest.mark.parametrize("preset", preset_names())
def test_a_workspace_of_it_is_in_order(
    preset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "acme", "--preset", preset]) == 0
    code = main(["-w", "acme", "config", "check"])
    assert code == 0, capsys.readouterr().out
    brought = {p.relative_to(tmp_path / "acme").as_posix() for p in (tmp_path / "acme").rglob("*") if p.is_file()}
    wanted = {p.relative_to(preset_folder(preset)).as_posix() for p in preset_folder(preset).rglob("*") if p.is_file()}
    assert wanted <= brought
