"""Decide what every request gets: pages, pictures and ways on, and which of them are events.

A GET never changes anything a person said: only a POST unsubscribes, saves or confirms. Nobody is led anywhere but
where a signed link or a form's file says, and nothing is answered for before it is on the disk.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from threading import Lock
from urllib.parse import quote, urlsplit, urlunsplit

from sfactl.api.errors import ConfigError, DataError, PolicyError
from sfactl.api.records import Posting
from sfactl.collect import answers
from sfactl.collect.forms import BadPost, Form, checked, is_allowed, origin_of, posted
from sfactl.collect.model import Act, Answer, Deed, Listener, Post, Request
from sfactl.collect.pages import Sheet, Topic, language
from sfactl.collect.spool import Spool, SpoolRefused
from sfactl.collect.surveying import SurveyDesk
from sfactl.config.surveys import BadAnswer
from sfactl.engine.links import PATHS, ForgedLink, Link, Purpose, Signer, event_id
from sfactl.engine.robots import is_scanner

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
"""What a mail program posts (RFC 8058 section 3.1), and our own button, too."""
PURPOSES: Mapping[str, Purpose] = {path: purpose for purpose, path in PATHS.items()}
PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
AHEAD = ("purpose", "x-purpose", "sec-purpose", "x-moz")
"""Headers with which programs say that nobody has asked for the page yet."""
LONGEST_AGENT = 300
EVENTS = "e"
"""The first part of the path that services post to: ``https://go.acme.example/e/SENDER``."""
BODY_BYTES = 64 << 10
EVENTS_BYTES = 1 << 20
"""SendGrid posts up to 768 KB at a time."""
_AHEAD = re.compile("prefetch|preview|prerender", re.IGNORECASE)
_TRAILING = ").,;:>'\"/]} "


@dataclass(slots=True, kw_only=True)
class Collector:
    """Answers requests. ``address`` is its public one, ``base`` the path of it; ``sender`` is what people know us as.

    ``listeners`` are the senders whose services post events, which are kept in ``told``.
    """

    signer: Signer
    spool: Spool
    posts: Spool
    surveys: SurveyDesk
    now: Callable[[], datetime]
    forms: Mapping[str, Form] = field(default_factory=dict)
    told: Spool | None = None
    listeners: Mapping[str, Listener] = field(default_factory=dict)
    address: str = ""
    topics: Sequence[Topic] = ()
    sender: str = ""
    base: str = ""
    tongue: str = "en"
    counts: Counter[str] = field(default_factory=Counter)
    _counting: Lock = field(default_factory=Lock)

    def answer(self, request: Request) -> Answer:
        """What ``request`` gets, once all that has to be kept is kept."""
        path = request.path.removeprefix(self.base) if self.base else request.path
        first, _, rest = path.lstrip("/").partition("/")
        try:
            if first in PURPOSES and rest:
                return self._linked(request, PURPOSES[first], rest)
            if first == "f" and rest in self.forms:
                return self._form(request, self.forms[rest])
            if first == EVENTS and rest in self.listeners and self.told is not None:
                return self._events(request, rest, self.told)
        except SpoolRefused as err:
            self._count("refused by the disk")
            return answers.busy(self._tongue(request), self.sender, str(err))
        if first in ("healthz", "robots.txt") and not rest:
            if request.method not in ("GET", "HEAD"):
                return answers.methods(("GET", "HEAD"), asked=request.method == "OPTIONS")
            if first == "robots.txt":
                return answers.plain("User-agent: *\nDisallow: /\n")
            spools = (self.spool, self.posts, self.surveys.spool, *((self.told,) if self.told else ()))
            return answers.health(next((said for one in spools if (said := one.refusal())), ""))
        self._count("nothing there")
        return self._page(request, "404 Not Found", "missing")

    def takes(self, path: str) -> int:
        """How many bytes may be posted to ``path``."""
        is_event = bool(self.listeners) and path.removeprefix(self.base).startswith(f"/{EVENTS}/")
        return EVENTS_BYTES if is_event else BODY_BYTES

    def _events(self, request: Request, name: str, spool: Spool) -> Answer:
        """What a service posts is kept whole before it is answered for; what is not genuine leaves nothing."""
        if request.method != "POST":
            return answers.methods(("POST",), asked=request.method == "OPTIONS")
        url = f"{self.address.rstrip('/')}/{EVENTS}/{name}"
        posting = Posting(body=request.body, headers=request.headers, at=self.now(), url=url)
        try:
            heard = self.listeners[name].hear(posting)
        except PolicyError as err:
            self._count("forged events")
            return answers.plain(err.message, "403 Forbidden")
        except ConfigError as err:  # the key was there when this began: it may be there again
            self._count("events that cannot be checked")
            return answers.plain(err.message, "503 Service Unavailable", (("Retry-After", str(answers.RETRY_S)),))
        except DataError as err:
            self._count("events that cannot be read")
            return answers.plain(err.message, "400 Bad Request")
        if heard:
            self._tell(spool.add(heard), "kept")
        return answers.plain("ok")

    def _linked(self, request: Request, purpose: Purpose, token: str) -> Answer:
        posts = purpose in ("unsubscribe", "preferences", "confirm", "survey")
        allowed = ("GET", "HEAD", "OPTIONS", *(("POST",) if posts else ()))
        if request.method not in allowed or request.method == "OPTIONS":
            return answers.methods(allowed, asked=request.method == "OPTIONS")
        try:
            link = self.signer.read(purpose, token.rstrip(_TRAILING))
        except ForgedLink:
            self._count("forged")
            return self._page(request, "404 Not Found", "forged")
        if request.method == "POST":
            return self._posted(request, link)
        if not posts:
            self._keep(request, link, "click" if purpose == "click" else "open")
            return self._led_on(request, link)
        try:
            self._keep(request, link, "look")
        except SpoolRefused:  # only a hint at scanners is lost
            self._count("refused by the disk")
        return self._button(request, link)

    def _led_on(self, request: Request, link: Link) -> Answer:
        if link.purpose == "open":
            return answers.picture(PIXEL)
        target = location(link.target)
        return answers.redirect("302 Found", target) if target else self._page(request, "200 OK", "nothing")

    def _button(self, request: Request, link: Link, status: str = "200 OK") -> Answer:
        """The page on which a person says it."""
        token = self.signer.token(link)
        action = f"{self.base}/{PATHS[link.purpose]}/{token}"
        if link.purpose == "survey":
            chosen = self.surveys.picked(link, request.query)
            return self._asked(request, link, action, chosen, missed=status != "200 OK")
        if link.purpose == "preferences":
            return self._page(
                request, status, "preferences", action=action, topics=self._choices(), button={"form": "preferences"}
            )
        if link.purpose == "confirm":
            return self._page(
                request,
                status,
                "confirm",
                action=action,
                topic=self._title(request, link.target),
                button={"form": "confirm"},
            )
        return self._page(
            request,
            status,
            "unsubscribe",
            action=action,
            topic=self._title(request, link.target),
            button=ONE_CLICK,
            more=self._preferences(link),
        )

    def _posted(self, request: Request, link: Link) -> Answer:
        try:
            said = posted(request.body, request.headers.get("content-type", ""))
        except BadPost:
            said = {}
        if link.purpose == "survey" and said.get("form") == "survey" and link.campaign in self.surveys.surveys:
            return self._answered(request, link, said)
        if link.purpose == "unsubscribe" and said.get("List-Unsubscribe") == "One-Click":
            self._keep(request, link, "unsubscribe", topic=link.target)
            topic = self._title(request, link.target)
            return self._page(request, "200 OK", "unsubscribed", topic=topic, more=self._preferences(link))
        if link.purpose == "confirm" and said.get("form") == "confirm":
            self._keep(request, link, "consent", topic=link.target)
            return self._page(request, "200 OK", "confirmed")
        if link.purpose == "preferences" and said.get("form") == "preferences":
            self._save(request, link, said)
            return self._page(request, "200 OK", "saved", more=self._preferences(link))
        self._count("posts that say nothing")
        return self._button(request, link, "400 Bad Request")

    def _save(self, request: Request, link: Link, said: Mapping[str, str]) -> None:
        """Keep what was changed on the page of preferences; who wants nothing is heard first."""
        if said.get("all") == "no":
            acts = [self._act(request, link, "unsubscribe")]
        else:
            meant: Mapping[str, Deed] = {"yes": "subscribe", "no": "unsubscribe"}
            chosen = {one.name: meant.get(said.get(f"topic.{one.name}", "")) for one in self._choices()}
            acts = [self._act(request, link, deed, topic=name) for name, deed in chosen.items() if deed]
        if acts:
            self._tell(self.spool.add(acts), "kept")

    def _asked(
        self, request: Request, link: Link, action: str, said: Mapping[str, str], *, missed: bool = False
    ) -> Answer:
        """The questions; a survey that is over says so."""
        sheet = self.surveys.sheet(link, self._tongue(request), said, missed=missed)
        if sheet is None:
            return self._page(request, "410 Gone", "survey_over")
        status = "400 Bad Request" if missed else "200 OK"
        return self._page(request, status, "survey", action=action, button={"form": "survey"}, sheet=sheet)

    def _answered(self, request: Request, link: Link, said: Mapping[str, str]) -> Answer:
        try:
            self._tell(self.surveys.take(link, said), "kept")
        except BadAnswer:
            self._count("answers with mistakes")
            action = f"{self.base}/{PATHS[link.purpose]}/{self.signer.token(link)}"
            return self._asked(request, link, action, said, missed=True)
        return self._page(request, "200 OK", "answered")

    def _form(self, request: Request, form: Form) -> Answer:
        cors = answers.cors(origin_of(request.headers) if is_allowed(form, request.headers) else "")
        if request.method != "POST":
            return answers.methods(("POST", "OPTIONS"), asked=request.method == "OPTIONS", more=cors)
        as_data = "application/json" in request.headers.get("accept", "")
        if not is_allowed(form, request.headers):
            self._count("forms from other sites")
            return self._refused(request, "403 Forbidden", "this site may not post the form", as_data, cors)
        try:
            said = posted(request.body, request.headers.get("content-type", ""))
            trapped = bool(form.honeypot and said.get(form.honeypot))
            kept, asked = ({}, ()) if trapped else checked(form, said)
        except BadPost as err:
            self._count("forms with mistakes")
            return self._refused(request, "400 Bad Request", str(err), as_data, cors)
        if trapped:  # a robot is not told
            self._count("forms by robots")
        else:
            self._keep_post(request, form, kept, asked)
        if as_data:
            return answers.data("200 OK", {"ok": True}, cors)
        if form.redirect:
            return answers.redirect("303 See Other", location(form.redirect), cors)
        return self._page(request, "200 OK", "thanks")

    def _keep_post(self, request: Request, form: Form, kept: Mapping[str, str], asked: tuple[str, ...]) -> None:
        at = self.now()
        text = json.dumps([form.name, sorted(kept.items()), asked, at.isoformat(timespec="minutes")])
        page = request.headers.get("referer", "").partition("?")[0][:500]
        post = Post(
            # Pressed twice is sent once.
            id=sha256(text.encode()).hexdigest()[:32],
            at=at,
            form=form.name,
            fields=kept,
            page=page,
            asked=asked,
        )
        self._tell(self.posts.add([post]), "kept")

    def _refused(
        self, request: Request, status: str, why: str, as_data: bool, cors: tuple[tuple[str, str], ...]
    ) -> Answer:
        if as_data:
            return answers.data(status, {"ok": False, "error": why}, cors)
        return self._page(request, status, "refused")

    def _keep(self, request: Request, link: Link, deed: Deed, *, topic: str = "") -> None:
        self._tell(self.spool.add([self._act(request, link, deed, topic=topic)]), "kept")

    def _act(self, request: Request, link: Link, deed: Deed, *, topic: str = "") -> Act:
        at = self.now()
        agent = request.headers.get("user-agent", "")[:LONGEST_AGENT]
        ahead = any(_AHEAD.search(request.headers[h]) for h in AHEAD if h in request.headers)
        kind: str = deed if link.purpose == "preferences" or deed == "look" else ""
        if deed in ("open", "click") and (
            ahead or request.method == "HEAD" or is_scanner(agent, picture=deed == "open")
        ):
            kind = "bot"
        return Act(
            id=event_id(link, at, kind=kind, topic=topic),
            at=at,
            deed=deed,
            message_key=link.message_key,
            lead_id=link.lead_id,
            campaign=link.campaign,
            step=link.step,
            target=link.target if deed == "click" else link.purpose if deed == "look" else "",
            topic=topic,
            method=request.method,
            agent=agent,
            ahead=ahead,
        )

    def _choices(self) -> Sequence[Topic]:
        return self.topics or (Topic(name="", title=self.sender or "✉"),)

    def _title(self, request: Request, topic: str) -> str:
        tongue = self._tongue(request)
        return next((t.title_in(tongue) for t in self.topics if t.name == topic), topic)

    def _preferences(self, link: Link) -> str:
        """The address of the preferences of the person whom ``link`` is for."""
        own = Link(
            purpose="preferences",
            message_key=link.message_key,
            lead_id=link.lead_id,
            campaign=link.campaign,
            step=link.step,
        )
        return f"{self.base}/{PATHS['preferences']}/{self.signer.token(own)}"

    def _tongue(self, request: Request) -> str:
        return language(request.headers.get("accept-language", ""), self.tongue)

    def _page(
        self,
        request: Request,
        status: str,
        name: str,
        *,
        action: str = "",
        topic: str = "",
        topics: Sequence[Topic] = (),
        more: str = "",
        button: Mapping[str, str] | None = None,
        sheet: Sheet | None = None,
    ) -> Answer:
        return answers.page(
            status,
            name,
            self._tongue(request),
            sender=self.sender,
            action=action,
            topic=topic,
            topics=topics,
            more=more,
            button=button,
            sheet=sheet,
        )

    def _tell(self, new: int, what: str) -> None:
        self._count(what if new else "said again")

    def _count(self, what: str) -> None:
        with self._counting:
            self.counts[what] += 1


def location(target: str) -> str:
    """``target`` as it may stand in a header: an address of the web in ASCII; nothing where it is none."""
    if re.search(r"[\x00-\x20\x7f\\]", target):
        return ""
    try:
        parts = urlsplit(target)
        host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    safe = "/%:@!$&'()*+,;=~-._?[]"
    return urlunsplit((parts.scheme, host, *(quote(part, safe) for part in parts[2:])))
