"""The host: which plugins there are, what they offer, and the one place where what they offer comes to life.

Plugins are loaded on the first question. What one of them does wrong is recorded and said once, and never stops the
others; a name that two of them offer is an error only when that name is used.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, overload

from sfactl import __version__
from sfactl.api.context import PluginContext
from sfactl.api.errors import InternalError, NotFound, PluginError, SfactlError
from sfactl.api.hooks import Notices
from sfactl.api.offers import OFFER_TYPES, Offer
from sfactl.api.protocols import (
    ErpConnector,
    LeadSource,
    LearningScoring,
    Mailbox,
    ReportRenderer,
    SqlScoring,
    TableScoring,
    TouchpointSender,
)
from sfactl.host import builtin, discovery, fault
from sfactl.host.context import HostContext
from sfactl.host.loading import Loaded, Loader, is_disabled
from sfactl.host.model import Clash, Fault, Found, Origin, PluginInfo
from sfactl.host.target import as_table, imported, missing_parts, settings_of

SLOW_S = 1.0
"""A plugin that takes longer to import or to answer is named as slow."""


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class Host:
    """All plugins of one run."""

    def __init__(
        self,
        *,
        folder: Path | None = None,
        disabled: Collection[str] = (),
        tenant: str = "",
        now: Callable[[], datetime] = _utc_now,
        on_note: Callable[[str], None] = lambda _text: None,
        slow_s: float = SLOW_S,
        cache: Path | None = None,
        origins: Sequence[Origin] | None = None,
    ) -> None:
        """``folder`` is the workspace, ``disabled`` names plugins or distributions that are not even imported, ``now``
        is the session's clock (naive UTC), ``on_note`` prints a line for people, ``cache`` is where discovery remembers
        (default: the user's cache folder), ``origins`` replaces discovery altogether."""
        self._folder = folder if folder is not None else Path.cwd()
        self._disabled = tuple(disabled)
        self._tenant = tenant
        self._now = now
        self._on_note = on_note
        self._slow_s = slow_s
        self._cache = cache if cache is not None else discovery.cache_folder()
        self._origins = origins
        self._loader = Loader()
        self._late_faults: list[Fault] = []
        self._secrets: set[str] = set()
        self._contexts: list[HostContext] = []

    def offers(self, kind: str) -> Mapping[str, Found]:
        """Every usable offer of ``kind`` by name, sorted. Names that clash are left out; see `clashes`."""
        return self._index[0][kind]

    def find(self, kind: str, name: str) -> Found:
        """The offer ``name`` of ``kind``. Raises `NotFound`, or `PluginError` where several distributions offer it."""
        offers, clashes = self._index
        if (found := offers[kind].get(name)) is not None:
            return found
        for clash in clashes:
            if (clash.kind, clash.name) == (kind, name):
                first = clash.owners[0].dist
                raise PluginError(clash.message, hint=f"Disable or uninstall one, for instance: --no-plugin {first}")
        word = kind.replace("_", " ")
        near = difflib.get_close_matches(name, offers[kind], 1)
        hint = f"There are: {', '.join(offers[kind])}" if offers[kind] else "No installed plugin offers one."
        raise NotFound(f"there is no {word} {name!r}", hint=f"Did you mean {near[0]}?" if near else hint)

    @overload
    def make(
        self, kind: Literal["lead_source"], name: str, settings: Mapping[str, Any], *, where: str
    ) -> LeadSource: ...
    @overload
    def make(
        self, kind: Literal["scoring_strategy"], name: str, settings: Mapping[str, Any], *, where: str
    ) -> SqlScoring | TableScoring | LearningScoring: ...
    @overload
    def make(
        self, kind: Literal["touchpoint_sender"], name: str, settings: Mapping[str, Any], *, where: str
    ) -> TouchpointSender: ...
    @overload
    def make(self, kind: Literal["mailbox"], name: str, settings: Mapping[str, Any], *, where: str) -> Mailbox: ...
    @overload
    def make(
        self, kind: Literal["erp_connector"], name: str, settings: Mapping[str, Any], *, where: str
    ) -> ErpConnector: ...
    @overload
    def make(
        self, kind: Literal["report_renderer"], name: str, settings: Mapping[str, Any], *, where: str
    ) -> ReportRenderer: ...
    @overload
    def make(self, kind: str, name: str, settings: Mapping[str, Any], *, where: str) -> Any: ...
    def make(self, kind: str, name: str, settings: Mapping[str, Any], *, where: str) -> Any:
        """The object that the offer ``name`` of ``kind`` stands for, with ``settings`` as read from the file ``where``.

        ``schema`` and ``use`` in ``settings`` are the core's and are left out. Raises `NotFound`, `ConfigError` for
        settings, and `PluginError` for whatever goes wrong inside the plugin.
        """
        found = self.find(kind, name)
        try:
            values = settings_of(found, settings, where)
            context = self._context(found, as_table(values))
            thing = imported(found.offer.target)(values, context)
        except SfactlError:
            raise
        except fault.CONTAINED as err:
            raise self.blame(found, err) from err
        if lacks := missing_parts(found, thing):
            raise PluginError(f"{found.label}: {kind} {name!r} lacks {', '.join(lacks)}")
        return thing

    def command(self, name: str) -> tuple[Any, PluginContext]:
        """The ``click.Command`` behind ``sfactl x NAME``, and the context that it gets as its click object."""
        found = self.find("command", name)
        try:
            return imported(found.offer.target), self._context(found, {})
        except fault.CONTAINED as err:
            raise self.blame(found, err) from err

    def notify(self, hook: str, summary: Mapping[str, Any]) -> None:
        """Send the notice ``hook`` to every plugin. Faults are recorded and noted, never raised."""
        if not hasattr(Notices, hook):
            raise InternalError(f"there is no notice {hook}")
        for loaded in self._loaded:
            if hook not in loaded.notices:
                continue
            wrong = self._loader.tell(loaded, hook, copy.deepcopy(dict(summary)))
            if wrong is not None:
                self._record(wrong)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What plugins did wrong in this run."""
        return (*(f for loaded in self._loaded for f in loaded.faults), *self._late_faults)

    @property
    def clashes(self) -> tuple[Clash, ...]:
        """Names that cannot be used because several distributions offer them."""
        return self._index[1]

    @property
    def not_installed(self) -> tuple[str, ...]:
        """Names that are disabled although there is no such plugin: most likely misspelt."""
        return tuple(n for n in self._disabled if not any(is_disabled(loaded.origin, [n]) for loaded in self._loaded))

    def plugins(self) -> tuple[PluginInfo, ...]:
        """Every plugin, built-in ones first, with its state and what it offers."""
        earlier = fault.remembered(self._folder)
        return tuple(self._info(loaded, earlier) for loaded in self._loaded)

    def close(self) -> None:
        """Close the connections that plugins got from the host."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def redact(self, text: str) -> str:
        """``text`` without any secret that was handed to a plugin in this run."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "•••")
        return text

    @cached_property
    def _loaded(self) -> list[Loaded]:
        own = [
            Origin(name=name, value=module, dist=builtin.DISTRIBUTION, version=__version__, builtin=True)
            for name, module in builtin.BUILTIN.items()
        ]
        loaded = []
        others = discovery.installed(self._cache) if self._origins is None else self._origins
        for origin in (*own, *others):
            if is_disabled(origin, self._disabled):
                loaded.append(Loaded(origin, disabled=True))
                continue
            plugin = self._loader.load(origin)
            loaded.append(plugin)
            self._note_load(plugin)
        return loaded

    def _note_load(self, plugin: Loaded) -> None:
        label = plugin.origin.label
        for wrong in plugin.faults:
            self._on_note(f"plugin {label} is broken ({wrong.stage}: {wrong.message}); the others carry on")
        if not plugin.origin.builtin and max(plugin.import_s, plugin.ask_s) > self._slow_s:
            self._on_note(f"plugin {label} is slow: {plugin.import_s + plugin.ask_s:.1f} s to load")

    @cached_property
    def _index(self) -> tuple[dict[str, dict[str, Found]], tuple[Clash, ...]]:
        by_name: dict[tuple[str, str], list[Found]] = {}
        for loaded in self._loaded:
            for offer in loaded.offers:
                by_name.setdefault((offer.kind, offer.name), []).append(_found(loaded.origin, offer))
        offers: dict[str, dict[str, Found]] = {kind: {} for kind in OFFER_TYPES}
        clashes = []
        for (kind, name), owners in sorted(by_name.items(), key=lambda item: item[0]):
            if len(owners) == 1 or owners[0].builtin:  # built-in plugins are loaded first and cannot be replaced
                offers[kind][name] = owners[0]
            if len(owners) > 1:
                clashes.append(Clash(kind=kind, name=name, owners=tuple(owners)))
        return offers, tuple(clashes)

    def _info(self, loaded: Loaded, earlier: tuple[Fault, ...]) -> PluginInfo:
        origin = loaded.origin
        return PluginInfo(
            origin=origin,
            state="disabled" if loaded.disabled else "broken" if loaded.faults else "ok",
            found=tuple(_found(origin, offer) for offer in loaded.offers),
            notices=loaded.notices,
            import_s=loaded.import_s,
            ask_s=loaded.ask_s,
            slow=max(loaded.import_s, loaded.ask_s) > self._slow_s,
            faults=tuple(loaded.faults),
            earlier=tuple(f for f in earlier if (f.dist, f.plugin, f.version) == _identity(origin)),
            clashes=tuple(
                c for c in self.clashes if any((o.dist, o.plugin) == _identity(origin)[:2] for o in c.owners)
            ),
        )

    def _context(self, found: Found, table: Mapping[str, Any]) -> HostContext:
        context = HostContext(
            found,
            table,
            folder=self._folder,
            tenant=self._tenant,
            now=self._now,
            on_note=lambda text: self._on_note(self.redact(text)),
            keep_secret=self._secrets.add,
        )
        self._contexts.append(context)
        return context

    def blame(self, found: Found, err: BaseException) -> PluginError:
        """Record that what ``found`` offers raised ``err`` while it was used; answers the error to raise instead."""
        origin = Origin(name=found.plugin, value="", dist=found.dist, version=found.version, builtin=found.builtin)
        wrong = fault.fault_of(origin, "use", err)
        self._record(wrong, note=False)
        what = f"{found.offer.kind} {found.offer.name!r} of {found.label}"
        return PluginError(
            self.redact(f"{what} failed: {wrong.message}"), hint=f"See: sfactl plugin check {found.plugin}"
        )

    def _record(self, wrong: Fault, *, note: bool = True) -> None:
        wrong = Fault(
            plugin=wrong.plugin,
            dist=wrong.dist,
            version=wrong.version,
            stage=wrong.stage,
            message=self.redact(wrong.message),
            traceback=self.redact(wrong.traceback),
            hint=wrong.hint,
            at=self._now().isoformat(timespec="seconds"),
        )
        self._late_faults.append(wrong)
        fault.remember(self._folder, wrong)
        if note:
            self._on_note(
                f"plugin {wrong.plugin} ({wrong.dist} {wrong.version}) failed in {wrong.stage}: {wrong.message}; "
                "nothing else is affected"
            )


def _found(origin: Origin, offer: Offer) -> Found:
    return Found(offer=offer, plugin=origin.name, dist=origin.dist, version=origin.version, builtin=origin.builtin)


def _identity(origin: Origin) -> tuple[str, str, str]:
    return origin.dist, origin.name, origin.version
