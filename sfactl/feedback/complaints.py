"""Complaints of recipients that their providers pass on: feedback reports (RFC 5965), and Microsoft's, which are none.

Only what a person said counts: reports of failed authentication, or that a mail is no spam, say nothing against the
recipient. Providers often take the address out; then the copy's Message-ID says who it was.
"""

from __future__ import annotations

import email
from email.message import Message

from sfactl.feedback.fields import ADDRESS, copied, low, original_id, parts, text_of
from sfactl.feedback.model import Notice

SAID_BY_A_PERSON = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "complaint", "miscategorized", "other"})
"""Types of RFC 5965, 7.3, and its registry, that tell what a recipient thinks of the mail."""

_MICROSOFT = "X-HmXmrOriginalRecipient"


def complaints_of(mail: Message) -> tuple[Notice, ...] | None:
    """The complaints in ``mail``, the recipient empty where it was taken out; None if it is no such report."""
    fields = _report(mail)
    copy = copied(mail)
    if fields is None and (copy is None or _MICROSOFT not in copy):
        return None
    kind = "abuse" if fields is None else str(fields.get("Feedback-Type", "abuse")).strip().lower()
    if kind not in SAID_BY_A_PERSON:
        return ()
    original = original_id(mail)
    said = [] if fields is None else fields.get_all("Original-Rcpt-To", []) + fields.get_all("Removal-Recipient", [])
    said = said or ([] if copy is None else [copy.get(_MICROSOFT, "") or copy.get("To", "")])
    addresses = [low(found) for value in said if (found := ADDRESS.search(str(value)))]
    if not addresses and original:
        addresses = [""]
    return tuple(
        Notice(kind="complaint", recipient=a, reason=kind, original=original) for a in dict.fromkeys(addresses)
    )


def _report(mail: Message) -> Message | None:
    """The fields of the report, also where their part does not say what it is."""
    for part in parts(mail):
        if part.get_content_type() == "message/feedback-report":
            return email.message_from_string(text_of(part).lstrip())
    if mail.get_param("report-type") == "feedback-report":
        for part in parts(mail):
            if part.get_content_type() == "text/plain" and text_of(part).lstrip().lower().startswith("feedback-type:"):
                return email.message_from_string(text_of(part).lstrip())
    return None
