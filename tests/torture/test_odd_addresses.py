"""Addresses as people type them, from the file to the mail server: each mailbox is written to once, and no other."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sfactl.cli.main import main
from sfactl.testkit import SmtpSink

LEADS = """first_name,email
Amy,amy@example.com
Amy again,AMY@Example.COM
Nobody,
Blank,"   "
Several,"bo@example.com, cy@example.com"
Several again,cy@example.com;bo@example.com
Doubled,"di@example.com,di@example.com"
Han,王@example.com
Wide,ｅｖａ@example.com
Domain,fay@例え.jp
Same domain,fay@xn--r8jz45g.jp
Hidden,gus@example.com\u200b
Seen,gus@example.com
Link,mailto:hal@example.com
Named,Ida Ay <ida@example.com>
Trick,"jo@example.com\r\nBcc: everybody@example.com"
No domain,kim@
Two signs,lea@example@example.com
Quote,o'neil@example.com
"""
ONCE = {
    "amy@example.com",
    "bo@example.com",
    "cy@example.com",
    "di@example.com",
    "王@example.com",
    "eva@example.com",
    "fay@xn--r8jz45g.jp",
    "gus@example.com",
    "hal@example.com",
    "ida@example.com",
    "jo@example.com",
    "o'neil@example.com",
}
FILES = {
    "campaigns/spring.toml": 'schema = 1\nsummary = "Spring"\nwhere = "first_name is not null"\nsender = "post"\n'
    'from = "Acme <news@acme.example>"\n[[steps]]\nname = "invite"\ntemplate = "invite"\n',
    "templates/invite.toml": 'schema = 1\nsubject = "Hi {{ lead.first_name }}"\ntext = "Hi"\n',
    "senders/post.toml": 'schema = 1\nuse = "smtp"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\n',
}


@pytest.fixture
def sink(tmp_path: Path) -> Any:
    with SmtpSink(tmp_path / "sink") as server:
        yield server


def sfactl(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    code = main(["-q", *words, "--format", "json"])
    answer = json.loads(capsys.readouterr().out)
    assert code in (0, 3), answer
    return answer["result"]


def test_each_mailbox_is_written_to_once(
    tmp_path: Path, sink: SmtpSink, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sfactl(capsys, "init", "acme")
    monkeypatch.chdir("acme")
    for name, text in FILES.items():
        path = Path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("{port}", str(sink.port)), encoding="utf-8")
    Path("leads.csv").write_text(LEADS, encoding="utf-8", newline="")
    sfactl(capsys, "lead", "import", "leads.csv")
    for _ in range(2):
        plan = sfactl(capsys, "campaign", "plan", "spring")
        sfactl(capsys, "campaign", "apply", plan["plan_id"])
    delivered = Counter(address.lower() for mail in sink.delivered() for address in mail.recipients)
    assert set(delivered.values()) == {1}
    assert set(delivered) <= ONCE
    # Of several in one field at least the first is written to; who is left out is in the rejects.
    assert ONCE - set(delivered) <= {"cy@example.com", "jo@example.com"}
    assert all(mail.message["Bcc"] is None for mail in sink.delivered())
