"""What the host knows about plugins: where they come from, what they offer, and what went wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sfactl.api.offers import Offer

State = Literal["ok", "broken", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One entry point that names a plugin. ``value`` is ``module`` or ``module:attribute``."""

    name: str
    value: str
    dist: str
    version: str
    builtin: bool = False

    @property
    def label(self) -> str:
        """How the plugin is named in messages."""
        return f"{self.name} (built in)" if self.builtin else f"{self.name} ({self.dist} {self.version})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something a plugin did wrong. ``stage`` is ``import``, ``register``, ``use`` or the name of a hook."""

    plugin: str
    dist: str
    version: str
    stage: str
    message: str
    traceback: str = ""
    hint: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One offer and the plugin it comes from."""

    offer: Offer
    plugin: str
    dist: str
    version: str
    builtin: bool = False

    @property
    def label(self) -> str:
        """How the offer's owner is named in messages."""
        return "sfactl itself" if self.builtin else f"{self.dist} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Several distributions offer the same name of one kind; it cannot be used until one is disabled."""

    kind: str
    name: str
    owners: tuple[Found, ...]

    @property
    def message(self) -> str:
        """The sentence that names all owners."""
        who = " and ".join(found.label for found in self.owners)
        return f"{self.kind} {self.name!r} is offered by {who}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginInfo:
    """What there is to say of one plugin. ``earlier`` are faults of other runs, kept in the workspace."""

    origin: Origin
    state: State
    found: tuple[Found, ...] = ()
    notices: tuple[str, ...] = ()
    import_s: float = 0.0
    ask_s: float = 0.0
    slow: bool = False
    faults: tuple[Fault, ...] = ()
    earlier: tuple[Fault, ...] = ()
    clashes: tuple[Clash, ...] = ()
