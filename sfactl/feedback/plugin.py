"""Offer the mailbox that ships with sfactl: files that a mail server leaves."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import MailboxOffer

SFACTL_API = "1.0"


@hookimpl
def sfactl_mailboxes() -> Iterator[MailboxOffer]:
    """The mailbox ``files``."""
    yield MailboxOffer(
        name="files",
        summary="A maildir, an mbox file or a folder of .eml files",
        target="sfactl.feedback.file_mailbox:FileMailbox",
        settings="sfactl.feedback.file_mailbox:FileMailboxSettings",
    )
