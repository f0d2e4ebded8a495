"""A check lists every mistake of a file, not only the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from sfactl.api.errors import ConfigError
from sfactl.config.layers import key_hint
from sfactl.config.objects import read_object
from sfactl.config.problems import object_problems, table_problems, workspace_problems
from sfactl.config.retired import RETIRED, check_retired
from sfactl.config.secrets import check_secrets, is_reference, is_secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    points: int
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    name: str
    kind: Literal["intent", "fit"]
    cap: int | None = None
    rules: tuple[Rule, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.cap == 0:
            raise ValueError("cap: 0 leaves nothing")


FILES = {
    "right": ("schema = 1\nkind = 'fit'\ncap = 3\nrules = [{points = 1}]\nweights = {a = 1}\n", []),
    "all at once": (
        "kind = 'fti'\ncap = 'x'\ncolour = 1\nrules = [{points = 1}, {points = 'a'}, {pionts = 1}]\nweights = {a = 'b'}\n",
        [
            "schema: write schema = 1 at the top",
            "kind: 'fti' is not one of intent, fit. Did you mean 'fit'?",
            "cap: 'x' is not a whole number",
            "colour: unknown key.",
            "rules[1].points: 'a' is not a whole number",
            "rules[2].pionts: unknown key. Did you mean 'points'?",
            "weights.a: 'b' is not a number",
        ],
    ),
    "missing": ("schema = 1\nrules = [{where = 'x'}]\n", ["rules[0].points: missing"]),
    "missing at the top": ("schema = 1\n", ["kind: missing"]),
    "together": ("schema = 1\nkind = 'fit'\ncap = 0\n", ["cap: 0 leaves nothing"]),
    "not a table": (
        "schema = 1\nkind = 'fit'\nrules = [3]\nweights = 3\n",
        ["rules[0]: 3 is not", "weights: 3 is not"],
    ),
    "syntax": ("schema = \n", ["Invalid value"]),
}


@pytest.mark.parametrize(("text", "expected"), FILES.values(), ids=FILES)
def test_every_mistake_is_found(tmp_path: Path, text: str, expected: list[str]) -> None:
    path = tmp_path / "hot.toml"
    path.write_text(text, encoding="utf-8")
    found = [p.message for p in object_problems(Score, path, inject={"name": "hot"})]
    assert len(found) == len(expected), found
    for message, part in zip(found, expected, strict=True):
        assert message.startswith(f"{path}: ")
        assert part in message
    if expected:
        with pytest.raises(ConfigError):
            read_object(Score, path, inject={"name": "hot"})
    else:
        assert read_object(Score, path, inject={"name": "hot"}).rules == (Rule(points=1),)


def test_a_workspace_file_is_told_all_its_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "sfactl.toml"
    path.write_text(
        """
        [workspace]
        currency = "nt"
        timezone = "UTC"
        [engine]
        threads = "two"
        [senders.mail]
        use = "smtp"
        [env.prod.engine]
        memory = "1GB"
        [env.dev.workspace]
        nmae = "x"
        [env.dev.senders.mail]
        token = "abc"
        """,
        encoding="utf-8",
    )
    found = " | ".join(p.message for p in workspace_problems(path))
    for part in (
        "write schema = 1",
        "senders: belongs in files of its own",
        "workspace.timezone: is now called workspace.time_zone",
        "env.prod: engine.memory: is now called engine.memory_limit",
        "engine.threads: 'two' is not a whole number",
        "env.dev: workspace.nmae: unknown key",
        "env.dev: senders.mail.token: a secret is written out here",
        "currency: 'nt' is not an ISO 4217 code",
    ):
        assert part in found


def test_a_right_workspace_file_has_none(tmp_path: Path) -> None:
    path = tmp_path / "sfactl.toml"
    path.write_text("schema = 1\n[env.prod.workspace]\nname = 'x'\n", encoding="utf-8")
    assert list(workspace_problems(path)) == []


def test_every_broken_sender_is_told(tmp_path: Path) -> None:
    (tmp_path / "senders").mkdir()
    for name, text in {
        "a": "schema = 1\n",
        "b": "schema = 1\nuse = 'x'\ntoken = 'y'\n",
        "c": "schema = 1\nuse = 'x'\n",
    }.items():
        (tmp_path / "senders" / f"{name}.toml").write_text(text, encoding="utf-8")
    assert len(list(table_problems(tmp_path))) == 2


SECRETS = {
    "password": True,
    "smtp_password": True,
    "api_key": True,
    "apikey": True,
    "access_token": True,
    "client_secret": True,
    "token_url": False,
    "keyboard": False,
    "tokens_per_minute": False,
    "host": False,
}


@pytest.mark.parametrize(("key", "secret"), SECRETS.items(), ids=SECRETS)
def test_what_is_a_secret(key: str, secret: bool) -> None:
    assert is_secret(key) is secret


REFERENCES = {"env:MAIL": True, "file:/run/secrets/mail": True, "env:": False, "hunter2": False, "env:A B": False}


@pytest.mark.parametrize(("value", "reference"), REFERENCES.items(), ids=REFERENCES)
def test_what_is_a_reference(value: str, reference: bool) -> None:
    assert is_reference(value) is reference


def test_a_literal_secret_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError) as caught:
        check_secrets({"auth": {"token": "hunter2"}}, where="x.toml")
    assert caught.value.message == "x.toml: auth.token: a secret is written out here"
    assert "hunter2" not in str(caught.value.hint)
    with pytest.raises(ConfigError, match="dsn"):
        check_secrets({"dsn": "https://u:p@h"}, where="x.toml", names=frozenset({"dsn"}))


@pytest.mark.parametrize(("old", "new"), RETIRED.items(), ids=RETIRED)
def test_retired_keys_tell_a_name_that_exists(old: str, new: str) -> None:
    key_hint(new)
    with pytest.raises(ConfigError, match=f"{old}: is now called {new}"):
        value: object = "x"
        for part in reversed(old.split(".")):
            value = {part: value}
        assert isinstance(value, dict)
        check_retired(value, where="sfactl.toml")
