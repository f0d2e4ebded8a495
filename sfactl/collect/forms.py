"""Forms that people fill in on web sites: their fields, from where they may come, and where the person goes then.

A form is a file ``forms/NAME.toml``. What it does not declare is never kept, and nobody is sent to an address that the
file does not name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from sfactl.config.objects import read_object

FOLDER = "forms"
MOST_FIELDS = 200
RESERVED = ("submission_id", "submitted_at", "page")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field. ``topic`` makes it a box: ticked, it asks for messages of that topic."""

    required: bool = False
    longest: int = 2000
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What ``forms/NAME.toml`` says.

    ``honeypot`` is a field that people do not see: who fills it in is a robot. ``origins`` are the sites that may post
    the form. ``mapping`` reads its fields, by default their names do.
    """

    name: str
    origins: tuple[str, ...]
    fields: Mapping[str, FormField] = field(default_factory=dict)
    redirect: str = ""
    honeypot: str = ""
    mapping: str = ""
    source: str = "web-form"

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name for a form; use a-z, 0-9, - and _")
        for origin in self.origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
                raise ValueError(f"origins: {origin!r} is not like https://www.acme.example")
        if not self.origins:
            raise ValueError('origins: name the sites that may post it, for instance ["https://www.acme.example"]')
        if self.redirect and not re.fullmatch(r"https?://[^\s/]+\S*", self.redirect):
            raise ValueError(f"redirect: {self.redirect!r} is not like https://www.acme.example/thanks")
        if not self.fields:
            raise ValueError("fields: name at least one, for instance [fields.email]")
        for name in (*self.fields, self.honeypot):
            if name in RESERVED:
                raise ValueError(f"fields.{name}: the collector says that itself; choose another name")
        if self.honeypot in self.fields:
            raise ValueError(f"honeypot: {self.honeypot!r} is a field that people fill in")


class BadPost(ValueError):
    """A posting that cannot be taken; the message is for the person who wrote the page."""


def read_forms(folder: Path) -> dict[str, Form]:
    """Every form of the workspace in ``folder``. Raises `ConfigError`."""
    return {p.stem: read_object(Form, p, inject={"name": p.stem}) for p in sorted((folder / FOLDER).glob("*.toml"))}


def posted(body: bytes, content_type: str) -> dict[str, str]:
    """The fields of a posted form: form-encoded, multipart without files, or a JSON object. Raises `BadPost`."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
        elif kind == "multipart/form-data":
            pairs = _parts(body, content_type)
        elif kind == "application/json":
            pairs = _members(json.loads(body.decode()))
        else:
            raise BadPost(f"{kind or 'nothing'} is not a kind of form; post it form-encoded, multipart or as JSON")
    except BadPost:
        raise
    except (ValueError, RecursionError) as err:
        raise BadPost("the form cannot be read as UTF-8 text") from err
    found: dict[str, str] = {}
    for name, value in pairs:  # several boxes of one name are one answer
        clean = _CONTROL.sub(" ", value.replace("\r\n", "\n")).strip()
        found[name] = f"{found[name]}; {clean}" if found.get(name) and clean else clean or found.get(name, "")
    return found


def checked(form: Form, said: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The declared fields that were filled in, and the topics that were ticked. Raises `BadPost`."""
    kept: dict[str, str] = {}
    asked: list[str] = []
    for name, rule in form.fields.items():
        value = said.get(name, "")
        if rule.required and not value:
            raise BadPost(f"{name} is missing")
        if len(value) > rule.longest:
            raise BadPost(f"{name} is longer than {rule.longest:,} characters")
        if rule.topic and value:
            asked.append(rule.topic)
        elif value:
            kept[name] = value
    if not kept:
        raise BadPost("nothing was filled in")
    return kept, tuple(dict.fromkeys(asked))


def is_allowed(form: Form, headers: Mapping[str, str]) -> bool:
    """Whether the posting comes from a site that may post the form, as the browser says."""
    return origin_of(headers) in form.origins


def origin_of(headers: Mapping[str, str]) -> str:
    """The site that the browser says it comes from."""
    if headers.get("origin"):
        return headers["origin"]
    parts = urlsplit(headers.get("referer", ""))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _parts(body: bytes, content_type: str) -> list[tuple[str, str]]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("ascii", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise BadPost("the form is cut off")
    found = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if part.get_filename() is not None:
            raise BadPost("files cannot be sent with this form")
        raw = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(raw, bytes):
            found.append((name, raw.decode()))
    if len(found) > MOST_FIELDS:
        raise BadPost("the form has too many fields")
    return found


def _members(said: object) -> list[tuple[str, str]]:
    if not isinstance(said, dict) or len(said) > MOST_FIELDS:
        raise BadPost("the form is not a JSON object of texts")
    plain = {n: v for n, v in said.items() if isinstance(v, (str, int, float, bool))}
    return [(n, {True: "yes", False: ""}[v] if isinstance(v, bool) else str(v)) for n, v in plain.items()]
