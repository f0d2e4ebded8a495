"""What can be said about a message without sending it: facts that mailbox providers, laws and readers hold against it.

Only what can be checked is said; nobody knows what a filter will call spam.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urlsplit

from wcwidth import wcswidth

from sfactl.api.mail import address
from sfactl.campaigns.model import Campaign, Template
from sfactl.campaigns.templates import CompiledTemplate, Rendered
from sfactl.campaigns.tracking import addresses_in

Severity = Literal["warning", "error"]
Said = tuple[Severity, str]

SUBJECT_WIDTH = 78
"""RFC 5322, 2.1.1; mail programs show about 60 of it, telephones 35. A Chinese character takes two."""

CLIPPED_AT = 102 * 1024
"""Gmail shows no more of a message's HTML, and with it goes the link to unsubscribe at its end."""

# They ask receivers to refuse mail that says it is from them and was not signed by them (DMARC).
FREE_MAIL = frozenset(
    (
        *("aol.com", "gmail.com", "googlemail.com", "hotmail.com", "icloud.com", "live.com", "mail.ru"),
        *("outlook.com", "qq.com", "163.com", "126.com", "yahoo.co.jp", "yahoo.com", "yahoo.com.tw", "yandex.ru"),
    )
)
_UNFILLED = re.compile(
    r"\{\{|\}\}|\{%|%\}|\*\||\|\*|%%\w+%%|\[\[\w+\]\]|\$\{\w+\}|\[(?:FNAME|LNAME|FIRST_?NAME|NAME)\]"
)
_DEAD = ("script", "form", "iframe", "object", "embed", "video", "audio", "applet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One fact about one wording of a template. An error would be a broken message; a warning is one badly received."""

    language: str
    severity: Severity
    rule: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One wording, written for somebody, and how it is used.

    ``ways`` are the links by which this reader could unsubscribe, ``attached`` is the size of what goes with it.
    """

    template: Template
    compiled: CompiledTemplate
    language: str
    rendered: Rendered
    channels: Sequence[str] = ("email",)
    marketing: bool = False
    ways: Sequence[str] = ()
    attached: int = 0


def remarks(written: Written) -> Iterator[Remark]:
    """Every remark on one wording."""
    rules: list[tuple[str, Callable[[Written], Iterator[Said]]]]
    rules = [("subject", _subject), ("text", _text), ("unfilled", _unfilled)]
    if "email" in written.channels:
        rules += [("links", _links), ("html", _html), ("parts", _parts)]
        if written.marketing:
            rules += [("way-out", _way_out), ("address", _postal)]
    for rule, check in rules:
        for severity, message in check(written):
            yield Remark(language=written.language, severity=severity, rule=rule, message=message)


def sender_remarks(campaign: Campaign, table: Mapping[str, object], *, feedback_id: str = "") -> Iterator[str]:
    """What speaks against the sender of a campaign; ``table`` has the settings of the sender's file."""
    try:
        domain = address(campaign.sent_as).rpartition("@")[2].lower()
    except ValueError:
        return
    if domain in FREE_MAIL:
        yield f"from: {domain} asks receivers to refuse mail in its name that it did not send itself (DMARC)"
    signed = str(table.get("dkim_domain") or "").lower()
    if signed and not _aligned(domain, signed):
        yield f"from: mail is signed for {signed} and says it is from {domain}; receivers compare the two (DMARC)"
    if feedback_id and table.get("use") == "smtp" and not table.get("dkim_selector"):
        yield "feedback_id: it counts only in mail that is signed (DKIM), and this sender signs none; see docs/email.md"
    if campaign.unsubscribe.startswith("http:"):
        yield "unsubscribe: only a link with https: can be used with one click (RFC 8058, 3.1)"


def _subject(w: Written) -> Iterator[Said]:
    width = wcswidth(w.rendered.subject)
    if not w.rendered.subject and "email" in w.channels:
        yield "error", "the subject is empty"
    if width > SUBJECT_WIDTH:
        yield "warning", f"the subject is {width} columns wide; mail programs show about 60 of them, telephones 35"


def _text(w: Written) -> Iterator[Said]:
    if not w.rendered.text.strip():
        yield "error", "the text part is empty; some readers and many filters see nothing else"


def _unfilled(w: Written) -> Iterator[Said]:
    found = _UNFILLED.findall("\n".join((w.rendered.subject, w.rendered.text, w.rendered.html or "")))
    if found:
        yield "error", f"{found[0]!r} is left standing: something was not filled in"


def _links(w: Written) -> Iterator[Said]:
    page = _Page(w.rendered.html or "")
    found = dict.fromkeys([*page.links, *addresses_in(w.rendered.text)])
    for link in found:
        if link.startswith("http:"):
            yield "warning", f"{_short(link)} is not https: it can be read and changed on the way"
        elif not link.strip():
            yield "error", "a link is empty"
        elif not link.startswith(("#", "cid:")) and not _scheme(link):
            yield "error", f"{_short(link)} leads nowhere from a mailbox; write the whole address, with https://"


def _html(w: Written) -> Iterator[Said]:
    if w.rendered.html is None:
        return
    page = _Page(w.rendered.html)
    for source, has_alt in page.images:
        if not has_alt:
            yield "warning", f"image {_short(source)} has no alt text; until images are shown, readers see nothing"
        if source.startswith(("http:", "data:")):
            yield "warning", f"image {_short(source)} is not shown by many mail programs; attach it or use https"
        elif not source.startswith("cid:") and not _scheme(source):
            yield "error", f"image {_short(source)} leads nowhere from a mailbox; write cid:FILE for one in assets/"
    for tag in page.dead:
        yield "warning", f"<{tag}> does nothing in mail programs, and filters mistrust it"
    size = len(w.rendered.html.encode())
    if size > CLIPPED_AT:
        yield "warning", f"the HTML has {size // 1024} KB; Gmail cuts it off at {CLIPPED_AT // 1024} KB"
    if w.attached > 2 * 1024**2:
        yield "warning", f"{w.attached / 1024**2:.1f} MB are attached; link to large files instead"


def _parts(w: Written) -> Iterator[Said]:
    own = w.template.wordings[w.template.language]
    if own.html and w.rendered.html is None:
        yield "warning", f"there is HTML in {w.template.language}, and none in this language"


def _way_out(w: Written) -> Iterator[Said]:
    parts = {"text": w.rendered.text, "HTML": w.rendered.html}
    for name, part in parts.items():
        if part is not None and not any(way in part or escape(way) in part for way in w.ways):
            yield "warning", f"no way out is printed in the {name}; write {{{{ message.unsubscribe }}}}"


def _postal(w: Written) -> Iterator[Said]:
    if ("workspace", "address") not in w.compiled.wordings[w.language].used:
        yield (
            "warning",
            "no postal address is printed, as many laws ask of advertising; write {{ workspace.address }}",
        )


class _Page(HTMLParser):
    """The links, images and dead tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.images: list[tuple[str, bool]] = []
        self.dead: dict[str, None] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag refers to."""
        said = dict(attrs)
        if tag in ("a", "area") and "href" in said:
            self.links.append((said["href"] or "").strip())
        if tag == "img":
            self.images.append(((said.get("src") or "").strip(), "alt" in said))
        if tag in _DEAD:
            self.dead[tag] = None


def _scheme(link: str) -> str:
    try:
        return urlsplit(link).scheme
    except ValueError:
        return ""


def _short(link: str) -> str:
    return link if len(link) <= 60 else f"{link[:57]}…"


def _aligned(one: str, other: str) -> bool:
    """Whether one is the other or below it, as relaxed alignment asks (RFC 7489, 3.1.1)."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
