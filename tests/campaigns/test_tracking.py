"""Clicks and openings are counted only where asked, and all that is no link stays as it was written."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sfactl.api.errors import ConfigError
from sfactl.campaigns.letterhead import Letterhead
from sfactl.campaigns.tracking import Tracker, addresses_in, links_of, track_html, track_text
from sfactl.engine.links import Link, Signer
from tests.campaigns.conftest import CAMPAIGN, Acme

GO = "https://go.acme.example"
OUT = "https://acme.example/out/1?a=1&b=2"
SIGNER = Signer(["secret"])
LINK = Link(purpose="click", message_key="k", lead_id=1, campaign="spring", step="invite")
TRACKER = Tracker(LINK, Letterhead(name="Acme", collector=GO, signer=SIGNER), (OUT,))


def targets(text: str) -> list[str]:
    """Where the tracked links of a text lead."""
    return [SIGNER.read("click", token).target for token in re.findall(rf"{GO}/c/([\w.-]*[\w-])", text)]


@pytest.mark.parametrize(
    ("html", "led"),
    [
        pytest.param('<a href="https://acme.example/a">x</a>', ["https://acme.example/a"], id="plain"),
        pytest.param(
            "<a class=x href='https://a.example/?q=1&amp;r=2'>x</a>", ["https://a.example/?q=1&r=2"], id="escaped"
        ),
        pytest.param("<A HREF=http://a.example/>x</A>", ["http://a.example/"], id="old-html"),
        pytest.param('<a\n title="a > b"\n href="https://a.example">x</a>', ["https://a.example"], id="lines"),
        pytest.param('<map><area href="https://a.example"/></map>', ["https://a.example"], id="area"),
        pytest.param(f'<a href="{GO}/u/abc">x</a>', [], id="ours"),
        pytest.param('<a href="https://acme.example/out/1?a=1&amp;b=2">x</a>', [], id="way-out"),
        pytest.param('<a href="mailto:a@b.example">x</a>', [], id="letter"),
        pytest.param('<a href="#top">x</a><a name="top">', [], id="anchor"),
        pytest.param('<a href="javascript:alert(1)">x</a>', [], id="script"),
        pytest.param('<a href="https://[broken">x</a>', [], id="broken"),
        pytest.param('<a href="https://a.example/a b">x</a>', [], id="space"),
        pytest.param('<a href="https://a.example/' + "é" * 3000 + 'x">x</a>', None, id="long"),
        pytest.param('<img src="https://a.example/i.png"><link href="https://a.example/s.css">', [], id="no-link"),
        pytest.param(
            "<!-- <a href='https://a.example'> --><script>'<a href=\"https://a.example\">'</script>", [], id="unseen"
        ),
    ],
)
def test_links_of_a_page(html: str, led: list[str] | None) -> None:
    tracked = track_html(html, TRACKER, clicks=True, opens=False)
    *found, trap = targets(tracked)
    assert trap == ""
    if led is not None:
        assert found == led
    if not led and led is not None:
        assert tracked.startswith(html)
    assert track_html(html, TRACKER, clicks=False, opens=False) == html


def test_openings_are_counted_at_the_end_of_the_body() -> None:
    tracked = track_html("<html><body><p>x</p></BODY></html>", TRACKER, clicks=False, opens=True)
    [(before, token, after)] = re.findall(rf'(.*)<img src="{GO}/o/([\w.-]+)"[^>]*>(.*)', tracked)
    assert (before, after) == ("<html><body><p>x</p>", "</BODY></html>")
    assert SIGNER.read("open", token).message_key == "k"


@pytest.mark.parametrize(
    ("text", "led"),
    [
        pytest.param("See https://a.example/x.", ["https://a.example/x"], id="full-stop"),
        pytest.param("(https://a.example/x)", ["https://a.example/x"], id="brackets"),
        pytest.param("https://a.example/x_(y)", ["https://a.example/x_(y)"], id="brackets-inside"),
        pytest.param("報名：https://a.example/名單。謝謝", ["https://a.example/名單"], id="chinese"),
        pytest.param("<https://a.example>, http://b.example", ["https://a.example", "http://b.example"], id="two"),
        pytest.param(f"{GO}/u/abc and {OUT}", [], id="ours"),
        pytest.param("mailto:a@b.example ftp://a.example www.a.example", [], id="others"),
    ],
)
def test_links_of_a_text(text: str, led: list[str]) -> None:
    tracked = track_text(text, TRACKER)
    assert targets(tracked) == led
    assert all(a in addresses_in(text) for a in led)
    for address in led:
        tracked = re.sub(rf"{GO}/c/[\w.-]*[\w-]", lambda m, a=address: a, tracked, count=1)  # type: ignore[misc]
    assert tracked == text


class _Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[object] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, [(k, v) for k, v in attrs if k != "href"]))

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


PIECES = st.sampled_from(
    [
        "<a ",
        "href=",
        '"https://a.example"',
        "'",
        '"',
        ">",
        "</a>",
        "<!--",
        "-->",
        "<b",
        "é雷",
        "\n",
        "\r\n",
        "&amp;",
        "=",
        "<",
        "/>",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
@example('\n<a href="https://a.example" title="&quot;&lt;">\n')
def test_nothing_but_addresses_is_changed(html: str) -> None:
    tracked = track_html(html, TRACKER, clicks=True, opens=False).removesuffix(TRACKER.trap())
    if "</a>" in tracked and links_of(html) == links_of(tracked):
        assert tracked == html
    assert _Seen(tracked).seen == _Seen(html).seen


def test_a_campaign_asks_for_it(acme: Acme) -> None:
    html = "<p><a href='https://acme.example/webinar'>go</a> <a href='{{ message.unsubscribe }}'>out</a></p>"
    acme.write(
        "templates/invite.toml", f'schema = 1\nsubject = "s"\ntext = "https://acme.example/webinar"\nhtml = "{html}"\n'
    )
    acme.leads({"lead_id": 1})
    tracked = CAMPAIGN.replace("[[steps]]", 'track = ["clicks", "opens"]\n[[steps]]')
    acme.write("campaigns/spring.toml", tracked)
    with pytest.raises(ConfigError, match="track: there is no collector"):
        acme.plan()
    acme.write("sfactl.toml", f'schema = 1\n[collect]\nurl = "{GO}"\n')
    assert acme.run().accepted == 1
    mail = acme.outbox()["u1@example.com"]
    texts = {kind: mail.get_body((kind,)).get_content() for kind in ("plain", "html")}  # type: ignore[union-attr]
    assert all("https://acme.example/webinar" not in text for text in texts.values())
    assert all(f"{GO}/c/" in text for text in texts.values())
    assert f"{GO}/u/" in texts["html"]
    assert f"{GO}/o/" in texts["html"]
