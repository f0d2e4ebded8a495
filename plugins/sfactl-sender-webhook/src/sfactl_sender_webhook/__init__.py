"""Offer one sender: a JSON POST for each message."""

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import TouchpointSenderOffer

SFACTL_API = "1.0"


@hookimpl
def sfactl_touchpoint_senders() -> Iterator[TouchpointSenderOffer]:
    """The sender ``webhook``."""
    yield TouchpointSenderOffer(
        name="webhook",
        summary="One JSON POST for each message, signed and with an idempotency key",
        target="sfactl_sender_webhook.sender:WebhookSender",
        settings="sfactl_sender_webhook.settings:Settings",
        hosts=("setting:url",),
        secrets=("sign_secret", "auth_secret"),
        channel="any",
    )
