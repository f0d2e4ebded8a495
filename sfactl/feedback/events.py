"""Turn mails into the rows that become events: notices about deliveries, and answers of people and machines.

Every row has an id that depends on the mail alone, so that a mail read again, by whatever command, adds nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.engine.links import Link
from sfactl.feedback.fields import arrived_at, parsed
from sfactl.feedback.model import Answer, Notice
from sfactl.feedback.notices import notices_of
from sfactl.feedback.replies import answer_of

if TYPE_CHECKING:
    import pyarrow as pa

SOFT = 0.5
"""What a bounce that may pass weighs; one that will not weighs 1."""

NOTICES = ("event_id", "at", "kind", "recipient", "reason", "weight", "diagnosis", "original")
ANSWERS = (
    *("event_id", "at", "kind", "sender", "subject", "text", "own_id"),
    *("link_key", "link_lead", "link_campaign", "link_step", "topic", "is_asked_for"),
)
IDS = ("event_id", "place", "local_part", "domain")
_TYPES = {"at": "timestamp", "weight": "double", "link_lead": "bigint", "place": "bigint", "is_asked_for": "boolean"}
_HASH = re.compile(r"[0-9a-f]{40}")


@dataclass(slots=True, kw_only=True)
class Batch:
    """What some mails say. ``read_link`` knows the link behind a token, None where we signed no such.

    ``unread`` says of each mail that could not be read why.
    """

    now: datetime
    kinds: frozenset[str]
    read_link: Callable[[str], Link | None]
    mails: int = 0
    silent: int = 0
    delays: int = 0
    unread: list[str] = field(default_factory=list)
    counted: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    notices: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, raw: bytes) -> None:
        """Read one mail; what it says of kinds that are not asked for is left alone."""
        self.mails += 1
        try:
            mail = parsed(raw)
            at = arrived_at(mail, self.now)
            told = [n for n in notices_of(mail) if n.kind != "answer" or n.reason == "delivered"]
            answer = None if told else answer_of(mail)
        except Exception as err:  # strangers write these mails, and none of them may keep the others from being read
            self.unread.append(f"{type(err).__name__}: {err}")
            return
        heard = 0
        for notice in told:
            if "bounce" in self.kinds:
                heard += 1
                self._notice(notice, raw, at)
        if answer is not None and (answer.kind in self.kinds or (answer.tokens and "unsubscribe" in self.kinds)):
            heard += self._answer(answer, raw, at)
        self.silent += not heard

    def notice_table(self) -> pa.Table:
        """Rows with the columns `NOTICES`."""
        return _table(NOTICES, list(self.notices.values()))

    def answer_table(self) -> pa.Table:
        """Rows with the columns `ANSWERS`."""
        return _table(ANSWERS, list(self.answers.values()))

    def id_table(self) -> pa.Table:
        """Rows with the columns `IDS`; place 0 is a token, the others count from 1."""
        return _table(IDS, [dict(zip(IDS, row, strict=True)) for row in self.ids])

    def _notice(self, notice: Notice, raw: bytes, at: datetime) -> None:
        self.counted[notice.kind, notice.reason, notice.hard] += 1
        self.delays += notice.kind == "delay"
        if notice.kind not in ("bounce", "complaint"):
            return
        stated = notice.status in notice.diagnosis
        event_id = _returned(raw, notice.recipient)
        self.notices[event_id] = {
            "event_id": event_id,
            "at": at,
            "kind": notice.kind,
            "recipient": notice.recipient,
            "reason": notice.reason,
            "weight": {"bounce": 1.0 if notice.hard else SOFT}.get(notice.kind),
            "diagnosis": notice.diagnosis if stated else f"{notice.status} {notice.diagnosis}",
            "original": notice.original.strip("<>").partition("@")[0] or None,
        }

    def _answer(self, answer: Answer, raw: bytes, at: datetime) -> int:
        link = next((found for token in answer.tokens if (found := self.read_link(token)) is not None), None)
        hashed = next((t for t in answer.tokens if _HASH.fullmatch(t)), "")
        if answer.kind not in self.kinds and link is None and not hashed:
            return 0
        own = answer.message_id or hashlib.sha256(raw).hexdigest()
        machine = answer.kind == "auto_reply"
        event_id = (
            _returned(raw, answer.sender) if machine else f"reply:{hashlib.sha256(own.encode()).hexdigest()[:32]}"
        )
        self.answers[event_id] = {
            "event_id": event_id,
            "at": at,
            "kind": answer.kind,
            "sender": answer.sender,
            "subject": "vacation" if machine else answer.subject,
            "text": answer.text,
            "own_id": answer.message_id.strip("<>").partition("@")[0],
            "link_key": link and link.message_key,
            "link_lead": link and link.lead_id,
            "link_campaign": link and link.campaign,
            "link_step": link and link.step,
            "topic": (link and link.target) or None,
            "is_asked_for": answer.kind in self.kinds,
        }
        self.ids += [(event_id, 0, hashed, "")] if hashed else []
        self.ids += [(event_id, place, left, domain) for place, (left, domain) in enumerate(answer.ids, 1)]
        return 1


def _returned(raw: bytes, address: str) -> str:
    return f"returned:{hashlib.sha256(raw).hexdigest()[:32]}:{address}"


def _table(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    from sfactl.schemas.dataset import arrow_type

    return pa.Table.from_pylist(list(rows), pa.schema([(n, arrow_type(_TYPES.get(n, "varchar"))) for n in columns]))
