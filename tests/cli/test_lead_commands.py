"""``sfactl lead`` and ``sfactl source`` as they are called: output, envelope and exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

FILE = "name,email\nMing,a@example.tw\nMei,wrong\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with one good and one bad row."""
    path = tmp_path / "expo.csv"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_import_for_people(acme: Path, sfactl, file: Path) -> None:
    answer = sfactl("-w", acme, "lead", "import", file)
    assert answer.code == 3
    assert answer.out.splitlines() == [
        "Reading expo.csv (ASCII, comma, header in row 1)",
        "Mapped 2 of 2 columns: name→full_name, email→email",
        "  2 rows · 1 new · 0 updated · 0 unchanged · 1 rejected → rejects/expo.csv",
        "  Why rejected: 1 e-mail not valid (row 3)",
        "Commit 1. Undo with: sfactl data undo 1",
    ]


def test_import_for_scripts(acme: Path, sfactl, file: Path) -> None:
    answer = sfactl("-w", acme, "lead", "import", file, "--format", "json")
    result = answer.json["result"]
    assert answer.code == 3
    assert {k: result[k] for k in ("rows", "new", "updated", "unchanged", "rejected")} == {
        "rows": 2, "new": 1, "updated": 0, "unchanged": 0, "rejected": 1,
    }  # fmt: skip


def test_dry_run_says_so_first(acme: Path, sfactl, file: Path) -> None:
    answer = sfactl("-w", acme, "lead", "import", file, "--dry-run")
    assert answer.out.splitlines()[0] == "Dry run: nothing is written."
    assert "Commit" not in answer.out
    assert not (acme / "rejects").exists()


def test_undo_takes_an_import_back(acme: Path, sfactl, file: Path) -> None:
    sfactl("-w", acme, "lead", "import", file)
    assert sfactl("-w", acme, "data", "undo", "1").code == 0
    assert sfactl("-w", acme, "lead", "list", "--format", "json").json["result"] == []
    assert "1 new" in sfactl("-w", acme, "lead", "import", file).out


def test_list_show_set(acme: Path, sfactl, file: Path) -> None:
    sfactl("-w", acme, "lead", "import", file)
    answer = sfactl(
        "-w", acme, "lead", "list", "--where", "email is not null", "--columns", "id,email", "--format", "csv"
    )
    assert answer.out.splitlines() == ["id,email", "1,a@example.tw"]
    assert sfactl("-w", acme, "lead", "list", "--where", "email is null", "--fail-empty").code == 4
    assert sfactl("-w", acme, "lead", "show", "A@example.tw").out.startswith("lead:1 · Ming · new\n")
    answer = sfactl("-w", acme, "lead", "set", "1", "title=CEO", "city=Taipei")
    assert answer.out.splitlines()[:2] == ["lead:1 title: – → CEO", "lead:1 city: – → Taipei"]
    assert sfactl("-w", acme, "lead", "set", "1", "title").code == 2


def test_pull_of_a_bad_source_beside_a_good_one(acme: Path, sfactl, file: Path) -> None:
    (acme / "sources").mkdir(exist_ok=True)
    (acme / "sources/good.toml").write_text(f'schema = 1\nuse = "file"\npath = "{file.as_posix()}"\n', encoding="utf-8")
    (acme / "sources/bad.toml").write_text('schema = 1\nuse = "nothing"\n', encoding="utf-8")
    answer = sfactl("-w", acme, "lead", "pull", "bad", "good")
    assert answer.code == 3
    assert "bad: error [not-found] there is no lead source 'nothing'" in answer.out
    assert "good: 2 rows · 1 new" in answer.out
    assert sfactl("-w", acme, "lead", "pull", "bad").code == 1
    assert sfactl("-w", acme, "source", "check", "bad").code == 1
    assert sfactl("-w", acme, "source", "check", "good").code == 0
    assert sfactl("-w", acme, "lead", "pull").code == 2
