"""Every code block of the page on the collector is used: files are written, commands and requests answer as shown."""

from __future__ import annotations

import configparser
import re
import shlex
import tomllib
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sfactl.cli.main import main
from sfactl.collect.collector import PURPOSES
from sfactl.collect.forms import read_forms
from sfactl.collect.model import Request
from sfactl.collect.usecases import open_collector
from sfactl.config.layers import load_settings
from sfactl.engine.links import Link
from sfactl.session import FixedClock, open_session
from tests.docs.console import ROOT, Block, blocks, follow, quiet_environment

NOW = datetime(2026, 11, 20, 8)
BROWSER = {
    "user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0",
    "origin": "https://www.acme.example",
    "content-type": "application/x-www-form-urlencoded",
}


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-21T09:00:00", columns=120)
    assert main(["-q", "init", "acme"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    found = blocks(ROOT / "docs" / "collector.md")
    used = [b for b in found if b.language in ("sh", "console", "http") or b.path]
    for block in used:
        if block.language == "http":
            _ask(tmp_path / "acme", block)
            _log(tmp_path / "acme")
        else:
            follow([block], capsys, monkeypatch)
    _fits(found)


def _ask(folder: Path, block: Block) -> None:
    """The requests of the block, a minute apart; each gets the answer that is shown."""
    clock = FixedClock(NOW)
    settings = load_settings(folder, env=None, environ={})
    with open_session(folder, settings=settings, command="t", actor="t", clock=clock, quiet=True) as session:
        collector = open_collector(session)
    for method, path, body, shown in re.findall(r"^(\w+) (\S+) ?(\S*) → (.+)$", block.text, re.M):
        purpose = PURPOSES.get(path[1], "open")
        target = "https://www.acme.example/fair" if purpose == "click" else ""
        token = collector.signer.token(Link(purpose=purpose, message_key="m", lead_id=1, target=target))
        request = Request(method=method, path=path.replace("TOKEN", token), headers=BROWSER, body=body.encode())
        assert collector.answer(request).status == shown, path
        clock.advance(timedelta(minutes=1))
    collector.spool.close()
    collector.posts.close()


def _log(folder: Path) -> None:
    """A log that knows of an unsubscribe that the collector does not, and of a forged one."""
    with open_session(folder, settings=load_settings(folder, env=None, environ={}), command="t", actor="t") as session:
        token = session.links.token(Link(purpose="unsubscribe", message_key="m2", lead_id=2))
    when = "1.2.3.4 - - [20/Nov/2026:12:00:00 +0000]"
    (folder / "access.log").write_text(
        f'{when} "POST /u/{token} HTTP/1.1" 200 99 "-" "Mail"\n{when} "GET /c/{token} HTTP/1.1" 302 9 "-" "Mail"\n'
    )


def _fits(found: list[Block]) -> None:
    """What is only shown fits what is: the form's fields, the job, the port and the unit's command."""
    of = {b.language: b.text for b in found if not b.path}
    assert "collect" in tomllib.loads(of["toml"])["run"]["jobs"]
    fields = fields_of(of["html"])
    form = read_forms(Path.cwd())["contact"]
    assert fields == {*form.fields, form.honeypot}
    assert "proxy_pass http://127.0.0.1:8480;" in of["nginx"]
    assert "reverse_proxy 127.0.0.1:8480" in of["caddy"]
    unit = configparser.ConfigParser()
    unit.read_string(of["ini"])
    command = shlex.split(unit["Service"]["ExecStart"])
    assert main([*command[3:], "--dry-run"]) == 0


def fields_of(html: str) -> set[str]:
    """Names of the fields of a form."""
    names: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            names.update(value for name, value in attrs if name == "name" and value)

    Reader().feed(html)
    return names
