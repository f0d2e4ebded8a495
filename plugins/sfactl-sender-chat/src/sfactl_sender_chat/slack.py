"""Slack: members and channels through a bot, one channel through its webhook.

What a lead typed may hold ``<!channel>``: the three characters that Slack gives a meaning are written as entities, so
that no text calls a whole channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from sfactl.api.context import PluginContext
from sfactl.api.errors import Refused, Transient
from sfactl.api.records import Message, Receipt
from sfactl_sender_chat.chat import ChatSender, answered, moved, told

OPEN = frozenset({"fatal_error", "internal_error"})
"""Of these Slack says that some of it may have succeeded."""

OURS = frozenset(
    {
        "access_denied",
        "accesslimited",
        "account_inactive",
        "ekm_access_denied",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_access_not_granted",
        "team_added_to_org",
        "token_expired",
        "token_revoked",
    }
)
"""About our bot, its rate or Slack itself: no message was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """``bot_token`` refers to the bot's token (xoxb-…). A recipient is the id or #name of a channel, the id of a
    member, or an e-mail address that is looked up."""

    bot_token: str
    url: str = "https://slack.com"
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackWebhookSettings:
    """``hook`` refers to the address of an incoming webhook, which is a secret. It writes to its channel, whoever the
    lead is."""

    hook: str
    url: str = "https://hooks.slack.com"
    timeout_s: float = 30.0


def escaped(text: str) -> str:
    """Text in which nothing is a mention or a link of Slack's own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class SlackSender(ChatSender):
    """Posts with chat.postMessage."""

    longest: ClassVar[int] = 40_000

    def __init__(self, settings: SlackSettings, context: PluginContext) -> None:
        self._token = context.secret(settings.bot_token)
        super().__init__(settings.url, settings.timeout_s, context, self._token)
        self._members: dict[str, str] = {}

    def written(self, message: Message) -> str:
        """The text with its entities."""
        return escaped(message.text)

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def deliver(self, message: Message, text: str) -> Receipt:
        """Post one message. Its links are not fetched for a preview: that would look like a click."""
        try:
            channel = self._channel(message.recipient)
        except Refused as err:
            return answered(message, "refused", err.message)
        body = {"channel": channel, "text": text, "unfurl_links": False, "unfurl_media": False}
        response = self.ask("POST", "api/chat.postMessage", body=body, headers=self._headers())
        moved(response)
        answer = told(response)
        if answer.get("ok"):
            return answered(message, "accepted", id=f"{answer.get('channel', channel)}/{answer.get('ts', '')}")
        error = str(answer.get("error") or f"{response.status_code} without a reason")
        return answered(message, "unknown" if error in OPEN else "retry_after" if error in OURS else "refused", error)

    def _channel(self, recipient: str) -> str:
        if "@" not in recipient:
            return recipient
        if recipient not in self._members:
            params = {"email": recipient}
            answer = self.look_up("GET", "api/users.lookupByEmail", params=params, headers=self._headers())
            error = str(answer.get("error") or "")
            if error in OURS | OPEN:
                raise Transient(f"users.lookupByEmail: {error}")
            if not answer.get("ok"):
                raise Refused(f"no member has the address {recipient}: {error}")
            self._members[recipient] = str(answer["user"]["id"])
        return self._members[recipient]

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


class SlackWebhookSender(ChatSender):
    """Posts to the channel of an incoming webhook, which answers with one word."""

    longest: ClassVar[int] = 40_000

    def __init__(self, settings: SlackWebhookSettings, context: PluginContext) -> None:
        hook = context.secret(settings.hook)
        self._path = urlsplit(hook).path.lstrip("/")
        super().__init__(settings.url, settings.timeout_s, context, hook, self._path)

    def written(self, message: Message) -> str:
        """The text with its entities."""
        return escaped(message.text)

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def deliver(self, message: Message, text: str) -> Receipt:
        """Post one message."""
        response = self.ask("POST", self._path, body={"text": text, "unfurl_links": False, "unfurl_media": False})
        moved(response)
        if response.status_code < 300:
            if response.text.strip() == "ok":
                return answered(message, "accepted")
            return answered(message, "unknown", f"{response.status_code}, but not ok: {response.text}")
        return answered(message, "refused", f"{response.status_code} {response.text}")
