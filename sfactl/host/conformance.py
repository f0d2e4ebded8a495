"""Decide whether a plugin keeps the contract, as far as that can be seen without using it: nothing is made or sent."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from sfactl.api.offers import CommandOffer, Offer
from sfactl.host.model import Found, Origin, PluginInfo
from sfactl.host.target import PROTOCOLS, RESERVED, imported, missing_parts

Verdict = Literal["ok", "warning", "failed"]

PUBLIC = ("sfactl.api", "sfactl.testkit")
"""What a plugin's package may import of sfactl."""

SIMPLE = (str, int, float, bool, Decimal, date, datetime, time, Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at. ``detail`` says what is wrong, or what was found."""

    what: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginReport:
    """Everything that was looked at in one plugin."""

    plugin: str
    distribution: str
    version: str
    ok: bool
    checks: tuple[Check, ...]


def report_on(info: PluginInfo) -> PluginReport:
    """Look at one plugin from its entry point to its source."""
    checks = tuple(_checks(info))
    return PluginReport(
        plugin=info.origin.name,
        distribution=info.origin.dist,
        version=info.origin.version,
        ok=all(check.verdict != "failed" for check in checks),
        checks=checks,
    )


def _checks(info: PluginInfo) -> Iterator[Check]:
    if info.state == "disabled":
        yield Check(what="loads", verdict="warning", detail="disabled, so it was not even imported")
        return
    for fault in info.faults:
        yield Check(what=fault.stage, verdict="failed", detail=" ".join(filter(None, (fault.message, fault.hint))))
    if not info.faults:
        took = f"imported in {info.import_s * 1000:.0f} ms, answered in {info.ask_s * 1000:.0f} ms"
        yield Check(what="loads", verdict="warning" if info.slow else "ok", detail=took + " (slow)" * info.slow)
    for clash in info.clashes:
        # Whoever clashes with sfactl itself loses; two others are both unusable under that name.
        own = info.origin.builtin
        yield Check(what="names", verdict="warning" if own else "failed", detail=clash.message)
    for found in info.found:
        yield from check_offer(found)
    if not info.origin.builtin and not any(fault.stage == "import" for fault in info.faults):
        yield check_imports(info.origin)
    for fault in info.earlier:
        detail = f"{fault.message} (at {fault.at}, in an earlier run)"
        yield Check(what=fault.stage, verdict="warning", detail=detail)


def check_offer(found: Found) -> Iterator[Check]:
    """Look at one offer: its target, its settings, and what it declares."""
    offer = found.offer
    what = f"{offer.kind} {offer.name}"
    try:
        target = imported(offer.target)
    except Exception as err:
        yield Check(what=what, verdict="failed", detail=f"{offer.target}: {type(err).__name__}: {err}")
        return
    yield from _check_target(what, found, target)
    if offer.settings is not None:
        yield from _check_settings(f"{what} settings", offer)
    elif needs := [*offer.secrets, *(h for h in offer.hosts if h.startswith("setting:"))]:
        yield Check(what=what, verdict="failed", detail=f"{', '.join(needs)} is declared, but there are no settings")


def _check_target(what: str, found: Found, target: Any) -> Iterator[Check]:
    if isinstance(found.offer, CommandOffer):
        import click

        fits = isinstance(target, click.Command)
        detail = found.offer.target if fits else f"{found.offer.target} is not a click.Command"
        yield Check(what=what, verdict="ok" if fits else "failed", detail=detail)
        return
    if not callable(target):
        yield Check(what=what, verdict="failed", detail=f"{found.offer.target} cannot be called")
        return
    if problem := _call_problem(target):
        yield Check(what=what, verdict="failed", detail=problem)
    if not isinstance(target, type):
        yield Check(what=what, verdict="warning", detail="made by a function, so its shape is known only when used")
        return
    if lacks := missing_parts(found, target):
        yield Check(what=what, verdict="failed", detail=f"{target.__name__} lacks {', '.join(lacks)}")
        return
    wrong = list(_signature_problems(found, target))
    yield Check(what=what, verdict="failed" if wrong else "ok", detail="; ".join(wrong) or found.offer.target)


def _call_problem(target: Any) -> str:
    try:
        inspect.signature(target).bind("settings", "context")
    except TypeError as err:
        return f"{getattr(target, '__name__', target)}(settings, context) cannot be called: {err}"
    except ValueError:  # a class of C code has no signature to look at
        return ""
    return ""


def _signature_problems(found: Found, target: type) -> Iterator[str]:
    """Methods that cannot be called as the protocol calls them."""
    fitting = min(PROTOCOLS[found.offer.kind], key=lambda p: len([n for n in vars(p) if not hasattr(target, n)]))
    for name, wanted in vars(fitting).items():
        if name.startswith("_") or not inspect.isfunction(wanted) or not callable(getattr(target, name, None)):
            continue
        want = list(inspect.signature(wanted).parameters.values())
        positional = [object() for p in want if p.kind is p.POSITIONAL_OR_KEYWORD]
        named = {p.name: object() for p in want if p.kind is p.KEYWORD_ONLY}
        try:
            inspect.signature(inspect.getattr_static(target, name)).bind(*positional, **named)
        except TypeError as err:
            yield f"{name}{inspect.signature(wanted)}: {err}"
        except ValueError:
            continue


def _check_settings(what: str, offer: Offer) -> Iterator[Check]:
    try:
        cls = imported(offer.settings or "")
        hints = typing.get_type_hints(cls)
    except Exception as err:
        yield Check(what=what, verdict="failed", detail=f"{offer.settings}: {type(err).__name__}: {err}")
        return
    problems = list(_settings_problems(cls, hints, offer))
    yield Check(what=what, verdict="failed" if problems else "ok", detail="; ".join(problems) or offer.settings or "")


def _settings_problems(cls: Any, hints: Mapping[str, Any], offer: Offer) -> Iterator[str]:
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        yield f"{offer.settings} is not a dataclass"
        return
    if not typing.cast(Any, cls).__dataclass_params__.frozen:
        yield f"{cls.__name__} is not frozen"
    names = {field.name for field in dataclasses.fields(cls)}
    for name in sorted(names & RESERVED):
        yield f"{name} is a key of sfactl's own"
    for name in names:
        if not _is_readable(hints[name]):
            yield f"{name}: {hints[name]} cannot be read from TOML"
    for name in (*offer.secrets, *(h.removeprefix("setting:") for h in offer.hosts if h.startswith("setting:"))):
        if name not in names:
            yield f"the offer declares {name}, which is no setting"


def _is_readable(hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return all(_is_readable(part) for part in typing.get_args(hint) if part is not type(None))
    if origin is Literal or hint is Any or hint in SIMPLE:
        return True
    if origin is tuple or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return all(_is_readable(part) for part in typing.get_args(hint) if part is not Ellipsis)
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


def check_imports(origin: Origin) -> Check:
    """See in the plugin's source that it imports nothing of sfactl but its public packages."""
    folder = package_of(origin)
    files = [folder] if folder.is_file() else sorted(folder.rglob("*.py"))
    private = [
        f"{file.relative_to(folder.parent)}:{line} imports {module}"
        for file in files
        for line, module in _imports(file)
        if module.split(".")[0] == "sfactl" and not f"{module}.".startswith(tuple(f"{p}." for p in PUBLIC))
    ]
    detail = "; ".join(private) or f"{len(files)} files import only {' and '.join(PUBLIC)} of sfactl"
    return Check(what="imports", verdict="failed" if private else "ok", detail=detail)


def package_of(origin: Origin) -> Path:
    """The folder of the plugin's top package, or its single file."""
    top = importlib.import_module(origin.value.partition(":")[0].partition(".")[0])
    file = Path(str(top.__file__)) if top.__file__ else Path(next(iter(top.__path__)))
    return file.parent if file.name == "__init__.py" else file


def _imports(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_bytes(), filename=str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "sfactl":
                yield from ((node.lineno, f"sfactl.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module
