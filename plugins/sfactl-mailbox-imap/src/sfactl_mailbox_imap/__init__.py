"""Offer one mailbox: a folder on an IMAP server."""

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import MailboxOffer

SFACTL_API = "1.0"


@hookimpl
def sfactl_mailboxes() -> Iterator[MailboxOffer]:
    """The mailbox ``imap``."""
    yield MailboxOffer(
        name="imap",
        summary="A folder on an IMAP server, read and left as it is",
        target="sfactl_mailbox_imap.mailbox:ImapMailbox",
        settings="sfactl_mailbox_imap.settings:Settings",
        hosts=("setting:host",),
        secrets=("password",),
    )
