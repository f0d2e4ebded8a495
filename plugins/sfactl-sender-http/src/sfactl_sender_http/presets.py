"""Well-known services, each in the same keys that a file with ``use = "http"`` may have. Written from their public API
references; what is particular about one is said beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sfactl.api.context import PluginContext
from sfactl_sender_http.sender import HttpSender
from sfactl_sender_http.settings import Answer, Codes, HttpSettings, Statuses
from sfactl_sender_http.telling import Teller


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """A receiver of your own that takes a message as it is; see `HttpSettings`."""

    url: str
    sign_secret: str = ""
    auth_header: str = "Authorization"
    auth_prefix: str = "Bearer "
    auth_secret: str = ""
    receiver_is_idempotent: bool = False
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SendGridSettings:
    """Twilio SendGrid, v3 Mail Send. With ``sandbox`` a message is checked and not delivered.

    ``events_key`` is the verification key of its Event Webhook.
    """

    api_key: str
    sandbox: bool = False
    events_key: str = ""
    url: str = "https://api.sendgrid.com/v3/mail/send"
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmarkSettings:
    """Postmark's batch endpoint. Bulk mail goes through a broadcast stream of its own: ``stream = "broadcast"``.

    ``events_key`` is the ``user:password`` in the address that its webhooks post to.
    """

    server_token: str
    stream: str = "outbound"
    events_key: str = ""
    url: str = "https://api.postmarkapp.com/email/batch"
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailgunSettings:
    """Mailgun's messages endpoint. Domains in Europe: ``url = "https://api.eu.mailgun.net"``.

    ``events_key`` is the HTTP webhook signing key.
    """

    api_key: str
    domain: str
    events_key: str = ""
    url: str = "https://api.mailgun.net"
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        if not self.domain or "/" in self.domain or " " in self.domain:
            raise ValueError(f"domain: {self.domain!r} is not a domain")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendSettings:
    """Resend, which takes a key once within 24 hours. ``events_key`` is the signing secret of its webhook."""

    api_key: str
    events_key: str = ""
    url: str = "https://api.resend.com/emails"
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioSettings:
    """Twilio's Messages resource, for SMS from a number or through a messaging service. It posts to the address in
    ``events_url`` what becomes of each; the account's token signs it."""

    account_sid: str
    auth_token: str
    from_number: str = ""
    messaging_service_sid: str = ""
    events_url: str = ""
    url: str = "https://api.twilio.com"
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        if not self.account_sid.isalnum():
            raise ValueError(f"account_sid: {self.account_sid!r} is not an account's id")
        if bool(self.from_number) == bool(self.messaging_service_sid):
            raise ValueError("say where messages come from: either from_number or messaging_service_sid")


class WebhookSender(HttpSender):
    """One JSON object a message."""

    def __init__(self, settings: WebhookSettings, context: PluginContext) -> None:
        s = settings
        own = HttpSettings(
            url=s.url,
            sign_secret=s.sign_secret,
            auth_header=s.auth_header,
            auth_prefix=s.auth_prefix,
            auth_secret=s.auth_secret,
            receiver_is_idempotent=s.receiver_is_idempotent,
            timeout_s=s.timeout_s,
        )
        super().__init__(own, context)


class SendGridSender(Teller, HttpSender):
    """E-mail through SendGrid: 202 and the header X-Message-Id; errors are a list."""

    def __init__(self, settings: SendGridSettings, context: PluginContext) -> None:
        body: dict[str, Any] = {
            "personalizations": [{"to": [{"email": "{recipient}"}]}],
            "from": {"email": "{sender_address}", "name": "{sender_name}"},
            "reply_to": {"email": "{reply_to_address}"},
            "subject": "{subject}",
            "content": [
                {"type": "text/plain", "value": "{text}"},  # their order is prescribed: text, then HTML
                {"type": "text/html", "value": "{html}"},
            ],
            "headers": "{headers}",
            "categories": ["{campaign}"],
            "custom_args": {"sfactl_key": "{key}"},
        }
        if settings.sandbox:
            body["mail_settings"] = {"sandbox_mode": {"enable": True}}
        own = HttpSettings(
            url=settings.url,
            auth_secret=settings.api_key,
            body=body,
            answer=Answer(id="header:X-Message-Id", error="errors.0.message"),
            idempotency_header="",
            timeout_s=settings.timeout_s,
        )
        super().__init__(own, context)
        self.told_by("sendgrid", settings.events_key)


class PostmarkSender(Teller, HttpSender):
    """E-mail through Postmark: one answer for each message of a batch, with an ErrorCode."""

    def __init__(self, settings: PostmarkSettings, context: PluginContext) -> None:
        own = HttpSettings(
            url=settings.url,
            auth_header="X-Postmark-Server-Token",
            auth_prefix="",
            auth_secret=settings.server_token,
            body={
                "From": "{sender}",
                "To": "{recipient}",
                "ReplyTo": "{reply_to}",
                "Subject": "{subject}",
                "TextBody": "{text}",
                "HtmlBody": "{html}",
                "Headers": "{header_list}",
                "Tag": "{campaign}",
                "Metadata": {"sfactl-key": "{key_uuid}"},  # 80 characters at most
                "MessageStream": settings.stream,
            },
            # 100 maintenance; 400, 401 sender not known or not confirmed; 405, 412, 413 the account may not send
            answer=Answer(
                id="MessageID",
                error="Message",
                code="ErrorCode",
                codes=Codes(accepted=(0,), refused=(300, 406), retry=(10, 100, 400, 401, 405, 412, 413, 429)),
            ),
            batch=500,
            timeout_s=settings.timeout_s,
        )
        super().__init__(own, context)
        self.told_by("postmark", settings.events_key)


class MailgunSender(Teller, HttpSender):
    """E-mail through Mailgun: an HTML form in which headers are fields of their own."""

    def __init__(self, settings: MailgunSettings, context: PluginContext) -> None:
        own = HttpSettings(
            url=f"{settings.url.rstrip('/')}/v3/{settings.domain}/messages",
            encoding="form",
            auth_user="api",
            auth_secret=settings.api_key,
            body={
                "from": "{sender}",
                "to": "{recipient}",
                "subject": "{subject}",
                "text": "{text}",
                "html": "{html}",
                "h:*": "{headers}",
                "h:Reply-To": "{reply_to}",
                "o:tag": "{campaign}",
                "v:sfactl_key": "{key}",
            },
            answer=Answer(id="id", error="message"),
            idempotency_header="",
            timeout_s=settings.timeout_s,
        )
        super().__init__(own, context)
        self.told_by("mailgun", settings.events_key)


class ResendSender(Teller, HttpSender):
    """E-mail through Resend. A key that came with another text means that one was sent: that is for a person."""

    def __init__(self, settings: ResendSettings, context: PluginContext) -> None:
        own = HttpSettings(
            url=settings.url,
            auth_secret=settings.api_key,
            body={
                "from": "{sender}",
                "to": ["{recipient}"],
                "reply_to": "{reply_to}",
                "subject": "{subject}",
                "text": "{text}",
                "html": "{html}",
                "headers": "{headers}",
            },
            answer=Answer(
                error="message",
                code="name",
                codes=Codes(retry=("concurrent_idempotent_requests",), unknown=("invalid_idempotent_request",)),
                status=Statuses(accepted=(200,)),
            ),
            receiver_is_idempotent=True,
            idempotency_value="{key_uuid}",
            remembers_hours=24,
            timeout_s=settings.timeout_s,
        )
        super().__init__(own, context)
        self.told_by("resend", settings.events_key)


class TwilioSender(Teller, HttpSender):
    """SMS through Twilio. The codes that are put back are about our account, number or rate, not the recipient."""

    def __init__(self, settings: TwilioSettings, context: PluginContext) -> None:
        body = {"To": "{recipient}", "Body": "{text}"}
        if settings.from_number:
            body["From"] = settings.from_number
        else:
            body["MessagingServiceSid"] = settings.messaging_service_sid
        if settings.events_url:
            body["StatusCallback"] = settings.events_url
        own = HttpSettings(
            url=f"{settings.url.rstrip('/')}/2010-04-01/Accounts/{settings.account_sid}/Messages.json",
            encoding="form",
            auth_user=settings.account_sid,
            auth_secret=settings.auth_token,
            body=body,
            answer=Answer(
                id="sid",
                error="message",
                code="code",
                codes=Codes(retry=(14107, 20003, 20429, 21212, 21603, 21606, 21659, 21660, 30001)),
            ),
            idempotency_header="",
            timeout_s=settings.timeout_s,
        )
        super().__init__(own, context)
        self.told_by("twilio", settings.auth_token, asked=bool(settings.events_url))
