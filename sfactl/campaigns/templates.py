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

from jinja2 import Template as JinjaTemplate
from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError, nodes

from sfactl.api.errors import ConfigError, DataError
from sfactl.campaigns.model import Template, Wording
from sfactl.campaigns.sandbox import FILTERS, Fields, Sandbox, bounded, effort, spend

Variable = tuple[str, str]
"""An object and a field of it: ("lead", "first_name")."""

_BRANCHING = (nodes.If, nodes.CondExpr, nodes.And, nodes.Or, nodes.Not, nodes.Test, nodes.Compare, nodes.Filter)
_SCOPING = (nodes.Assign, nodes.AssignBlock, nodes.For, nodes.With, nodes.Macro, nodes.CallBlock, nodes.FilterBlock)
_ELSEWHERE = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
_FAILURES = (
    *(TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError),
    *(AssertionError, RecursionError),
)

LONGEST_SUBJECT = 500
LONGEST_SOURCE = 500_000
"""Characters of one text of a template, before anything is filled in."""


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
            subject = _written(self.subject, context).strip()
            text = _written(self.text, context)
            html = _written(self.html, context) if self.html else None
        except UndefinedError as err:
            raise DataError(f"template {self.template} ({self.language}): {err.message} is missing") from None
        except _FAILURES as err:
            why = "it calls itself too often" if isinstance(err, RecursionError) else str(err)
            raise DataError(f"template {self.template} ({self.language}): {why}") from None
        if len(subject) > LONGEST_SUBJECT:
            said = f"the subject has {len(subject):,} characters; no more than {LONGEST_SUBJECT} can be sent"
            raise DataError(f"template {self.template} ({self.language}): {said}")
        if any(c in subject for c in "\r\n\0"):
            raise DataError(f"template {self.template} ({self.language}): the subject has a line break: {subject!r}")
        return Rendered(subject=subject, text=text, html=html)


def _written(template: JinjaTemplate, context: Mapping[str, Any]) -> str:
    """One text. Raises whatever the template does, and `TooMuch`."""
    parts = []
    with effort():
        for part in template.generate(context):
            spend(len(part))
            parts.append(part)
    return "".join(parts)


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
    fields = tuple((owner, tuple(names)) for owner, names in known.items())
    compiled = {
        language: _compiled(template.name, language, wording, fields, where)
        for language, wording in template.wordings.items()
    }
    return CompiledTemplate(name=template.name, wordings=compiled)


@lru_cache(maxsize=256)
def _compiled(
    name: str, language: str, wording: Wording, fields: tuple[tuple[str, tuple[str, ...]], ...], where: str
) -> CompiledWording:
    known = dict(fields)
    texts = {"subject": wording.subject, "text": wording.text, "html": wording.html}
    trees = {key: _parse(text, known, where=f"{where}: {language}.{key}") for key, text in texts.items()}
    used = {key: frozenset(_variables(tree, known, f"{where}: {language}.{key}")) for key, tree in trees.items()}
    branches = any(_branches(tree) for tree in trees.values())
    return CompiledWording(
        template=name,
        language=language,
        subject=_executable(wording.subject, where, escape=False),
        text=_executable(wording.text, where, escape=False),
        html=_executable(wording.html, where, escape=True) if wording.html else None,
        used=frozenset().union(*used.values()),
        in_subject=used["subject"],
        required=frozenset().union(*(_unguarded(tree) for tree in trees.values())),
        decisive=frozenset().union(*(_decisive(tree) for tree in trees.values())),
        branches=branches,
    )


@lru_cache(maxsize=2)
def _environment(*, escape: bool) -> Sandbox:
    return Sandbox(escape=escape)


def _executable(text: str, where: str, *, escape: bool) -> JinjaTemplate:
    environment = _environment(escape=escape)
    try:
        return environment.from_string(bounded(environment.parse(text)))
    except RecursionError:
        raise ConfigError(f"{where}: it is nested too deeply") from None


def _parse(text: str, known: Mapping[str, Collection[str]], *, where: str) -> nodes.Template:
    if len(text) > LONGEST_SOURCE:
        raise ConfigError(f"{where}: {len(text):,} characters are more than {LONGEST_SOURCE:,}")
    try:
        tree = _environment(escape=False).parse(text)
    except TemplateSyntaxError as err:
        raise ConfigError(f"{where}: line {err.lineno}: {err.message}") from None
    except (RecursionError, ValueError) as err:
        why = "it is nested too deeply" if isinstance(err, RecursionError) else str(err)
        raise ConfigError(f"{where}: {why}") from None
    for node, problem in _refused(tree, known):
        raise ConfigError(f"{where}: line {node.lineno}: {problem}")
    return tree


def _refused(tree: nodes.Template, known: Mapping[str, Collection[str]]) -> Iterator[tuple[nodes.Node, str]]:
    """What a template may not do."""
    for node in tree.find_all(_ELSEWHERE):
        yield node, "a template cannot include or extend another"
    for node in tree.find_all(nodes.ScopedEvalContextModifier):
        yield node, "HTML is always escaped; that cannot be switched off"
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            yield loop, "a loop cannot call itself"
    for name in tree.find_all(nodes.Name):
        if name.ctx != "load" and name.name in known:
            yield name, f"{name.name!r} is taken; call it something else"
    tests = _environment(escape=False).tests
    for found in tree.find_all(nodes.Filter):
        if found.name == "safe":
            yield found, "HTML is always escaped: write the markup into the template, outside of {{ }}"
        if found.name not in FILTERS:
            yield found, f"unknown filter {found.name!r}{_nearest(found.name, FILTERS)}"
    for test in tree.find_all(nodes.Test):
        if test.name not in tests:
            yield test, f"unknown test {test.name!r}{_nearest(test.name, tests)}"


def _variables(tree: nodes.Node, known: Mapping[str, Collection[str]], where: str) -> Iterator[Variable]:
    """Every variable used. Raises `ConfigError` for what is not known."""
    local = {n.name for n in tree.find_all(nodes.Name) if n.ctx in ("store", "param")} | {"loop"}
    local |= {macro.name for macro in tree.find_all(nodes.Macro)}
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
    """Whether a default stands behind something other than a plain field, or falls back on one: rendering can tell."""
    if not _is_default(node):
        return False
    fallback = [v for arg in (*node.args, *node.kwargs) for v in (arg, *arg.find_all(nodes.Node)) if _variable(v)]
    return bool(fallback) or node.node is None or _variable(node.node) is None


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
