"""Which other files a rule names, and what it asks of a workspace: segments, scores, layers, tags, templates, files.

It reads conditions only to see the names in them. What does not parse names nothing here; a check says what is wrong.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlglot import exp

from sfactl.api.errors import ConfigError, SfactlError
from sfactl.campaigns.assets import FOLDER as ASSETS
from sfactl.campaigns.assets import assets_of
from sfactl.campaigns.files import known_fields
from sfactl.campaigns.model import Template
from sfactl.campaigns.templates import compile_template
from sfactl.config.objects import build, read_toml
from sfactl.config.tags import read_intents, read_rules
from sfactl.engine.conditions.aggregates import folded_tag
from sfactl.engine.conditions.compile import segments_in
from sfactl.engine.conditions.source import Source
from sfactl.schemas import Schemas
from sfactl.transfer.model import Needs

CONDITIONS = frozenset({"where", "until", "fallback", "won", "lost"})
"""The keys under which conditions stand, wherever in a file."""
TESTED: Mapping[str, str] = {
    "segment": "segments",
    "score": "scores",
    "strategy": "strategies",
}


class References:
    """What rules of one workspace name; it gathers while it is asked."""

    def __init__(self, folder: Path, schemas: Schemas, custom: Mapping[str, Mapping[str, str]]) -> None:
        self._folder = folder
        self._schemas = schemas
        self._custom = custom
        self._tags: dict[str, str] | None = None
        self.paths: set[str] = set()
        self.senders: set[str] = set()
        self.fields: dict[str, str] = {}

    @property
    def needs(self) -> Needs:
        """What has been asked of the workspace so far."""
        return Needs(senders=tuple(sorted(self.senders)), fields=dict(sorted(self.fields.items())))

    def follow(self, path: str) -> None:
        """Take up the file ``path``, and all that it names, and what those name. Raises `ConfigError`."""
        if path in self.paths or not (self._folder / path).is_file():
            return
        self.paths.add(path)
        top = path.partition("/")[0]
        if top == ASSETS:
            return
        raw = read_toml(self._folder / path)
        if top == "templates":
            self._template(path, raw)
        for key, value in _strings(raw):
            last = key.rpartition(".")[2]
            if top == "scores" and key == "fallback":
                self._must(f"scores/{value}.toml", f"{path}: {key}")
            elif last in CONDITIONS or (top == "scores" and key.startswith("measures.")):
                self._condition(value, f"{path}: {key}")
            if top in ("strategies", "campaigns"):
                self._named(last, value, f"{path}: {key}")

    def tests(self) -> None:
        """Take up the test files all of whose rules are here."""
        for file in sorted((self._folder / "tests").glob("*.toml")):
            tested = _tested(read_toml(file))
            if tested and tested <= self.paths:
                self.follow(f"tests/{file.name}")

    def _must(self, path: str, where: str) -> None:
        """As `follow`; what is named and not there would be missed where the rules go. Raises `ConfigError`."""
        if not (self._folder / path).is_file():
            raise ConfigError(f"{where}: there is no {path}")
        self.follow(path)

    def _named(self, key: str, value: str, where: str) -> None:
        if key in ("segment", "blacklist"):
            self._must(f"segments/{value}.toml", where)
        elif key == "template":
            self._must(f"templates/{value}.toml", where)
        elif key == "sender" and value:
            self.senders.add(value)

    def _template(self, path: str, raw: Mapping[str, Any]) -> None:
        said = {key: value for key, value in raw.items() if key != "schema"}
        where = str(self._folder / path)
        template = build(Template, said, where=where, inject={"name": Path(path).stem})
        for found in assets_of(template, self._folder, where=where).values():
            self.paths.update(f"{ASSETS}/{asset.name}" for asset in found)
        compiled = compile_template(template, known_fields(self._schemas), where=where)
        for owner, field in compiled.used:
            self._field(f"{owner}s", field)

    def _condition(self, text: str, where: str) -> None:
        try:
            tree = Source(text=text).parse()
        except SfactlError:
            return
        for name in segments_in(tree):
            self._must(f"segments/{name}.toml", where)
        for call in tree.find_all(exp.Anonymous):
            if str(call.this).lower() == "tag" and call.expressions:
                self._tag(str(call.expressions[0].this))
        for column in tree.find_all(exp.Column):
            parts = [part.name for part in column.parts]
            if len(parts) > 1 and parts[0] == "score":
                self._must(f"scores/{parts[1]}.toml", where)
            if len(parts) > 1 and parts[0] == "layer":
                self.follow(f"layers/{parts[1]}.toml")  # those that ship need no file
            for dataset in self._custom:
                self._field(dataset, parts[-1])

    def _tag(self, name: str) -> None:
        """The rule or intent that gives the tag, if a file of its own does."""
        if self._tags is None:
            rules = {rule.tag or n: f"tags/{n}.toml" for n, (rule, _) in read_rules(self._folder).items()}
            intents = {i.tag: f"intents/{n}.toml" for n, i in read_intents(self._folder).items() if i.tag}
            self._tags = {folded_tag(tag): path for tag, path in {**intents, **rules}.items()}
        if path := self._tags.get(folded_tag(name)):
            self.follow(path)

    def _field(self, dataset: str, field: str) -> None:
        kind = self._custom.get(dataset, {}).get(field)
        if kind is not None:
            self.fields[f"{dataset}.{field}"] = kind


def _strings(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a TOML document with its key path."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _strings(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, key)


def _tested(raw: Mapping[str, Any]) -> set[str]:
    """The files of rules that a test file is about; a price or an assignment is a file that never is among them."""
    found = set()
    for test in raw.get("tests", ()):
        for part in (test, *test.get("cases", ())):
            found |= {f"{top}/{part[key]}.toml" for key, top in TESTED.items() if key in part}
            found |= {key for key in ("assignment", "price") if part.get(key)}
    return found


def parsed(content: bytes) -> dict[str, Any] | None:
    """The TOML document in ``content``; None where it is none."""
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
