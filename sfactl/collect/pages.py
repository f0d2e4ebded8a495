"""The pages that people see: small, without scripts and pictures, in the language that their browser asks for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template

HERE = Path(__file__).parent
DEFAULT = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that people may hear about: its name in our files, and what they read, by language."""

    name: str
    title: str
    titles: Mapping[str, str] = field(default_factory=dict)
    description: str = ""

    def title_in(self, tongue: str) -> str:
        """The title in a language; what is written for another region is better than nothing."""
        near = next((t for tag, t in self.titles.items() if tag.partition("-")[0] == tongue.partition("-")[0]), "")
        return self.titles.get(tongue) or near or self.title or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of a survey: the field that its answer comes in, the text, and what is chosen already."""

    name: str
    text: str
    picked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The questions of a survey on one scale. ``kind`` names the words at its ends; without ``comment`` none is asked.

    ``said`` is the comment as it stands; ``missed`` says that an answer is missing or does not fit.
    """

    kind: str
    scale: tuple[str, ...]
    questions: tuple[Asked, ...]
    comment: str = ""
    said: str = ""
    missed: bool = False


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((HERE / "pages.toml").read_text(encoding="utf-8"))


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((HERE / "page.html").read_text(encoding="utf-8"))


def language(accepted: str, fallback: str = DEFAULT) -> str:
    """The language to answer in, by ``Accept-Language`` (RFC 9110 section 12.5.4); ``fallback`` where none fits."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")[:20]):
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight.strip() else 1.0
        except ValueError:
            continue
        ranked.append((-quality, place, tag.strip()))
    asked = [tag for quality, _, tag in sorted(ranked) if quality < 0]
    return next((found for tag in (*asked, fallback) if (found := _nearest(tag))), DEFAULT)


def _nearest(tag: str) -> str:
    known = {name.lower(): name for name in _texts()}
    low = tag.lower().replace("_", "-")
    if low in known:
        return known[low]
    parts = low.split("-")
    if parts[0] == "zh":  # the script decides; where it is not said, the region tells it
        return "zh-TW" if {"hant", "hk", "mo", "tw"} & set(parts) else "zh-CN"
    return known.get(parts[0], "")


def page(
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
) -> bytes:
    """The page ``name`` of pages.toml in ``tongue``; ``action`` is where its button posts ``button`` to."""
    texts = _texts()[tongue]
    filled = {key: text.format(sender=sender or texts["us"], topic=topic) for key, text in texts.items()}
    made = _template().render(
        tongue=tongue,
        title=_said(filled, f"{name}_title", topic),
        text=_said(filled, f"{name}_text", topic),
        label=filled.get(f"{name}_button", ""),
        action=action,
        button=button or {},
        topics=topics,
        more=more,
        sheet=sheet,
        sender=sender,
        texts=filled,
    )
    return made.encode()


def _said(texts: Mapping[str, str], key: str, topic: str) -> str:
    """The text, in the words for one topic where there are any."""
    return (texts.get(f"{key}_topic") if topic else None) or texts.get(key, "")
