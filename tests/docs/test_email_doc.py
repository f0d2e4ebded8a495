"""Every code block of the page on e-mail is used: a real server takes the mail, a real DNS server is asked."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sfactl.cli.main import main
from sfactl.testkit import DnsServer, SmtpSink
from tests.docs.console import ROOT, Block, blocks, follow, quiet_environment

trustme = pytest.importorskip("trustme")
dkim = pytest.importorskip("dkim")

PAGE = ROOT / "docs" / "email.md"
KEY = "s1._domainkey.acme.example TXT"
RECORDS = {
    "acme.example TXT": ["v=spf1 mx include:spf.provider.example -all"],
    "spf.provider.example TXT": ["v=spf1 ip4:203.0.113.0/24 -all"],
    "acme.example MX": ["10 mail.acme.example."],
    "mail.acme.example A": ["203.0.113.5"],
    "_dmarc.acme.example TXT": ["v=DMARC1; p=none; rua=mailto:dmarc@acme.example"],
}


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if not shutil.which("openssl"):
        pytest.skip("the page makes its key with the command openssl")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    monkeypatch.setenv("SMTP_PASSWORD", "hunter2")
    quiet_environment(monkeypatch, now="2026-11-21T09:00:00")
    monkeypatch.chdir(tmp_path)
    assert main(["-q", "init", "acme"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    server = {"tls": "starttls", "certificate": tmp_path / "server.pem", "login": ("newsletter", "hunter2")}
    with SmtpSink(tmp_path / "mail", pipelining=True, **server) as sink, DnsServer(records=dict(RECORDS)) as dns:
        here = f'host = "127.0.0.1"\nca_file = "{tmp_path}/authority.pem"\nnameserver = "{dns.address}"'
        for block in blocks(PAGE):
            if block.language == "bash":
                subprocess.run(block.text, shell=True, check=True, capture_output=True)
                continue
            follow([_moved(block, here, sink.port)], capsys, monkeypatch)
            if "apply PLAN" in block.text:
                assert main(["campaign", "apply", _planned(capsys)]) == 0
            if "nothing is published" in block.text:
                dns.records[KEY] = [_to_publish(capsys)]  # type: ignore[index]
        _verifies(sink, dns.records[KEY][0])


def _moved(block: Block, here: str, port: int) -> Block:
    """The sender of the page, at the server of this test."""
    text = block.text.replace('host = "smtp.acme.example"', here).replace("port = 587", f"port = {port}")
    if block.language == "sh":
        text = text.replace("$ ", "").replace("sfactl campaign apply PLAN\n", "")
    return replace(block, text=text)


def _to_publish(capsys: pytest.CaptureFixture[str]) -> str:
    """What the command asks to publish."""
    capsys.readouterr()
    assert main(["touch", "check-domain", "acme.example", "--format", "json"]) == 1
    findings = json.loads(capsys.readouterr().out)["result"]
    [publish] = [finding["publish"] for finding in findings if finding["check"] == "dkim"]
    assert publish.startswith(f"{KEY} v=DKIM1; k=rsa; p=")
    return str(publish.removeprefix(f"{KEY} "))


def _planned(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["campaign", "plan", "hello", "--format", "json"]) == 0
    return str(json.loads(capsys.readouterr().out)["result"]["plan_id"])


def _verifies(sink: SmtpSink, record: str) -> None:
    [delivered] = sink.delivered()
    assert dkim.DKIM(delivered.raw).verify(dnsfunc=lambda *_, **__: record.encode())
    signed = str(delivered.message["DKIM-Signature"]).partition(" h=")[2].partition(";")[0]
    assert {"list-unsubscribe", "list-unsubscribe-post", "list-id"} <= {name.strip() for name in signed.split(":")}
    assert delivered.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert delivered.message["Subject"] == "春季研討會"
    assert "https://links.acme.example/u/" in delivered.message.get_content()
