"""The senders that ship with sfactl: files, so that campaigns can be tried without a network, and tasks for people."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import TouchpointSenderOffer


@hookimpl
def sfactl_touchpoint_senders() -> Iterator[TouchpointSenderOffer]:
    """Mail as files in a Maildir, any channel as JSON files, or any channel as tasks."""
    yield TouchpointSenderOffer(
        name="maildir",
        summary="Each e-mail becomes a file in a Maildir folder",
        target="sfactl.campaigns.senders.maildir:MaildirSender",
        settings="sfactl.campaigns.senders.maildir:MaildirSettings",
        capabilities=frozenset({"attachments", "idempotent", "lookup"}),
    )
    yield TouchpointSenderOffer(
        name="file",
        summary="Each message of any channel becomes a JSON file, for another program to pick up",
        target="sfactl.campaigns.senders.outbox:OutboxSender",
        settings="sfactl.campaigns.senders.outbox:OutboxSettings",
        channel="any",
        capabilities=frozenset({"attachments", "idempotent", "lookup"}),
    )
    yield TouchpointSenderOffer(
        name="person",
        summary="Each message becomes a task for a person: a call, a visit, a word in the chat",
        target="sfactl.campaigns.senders.person:PersonSender",
        settings="sfactl.campaigns.senders.person:PersonSettings",
        channel="any",
        capabilities=frozenset({"idempotent"}),
    )
