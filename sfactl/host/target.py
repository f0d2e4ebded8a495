"""What an offer names, brought to life: the target imported, its settings read strictly, its shape compared."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

from sfactl.api import protocols
from sfactl.api.errors import PluginError
from sfactl.config.objects import build
from sfactl.config.secrets import check_secrets
from sfactl.config.senders import PACE_KEYS
from sfactl.host.model import Found

RESERVED = frozenset({"schema", "use"})
"""Keys of an object's file that are the core's own and never reach a plugin's settings."""

RESERVED_FOR: Mapping[str, frozenset[str]] = {"touchpoint_sender": PACE_KEYS}
"""The same, for one kind of offer only."""

PROTOCOLS: Mapping[str, tuple[type, ...]] = {
    "lead_source": (protocols.LeadSource,),
    "scoring_strategy": (protocols.SqlScoring, protocols.TableScoring, protocols.LearningScoring),
    "touchpoint_sender": (protocols.TouchpointSender,),
    "mailbox": (protocols.Mailbox,),
    "erp_connector": (protocols.ErpConnector,),
    "price_layer": (protocols.PriceLayer,),
    "intent_extractor": (protocols.IntentExtractor,),
    "engine": (protocols.QueryEngine,),
    "enricher": (protocols.Enricher,),
    "report_renderer": (protocols.ReportRenderer,),
    "record_matcher": (protocols.RecordMatcher,),
}
"""Kind of offer → the protocols of which its target must satisfy one."""

PROMISES = {"lookup": "lookup", "domains": "check_domain"}
"""Capability of a sender → the method it needs."""


def imported(reference: str) -> Any:
    """The object that ``package.module:name`` stands for."""
    module, _, attributes = reference.partition(":")
    found: Any = importlib.import_module(module)
    for attribute in attributes.split("."):
        found = getattr(found, attribute)
    return found


def settings_of(found: Found, table: Mapping[str, Any], where: str) -> Any:
    """The settings of one use as the offer's dataclass, or None where it has none. Raises `ConfigError`."""
    reserved = RESERVED | RESERVED_FOR.get(found.offer.kind, frozenset())
    own = {key: value for key, value in table.items() if key not in reserved}
    # Before anything else, so that no message about a wrong type can show a secret that was written out.
    check_secrets(own, where=where, names=frozenset(found.offer.secrets))
    if found.offer.settings is None:
        build(_Nothing, own, where=where)
        return None
    cls = imported(found.offer.settings)
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise PluginError(f"{found.label}: {found.offer.settings} is not a dataclass")
    return build(cls, own, where=where)


def as_table(settings: Any) -> dict[str, Any]:
    """The values of a settings object by field name, defaults included."""
    if settings is None:
        return {}
    return {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}


def missing_parts(found: Found, thing: object) -> list[str]:
    """The members that ``thing`` lacks of the protocol of its kind; of several protocols, the one it is nearest to."""
    lacks = [sorted(name for name in _members(p) if not hasattr(thing, name)) for p in PROTOCOLS[found.offer.kind]]
    if found.offer.kind == "touchpoint_sender":
        promised = [verb for word, verb in PROMISES.items() if word in found.offer.capabilities]
        lacks = [[*names, *(verb for verb in promised if not hasattr(thing, verb))] for names in lacks]
    return min(lacks, key=len)


def _members(protocol: type) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Nothing:
    """The settings of an offer that has none: any key is unknown."""
