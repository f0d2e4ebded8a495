"""Which layer wins, and how a mistake is told with the place it stands in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfactl.api.errors import ConfigError, NotFound, SfactlError
from sfactl.config.explain import explain, layers_of, list_settings
from sfactl.config.layers import find_workspace, flatten, load_settings, merge, parse_value
from sfactl.config.settings import Settings

TOML = """\
schema = 1
preset = "b2b"

[workspace]
currency = "TWD"

[plugins]
disabled = ["singer"]

[fields.leads]
vip = "boolean"

[env.prod.workspace]
currency = "JPY"

[env.prod.senders.mail]
host = "mail.example.com"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sfactl.toml").write_text(TOML, encoding="utf-8")
    (tmp_path / "senders").mkdir()
    (tmp_path / "senders" / "mail.toml").write_text(
        'schema = 1\nuse = "smtp"\nhost = "localhost"\npassword = "env:MAIL"\n', encoding="utf-8"
    )
    return tmp_path


WINNERS = {
    "default": ("engine.threads", None, {}, "default", None),
    "preset": ("workspace.time_zone", None, {}, "preset", "UTC"),
    "workspace": ("workspace.currency", None, {}, "workspace", "TWD"),
    "environment": ("workspace.currency", "prod", {}, "environment", "JPY"),
    "variable": ("workspace.currency", "prod", {"SFACTL_WORKSPACE__CURRENCY": "EUR"}, "variable", "EUR"),
    "number in a variable": ("engine.threads", None, {"SFACTL_ENGINE__THREADS": "3"}, "variable", 3),
    "list in a variable": ("plugins.disabled", None, {"SFACTL_PLUGINS__DISABLED": "a,b"}, "variable", ["a", "b"]),
    "file of a sender": ("senders.mail.host", None, {}, "workspace", "localhost"),
    "environment of a sender": ("senders.mail.host", "prod", {}, "environment", "mail.example.com"),
    "variable of a sender": ("senders.mail.port", None, {"SFACTL_SENDERS__MAIL__PORT": "25"}, "variable", 25),
    "custom field": ("fields.leads.vip", None, {}, "workspace", "boolean"),
}


@pytest.mark.parametrize(("key", "env", "environ", "layer", "value"), WINNERS.values(), ids=WINNERS)
def test_the_strongest_layer_wins(
    folder: Path, key: str, env: str | None, environ: dict[str, str], layer: str, value: object
) -> None:
    found = explain(layers_of(folder, env=env, environ=environ), key)
    assert (found.layers[-1].layer, found.value) == (layer, value)
    assert [entry.wins for entry in found.layers] == [False] * (len(found.layers) - 1) + [True]


def test_every_layer_is_shown_from_weak_to_strong(folder: Path) -> None:
    environ = {"SFACTL_WORKSPACE__CURRENCY": "EUR"}
    found = explain(layers_of(folder, env="prod", environ=environ), "workspace.currency")
    assert [(entry.layer, entry.value) for entry in found.layers] == [
        ("default", "USD"),
        ("preset", "USD"),
        ("workspace", "TWD"),
        ("environment", "JPY"),
        ("variable", "EUR"),
    ]


def test_what_is_explained_is_what_applies(folder: Path) -> None:
    environ = {"SFACTL_ENGINE__THREADS": "2"}
    settings = load_settings(folder, env="prod", environ=environ, no_plugins=("rfm",))
    listed = {s.key: s.value for s in list_settings(layers_of(folder, env="prod", environ=environ, no_plugins=["rfm"]))}
    assert settings.workspace.currency == listed["workspace.currency"] == "JPY"
    assert settings.engine.threads == listed["engine.threads"] == 2
    assert settings.plugins.disabled == tuple(listed["plugins.disabled"]) == ("singer", "rfm")
    assert settings.fields == {"leads": {"vip": "boolean"}}
    assert settings.senders["mail"] == {"use": "smtp", "host": "mail.example.com", "password": "env:MAIL"}
    assert list(settings.senders) == ["mail"]
    assert "sms" not in settings.senders


BROKEN = {
    "unknown key": (
        "[workspace]\ncurency = 'TWD'",
        {},
        "sfactl.toml: workspace.curency: unknown key. Did you mean 'currency'?",
    ),
    "unknown table": ("[engines]\nthreads = 1", {}, "sfactl.toml: engines: unknown key. Did you mean 'engine'?"),
    "wrong type": ("[engine]\nthreads = '2'", {}, "sfactl.toml: engine.threads: '2' is not a whole number"),
    "no such zone": (
        "[workspace]\ntime_zone = 'Taipei'",
        {},
        "workspace: time_zone: 'Taipei' is not an IANA time zone",
    ),
    "zone that escapes": ("[workspace]\ntime_zone = '../x'", {}, "is not an IANA time zone"),
    "no such money": ("[workspace]\ncurrency = 'nt'", {}, "currency: 'nt' is not an ISO 4217 code"),
    "memory": ("[engine]\nmemory_limit = 'much'", {}, "memory_limit: 'much' is not a size"),
    "threads": ("[engine]\nthreads = 0", {}, "threads: 0 is less than 1"),
    "retired": ("[workspace]\ntimezone = 'UTC'", {}, "workspace.timezone: is now called workspace.time_zone"),
    "sender in the wrong file": ("[senders.mail]\nuse = 'smtp'", {}, "belongs in files of its own, senders/NAME.toml"),
    "environment": ("[env.prod.workspace]\ncurency = 'TWD'", {}, "env.prod: workspace.curency: unknown key"),
    "environment is no table": ("env = 3", {}, "env: is a table of tables"),
    "secret in an environment": ("[env.prod.senders.mail]\npassword = 'x'", {}, "a secret is written out here"),
    "variable": ("", {"SFACTL_WORKSPCE__NAME": "x"}, "environment variable SFACTL_WORKSPCE__NAME: workspce.name"),
    "value of a variable": ("", {"SFACTL_ENGINE__THREADS": "two"}, "SFACTL_ENGINE__THREADS: engine.threads: 'two'"),
    "syntax": ("[workspace\n", {}, "sfactl.toml: "),
    "preset": ("preset = 'b2c'", {}, "sfactl.toml: preset: there is no preset 'b2c'"),
}


@pytest.mark.parametrize(("text", "environ", "message"), BROKEN.values(), ids=BROKEN)
def test_mistakes_name_their_place(tmp_path: Path, text: str, environ: dict[str, str], message: str) -> None:
    (tmp_path / "sfactl.toml").write_text(f"schema = 1\n{text}\n", encoding="utf-8")
    with pytest.raises(SfactlError) as caught:
        load_settings(tmp_path, environ=environ)
    assert message in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["", "schema = 2", "schema = '1'"], ids=["missing", "newer", "text"])
def test_the_version_must_be_stated(tmp_path: Path, text: str) -> None:
    (tmp_path / "sfactl.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="write schema = 1 at the top"):
        load_settings(tmp_path)


def test_an_unknown_environment_names_the_nearest(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no \[env.prd\]. Did you mean 'prod'"):
        load_settings(folder, env="prd")


def test_a_broken_sender_stops_only_what_uses_it(folder: Path) -> None:
    (folder / "senders" / "sms.toml").write_text("schema = 1\nuse = 1\n", encoding="utf-8")
    settings = load_settings(folder)
    assert settings.senders["mail"]["host"] == "localhost"
    with pytest.raises(ConfigError, match="use: missing"):
        settings.senders["sms"]


def test_an_environment_cannot_change_a_sender_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "sfactl.toml").write_text("schema = 1\n[env.prod.senders.mial]\nhost = 'x'\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="mial: is changed by the environment"):
        load_settings(tmp_path, env="prod").senders["mial"]


def test_the_nearest_folder_upwards_is_the_workspace(folder: Path) -> None:
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)
    assert (deep / find_workspace(None, {}, deep)).resolve() == folder
    assert find_workspace(None, {}, folder) == Path()
    with pytest.raises(NotFound, match="is not a workspace"):
        find_workspace(deep, {}, folder)


KEYS = {
    "unknown": ("workspace.nam", "Did you mean 'workspace.name'?"),
    "too deep": ("workspace.name.x", "workspace.name is a value, not a table"),
    "table": ("workspace", "is a table"),
    "not set": ("fields.leads.vpi", "is not set"),
}


@pytest.mark.parametrize(("key", "message"), KEYS.values(), ids=KEYS)
def test_a_wrong_key_is_told(folder: Path, key: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        explain(layers_of(folder), key)
    assert message in caught.value.message


Tables = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.integers(), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), st.integers() | inner, max_size=3),
    max_leaves=8,
)


@given(Tables, Tables)
def test_merging_keeps_all_of_the_stronger_and_adds_nothing(under: dict[str, object], over: dict[str, object]) -> None:
    merged = dict(flatten(merge(under, over)))
    assert dict(flatten(over)).items() <= merged.items()
    assert merged.items() <= {**dict(flatten(under)), **dict(flatten(over))}.items()


def test_text_settings_take_what_is_typed() -> None:
    assert parse_value("workspace.name", "007") == "007"
    assert parse_value("engine.memory_limit", "4GB") == "4GB"
    assert parse_value("engine.threads", "4") == 4
    assert parse_value("plugins.disabled", '["a"]') == ["a"]
    assert parse_value("senders.mail.tls", "true") is True
    assert parse_value("senders.mail.host", "mail.example.com") == "mail.example.com"


def test_defaults_are_valid() -> None:
    assert Settings().workspace.currency == "USD"
