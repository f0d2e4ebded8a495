"""What each request gets, and what of it is kept: a GET changes nothing, and nobody is led astray."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.collect.collector import PURPOSES, location
from sfactl.collect.model import Act, Post
from sfactl.engine.links import Purpose

if TYPE_CHECKING:
    from tests.collect.conftest import Desk

ONE_CLICK = "List-Unsubscribe=One-Click"
SITE = {"origin": "https://www.acme.example"}


def _deeds(desk: Desk) -> list[tuple[str, str]]:
    return [(r.deed, r.topic) for r in desk.kept() if isinstance(r, Act) and r.deed != "look"]


@pytest.mark.parametrize(
    ("method", "purpose", "target", "body", "status", "deeds"),
    [
        pytest.param("GET", "unsubscribe", "", "", "200", [], id="a look at the unsubscribe page"),
        pytest.param("HEAD", "unsubscribe", "", "", "200", [], id="a scanner at the unsubscribe page"),
        pytest.param("POST", "unsubscribe", "", ONE_CLICK, "200", [("unsubscribe", "")], id="one click"),
        pytest.param("POST", "unsubscribe", "news", ONE_CLICK, "200", [("unsubscribe", "news")], id="of one topic"),
        pytest.param("POST", "unsubscribe", "", "", "400", [], id="a post that says nothing"),
        pytest.param("POST", "unsubscribe", "", "a=b", "400", [], id="a post of something else"),
        pytest.param("POST", "unsubscribe", "", b"\xff\xfe=%", "400", [], id="a post of garbage"),
        pytest.param("PUT", "unsubscribe", "", ONE_CLICK, "405", [], id="another method"),
        pytest.param("OPTIONS", "unsubscribe", "", "", "204", [], id="which methods there are"),
        pytest.param("GET", "confirm", "news", "", "200", [], id="a look at the confirmation"),
        pytest.param("POST", "confirm", "news", "form=confirm", "200", [("consent", "news")], id="confirmed"),
        pytest.param("POST", "confirm", "news", ONE_CLICK, "400", [], id="one click confirms nothing"),
        pytest.param("GET", "preferences", "", "", "200", [], id="a look at the preferences"),
        pytest.param(
            "POST", "preferences", "", "form=preferences&topic.news=no&topic.events=yes", "200",
            [("unsubscribe", "news"), ("subscribe", "events")], id="preferences",
        ),
        pytest.param(
            "POST", "preferences", "", "form=preferences&topic.news=keep&topic.events=maybe&topic.no-such=no", "200",
            [], id="preferences kept as they are",
        ),
        pytest.param(
            "POST", "preferences", "", "form=preferences&topic.news=yes&all=no", "200", [("unsubscribe", "")],
            id="stop all wins",
        ),
        pytest.param("GET", "click", "https://a.example/", "", "302", [("click", "")], id="a click"),
        pytest.param("HEAD", "click", "https://a.example/", "", "302", [("click", "")], id="a head of a click"),
        pytest.param("POST", "click", "https://a.example/", "", "405", [], id="a post to a click"),
        pytest.param("GET", "click", "", "", "200", [("click", "")], id="the hidden link"),
        pytest.param("GET", "click", "javascript:alert(1)", "", "200", [("click", "")], id="no address of the web"),
        pytest.param("GET", "open", "", "", "200", [("open", "")], id="an open"),
    ],
)  # fmt: skip
def test_what_a_link_does(
    desk: Desk, method: str, purpose: Purpose, target: str, body: str, status: str, deeds: list[tuple[str, str]]
) -> None:
    """Method by purpose: the answer, and the events on the disk."""
    answer = desk.ask(method, desk.path(purpose, target), body)
    assert answer.status.split()[0] == status
    assert _deeds(desk) == deeds


def test_an_event_says_whose_it_is(desk: Desk) -> None:
    """Everything that stands in the link, and when it was."""
    desk.ask("GET", desk.path("click", "https://a.example/x"))
    (act,) = desk.kept()
    assert isinstance(act, Act)
    assert (act.lead_id, act.message_key, act.campaign, act.step) == (1, "k1", "spring", "a")
    assert (act.target, act.at) == ("https://a.example/x", desk.clock.now())
    assert act.id.startswith("link:")


@pytest.mark.parametrize("purpose", sorted(PURPOSES.values()))
def test_a_forged_link_is_counted_and_not_kept(desk: Desk, purpose: Purpose) -> None:
    """Garbage, a token for something else, a token of another key."""
    other = "click" if purpose == "open" else "open"
    path = desk.path(purpose).rpartition("/")[0]
    for token in ("x", "a.b.c", desk.token(other), desk.token(purpose)[:-4] + "AAAA", "é" * 9, "%00", "../../etc"):
        for method in ("GET", "POST"):
            assert desk.ask(method, f"{path}/{token}", ONE_CLICK).status[:3] in ("404", "405")
    assert desk.kept() == []
    assert desk.collector.counts["forged"] >= 7


def test_the_end_that_a_mail_program_added_is_no_part_of_a_link(desk: Desk) -> None:
    """The full stop or bracket behind a link."""
    assert desk.ask("GET", desk.path("unsubscribe") + ").").status == "200 OK"


def test_what_is_said_again_at_once_is_kept_once(desk: Desk) -> None:
    """A flood of one link does not fill the disk; a scanner's click does not stand in for the person's."""
    path = desk.path("click", "https://a.example/")
    for _ in range(50):
        desk.ask("HEAD", path)
        desk.ask("GET", path)
    assert [r.method for r in desk.kept() if isinstance(r, Act)] == ["HEAD", "GET"]
    assert desk.collector.counts["said again"] == 98


def test_a_page_posts_to_where_it_stands(desk: Desk) -> None:
    """The button's address and fields do what the page says, below the path of the public address, too."""
    desk.collector.base = "/go"
    for purpose, done in (("unsubscribe", "unsubscribe"), ("confirm", "consent")):
        page = desk.ask("GET", f"/go{desk.path(purpose)}").body.decode()
        (action,) = re.findall(r'action="([^"]+)"', page)
        body = "&".join(f"{n}={v}" for n, v in re.findall(r'type="hidden" name="([^"]+)" value="([^"]+)"', page))
        assert action.startswith("/go/")
        assert desk.ask("POST", action, body).status == "200 OK"
        assert _deeds(desk)[-1][0] == done


def test_pages_are_harmless(desk: Desk) -> None:
    """No script, nothing from elsewhere, in no frame, in no cache, and the link goes nowhere as a referrer."""
    answer = desk.ask("GET", desk.path("unsubscribe", '<script>alert("x")</script>'))
    headers = dict(answer.headers)
    assert b"<script" not in answer.body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_multipart_one_click_unsubscribes(desk: Desk) -> None:
    """RFC 8058 allows both ways of encoding a form."""
    body = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    desk.ask("POST", desk.path("unsubscribe"), body, content_type="multipart/form-data; boundary=b")
    assert _deeds(desk) == [("unsubscribe", "")]


@pytest.mark.parametrize(
    ("target", "led_to"),
    [
        ("https://a.example/x?y=1&z=%20#top", "https://a.example/x?y=1&z=%20#top"),
        ("https://a.example/雷射", "https://a.example/%E9%9B%B7%E5%B0%84"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://[::1]:80/", "http://[::1]:80/"),
        ("https://a.example/\r\nSet-Cookie: x=1", ""),
        ("javascript:alert(1)", ""),
        ("//evil.example/", ""),
        ("/x", ""),
        ("https://", ""),
        ("https://[", ""),
        ("\\\\evil.example", ""),
        ("", ""),
    ],
)
def test_where_a_click_leads(target: str, led_to: str) -> None:
    """Addresses of the web only, in ASCII."""
    assert location(target) == led_to


@given(target=st.text(max_size=60).map("https://a.example/".__add__))
@settings(max_examples=60)
def test_a_location_can_stand_in_a_header(target: str) -> None:
    """Whatever is in the address."""
    assert re.fullmatch(r"(https://a\.example/[\x21-\x7e]*)?", location(target))


@pytest.mark.parametrize(
    ("body", "headers", "status", "kept"),
    [
        pytest.param("email=a@b.example&name=Jo", SITE, "303", {"email": "a@b.example", "name": "Jo"}, id="a form"),
        pytest.param("email=a@b.example", {"referer": "https://www.acme.example/x?y"}, "303", {"email": "a@b.example"}, id="by the page"),
        pytest.param("email=a@b.example", {"origin": "https://evil.example"}, "403", None, id="another site"),
        pytest.param("email=a@b.example", {"origin": "null"}, "403", None, id="a hidden site"),
        pytest.param("email=a@b.example", {}, "403", None, id="no site"),
        pytest.param("name=Jo", SITE, "400", None, id="what is required is missing"),
        pytest.param("email=" + "a" * 51, SITE, "400", None, id="too long"),
        pytest.param("email=a@b.example&website=spam", SITE, "303", None, id="a robot"),
        pytest.param("email=a@b.example&secret=1", SITE, "303", {"email": "a@b.example"}, id="what is not declared"),
        pytest.param("", SITE, "400", None, id="nothing"),
        pytest.param("email=%ff", SITE, "400", None, id="no text"),
        pytest.param("&".join(["email=a"] * 300), SITE, "400", None, id="too many fields"),
        pytest.param('{"email": "a@b.example", "name": ["x"]}', {**SITE, "content_type": "application/json"}, "303", {"email": "a@b.example"}, id="JSON"),
        pytest.param("[" * 60_000, {**SITE, "content_type": "application/json"}, "400", None, id="deep JSON"),
        pytest.param("email=a@b.example", {**SITE, "content_type": "text/plain"}, "400", None, id="another kind"),
        pytest.param("--b", {**SITE, "content_type": "multipart/form-data; boundary=b"}, "400", None, id="cut off"),
        pytest.param("x", {**SITE, "content_type": "multipart/form-data"}, "400", None, id="no boundary"),
    ],
)  # fmt: skip
def test_what_a_form_does(
    desk: Desk, body: str, headers: dict[str, str], status: str, kept: dict[str, str] | None
) -> None:
    """Declared fields from declared sites are kept; the person goes where the file says, or is told."""
    answer = desk.ask("POST", "/f/contact", body, **headers)
    assert answer.status.split()[0] == status
    if status == "303":
        assert dict(answer.headers)["Location"] == "https://www.acme.example/thanks"
    assert [dict(r.fields) for r in desk.kept() if isinstance(r, Post)] == ([] if kept is None else [kept])


def test_a_form_sent_twice_is_kept_once(desk: Desk) -> None:
    """Who presses twice means once; a ticked box asks for its topic."""
    for _ in range(2):
        desk.ask("POST", "/f/contact", "email=a@b.example&news=on", **SITE)
    (post,) = desk.kept()
    assert isinstance(post, Post)
    assert (post.asked, dict(post.fields)) == (("news",), {"email": "a@b.example"})


def test_scripts_of_the_site_may_post_a_form(desk: Desk) -> None:
    """CORS: the site's own scripts are told so, others are not."""
    for origin, may in (("https://www.acme.example", True), ("https://evil.example", False)):
        headers = dict(desk.ask("OPTIONS", "/f/contact", origin=origin).headers)
        assert (headers.get("Access-Control-Allow-Origin") == origin) is may
    answer = desk.ask("POST", "/f/contact", "name=x", accept="application/json", **SITE)
    assert answer.body == b'{"ok": false, "error": "email is missing"}'


@pytest.mark.parametrize("path", ["/", "", "/u", "/u/", "/x/y", "/f/other", "/f/../u", "//", "/healthz/x"])
def test_elsewhere_is_nothing(desk: Desk, path: str) -> None:
    """And says so."""
    assert desk.ask("GET", path).status == "404 Not Found"


def test_it_says_how_it_is(desk: Desk) -> None:
    """Well, until the disk refuses; robots are told to stay away."""
    assert desk.ask("GET", "/healthz").body == b'{"ok": true}'
    assert b"Disallow: /" in desk.ask("GET", "/robots.txt").body
    desk.collector.spool.most_bytes = 0
    assert desk.ask("GET", "/healthz").status.startswith("503")


def test_what_cannot_be_kept_is_not_answered_for(desk: Desk) -> None:
    """The person is asked to come again; pages are still shown."""
    desk.collector.spool.most_bytes = 1
    for method, path in (("POST", desk.path("unsubscribe")), ("GET", desk.path("click", "https://a.example/"))):
        answer = desk.ask(method, path, ONE_CLICK if method == "POST" else "")
        assert answer.status == "503 Service Unavailable"
        assert dict(answer.headers)["Retry-After"] == "30"
    assert desk.ask("GET", desk.path("unsubscribe")).status == "200 OK"
    assert desk.kept() == []
