"""A workspace from a preset, and the refusals that protect what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfactl.config.layers import load_settings

Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_init_copies_the_preset_and_names_the_next_step(sfactl: Call, tmp_path: Path) -> None:
    answer = sfactl("init", "acme", "--preset", "b2b")
    assert answer.code == 0
    first, second = answer.out.splitlines()
    assert first.startswith("Created workspace acme (preset b2b: ")
    assert second.startswith("Next: sfactl -w acme lead import FILE ")
    settings = load_settings(tmp_path / "acme")
    assert (settings.preset, settings.workspace.name) == ("b2b", "acme")
    assert (tmp_path / "acme" / ".sfactl" / "manifest.db").is_file()
    assert ".sfactl/" in (tmp_path / "acme" / ".gitignore").read_text(encoding="utf-8")


def test_the_comments_of_the_preset_survive(sfactl: Call, tmp_path: Path) -> None:
    sfactl("init", "acme")
    assert "# ISO 4217." in (tmp_path / "acme" / "sfactl.toml").read_text(encoding="utf-8")


def test_dry_run_writes_nothing(sfactl: Call, tmp_path: Path) -> None:
    answer = sfactl("init", "acme", "--dry-run")
    assert answer.code == 0
    assert answer.out.startswith("Would create workspace acme")
    assert list(tmp_path.iterdir()) == []


def test_json_lists_the_files(sfactl: Call) -> None:
    result = sfactl("init", "acme", "--format", "json").json["result"]
    assert result["written"] is True
    assert {"sfactl.toml", ".gitignore"} <= set(result["files"])


def test_a_second_init_is_refused(sfactl: Call) -> None:
    sfactl("init", "acme")
    answer = sfactl("init", "acme")
    assert answer.code == 2
    assert "there is a workspace here already" in answer.err


def test_a_file_of_the_user_is_not_overwritten(sfactl: Call, tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / ".gitignore").write_text("mine\n", encoding="utf-8")
    (tmp_path / "acme" / "reps.csv").write_text("mine\n", encoding="utf-8")
    answer = sfactl("init", "acme")
    assert answer.code == 2
    assert "would overwrite" in answer.err
    assert (tmp_path / "acme" / "reps.csv").read_text(encoding="utf-8") == "mine\n"
    assert not (tmp_path / "acme" / ".sfactl").exists()


def test_a_fresh_clone_gets_its_data_store_and_keeps_its_files(sfactl: Call, tmp_path: Path) -> None:
    text = 'schema = 1\n[workspace]\nname = "mine"\n'
    (tmp_path / "sfactl.toml").write_text(text, encoding="utf-8")
    answer = sfactl("init", ".")
    assert answer.code == 0, answer.err
    assert (tmp_path / "sfactl.toml").read_text(encoding="utf-8") == text
    assert (tmp_path / ".sfactl" / "manifest.db").is_file()


def test_an_unknown_preset_names_the_nearest(sfactl: Call, tmp_path: Path) -> None:
    answer = sfactl("init", "acme", "--preset", "b2c")
    assert answer.code == 2
    assert answer.err == "error [not-found] there is no preset 'b2c'\nDid you mean 'b2b'?\n"
    assert list(tmp_path.iterdir()) == []


WAYS = {
    "flag": (["-w", "acme"], {}, "."),
    "variable": ([], {"SFACTL_WORKSPACE": "acme"}, "."),
    "inside": ([], {}, "acme/stages"),
    "flag beats variable": (["-w", "acme"], {"SFACTL_WORKSPACE": "nowhere"}, "."),
}


@pytest.mark.parametrize(("args", "environ", "folder"), WAYS.values(), ids=WAYS)
def test_the_workspace_is_found(
    sfactl: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    environ: dict[str, str],
    folder: str,
) -> None:
    sfactl("init", "acme")
    (tmp_path / "acme" / "stages").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / folder)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert sfactl(*args, "config", "get", "workspace.name").out == "acme\n"
