"""Import plugins and ask them, one at a time, so that whatever one of them does stays with it.

Standard output belongs to the command's data: what a plugin prints while it is asked goes to standard error.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Collection, Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pluggy

from sfactl.api.errors import PluginError
from sfactl.api.hooks import API_VERSION, Notices, Offers
from sfactl.api.offers import OFFER_TYPES, Offer
from sfactl.host.fault import CONTAINED, fault_of
from sfactl.host.model import Fault, Origin
from sfactl.host.offer import problems_of

MOST_OFFERS = 1000
"""An answer that never ends is cut here."""

OFFER_HOOKS = {
    kind: next(
        name
        for name, hook in vars(Offers).items()
        if name.startswith("sfactl_") and cls.__name__ in str(hook.__annotations__)
    )
    for kind, cls in OFFER_TYPES.items()
}
"""Kind of offer → the hook that asks for it."""


@dataclass(slots=True)
class Loaded:
    """One plugin after it was imported, with what it offers and what it did wrong."""

    origin: Origin
    module: object | None = None
    offers: list[Offer] = field(default_factory=list)
    notices: tuple[str, ...] = ()
    faults: list[Fault] = field(default_factory=list)
    import_s: float = 0.0
    ask_s: float = 0.0
    disabled: bool = False


class Loader:
    """Loads plugins into one pluggy registry and keeps each plugin's faults apart."""

    def __init__(self) -> None:
        self._registry = pluggy.PluginManager("sfactl")
        self._registry.add_hookspecs(Offers)
        self._registry.add_hookspecs(Notices)

    def load(self, origin: Origin) -> Loaded:
        """Import, register and ask one plugin. Never raises for what the plugin does."""
        loaded = Loaded(origin)
        start = time.perf_counter()
        try:
            with redirect_stdout(sys.stderr):
                loaded.module = _import(origin)
        except CONTAINED as err:
            loaded.faults.append(fault_of(origin, "import", err))
        loaded.import_s = time.perf_counter() - start
        if loaded.module is not None and self._register(loaded):
            start = time.perf_counter()
            for kind, hook in OFFER_HOOKS.items():
                self._ask(loaded, kind, hook)
            loaded.ask_s = time.perf_counter() - start
        return loaded

    def tell(self, loaded: Loaded, hook: str, summary: dict[str, Any]) -> Fault | None:
        """Send one notice to one plugin; answers its fault."""
        try:
            self._call(loaded.origin, hook, summary=summary)
        except CONTAINED as err:
            return fault_of(loaded.origin, hook, err)
        return None

    def _register(self, loaded: Loaded) -> bool:
        name = _key(loaded.origin)
        try:
            with redirect_stdout(sys.stderr):
                self._registry.register(loaded.module, name)
            callers = self._registry.get_hookcallers(loaded.module) or []
            for caller in callers:
                if not caller.has_spec():
                    _refuse_unknown_hook(caller.name)
        except CONTAINED as err:
            loaded.faults.append(fault_of(loaded.origin, "register", err))
            if self._registry.has_plugin(name):
                self._registry.unregister(name=name)
            return False
        loaded.notices = tuple(sorted(c.name for c in callers if c.name.startswith("sfactl_after_")))
        return True

    def _ask(self, loaded: Loaded, kind: str, hook: str) -> None:
        try:
            for answer in self._call(loaded.origin, hook):
                if isinstance(answer, (str, bytes)) or not isinstance(answer, Iterable):
                    raise PluginError(f"{hook} answered {answer!r:.80}, not offers", hint="Return a list, or yield.")
                with redirect_stdout(sys.stderr):
                    offers = list(islice(answer, MOST_OFFERS))
                for offer in offers:
                    if problems := problems_of(offer, kind):
                        wrong = PluginError(f"{hook} answered {offer!r:.120}: {'; '.join(problems)}")
                        loaded.faults.append(fault_of(loaded.origin, hook, wrong))
                    else:
                        loaded.offers.append(offer)
        except CONTAINED as err:
            loaded.faults.append(fault_of(loaded.origin, hook, err))

    def _call(self, origin: Origin, hook: str, **arguments: Any) -> list[Any]:
        others = [plugin for name, plugin in self._registry.list_name_plugin() if name != _key(origin)]
        caller = self._registry.subset_hook_caller(hook, others)
        with redirect_stdout(sys.stderr):
            answers: list[Any] = caller(**arguments)
        return answers


def is_disabled(origin: Origin, disabled: Collection[str]) -> bool:
    """Whether the plugin is named in ``disabled``, by its own name or its distribution's."""
    names = {_folded(name) for name in disabled}
    return not origin.builtin and bool(names & {_folded(origin.name), _folded(origin.dist)})


def _folded(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _key(origin: Origin) -> str:
    return f"{origin.dist}:{origin.name}"


def _import(origin: Origin) -> object:
    module_name, _, attributes = origin.value.partition(":")
    found: object = importlib.import_module(module_name.strip())
    for attribute in filter(None, attributes.split(" ")[0].split(".")):
        found = getattr(found, attribute)
    _refuse_other_api(found)
    return found


def _refuse_other_api(module: object) -> None:
    wanted = str(getattr(module, "SFACTL_API", API_VERSION))
    have = tuple(int(part) for part in API_VERSION.split("."))
    try:
        want = tuple(int(part) for part in wanted.split("."))[:2]
    except ValueError:
        raise PluginError(f"SFACTL_API is {wanted!r}, not a version such as {API_VERSION!r}") from None
    if want[0] == have[0] and want <= have:
        return
    older = want < have
    raise PluginError(
        f"it needs sfactl.api {wanted}, and this is sfactl.api {API_VERSION}",
        hint="Install a newer version of the plugin."
        if older
        else "Upgrade sfactl, or install an older version of the plugin.",
    )


def _refuse_unknown_hook(name: str) -> None:
    import difflib

    known = [n for spec in (Offers, Notices) for n in vars(spec) if n.startswith("sfactl_")]
    near = difflib.get_close_matches(name, known, 1)
    raise PluginError(f"there is no hook {name}", hint=f"Did the author mean {near[0]}?" if near else None)
