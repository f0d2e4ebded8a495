"""What a made object may use: declared hosts and secrets only, and no secret ever shown."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import ConfigError, PluginError
from sfactl.api.offers import LeadSourceOffer
from sfactl.host.context import HostContext, host_of
from sfactl.host.model import Found


def context(tmp_path: Path, table: dict[str, Any], notes: list[str] | None = None, **offer: Any) -> HostContext:
    made = LeadSourceOffer(name="x", summary="x", target="x:X", **offer)
    return HostContext(
        Found(offer=made, plugin="x", dist="sfactl-source-x", version="1"),
        table,
        folder=tmp_path,
        tenant="t",
        now=lambda: datetime(2026, 1, 2),
        on_note=(notes if notes is not None else []).append,
        keep_secret=lambda _secret: None,
    )


@pytest.mark.parametrize(
    ("hosts", "table", "asked", "allowed"),
    [
        (("api.example.com",), {}, "api.example.com", True),
        (("api.example.com",), {}, "API.Example.COM.", True),
        (("api.example.com",), {}, "example.com", False),
        (("api.example.com",), {}, "api.example.com.evil.net", False),
        (("*.example.com",), {}, "eu.api.example.com", True),
        (("*.example.com",), {}, "example.com", False),
        (("*.example.com",), {}, "badexample.com", False),
        (("setting:url",), {"url": "https://user@shop.example:8443/x"}, "shop.example", True),
        (("setting:server",), {"server": "mail.example:25"}, "mail.example", True),
        (("setting:urls",), {"urls": ("http://a.example", "http://b.example")}, "b.example", True),
        (("setting:url",), {"url": ""}, "", False),
        (("setting:url",), {}, "shop.example", False),
        ((), {}, "localhost", False),
    ],
)
def test_hosts(tmp_path: Path, hosts: tuple[str, ...], table: dict[str, Any], asked: str, allowed: bool) -> None:
    made = context(tmp_path, table, hosts=hosts)
    if allowed:
        made.check_host(asked)
        return
    with pytest.raises(PluginError, match="does not declare"):
        made.check_host(asked)


def test_an_undeclared_host_gets_no_session(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"evil\.example"):
        context(tmp_path, {}, hosts=("api.example.com",)).http(base_url="https://evil.example")


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://A.example/x", "a.example"),
        ("a.example", "a.example"),
        ("a.example:25", "a.example"),
        ("[::1]:25", "::1"),
    ],
)
def test_host_of(address: str, host: str) -> None:
    assert host_of(address) == host


def test_secrets_come_from_the_environment_and_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_TOKEN", "opensesame")
    (tmp_path / "token").write_text("from a file\n")
    table = {"token": "env:X_TOKEN", "more": {"a": "file:token"}, "unset": "env:X_UNSET", "gone": "file:gone"}
    made = context(tmp_path, table, secrets=("token", "more", "unset", "gone"))
    assert made.secret("env:X_TOKEN") == "opensesame"
    assert made.secret("file:token") == "from a file"
    with pytest.raises(ConfigError, match="X_UNSET is not set"):
        made.secret("env:X_UNSET")
    with pytest.raises(ConfigError, match="gone cannot be read"):
        made.secret("file:gone")


def test_only_declared_secrets_are_handed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET", "opensesame")
    made = context(tmp_path, {"token": "env:X_TOKEN"}, secrets=("token",))
    for reference in ("env:AWS_SECRET", "opensesame"):
        with pytest.raises(PluginError) as caught:
            made.secret(reference)
        assert "opensesame" not in str(caught.value)


def test_notes_carry_the_offers_name(tmp_path: Path) -> None:
    notes: list[str] = []
    context(tmp_path, {}, notes).log("3 rows left out")
    assert notes == ["x: 3 rows left out"]
