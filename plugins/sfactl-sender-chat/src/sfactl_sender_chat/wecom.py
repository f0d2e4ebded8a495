"""WeCom (企业微信): members through an app of the company, groups through their robot.

Both answer 200 and say in ``errcode`` how it went; the lists below are from the service's table of return codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qs, urlsplit

from sfactl.api.context import PluginContext
from sfactl.api.errors import AuthError, Refused, Transient
from sfactl.api.records import Message, Receipt
from sfactl_sender_chat.chat import RENEWED_BEFORE, ChatSender, Token, answered, moved, told

PER_MINUTE = frozenset({45009, 45033})
"""Asked too often; limits count by the minute."""

BUSY = frozenset({-1})
TOKEN = frozenset({40014, 41001, 42001})
OURS = frozenset({40001, 40013, 40056, 40091, 48002, 50001, 50002, 50003, 60020, 93000, 301002})
"""Wrong secret, company, app, right, address or robot: no other message would fare better."""

DUPLICATES_S = 4 * 3600
"""The longest time for which the service can be told to drop a message that it had already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeComSettings:
    """An app of the company. A recipient is a user id, or an e-mail address or phone number that is looked up."""

    corp_id: str
    agent_id: int
    corp_secret: str
    format: Literal["text", "markdown"] = "text"
    url: str = "https://qyapi.weixin.qq.com"
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WeComRobotSettings:
    """A group's robot; ``key`` refers to its key or its whole address. It writes to the group, whoever the lead is."""

    key: str
    format: Literal["text", "markdown"] = "text"
    url: str = "https://qyapi.weixin.qq.com"
    timeout_s: float = 30.0


class WeComRobotSender(ChatSender):
    """Posts into one group."""

    longest: ClassVar[int] = 2048

    def __init__(self, settings: WeComRobotSettings, context: PluginContext) -> None:
        secret = context.secret(settings.key)
        self._key = (parse_qs(urlsplit(secret).query).get("key") or [secret])[0]
        super().__init__(settings.url, settings.timeout_s, context, secret, self._key)
        self._format = settings.format

    def measure(self, text: str) -> int:
        """Bytes; a text in Markdown may be twice as long."""
        size = super().measure(text)
        return (size + 1) // 2 if self._format == "markdown" else size

    def deliver(self, message: Message, text: str) -> Receipt:
        """Post one message."""
        body = {"msgtype": self._format, self._format: {"content": text}}
        response = self.ask("POST", "cgi-bin/webhook/send", params={"key": self._key}, body=body)
        moved(response)
        return _receipt(message, told(response))


class WeComSender(ChatSender):
    """Posts to one member at a time; the service drops a repeat of the same text to the same member for four hours."""

    longest: ClassVar[int] = 2048

    def __init__(self, settings: WeComSettings, context: PluginContext) -> None:
        self._secret = context.secret(settings.corp_secret)
        super().__init__(settings.url, settings.timeout_s, context, self._secret)
        self._settings = settings
        self._token: Token | None = None
        self._members: dict[str, str] = {}

    @property
    def remembers_s(self) -> float:
        """Four hours."""
        return DUPLICATES_S

    def deliver(self, message: Message, text: str) -> Receipt:
        """Post one message, with a new token where the old one has ended."""
        try:
            member = self._member(message.recipient)
        except Refused as err:
            return answered(message, "refused", err.message)
        body = {
            "touser": member,
            "msgtype": self._settings.format,
            "agentid": self._settings.agent_id,
            self._settings.format: {"content": text},
            "enable_duplicate_check": 1,
            "duplicate_check_interval": DUPLICATES_S,
        }
        answer = self._call("message/send", body, sends=True)
        if not answer.get("errcode") and (lost := answer.get("invaliduser") or answer.get("unlicenseduser")):
            return answered(message, "refused", f"{lost} is not in the app's range or has no licence")
        return _receipt(message, answer)

    def _member(self, recipient: str) -> str:
        """The user id behind an address; any other text is one. Raises `Refused` where nobody has the address."""
        if recipient in self._members:
            return self._members[recipient]
        if "@" in recipient:
            answer = self._call("user/get_userid_by_email", {"email": recipient, "email_type": 2}, sends=False)
        elif recipient.lstrip("+").isdecimal():
            answer = self._call("user/getuserid", {"mobile": recipient.removeprefix("+86")}, sends=False)
        else:
            return recipient
        code = int(answer.get("errcode") or 0)
        if code in PER_MINUTE | BUSY | OURS | TOKEN:
            raise Transient(f"errcode {code}: {answer.get('errmsg')}")
        if code or not answer.get("userid"):
            raise Refused(f"no member has the address {recipient}: errcode {code}: {answer.get('errmsg')}")
        return self._members.setdefault(recipient, str(answer["userid"]))

    def _call(self, path: str, body: Mapping[str, Any], *, sends: bool) -> Mapping[str, Any]:
        """An answer of the app, with a new token where the old one has ended before its time."""
        answer = self._call_with(self._access(), path, body, sends)
        if answer.get("errcode") in TOKEN:
            self._token = None
            answer = self._call_with(self._access(), path, body, sends)
        return answer

    def _call_with(self, token: str, path: str, body: Mapping[str, Any], sends: bool) -> Mapping[str, Any]:
        params = {"access_token": token}
        if not sends:
            return self.look_up("POST", f"cgi-bin/{path}", params=params, body=body)
        response = self.ask("POST", f"cgi-bin/{path}", params=params, body=body)
        moved(response)
        return told(response)

    def _access(self) -> str:
        now = self._context.now()
        if self._token is None or self._token.ends_at < now:
            params = {"corpid": self._settings.corp_id, "corpsecret": self._secret}
            answer = self.look_up("GET", "cgi-bin/gettoken", params=params)
            if answer.get("errcode") or not answer.get("access_token"):
                raise AuthError(f"no token: errcode {answer.get('errcode')}: {answer.get('errmsg')}")
            lasts = timedelta(seconds=int(answer.get("expires_in") or 7200))
            self._token = Token(value=str(answer["access_token"]), ends_at=now + lasts - RENEWED_BEFORE)
            self.hide(self._token.value)
        return self._token.value


def _receipt(message: Message, answer: Mapping[str, Any]) -> Receipt:
    code = answer.get("errcode")
    said = f"errcode {code}: {answer.get('errmsg', '')}"
    if code == 0:
        return answered(message, "accepted", id=str(answer.get("msgid") or ""))
    if code is None:
        return answered(message, "unknown", f"an answer without errcode: {dict(answer)}")
    if code in PER_MINUTE:
        return answered(message, "retry_after", said, after_s=60)
    if code in BUSY | TOKEN | OURS:
        return answered(message, "retry_after", said)
    return answered(message, "refused", said)
