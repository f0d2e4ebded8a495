"""Compile and render templates: Jinja2 in a sandbox, HTML escaped, and nothing missing ever printed.

A field that is NULL or blank counts as missing. Printing it is an error, unless the template says what to do instead:
``{{ lead.first_name | default("there") }}``, ``{{ lead.first_name or "there" }}`` or ``{% if lead.first_name %}``.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sfactl.api.errors import ConfigError, DataError
from sfactl.campaigns.model import Template, Wording

Variable = tuple[str, str]
"""An object and a field of it: ("lead", "first_name")."""

_BRANCHING = (nodes.If, nodes.CondExpr, nodes.And, nodes.Or, nodes.Not, nodes.Test, nodes.Compare, nodes.Filter)
_SCOPING = (nodes.Assign, nodes.AssignBlock, nodes.For, nodes.With, nodes.Macro, nodes.CallBlock, nodes.FilterBlock)
_ELSEWHERE = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


class Missing(StrictUndefined):
    """A missing field: may be asked about, never printed."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return False

    @property
    def _undefined_message(self) -> str:
        owner = self._undefined_obj.name if isinstance(self._undefined_obj, Fields) else ""
        return f"{owner}.{self._undefined_name}" if owner else str(self._undefined_name)


class Fields:
    """The fields of one object, as a template sees them. It has no attributes that could shadow a field."""

    __slots__ = ("_name", "_values")

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self._name = name
        self._values = values

    def __getitem__(self, field: str) -> Any:
        value = self._values[field]
        if value is None or (isinstance(value, str) and not value.strip()):
            raise KeyError(field)
        return value

    @property
    def name(self) -> str:
        """Which object it is."""
        return self._name


class _Environment(ImmutableSandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute) if isinstance(obj, Fields) else super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Fields):
            try:
                return obj[argument]
            except KeyError:
                return self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The texts for one recipient."""

    subject: str
    text: str
    html: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledWording:
    """One wording, ready to render, and which variables it uses.

    ``required`` are printed without a fallback. Where the wording branches, what is missing for a recipient depends on
    which fields are blank and on the values of ``decisive``.
    """

    template: str
    language: str
    subject: JinjaTemplate
    text: JinjaTemplate
    html: JinjaTemplate | None
    used: frozenset[Variable]
    in_subject: frozenset[Variable]
    required: frozenset[Variable]
    decisive: frozenset[Variable]
    branches: bool

    def render(self, values: Mapping[str, Mapping[str, Any]]) -> Rendered:
        """Render for one recipient. Raises `DataError` naming a missing variable or a broken header."""
        context: dict[str, Any] = {name: Fields(name, fields) for name, fields in values.items()}
        try:
            subject = self.subject.render(context).strip()
            text = self.text.render(context)
            html = self.html.render(context) if self.html else None
        except UndefinedError as err:
            raise DataError(f"template {self.template} ({self.language}): {err.message} is missing") from None
        except (TemplateError, TypeError, ValueError, ArithmeticError, OverflowError) as err:
            raise DataError(f"template {self.template} ({self.language}): {err}") from None
        if any(c in subject for c in "\r\n\0"):
            raise DataError(f"template {self.template} ({self.language}): the subject has a line break: {subject!r}")
        return Rendered(subject=subject, text=text, html=html)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledTemplate:
    """All wordings of a template by language; the first is the fallback."""

    name: str
    wordings: Mapping[str, CompiledWording]

    @property
    def used(self) -> tuple[Variable, ...]:
        """Every variable of any wording, sorted."""
        return tuple(sorted(set().union(*(w.used for w in self.wordings.values()))))

    def language_for(self, language: str | None) -> str:
        """Which wording a person gets: the exact language, else the same without region, else the template's own."""
        asked = (language or "").replace("_", "-").lower()
        exact = {name.lower(): name for name in self.wordings}
        if asked in exact:
            return exact[asked]
        primary = asked.partition("-")[0]
        near = [name for low, name in exact.items() if low.partition("-")[0] == primary]
        return near[0] if near else next(iter(self.wordings))


def compile_template(template: Template, known: Mapping[str, Collection[str]], *, where: str) -> CompiledTemplate:
    """Compile every wording. ``known`` has the fields of each object; raises `ConfigError` naming key and name."""
    compiled = {
        language: _compile(template.name, language, wording, known, where=where)
        for language, wording in template.wordings.items()
    }
    return CompiledTemplate(name=template.name, wordings=compiled)


def _compile(
    name: str, language: str, wording: Wording, known: Mapping[str, Collection[str]], *, where: str
) -> CompiledWording:
    texts = {"subject": wording.subject, "text": wording.text, "html": wording.html}
    trees = {key: _parse(text, where=f"{where}: {language}.{key}") for key, text in texts.items()}
    used = {key: frozenset(_variables(tree, known, f"{where}: {language}.{key}")) for key, tree in trees.items()}
    branches = any(_branches(tree) for tree in trees.values())
    return CompiledWording(
        template=name,
        language=language,
        subject=_environment(escape=False).from_string(wording.subject),
        text=_environment(escape=False).from_string(wording.text),
        html=_environment(escape=True).from_string(wording.html) if wording.html else None,
        used=frozenset().union(*used.values()),
        in_subject=used["subject"],
        required=frozenset().union(*(_unguarded(tree) for tree in trees.values())),
        decisive=frozenset().union(*(_decisive(tree) for tree in trees.values())),
        branches=branches,
    )


@lru_cache(maxsize=2)
def _environment(*, escape: bool) -> _Environment:
    environment = _Environment(
        undefined=Missing, autoescape=escape, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.globals.clear()
    return environment


def _parse(text: str, *, where: str) -> nodes.Template:
    try:
        tree = _environment(escape=False).parse(text)
    except TemplateSyntaxError as err:
        raise ConfigError(f"{where}: line {err.lineno}: {err.message}") from None
    for node in tree.find_all(_ELSEWHERE):
        raise ConfigError(f"{where}: line {node.lineno}: a template cannot include or extend another")
    environment = _environment(escape=False)
    for found in tree.find_all((nodes.Filter, nodes.Test)):
        table = environment.filters if isinstance(found, nodes.Filter) else environment.tests
        if isinstance(found, (nodes.Filter, nodes.Test)) and found.name not in table:
            raise ConfigError(
                f"{where}: line {found.lineno}: unknown filter {found.name!r}{_nearest(found.name, table)}"
            )
    return tree


def _variables(tree: nodes.Node, known: Mapping[str, Collection[str]], where: str) -> Iterator[Variable]:
    """Every variable used. Raises `ConfigError` for what is not known."""
    local = {n.name for n in tree.find_all(nodes.Name) if n.ctx in ("store", "param")} | {"loop"}
    owned: set[int] = set()
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        variable = _variable(node)
        if variable is None or variable[0] in local:
            continue
        assert isinstance(node, (nodes.Getattr, nodes.Getitem))
        owned.add(id(node.node))
        _check_known(variable, known, f"{where}: line {node.lineno}")
        yield variable
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in local and id(name) not in owned:
            hint = f"write {name.name}.FIELD" if name.name in known else f"there are {', '.join(sorted(known))}"
            if name.name in known.get("lead", ()):
                hint = f"write lead.{name.name}"
            raise ConfigError(f"{where}: line {name.lineno}: {name.name!r} cannot be used by itself; {hint}")


def _check_known(variable: Variable, known: Mapping[str, Collection[str]], where: str) -> None:
    owner, field = variable
    if owner not in known:
        raise ConfigError(f"{where}: unknown {owner!r}{_nearest(owner, known)}")
    if field not in known[owner]:
        raise ConfigError(f"{where}: {owner} has no field {field!r}{_nearest(field, known[owner])}")


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f". Did you mean {near[0]!r}?" if near else ""


def _variable(node: nodes.Node) -> Variable | None:
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return node.node.name, node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Name) and isinstance(node.arg, nodes.Const):
        return node.node.name, str(node.arg.value)
    return None


def _is_default(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Filter) and node.name in ("default", "d")


def _branches(tree: nodes.Node) -> bool:
    if any(True for _ in tree.find_all(_SCOPING)):
        return True
    return any(not isinstance(n, nodes.Filter) or _nested_default(n) for n in tree.find_all(_BRANCHING))


def _nested_default(node: nodes.Filter) -> bool:
    """Whether a default stands behind something other than a plain field, so that only rendering can tell."""
    return _is_default(node) and (node.node is None or _variable(node.node) is None)


def _unguarded(tree: nodes.Node) -> Iterator[Variable]:
    guarded = {id(n.node) for n in tree.find_all(nodes.Filter) if _is_default(n) and n.node is not None}
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        variable = _variable(node)
        if variable and id(node) not in guarded:
            yield variable


def _decisive(tree: nodes.Node) -> Iterator[Variable]:
    """Variables whose values may choose a branch; all of them where names are bound inside the template."""
    whole = any(True for _ in tree.find_all(_SCOPING))
    inside: Iterator[nodes.Node] = iter([tree]) if whole else tree.find_all((nodes.If, *_BRANCHING[1:-1]))
    for node in inside:
        tests = [node.test] if isinstance(node, (nodes.If, nodes.CondExpr)) else [node]
        for test in tests:
            parts = [test, *test.find_all(nodes.Node)]
            yield from (v for v in map(_variable, parts) if v)
