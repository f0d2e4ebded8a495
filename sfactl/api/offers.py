"""What a plugin can offer: small frozen records that name a class to import on first use.

Making an offer must cost nothing: no import of heavy libraries, no file, no socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One thing a plugin provides.

    ``target`` is ``"package.module:Class"``; the class is called as ``Class(settings, context)`` on first use, where
    ``settings`` is an instance of the dataclass named by ``settings`` (same notation; None if there is nothing to set)
    and ``context`` is a `sfactl.api.context.PluginContext`. ``hosts`` are the host names it may talk to; an entry
    ``"setting:url"`` stands for the host in the setting of that name, ``"*.example.com"`` for any name below a domain.
    ``secrets`` are the names of settings that hold a reference to a secret (``env:NAME`` or ``file:PATH``), never the
    secret itself. ``capabilities`` are the words documented for its kind.
    """

    kind: ClassVar[str] = ""

    name: str
    summary: str
    target: str
    settings: str | None = None
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    capabilities: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSourceOffer(Offer):
    """A place to pull leads from; the target is a `sfactl.api.protocols.LeadSource`."""

    kind: ClassVar[str] = "lead_source"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringStrategyOffer(Offer):
    """A way to score leads; the target is a `SqlScoring`, a `TableScoring` or a `LearningScoring`."""

    kind: ClassVar[str] = "scoring_strategy"


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchpointSenderOffer(Offer):
    """A way to send messages on ``channel`` (``any``: whatever the step says); the target is a `TouchpointSender`.

    The core makes one object for each connection that the user's file asks for, and each is used by one thread at a
    time. The keys of that file which say how fast it may be used (``connections``, ``rate``, ``per_domain``,
    ``domains``, ``warm_up``, ``longest_wait``, ``attempts``, ``stop``) are the core's and never reach the settings.

    Capabilities: ``idempotent`` (the receiver honours the message key, so that a repeat is safe), ``lookup`` (the
    sender can say later what became of a key), ``attachments`` (it sends the files that go along with a message) and
    ``domains`` (it can look up what a mail domain publishes in DNS).
    """

    kind: ClassVar[str] = "touchpoint_sender"
    channel: str = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxOffer(Offer):
    """A place where bounces, complaints and replies come in; the target is a `Mailbox`."""

    kind: ClassVar[str] = "mailbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpConnectorOffer(Offer):
    """A connection to an ERP; the target is an `ErpConnector`."""

    kind: ClassVar[str] = "erp_connector"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLayerOffer(Offer):
    """A step of the price waterfall; the target is a `PriceLayer`. ``after`` names the built-in layer it follows."""

    kind: ClassVar[str] = "price_layer"
    after: str = "promotion"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentExtractorOffer(Offer):
    """Finds intents in what people wrote; the target is an `IntentExtractor`."""

    kind: ClassVar[str] = "intent_extractor"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOffer(Offer):
    """Another engine for the same statements; the target is a `QueryEngine`. ``dialect`` is sqlglot's name for it."""

    kind: ClassVar[str] = "engine"
    dialect: str = "spark"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnricherOffer(Offer):
    """Adds facts from outside to leads; the target is an `Enricher`.

    ``fields`` are all that it is given of a lead: fields of leads, and ``email_domain`` and ``website_domain``, which
    are never those of free mail. ``country`` is the workspace's where the lead has none.
    """

    kind: ClassVar[str] = "enricher"
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRendererOffer(Offer):
    """Renders a report's tables into a file; the target is a `ReportRenderer`. ``suffix`` is the file's ending."""

    kind: ClassVar[str] = "report_renderer"
    suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMatcherOffer(Offer):
    """Weighs which records are the same; the target is a `RecordMatcher`."""

    kind: ClassVar[str] = "record_matcher"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOffer(Offer):
    """A command under ``sfactl x NAME``; the target is a ``click.Command`` and takes no settings.

    The object of its click context (``click.pass_obj``) is a `sfactl.api.context.PluginContext`.
    """

    kind: ClassVar[str] = "command"


OFFER_TYPES: dict[str, type[Offer]] = {
    cls.kind: cls
    for cls in (
        LeadSourceOffer,
        ScoringStrategyOffer,
        TouchpointSenderOffer,
        MailboxOffer,
        ErpConnectorOffer,
        PriceLayerOffer,
        IntentExtractorOffer,
        EngineOffer,
        EnricherOffer,
        ReportRendererOffer,
        RecordMatcherOffer,
        CommandOffer,
    )
}
"""Every kind of offer by its name."""
