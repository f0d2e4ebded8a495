"""Which tags and intents a workspace declares: ``tags.toml``, ``tags/`` and ``intents/``.

Without a list under ``manual`` any tag may be given by hand; with one, a tag that nothing declares is an error. It
computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sfactl.api.errors import ConfigError
from sfactl.config.objects import read_object

FILE, FOLDER, INTENTS = "tags.toml", "tags", "intents"
LONGEST = 100
"""Characters that a tag may have."""

Kind = Literal["lead", "contact", "account"]
DATASETS: Mapping[str, str] = {"lead": "leads", "contact": "contacts", "account": "accounts"}
"""What may bear a tag, and the dataset it is in."""


def kind_of(text: str) -> Kind:
    """``text`` as one of the kinds in `DATASETS`. Raises KeyError."""
    kinds: Mapping[str, Kind] = {"lead": "lead", "contact": "contact", "account": "account"}
    return kinds[text]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRule:
    """When a tag is given by rule. ``tag`` is by default the rule's own name.

    With ``expires`` the tag stays that long after it was given; without, it goes as soon as ``where`` fails.
    """

    where: str
    tag: str = ""
    entity: Kind = "lead"
    value: str | None = None
    expires: str | None = None
    confidence: float | None = None
    summary: str = ""

    def __post_init__(self) -> None:
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence {self.confidence:g} is not between 0 and 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFile:
    """``tags.toml``. ``conflicts`` are groups of tags of which nobody can bear two."""

    manual: tuple[str, ...] | None = None
    conflicts: tuple[tuple[str, ...], ...] = ()
    rules: Mapping[str, TagRule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """``intents/NAME.toml``: what people may want, and how it shows.

    ``patterns`` lists words and phrases by language (``any``: in all). ``tag`` is given to who has the intent with at
    least ``min_confidence``, for as long as ``expires`` says.
    """

    name: str
    summary: str = ""
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    tag: str | None = None
    expires: str | None = None
    min_confidence: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence {self.min_confidence:g} is not between 0 and 1")


def read_tag_file(folder: Path) -> TagFile:
    """``tags.toml`` of the workspace; empty where there is none. Raises `ConfigError`."""
    path = folder / FILE
    return read_object(TagFile, path) if path.exists() else TagFile()


def read_rules(folder: Path, file: Path | None = None) -> dict[str, tuple[TagRule, str]]:
    """Every rule by name, in the order of their names, with the place of its condition; or only those of ``file``.

    Raises `ConfigError`, also for a name that two files use.
    """
    if file is not None:
        found = read_object(TagFile, file).rules
        return {name: (rule, f"{file}: rules.{name}.where") for name, rule in sorted(found.items())}
    rules = {name: (rule, f"{FILE}: rules.{name}.where") for name, rule in read_tag_file(folder).rules.items()}
    for path in sorted((folder / FOLDER).glob("*.toml")):
        if path.stem in rules:
            raise ConfigError(f"{FOLDER}/{path.name}: there is a rule {path.stem!r} in {FILE} too")
        rules[path.stem] = (read_object(TagRule, path), f"{FOLDER}/{path.name}: where")
    return dict(sorted(rules.items()))


def read_intents(folder: Path) -> dict[str, Intent]:
    """Every intent by name. Raises `ConfigError`."""
    return {p.stem: read_object(Intent, p, inject={"name": p.stem}) for p in sorted((folder / INTENTS).glob("*.toml"))}


def known_tags(folder: Path) -> frozenset[str] | None:
    """Every tag that the workspace declares, folded; None where any tag may be given by hand."""
    file = read_tag_file(folder)
    if file.manual is None:
        return None
    from sfactl.engine.conditions.aggregates import folded_tag  # late: only a list of tags pays for the parser

    names = [*file.manual, *(rule.tag or name for name, (rule, _) in read_rules(folder).items())]
    names += [intent.tag for intent in read_intents(folder).values() if intent.tag]
    return frozenset(map(folded_tag, names))
