"""Access logs: pages of people in sessions, once, whoever they turn out to be; all else counted."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from sfactl.api.errors import DataError, SfactlError
from sfactl.leads import links, usecases
from sfactl.leads.model import FileImport

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def line(
    clock: str, target: str, *, host: str = "1.2.3.4", status: int = 200, agent: str = CHROME, tail: str = "", **o: str
) -> str:
    request = f"{o.get('method', 'GET')} {target} HTTP/1.1"
    return f'{host} - - [21/Nov/2026:{clock} +0800] "{request}" {status} 512 "{o.get("came", "-")}" "{agent}"{tail}\n'


def load(
    desk: Any,
    content: str | bytes,
    form: Any = "combined",
    name: str = "access.log",
    posts_to: tuple[str, ...] = (),
    **options: Any,
) -> FileImport:
    with desk.session(**options) as session:
        (done,) = usecases.import_logs(session, [desk.write(name, content)], form=form, posts_to=posts_to).files
    return done


def visits(desk: Any, columns: str) -> list[tuple[Any, ...]]:
    return desk.rows(f"select {columns} from visits order by visits.at, page")


def test_pages_sessions_and_what_is_left_out(desk: Any) -> None:
    done = load(
        desk,
        line("09:00:00", "/?utm_source=google&utm_medium=cpc&utm_campaign=spring+sale")
        + line("09:00:01", "/style.css")
        + line("09:10:00", "/pricing?cid=c7", came="https://www.example.org/x?y=1")
        + line("09:40:01", "/blog")
        + line("09:41:00", "/gone", status=404)
        + line("09:41:01", "/", agent=GOOGLE)
        + line("09:41:02", "/form", method="POST")
        + "what is this?\n\n",
    )
    assert (done.rows, done.new, done.rejected) == (4, 3, 1)
    assert dict(done.cleaned) == {"assets": 1, "refused": 1, "robots": 1, "methods": 1}
    assert done.reasons[0].reason == "not in the form combined (row 8)"
    assert visits(desk, "page, content_id, source, medium, campaign, dwell_s") == [
        ("/", None, "google", "cpc", "spring sale", 600.0),
        ("/pricing", "c7", "example.org", None, None, None),
        ("/blog", None, None, None, None, None),
    ]
    assert len({s for (s,) in visits(desk, "session_id")}) == 2
    assert str(visits(desk, "visits.at")[0][0]) == "2026-11-21 01:00:00"


def test_the_same_lines_again_and_a_rotated_file(desk: Any) -> None:
    first = line("09:00:00", "/a") + line("09:00:00", "/a") + line("09:05:00", "/b")
    assert load(desk, first).new == 3
    assert (load(desk, first).new, load(desk, first).unchanged) == (0, 3)
    rotated = line("09:05:00", "/b") + line("09:20:00", "/c")
    assert load(desk, gzip.compress(rotated.encode()), name="access.log.1.gz").new == 1
    assert len({s for (s,) in visits(desk, "session_id")}) == 1, "a session goes on over two files"


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ("2001:db8::7 - mei [21/Nov/2026:09:00:00 +0800] \"GET /a HTTP/2.0\" 200 -\n", "common"),
        ("shop.example:443 1.2.3.4 - - [21/Nov/2026:09:00:00 +0800] \"GET /a HTTP/1.1\" 304 0 \"-\" \"x\\\"y\"\n", "combined"),
        (json.dumps({"time_iso8601": "2026-11-21T09:00:00+08:00", "remote_addr": "1.2.3.4", "request": "GET /a HTTP/1.1", "status": 200, "http_user_agent": CHROME}), "json"),
        (json.dumps({"ts": 1795222800.25, "request": {"remote_ip": "1.2.3.4", "method": "GET", "uri": "/a?x=1", "headers": {"User-Agent": [CHROME]}}, "status": 200}), "json"),
        (json.dumps({"StartUTC": "2026-11-21T01:00:00Z", "ClientHost": "1.2.3.4", "RequestMethod": "GET", "RequestPath": "/a", "DownstreamStatus": 200, "request_User-Agent": CHROME}), "json"),
    ],
    ids=["common-ipv6", "vhost-quote-in-agent", "nginx-json", "caddy", "traefik"],
)  # fmt: skip
def test_forms(desk: Any, content: str, form: str) -> None:
    assert load(desk, content, form).new == 1
    ((page, at),) = visits(desk, "page, visits.at")
    assert (page, at.isoformat()[:16]) == ("/a", "2026-11-21T01:00")


def test_a_signed_link_says_who_it_is_for_earlier_visits_too(desk: Any) -> None:
    desk.load("email\nmei@example.tw\n")
    load(desk, line("09:00:00", "/early"))
    with desk.session() as session:
        made = usecases.make_links(session, "https://acme.example/offer?x=1", ["mei@example.tw"]).to_pylist()
    assert [(row["lead_id"], row["email"]) for row in made] == [(1, "mei@example.tw")]
    address = made[0]["url"].removeprefix("https://acme.example")
    forged = f"/offer?{links.PARAMETER}=1.AAAAAAAAAAAAAA"
    done = load(desk, line("09:06:00", forged, host="6.6.6.6") + line("09:05:00", address), name="b.log")
    assert done.cleaned["touchpoints"] == 2
    assert desk.rows("select lead_id, kind, page, channel from touchpoints order by page") == [
        (1, "visit", "/early", "web"),
        (1, "visit", "/offer", "web"),
    ]
    assert load(desk, line("09:08:00", "/later"), name="c.log").cleaned == {"touchpoints": 1}
    assert desk.rows("select count(*), count(distinct event_id) from touchpoints") == [(3, 3)]


@pytest.mark.parametrize(
    ("url", "refs", "segment", "said"),
    [
        ("acme.example", ["lead:1"], None, "is not a web address"),
        ("javascript:alert(1)", ["lead:1"], None, "is not a web address"),
        ("https://acme.example", [], None, "name leads, or a segment"),
        ("https://acme.example", ["lead:9"], None, "no lead"),
        ("https://acme.example", [], "hot", "has no members"),
    ],
)
def test_links_that_cannot_be(desk: Any, url: str, refs: list[str], segment: str | None, said: str) -> None:
    desk.load("email\nmei@example.tw\n")
    with desk.session() as session, pytest.raises(SfactlError, match=said):
        usecases.make_links(session, url, refs, segment=segment)


def test_bytes_that_are_no_text_are_kept_as_marks(desk: Any) -> None:
    content = line("09:00:00", "/a").encode() + line("09:00:02", "/b\xff").encode("latin-1")
    assert load(desk, content).new == 2


@pytest.mark.parametrize("content", ["<html>\n<body>no\n", "a,b\n1,2\n"], ids=["html", "csv"])
def test_a_file_that_is_no_log_is_refused(desk: Any, content: str) -> None:
    with pytest.raises(DataError, match="no line is in the form"):
        load(desk, content)


def test_a_dry_run_writes_nothing(desk: Any) -> None:
    assert load(desk, line("09:00:00", "/a"), dry_run=True).new == 1
    assert visits(desk, "page") == []


def test_a_form_that_was_posted_counts_for_whoever_it_is(desk: Any) -> None:
    """To a path that was named, by a person, answered well; once, and also where its visitor is known only later."""
    desk.load("email\nmei@example.tw\n")
    content = (
        line("09:00:00", "/contact")
        + line("09:00:00", "/contact", method="POST", status=303)
        + line("09:01:00", "/contact", method="POST", status=400)
        + line("09:02:00", "/login", method="POST")
        + line("09:03:00", "/contact", method="POST", agent=GOOGLE, host="6.6.6.6")
        + line("09:04:00", "/contact?x=1", method="POST")
    )
    done = load(desk, content, posts_to=("/contact",))
    assert (done.new, dict(done.cleaned)) == (3, {"methods": 3})
    assert load(desk, content, posts_to=("/contact",)).new == 0
    assert load(desk, content, name="again.log").new == 0
    with desk.session() as session:
        (made,) = usecases.make_links(session, "https://acme.example/offer", ["mei@example.tw"]).to_pylist()
    load(desk, line("09:05:00", made["url"].removeprefix("https://acme.example")), name="b.log")
    assert desk.rows("select lead_id, kind, content from touchpoints order by touchpoints.at, kind") == [
        (1, "form_submit", "/contact"),
        (1, "visit", "/contact"),
        (1, "form_submit", "/contact"),
        (1, "visit", "/offer"),
    ]
