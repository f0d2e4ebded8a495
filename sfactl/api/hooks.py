"""The questions that sfactl asks its plugins (offers) and the news it gives them (notices)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pluggy

from sfactl.api.offers import (
    CommandOffer,
    EngineOffer,
    EnricherOffer,
    ErpConnectorOffer,
    IntentExtractorOffer,
    LeadSourceOffer,
    MailboxOffer,
    PriceLayerOffer,
    RecordMatcherOffer,
    ReportRendererOffer,
    ScoringStrategyOffer,
    TouchpointSenderOffer,
)

API_VERSION = "1.0"
"""Version of everything in `sfactl.api`, by SemVer: arguments may be added, removals are announced and expire."""

ENTRY_POINT_GROUP = "sfactl"

hookspec = pluggy.HookspecMarker("sfactl")
hookimpl = pluggy.HookimplMarker("sfactl")


class Offers:
    """Hooks that answer with offers.

    Return offers, not open connections: nothing heavy is imported before an offer is used. If a hook raises, the
    plugin is listed as broken by ``sfactl plugin check`` and every other plugin carries on.
    """

    @hookspec
    def sfactl_lead_sources(self) -> Iterable[LeadSourceOffer]:
        """Which places can you pull leads from?"""
        return ()

    @hookspec
    def sfactl_scoring_strategies(self) -> Iterable[ScoringStrategyOffer]:
        """Which ways to score do you know?"""
        return ()

    @hookspec
    def sfactl_touchpoint_senders(self) -> Iterable[TouchpointSenderOffer]:
        """Through which channels can you send?"""
        return ()

    @hookspec
    def sfactl_mailboxes(self) -> Iterable[MailboxOffer]:
        """From where can you fetch the mail that comes in?"""
        return ()

    @hookspec
    def sfactl_erp_connectors(self) -> Iterable[ErpConnectorOffer]:
        """Which ERP systems can you talk to?"""
        return ()

    @hookspec
    def sfactl_price_layers(self) -> Iterable[PriceLayerOffer]:
        """Which steps do you add to the price waterfall?"""
        return ()

    @hookspec
    def sfactl_intent_extractors(self) -> Iterable[IntentExtractorOffer]:
        """Can you find intents in what people wrote?"""
        return ()

    @hookspec
    def sfactl_engines(self) -> Iterable[EngineOffer]:
        """On which other engines can you run sfactl's statements?"""
        return ()

    @hookspec
    def sfactl_enrichers(self) -> Iterable[EnricherOffer]:
        """Which facts from outside can you add?"""
        return ()

    @hookspec
    def sfactl_record_matchers(self) -> Iterable[RecordMatcherOffer]:
        """Which ways to tell that two records are the same do you know?"""
        return ()

    @hookspec
    def sfactl_report_renderers(self) -> Iterable[ReportRendererOffer]:
        """Into which formats can you render a report?"""
        return ()

    @hookspec
    def sfactl_commands(self) -> Iterable[CommandOffer]:
        """Which commands do you add under ``sfactl x``?"""
        return ()


class Notices:
    """News after a commit. A notice cannot alter the outcome; what it raises is recorded and shown, nothing more.

    ``summary`` holds JSON values: the run id, the commit, and the counts that the command printed.
    """

    @hookspec
    def sfactl_after_leads_imported(self, summary: dict[str, Any]) -> None:
        """Leads were imported from a file."""

    @hookspec
    def sfactl_after_leads_pulled(self, summary: dict[str, Any]) -> None:
        """Leads were pulled from a source."""

    @hookspec
    def sfactl_after_leads_converted(self, summary: dict[str, Any]) -> None:
        """Leads became accounts, contacts and opportunities."""

    @hookspec
    def sfactl_after_touchpoints_sent(self, summary: dict[str, Any]) -> None:
        """A campaign plan was applied."""

    @hookspec
    def sfactl_after_orders_synced(self, summary: dict[str, Any]) -> None:
        """Orders were pushed to an ERP, or invoices and payments pulled from it."""
