"""Offer senders that post messages to a service over HTTP: any, described by its file, and some that are known."""

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import TouchpointSenderOffer

SFACTL_API = "1.0"


@hookimpl
def sfactl_touchpoint_senders() -> Iterator[TouchpointSenderOffer]:
    """The sender ``http``, a receiver of your own, and well-known services."""
    yield TouchpointSenderOffer(
        name="http",
        summary="Any HTTP service that takes messages, as its file describes it",
        target="sfactl_sender_http.sender:HttpSender",
        settings="sfactl_sender_http.settings:HttpSettings",
        hosts=("setting:url",),
        secrets=("auth_secret", "sign_secret", "secrets"),
        channel="any",
    )
    yield _preset("webhook", "Webhook", "One JSON POST for each message, signed", "any", "sign_secret", "auth_secret")
    yield _preset("sendgrid", "SendGrid", "E-mail through Twilio SendGrid", "email", "api_key", "events_key")
    yield _preset(
        "postmark", "Postmark", "E-mail through Postmark, many at a time", "email", "server_token", "events_key"
    )
    yield _preset("mailgun", "Mailgun", "E-mail through Mailgun", "email", "api_key", "events_key")
    yield _preset(
        "resend", "Resend", "E-mail through Resend, each key once in 24 hours", "email", "api_key", "events_key"
    )
    yield _preset("twilio", "Twilio", "SMS through Twilio", "sms", "auth_token")


EVENTS = frozenset({"sendgrid", "postmark", "mailgun", "resend", "twilio"})


def _preset(name: str, prefix: str, summary: str, channel: str, *secrets: str) -> TouchpointSenderOffer:
    return TouchpointSenderOffer(
        name=name,
        summary=summary,
        target=f"sfactl_sender_http.presets:{prefix}Sender",
        settings=f"sfactl_sender_http.presets:{prefix}Settings",
        hosts=("setting:url",),
        secrets=secrets,
        capabilities=frozenset({"events"} if name in EVENTS else ()),
        channel=channel,
    )
