"""Changing a setting keeps comments and order, checks before it saves, and saves whole or not at all."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.errors import ConfigError
from sfactl.config.edit import edited, set_value
from sfactl.config.layers import load_settings

TOML = """\
# Ours
schema = 1

[workspace]  # who we are
# ISO 4217
currency = "TWD"   # dollars of Taiwan

[fields.leads]

# What differs in production
[env.prod.workspace]
name = "live"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sfactl.toml").write_text(TOML, encoding="utf-8")
    (tmp_path / "senders").mkdir()
    (tmp_path / "senders" / "mail.toml").write_text("schema = 1\n# how\nuse = 'smtp'\n", encoding="utf-8")
    return tmp_path


def test_a_value_is_replaced_where_it_stands(folder: Path) -> None:
    change = set_value(folder, "workspace.currency", "JPY")
    assert (change.before, change.after, change.written) == ("TWD", "JPY", True)
    assert (folder / "sfactl.toml").read_text(encoding="utf-8") == TOML.replace('"TWD"', '"JPY"')


def test_a_new_key_goes_before_the_comment_of_the_next_table(folder: Path) -> None:
    set_value(folder, "fields.leads.vip", "boolean")
    text = (folder / "sfactl.toml").read_text(encoding="utf-8")
    assert '[fields.leads]\nvip = "boolean"\n\n# What differs in production\n[env.prod.workspace]' in text


def test_an_environment_is_set_apart(folder: Path) -> None:
    set_value(folder, "workspace.currency", "EUR", env="prod")
    assert load_settings(folder).workspace.currency == "TWD"
    assert load_settings(folder, env="prod").workspace.currency == "EUR"


def test_a_sender_is_set_in_its_own_file(folder: Path) -> None:
    set_value(folder, "senders.mail.port", "25")
    assert (folder / "senders" / "mail.toml").read_text(encoding="utf-8") == (
        "schema = 1\n# how\nuse = 'smtp'\nport = 25\n"
    )


def test_a_dry_run_changes_nothing(folder: Path) -> None:
    change = set_value(folder, "workspace.currency", "JPY", dry_run=True)
    assert not change.written
    assert (folder / "sfactl.toml").read_text(encoding="utf-8") == TOML


REFUSED = {
    "unknown key": ("workspace.curency", "JPY", "Did you mean 'workspace.currency'?"),
    "value": ("workspace.currency", "yen", "is not an ISO 4217 code"),
    "type": ("engine.threads", "two", "is not a whole number"),
    "secret": ("senders.mail.password", "hunter2", "a secret is written out here"),
    "no such sender": ("senders.sms.host", "x", "no such file"),
    "whole sender": ("senders.mail", "x", "name the table and the key"),
    "below a value": ("workspace.currency.x", "1", "is a value, not a table"),
}


@pytest.mark.parametrize(("key", "value", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_valid_leaves_the_files_as_they_were(folder: Path, key: str, value: str, message: str) -> None:
    before = {p: p.read_bytes() for p in folder.rglob("*.toml")}
    with pytest.raises(ConfigError) as caught:
        set_value(folder, key, value)
    assert message in caught.value.message
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}"
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_a_disk_that_fills_up_leaves_the_file_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        set_value(folder, "workspace.currency", "JPY")
    assert (folder / "sfactl.toml").read_text(encoding="utf-8") == TOML
    assert sorted(p.name for p in folder.iterdir()) == ["senders", "sfactl.toml"]


Name = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)


Value = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)


@settings(max_examples=50)
@given(st.lists(st.tuples(Name, Name, Value), max_size=8))
def test_any_order_of_changes_gives_the_document_they_describe(changes: list[tuple[str, str, str]]) -> None:
    text, expected = TOML, tomllib.loads(TOML)
    for table, key, value in changes:
        if not isinstance(expected.setdefault(table, {}), dict):
            continue
        text = edited(text, [table, key], value, "file")
        expected[table][key] = value
    assert tomllib.loads(text) == expected
    assert all(line in text for line in TOML.splitlines() if line.startswith("#"))
