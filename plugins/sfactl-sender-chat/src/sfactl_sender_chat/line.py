"""LINE: push messages of an Official Account to its friends, with a retry key that LINE takes once within 24 hours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from sfactl.api.context import PluginContext
from sfactl.api.posting import key_uuid
from sfactl.api.records import Message, Receipt
from sfactl_sender_chat.chat import ChatSender, answered, moved, told

_ID = re.compile(r"[UCR][0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettings:
    """``channel_token`` refers to the channel access token. A recipient is a user, group or room id of the channel."""

    channel_token: str
    silent: bool = False
    url: str = "https://api.line.me"
    timeout_s: float = 30.0


class LineSender(ChatSender):
    """One push message to one friend."""

    longest: ClassVar[int] = 5000

    def __init__(self, settings: LineSettings, context: PluginContext) -> None:
        self._token = context.secret(settings.channel_token)
        super().__init__(settings.url, settings.timeout_s, context, self._token)
        self._silent = settings.silent

    @property
    def remembers_s(self) -> float:
        """The life of a retry key."""
        return 24 * 3600

    def measure(self, text: str) -> int:
        """Units of UTF-16, as LINE counts."""
        return len(text.encode("utf-16-le")) // 2

    def deliver(self, message: Message, text: str) -> Receipt:
        """Push one message. 409 means that this key was accepted before, which is as good."""
        if not _ID.fullmatch(message.recipient):
            return answered(message, "refused", f"not sent: {message.recipient!r} is no LINE id (U and 32 digits)")
        body = {
            "to": message.recipient,
            "messages": [{"type": "text", "text": text}],
            "notificationDisabled": self._silent,
        }
        headers = {"Authorization": f"Bearer {self._token}", "X-Line-Retry-Key": key_uuid(message.key)}
        response = self.ask("POST", "v2/bot/message/push", body=body, headers=headers)
        if response.status_code != 409:
            moved(response)
        answer = told(response)
        if response.status_code < 300 or response.status_code == 409:
            sent = answer.get("sentMessages") or [{}]
            earlier = response.headers.get("X-Line-Accepted-Request-Id", "")
            return answered(message, "accepted", id=str(sent[0].get("id") or earlier))
        details = "; ".join(str(d.get("message")) for d in answer.get("details") or ())
        said = f"{response.status_code}: {answer.get('message', '')}"
        return answered(message, "refused", f"{said} ({details})" if details else said)
