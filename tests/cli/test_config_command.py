"""``sfactl config`` at the prompt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def _inside(acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(acme)


def test_get_prints_the_bare_value(sfactl: Call) -> None:
    assert sfactl("config", "get", "workspace.currency").out == "USD\n"
    assert sfactl("config", "get", "plugins.disabled").out == "[]\n"
    assert sfactl("--no-plugin", "singer", "config", "get", "plugins.disabled").out == '["singer"]\n'


def test_set_says_what_was_and_what_is(sfactl: Call, acme: Path) -> None:
    answer = sfactl("config", "set", "workspace.currency", "TWD")
    assert answer.out == "workspace.currency: USD → TWD in sfactl.toml\n"
    assert sfactl("config", "get", "workspace.currency").out == "TWD\n"


def test_set_says_when_something_stronger_wins(sfactl: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFACTL_WORKSPACE__CURRENCY", "EUR")
    answer = sfactl("config", "set", "workspace.currency", "TWD")
    assert "It does not apply yet: SFACTL_WORKSPACE__CURRENCY says EUR." in answer.out


def test_set_checks_custom_fields_against_the_datasets(sfactl: Call) -> None:
    assert sfactl("config", "set", "fields.leads.vip", "boolean").code == 0
    for key, value in {"fields.leads.vip": "bolean", "fields.leads.email": "text", "fields.leeds.x": "text"}.items():
        answer = sfactl("config", "set", key, value)
        assert (answer.code, answer.out) == (2, ""), key


def test_dry_run(sfactl: Call, acme: Path) -> None:
    before = (acme / "sfactl.toml").read_bytes()
    answer = sfactl("config", "set", "workspace.currency", "TWD", "--dry-run")
    assert "dry run: nothing was written" in answer.out
    assert (acme / "sfactl.toml").read_bytes() == before


def test_explain_shows_each_layer_and_the_winner(sfactl: Call) -> None:
    sfactl("--env", "prod", "config", "set", "workspace.currency", "JPY")
    assert sfactl("--env", "prod", "config", "explain", "workspace.currency").out.splitlines() == [
        "workspace.currency = JPY",
        "  default      USD  sfactl",
        "  preset       USD  preset b2b",
        "  workspace    USD  sfactl.toml",
        "→ environment  JPY  sfactl.toml [env.prod]",
    ]


def test_list_is_a_listing(sfactl: Call) -> None:
    rows = sfactl("config", "list", "workspace", "--format", "json").json["result"]
    assert {"key": "workspace.name", "value": "acme", "layer": "workspace", "where": "sfactl.toml"} in rows
    assert all(row["key"].startswith("workspace.") for row in rows)


def test_two_environments_are_compared_and_no_secret_is_told(
    sfactl: Call, acme: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (acme / "senders" / "mail.toml").write_text(
        'schema = 1\nuse = "smtp"\nhost = "localhost"\npassword = "env:MAIL_PASSWORD"\n', encoding="utf-8"
    )
    with (acme / "sfactl.toml").open("a", encoding="utf-8") as file:
        file.write('\n[env.dev]\n[env.prod.workspace]\ncurrency = "TWD"\n[env.prod.senders.mail]\n')
        file.write('host = "mail.example.com"\npassword = "env:PROD_PASSWORD"\n')
    monkeypatch.setenv("PROD_PASSWORD", "hunter2")
    answer = sfactl("config", "diff", "dev", "prod")
    assert answer.out.splitlines() == [
        "3 settings of dev → prod:",
        "  workspace.currency     USD → TWD",
        "  senders.mail.host      localhost → mail.example.com",
        "  senders.mail.password  env:MAIL_PASSWORD → env:PROD_PASSWORD",
    ]
    rows = sfactl("config", "diff", "prod", "--format", "json")
    assert [row["key"] for row in rows.json["result"]] == [
        "workspace.currency",
        "senders.mail.host",
        "senders.mail.password",
    ]
    assert "hunter2" not in rows.out
    assert sfactl("config", "diff", "dev").out == "no environment and dev have the same settings.\n"
    assert "there is no [env.pord]. Did you mean" in sfactl("config", "diff", "dev", "pord").err


def test_check_is_content_with_a_fresh_workspace(sfactl: Call) -> None:
    answer = sfactl("config", "check")
    assert answer.code == 0, answer.out
    assert answer.out.endswith("all in order.\n")


def test_check_knows_the_keys_that_every_source_has(sfactl: Call, acme: Path) -> None:
    (acme / "sources").mkdir(exist_ok=True)
    (acme / "sources" / "inbox.toml").write_text(
        'schema = 1\nuse = "file"\npath = "in"\nevent = "Expo"\nmapping = "hubspot"\nmax_pages = 5\n', encoding="utf-8"
    )
    assert sfactl("config", "check").out.endswith("all in order.\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('max_pages = "five"', "max_pages: 'five' is not a number from 0"),
        ("max_minutes = -1", "max_minutes: -1 is not a number from 0"),
        ("max_pages = true", "max_pages: True is not a number from 0"),
        ("event = 7", "event: 7 is not a text"),
        ("mapping = 7", "mapping: 7 is neither a name nor a table"),
    ],
)
def test_check_knows_what_the_keys_of_a_source_hold(sfactl: Call, acme: Path, line: str, message: str) -> None:
    (acme / "sources").mkdir(exist_ok=True)
    (acme / "sources" / "inbox.toml").write_text(f'schema = 1\nuse = "file"\npath = "in"\n{line}\n', encoding="utf-8")
    answer = sfactl("config", "check")
    assert answer.code == 2
    assert f"sources/inbox.toml: {message}" in answer.out


def test_check_lists_every_mistake_and_exits_with_2(sfactl: Call, acme: Path) -> None:
    (acme / "sfactl.toml").write_text("schema = 1\n[workspace]\nnmae = 'x'\ncurrency = 'nt'\n", encoding="utf-8")
    (acme / "senders").mkdir(exist_ok=True)
    (acme / "senders" / "sms.toml").write_text("schema = 1\nuse = 'x'\ntoken = 'abc'\n", encoding="utf-8")
    answer = sfactl("config", "check")
    assert answer.code == 2
    assert "sfactl.toml: workspace.nmae: unknown key. Did you mean 'name'?" in answer.out
    assert "currency: 'nt' is not an ISO 4217 code" in answer.out
    assert "senders/sms.toml: token: a secret is written out here" in answer.out
    assert "3 problems" in answer.out
    assert "abc" not in answer.out


def test_check_of_what_only_shows_together(sfactl: Call, acme: Path) -> None:
    text = (acme / "sfactl.toml").read_text(encoding="utf-8")
    (acme / "sfactl.toml").write_text(text.replace("[fields.leads]", "[fields.leeds]\nx = 'text'"), encoding="utf-8")
    answer = sfactl("config", "check")
    assert answer.code == 2
    assert "leeds" in answer.out


def test_check_knows_every_file_of_the_preset(sfactl: Call, acme: Path) -> None:
    files = [p for p in acme.rglob("*.toml") if ".sfactl" not in p.parts and p.parent.name != "tests"]
    assert sfactl("config", "check", "--format", "json").json["result"]["files"] == len(files)


DEEP = {
    "unknown key": ("segments/hot-b2b.toml", "where = ", "were = ", "were: unknown key. Did you mean 'where'?"),
    "unknown offer": ("senders/outbox.toml", 'use = "maildir"', 'use = "maildr"', "senders/outbox.toml: "),
    "unknown setting": ("senders/outbox.toml", "folder =", "foldr =", "foldr"),
    "no such template": ("campaigns/welcome.toml", 'template = "welcome"', 'template = "welcom"', "no template"),
}


@pytest.mark.parametrize(("name", "old", "new", "message"), DEEP.values(), ids=DEEP)
def test_check_looks_into_the_objects(sfactl: Call, acme: Path, name: str, old: str, new: str, message: str) -> None:
    text = (acme / name).read_text(encoding="utf-8")
    assert old in text
    (acme / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    answer = sfactl("config", "check")
    assert answer.code == 2, answer.out
    assert message in answer.out


def test_check_of_a_condition_names_file_and_position(sfactl: Call, acme: Path) -> None:
    (acme / "segments" / "hot.toml").write_text("schema = 1\nwhere = \"contry = 'TW'\"\n", encoding="utf-8")
    answer = sfactl("config", "check")
    assert answer.code == 2
    assert "segments/hot.toml: where, position 1: unknown field" in answer.out
    assert 'Did you mean "country"?' in answer.out


def test_check_works_on_a_fresh_clone(sfactl: Call, acme: Path) -> None:
    import shutil

    shutil.rmtree(acme / ".sfactl")
    assert sfactl("config", "check").code == 0
