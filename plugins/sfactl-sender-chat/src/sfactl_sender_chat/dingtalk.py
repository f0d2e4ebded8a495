"""DingTalk (钉钉): members through the robot of an app, groups through their custom robot with its signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qs, urlsplit

import requests

from sfactl.api.context import PluginContext
from sfactl.api.errors import AuthError, Refused, Transient
from sfactl.api.records import Message, Receipt
from sfactl_sender_chat.chat import RENEWED_BEFORE, ChatSender, Token, answered, moved, told

TOO_FAST = frozenset({130101, 410100, 660026, 90030})
THROTTLED_S = 600.0
"""A robot that posts more than 20 messages a minute is silenced for ten minutes, by a redirection."""

BUSY = frozenset({-1})
OURS = frozenset({300001, 300005, 310000, 400013, 400101, 400102, 400106, 43004})
"""Wrong token, signature, network address or robot, or the group is gone: no other message would fare better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DingTalkSettings:
    """The robot of an app. A recipient is a user id, or a phone number that is looked up."""

    app_key: str
    app_secret: str
    robot_code: str
    format: Literal["text", "markdown"] = "text"
    url: str = "https://api.dingtalk.com"
    contacts_url: str = "https://oapi.dingtalk.com"
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DingTalkRobotSettings:
    """A group's custom robot; ``access_token`` refers to its token or its whole address, ``secret`` to the SEC… of its
    signature. It writes to the group, whoever the lead is."""

    access_token: str
    secret: str = ""
    format: Literal["text", "markdown"] = "text"
    url: str = "https://oapi.dingtalk.com"
    timeout_s: float = 30.0


def sign(secret: str, at: datetime) -> dict[str, str]:
    """``timestamp`` in milliseconds and ``sign``: base64 of HMAC-SHA256, keyed with the secret, over the two."""
    millis = str(int(at.replace(tzinfo=UTC).timestamp() * 1000))
    digest = hmac.new(secret.encode(), f"{millis}\n{secret}".encode(), hashlib.sha256).digest()
    return {"timestamp": millis, "sign": base64.b64encode(digest).decode()}


class DingTalkRobotSender(ChatSender):
    """Posts into one group."""

    longest: ClassVar[int] = 18_000

    def __init__(self, settings: DingTalkRobotSettings, context: PluginContext) -> None:
        given = context.secret(settings.access_token)
        self._token = (parse_qs(urlsplit(given).query).get("access_token") or [given])[0]
        self._secret = context.secret(settings.secret) if settings.secret else ""
        super().__init__(settings.url, settings.timeout_s, context, given, self._token, self._secret)
        self._format = settings.format

    def deliver(self, message: Message, text: str) -> Receipt:
        """Post one message, signed for this moment."""
        params = {"access_token": self._token, **(sign(self._secret, self._context.now()) if self._secret else {})}
        body = {"msgtype": self._format, self._format: _content(self._format, message, text)}
        response = self.ask("POST", "robot/send", params=params, body=body)
        if 300 <= response.status_code < 400:
            return answered(message, "retry_after", "more than 20 messages in a minute", after_s=THROTTLED_S)
        moved(response)
        return _receipt(message, told(response))


class DingTalkSender(ChatSender):
    """Posts to one member at a time."""

    longest: ClassVar[int] = 14_000

    def __init__(self, settings: DingTalkSettings, context: PluginContext) -> None:
        self._secret = context.secret(settings.app_secret)
        super().__init__(settings.url, settings.timeout_s, context, self._secret)
        self._settings = settings
        self._token: Token | None = None
        self._members: dict[str, str] = {}

    def deliver(self, message: Message, text: str) -> Receipt:
        """Post one message."""
        try:
            member = self._member(message.recipient)
        except Refused as err:
            return answered(message, "refused", err.message)
        settings = self._settings
        body = {
            "robotCode": settings.robot_code,
            "userIds": [member],
            "msgKey": "sampleText" if settings.format == "text" else "sampleMarkdown",
            "msgParam": json.dumps(_content(settings.format, message, text), ensure_ascii=False),
        }
        headers = {"x-acs-dingtalk-access-token": self._access()}
        response = self.ask("POST", "v1.0/robot/oToMessages/batchSend", body=body, headers=headers)
        moved(response)
        return self._judged(message, member, response)

    def _judged(self, message: Message, member: str, response: requests.Response) -> Receipt:
        answer = told(response)
        if response.status_code >= 400:
            self._token = None  # it may have been taken from us; the next message asks for another
            return answered(message, "refused", f"{answer.get('code', response.status_code)}: {answer.get('message')}")
        if member in (answer.get("invalidStaffIdList") or ()):
            return answered(message, "refused", f"{member} is no member that the robot may write to")
        if member in (answer.get("flowControlledStaffIdList") or ()):
            said = f"{member} gets too many messages for now"
            return answered(message, "retry_after", said, after_s=60, about="message")
        if not answer.get("processQueryKey"):
            return answered(message, "unknown", f"an answer without processQueryKey: {dict(answer)}")
        return answered(message, "accepted", id=str(answer["processQueryKey"]))

    def _member(self, recipient: str) -> str:
        """The user id behind a phone number; any other text is one. Raises `Refused`."""
        if recipient in self._members:
            return self._members[recipient]
        if "@" in recipient:
            raise Refused("DingTalk finds a member by user id or phone number, not by e-mail address")
        if not recipient.lstrip("+").isdecimal():
            return recipient
        answer = self.look_up(
            "POST",
            "topapi/v2/user/getbymobile",
            params={"access_token": self._access()},
            body={"mobile": recipient.removeprefix("+86")},
            base_url=self._settings.contacts_url,
        )
        code = answer.get("errcode")
        if code in BUSY | TOO_FAST | {88, 40014, 42001}:
            raise Transient(f"errcode {code}: {answer.get('errmsg')}")
        found = (answer.get("result") or {}).get("userid")
        if code or not found:
            raise Refused(f"no member has the number {recipient}: errcode {code}: {answer.get('errmsg')}")
        return self._members.setdefault(recipient, str(found))

    def _access(self) -> str:
        now = self._context.now()
        if self._token is None or self._token.ends_at < now:
            body = {"appKey": self._settings.app_key, "appSecret": self._secret}
            answer = self.look_up("POST", "v1.0/oauth2/accessToken", body=body)
            if not answer.get("accessToken"):
                raise AuthError(f"no token: {answer.get('code')}: {answer.get('message')}")
            lasts = timedelta(seconds=int(answer.get("expireIn") or 7200))
            self._token = Token(value=str(answer["accessToken"]), ends_at=now + lasts - RENEWED_BEFORE)
            self.hide(self._token.value)
        return self._token.value


def _content(form: str, message: Message, text: str) -> dict[str, str]:
    """Markdown needs a title, which is what the notification shows."""
    return {"content": text} if form == "text" else {"title": message.subject or text[:20], "text": text}


def _receipt(message: Message, answer: Mapping[str, Any]) -> Receipt:
    code = answer.get("errcode")
    errmsg = str(answer.get("errmsg", ""))
    said = f"errcode {code}: {errmsg}"
    if code == 0:
        return answered(message, "accepted")
    if code is None:
        return answered(message, "unknown", f"an answer without errcode: {dict(answer)}")
    if code in TOO_FAST:
        return answered(message, "retry_after", said, after_s=THROTTLED_S)
    # One code for a wrong signature and for a text without the robot's keyword, which is the text's own fault.
    if code in BUSY | OURS and not (code == 310000 and "keyword" in errmsg.lower()):
        return answered(message, "retry_after", said)
    return answered(message, "refused", said)
