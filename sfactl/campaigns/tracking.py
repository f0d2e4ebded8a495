"""Lead the links of a message through the collector and count its openings, where a campaign asks for that.

Only links to web pages are led astray, and never those by which a reader has a say. All else of the message stays as it
was written, byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from urllib.parse import urlsplit

from sfactl.campaigns.letterhead import Letterhead
from sfactl.engine.links import LONGEST_TOKEN, Link

_ADDRESS = re.compile(r"https?://[^\s<>\"'`{}|\\^，。；：！？、（）「」『』《》〈〉【】]+", re.IGNORECASE)
_AFTER = ".,;:!?…'\"*_~"
"""Characters that end a sentence rather than an address."""

_OPENS = {")": "(", "]": "["}
_UNSEEN = "display:none;max-height:0;overflow:hidden"


class Tracker:
    """Makes the tracked links of one message. ``kept`` are addresses that stay as they are."""

    def __init__(self, link: Link, letterhead: Letterhead, kept: Sequence[str]) -> None:
        self._link = link
        self._head = letterhead
        self._kept = frozenset(kept)
        self._ours = letterhead.collector.rstrip("/") + "/"

    def click(self, address: str) -> str:
        """The address that leads to ``address`` by way of the collector, or ``address`` itself."""
        target = address.strip()
        if target in self._kept or target.startswith(self._ours) or not _is_page(target):
            return address
        token = self._head.signer.token(replace(self._link, purpose="click", target=target))
        # One that the collector would not read leads there directly, and is not counted.
        return f"{self._ours}c/{token}" if len(token) <= LONGEST_TOKEN else address

    def trap(self) -> str:
        """A link that no person sees, so that a program that follows all links gives itself away."""
        url = self._head.signer.url(self._head.collector, replace(self._link, purpose="click", target=""))
        return f'<a href="{escape(url)}" style="{_UNSEEN}" aria-hidden="true" tabindex="-1"></a>'

    def pixel(self) -> str:
        """A picture that tells when the message is looked at."""
        url = self._head.signer.url(self._head.collector, replace(self._link, purpose="open", target=""))
        return f'<img src="{escape(url)}" width="1" height="1" alt="" style="border:0">'


def track_html(html: str, tracker: Tracker, *, clicks: bool, opens: bool) -> str:
    """``html`` with its links led through the collector, and with what counts openings at its end."""
    found = _Links(html, tracker.click if clicks else None)
    at = found.end_of_body
    more = (tracker.trap() if clicks else "") + (tracker.pixel() if opens else "")
    edits = sorted([*found.edits, (at, at, more)])
    parts, position = [], 0
    for start, end, new in edits:
        parts += [html[position:start], new]
        position = end
    return "".join([*parts, html[position:]])


def track_text(text: str, tracker: Tracker) -> str:
    """``text`` with its links led through the collector."""
    return _ADDRESS.sub(lambda match: _tracked(match[0], tracker), text)


def links_of(html: str) -> list[str]:
    """Every address that a reader can click on, in the order of the page."""
    seen: list[str] = []

    def note(address: str) -> str:
        seen.append(address)
        return address

    _Links(html, note)
    return seen


def addresses_in(text: str) -> list[str]:
    """Every web address that stands in a text."""
    return [_split(found)[0] for found in _ADDRESS.findall(text)]


class _Links(HTMLParser):
    """Finds the links of a page and what becomes of them: places in the source and the new text there."""

    def __init__(self, html: str, change: Callable[[str], str] | None) -> None:
        super().__init__()
        self.edits: list[tuple[int, int, str]] = []
        self.end_of_body = len(html)
        self._change = change
        self._lines = [0, *(m.end() for m in re.finditer("\n", html))]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Change the address of a link; a tag without a change is not touched."""
        if tag not in ("a", "area") or self._change is None:
            return
        changed = [(k, self._change(v) if k == "href" and v else v) for k, v in attrs]
        if changed != attrs:
            written = "".join(f" {k}" if v is None else f' {k}="{escape(v)}"' for k, v in changed)
            start, raw = self._position(), self.get_starttag_text() or ""
            self.edits.append((start, start + len(raw), f"<{tag}{written}>"))

    def handle_endtag(self, tag: str) -> None:
        """Where the body ends, openings are counted."""
        if tag == "body":
            self.end_of_body = self._position()

    def _position(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column


def _tracked(found: str, tracker: Tracker) -> str:
    address, rest = _split(found)
    return tracker.click(address) + rest


def _split(found: str) -> tuple[str, str]:
    """An address, and what of the sentence stuck to it."""
    end = len(found)
    while end:
        last = found[end - 1]
        closes = last in ")]" and found.count(last, 0, end) > found.count(_OPENS[last], 0, end)
        if last not in _AFTER and not closes:
            break
        end -= 1
    return found[:end], found[end:]


def _is_page(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and address.isprintable() and " " not in address
