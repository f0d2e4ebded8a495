"""Pictures and documents: a plan names exactly what is sent, and mail carries it, the same bytes each time."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

import pytest

from sfactl.api.errors import ConfigError, Conflict
from sfactl.api.mail import wire_bytes
from sfactl.api.records import Attachment, Message
from sfactl.campaigns import usecases
from sfactl.campaigns.mail import payload_hash
from tests.campaigns.conftest import Acme

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
TEMPLATE = (
    'schema = 1\nsubject = "s"\ntext = "t"\nhtml = "<p><img src=\'cid:logo.png\' alt=\'Acme\'></p>"\nattach = ["list.pdf"]\n'
    '[languages.ja]\nsubject = "s"\ntext = "t"\nhtml = "<p>ja</p>"\nattach = []\n'
)


@pytest.fixture
def ready(acme: Acme) -> Acme:
    """A campaign with a logo and a price list."""
    (acme.folder / "assets").mkdir()
    (acme.folder / "assets/logo.png").write_bytes(PNG)
    (acme.folder / "assets/list.pdf").write_bytes(b"%PDF-1")
    acme.write("templates/invite.toml", TEMPLATE)
    acme.leads({"lead_id": 1}, {"lead_id": 2, "language": "ja"})
    return acme


def test_what_goes_along_arrives_and_is_kept_by_its_hash(ready: Acme) -> None:
    assert ready.run().accepted == 2
    mail = ready.outbox()["u1@example.com"]
    assert [p.get_content_type() for p in mail.walk() if p.is_multipart()] == [
        "multipart/mixed",
        "multipart/alternative",
        "multipart/related",
    ]
    [logo] = (p for p in mail.walk() if p.get_content_type() == "image/png")
    [document] = mail.iter_attachments()
    assert logo.get_content() == PNG
    assert (document.get_filename(), document.get_content()) == ("list.pdf", b"%PDF-1")
    html = mail.get_body(("html",))
    assert html is not None
    assert f"cid:{str(logo['Content-ID']).strip('<>')}" in html.get_content()
    assert [p.get_content_type() for p in ready.outbox()["u2@example.com"].walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    kept = {p.name: p.read_bytes() for p in (ready.folder / ".sfactl/assets").iterdir()}
    assert kept == {hashlib.sha256(content).hexdigest(): content for content in (PNG, b"%PDF-1")}


def test_a_plan_names_what_is_in_the_files(ready: Acme) -> None:
    first = ready.plan()
    assert ready.plan().plan_id == first.plan_id
    (ready.folder / "assets/list.pdf").write_bytes(b"%PDF-2")
    with pytest.raises(Conflict, match="files of campaign spring changed"):
        ready.apply(first.plan_id)
    assert ready.plan().plan_id != first.plan_id


@pytest.mark.parametrize(
    ("template", "said"),
    [
        pytest.param(
            TEMPLATE.replace("list.pdf", "lsit.pdf"), "en.attach: there is no file assets/lsit.pdf", id="missing"
        ),
        pytest.param(
            TEMPLATE.replace("cid:logo.png", "cid:logo.jpg"), "there is no file assets/logo.jpg", id="picture"
        ),
        pytest.param(TEMPLATE.replace("list.pdf", "../sfactl.toml"), "is not in assets/", id="outside"),
        pytest.param(TEMPLATE.replace("list.pdf", "/etc/passwd"), "is not in assets/", id="absolute"),
        pytest.param(TEMPLATE.replace("list.pdf", "link.pdf"), "is not in assets/", id="link-to-outside"),
        pytest.param(TEMPLATE.replace("list.pdf", "empty.pdf"), "assets/empty.pdf is empty", id="empty"),
        pytest.param(TEMPLATE.replace("list.pdf", "huge.pdf"), "has 16.0 MB, more than 15.0 MB", id="huge"),
        pytest.param(TEMPLATE.replace("list.pdf", 'half.pdf", "other.pdf'), "16.0 MB go along", id="together"),
        pytest.param(TEMPLATE.replace("logo.png", "{{ lead.company }}.png"), "name the file itself", id="variable"),
    ],
)
def test_what_cannot_go_along_is_refused(ready: Acme, template: str, said: str) -> None:
    for name, size in (("huge", 16), ("half", 8), ("other", 8), ("empty", 0)):
        with (ready.folder / f"assets/{name}.pdf").open("wb") as file:
            file.truncate(size * 1024**2)
    (ready.folder / "assets/link.pdf").symlink_to(ready.folder / "sfactl.toml")
    ready.write("templates/invite.toml", template)
    with pytest.raises(ConfigError) as caught:
        ready.plan()
    assert said in caught.value.message


def test_a_sender_that_would_lose_them_is_refused(ready: Acme) -> None:
    ready.write("senders/outbox.toml", 'schema = 1\nuse = "person"\n')
    with pytest.raises(ConfigError, match=r"'outbox' cannot send files, and template 'invite' has logo\.png"):
        ready.plan()
    ready.write("senders/outbox.toml", 'schema = 1\nuse = "file"\n')
    assert ready.run().accepted == 2
    written = [json.loads(p.read_text("utf-8")) for p in (ready.folder / "outbox/new").iterdir()]
    assert sorted(len(m["attachments"]) for m in written) == [0, 2]


def test_a_preview_says_what_goes_along(ready: Acme) -> None:
    with ready.session() as session:
        [shown] = usecases.preview(session, "spring", 1)
    assert [said.partition(" (")[0] for said in shown.attached] == ["logo.png", "list.pdf"]
    [(content_id, url)] = shown.pictures.items()
    assert f"cid:{content_id}" in shown.html
    assert url.startswith("data:image/png;base64,")


def test_the_same_message_has_the_same_bytes_and_another_file_another_hash() -> None:
    def message(content: bytes) -> Message:
        digest = hashlib.sha256(content).hexdigest()
        along = [
            Attachment(name=n, content_type=t, content=content, sha256=digest, inline=i)
            for n, t, i in (("a.png", "image/png", True), ("名單.pdf", "application/pdf", False))
        ]
        return Message(
            key="k",
            channel="email",
            recipient="a@b.example",
            sender="n@acme.example",
            subject="s",
            text="t",
            html="<p>x</p>",
            attachments=tuple(along),
        )

    now = datetime(2026, 11, 20)
    raw = wire_bytes(message(PNG), now=now)
    assert raw == wire_bytes(message(PNG), now=now)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert payload_hash(message(PNG)) != payload_hash(message(b"%PDF-1"))
