"""What answers look like on the wire: status, headers that keep browsers and caches from doing harm, and body."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256

from sfactl.collect import pages
from sfactl.collect.model import Answer
from sfactl.collect.pages import Sheet, Topic

Headers = tuple[tuple[str, str], ...]
SAFE: Headers = (
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Robots-Tag", "noindex, nofollow"),
)
RETRY_S = 30


@cache
def _page_headers() -> Headers:
    style = re.search(r"<style>(.*?)</style>", (pages.HERE / "page.html").read_text(encoding="utf-8"), re.S)
    known = b64encode(sha256((style[1] if style else "").encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{known}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", policy),
        ("X-Frame-Options", "DENY"),
        ("Vary", "Accept-Language"),
        *SAFE,
    )


def page(
    status: str,
    name: str,
    tongue: str,
    *,
    sender: str,
    action: str = "",
    topic: str = "",
    topics: Sequence[Topic] = (),
    more: str = "",
    button: Mapping[str, str] | None = None,
    sheet: Sheet | None = None,
) -> Answer:
    """A page for people; see `pages.page`."""
    body = pages.page(
        name,
        tongue,
        sender=sender,
        action=action,
        topic=topic,
        topics=topics,
        more=more,
        button=button,
        sheet=sheet,
    )
    return Answer(status=status, headers=(*_page_headers(), ("Content-Language", tongue)), body=body)


def busy(tongue: str, sender: str, why: str) -> Answer:
    """Nothing could be kept: try again, people and mail programs alike. ``why`` is for whoever looks at the headers."""
    made = page("503 Service Unavailable", "busy", tongue, sender=sender)
    reason = why.encode("ascii", "replace").decode().replace("\n", " ")
    return Answer(
        status=made.status,
        headers=(*made.headers, ("Retry-After", str(RETRY_S)), ("X-Reason", reason)),
        body=made.body,
    )


def plain(text: str, status: str = "200 OK", more: Headers = ()) -> Answer:
    """A text."""
    return Answer(
        status=status, headers=(("Content-Type", "text/plain; charset=utf-8"), *SAFE, *more), body=text.encode()
    )


def data(status: str, value: Mapping[str, object], more: Headers = ()) -> Answer:
    """An answer for scripts."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status=status, headers=(("Content-Type", "application/json"), *SAFE, *more), body=body)


def health(refusal: str) -> Answer:
    """Whether the collector would take something now."""
    if refusal:
        return data("503 Service Unavailable", {"ok": False, "error": refusal}, (("Retry-After", str(RETRY_S)),))
    return data("200 OK", {"ok": True})


def picture(gif: bytes) -> Answer:
    """A picture that no cache keeps."""
    return Answer(status="200 OK", headers=(("Content-Type", "image/gif"), *SAFE), body=gif)


def redirect(status: str, target: str, more: Headers = ()) -> Answer:
    """The way on."""
    return Answer(status=status, headers=(("Location", target), *SAFE, *more))


def methods(allowed: Sequence[str], *, asked: bool, more: Headers = ()) -> Answer:
    """Which methods there are: because somebody ``asked``, or used another."""
    allow = ("Allow", ", ".join(allowed))
    if asked:
        return Answer(status="204 No Content", headers=(allow, *SAFE, *more))
    return plain("", "405 Method Not Allowed", (allow, *more))


def cors(origin: str) -> Headers:
    """Headers with which a script of ``origin`` may read the answer; none where it may not (Fetch standard)."""
    vary = ("Vary", "Origin")
    if not origin:
        return (vary,)
    return (
        vary,
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Methods", "POST"),
        ("Access-Control-Allow-Headers", "content-type"),
        ("Access-Control-Max-Age", "600"),
    )
