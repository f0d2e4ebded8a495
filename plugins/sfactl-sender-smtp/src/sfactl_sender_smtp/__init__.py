"""Offers a touchpoint sender that speaks SMTP."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import TouchpointSenderOffer


@hookimpl
def sfactl_touchpoint_senders() -> Iterator[TouchpointSenderOffer]:
    """One sender of e-mail."""
    yield TouchpointSenderOffer(
        name="smtp",
        summary="E-mail through an SMTP server",
        target="sfactl_sender_smtp.sender:SmtpSender",
        settings="sfactl_sender_smtp.settings:SmtpSettings",
        hosts=("setting:host", "setting:nameserver"),
        secrets=("password", "dkim_private_key", "dkim_second_private_key"),
        capabilities=frozenset({"attachments", "domains", "signs"}),
        channel="email",
    )
