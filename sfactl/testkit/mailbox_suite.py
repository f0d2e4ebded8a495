"""What a mailbox must hold to: every mail as it came in, behind cursors made of JSON values, and nothing changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

from sfactl.api.records import Cursor
from sfactl.testkit.offer_suite import Make, OfferSuite


class MailboxSuite(OfferSuite):
    """Inherit this to test a mailbox.

    Give it ``deliver``, which lets a mail (line ends as CRLF) come into the place that the settings name.
    """

    kind: ClassVar[str] = "mailbox"
    deliver: Callable[[bytes], None]

    def test_an_empty_mailbox_can_be_read(self, make: Make) -> None:
        """It says that it can be read, and has no mails."""
        box = make()
        assert box.check().problems == ()
        assert self.fetched(box, None)[0] == []

    def test_mails_come_as_they_came_in_and_once(self, make: Make) -> None:
        """Bytes that no charset knows, empty mails and large ones are the same afterwards; later come only new ones."""
        odd = [mail(1), mail(2, b"\xff\xfe\x80 8bit"), mail(3, b"x" * 300_000), mail(4, "王小明".encode())]
        for raw in odd:
            self.deliver(raw)
        box = make()
        first, cursor = self.fetched(box, None)
        assert sorted(first) == sorted(odd)
        self.deliver(mail(5))
        later, end = self.fetched(make(), cursor)
        assert mail(5) in later
        assert set(later) <= {*odd, mail(5)}
        # Read again nothing is missed, and nothing was changed by reading.
        again, _ = self.fetched(make(), None)
        assert sorted(set(again)) == sorted([*odd, mail(5)])
        assert json.loads(json.dumps(end)) == end

    def test_no_page_that_was_interrupted_skips_a_mail(self, make: Make) -> None:
        """Whoever goes on from the cursor of any page gets all that came behind it."""
        raws = [mail(number) for number in range(30)]
        for raw in raws:
            self.deliver(raw)
        box = make()
        pages = list(box.fetch(None))
        box.close()
        seen: set[bytes] = set()
        for page in pages:
            seen |= {clean(raw) for raw in page.mails}
            assert seen | set(self.fetched(make(), page.cursor)[0]) == set(raws)
        assert seen == set(raws)

    def fetched(self, box: Any, cursor: Cursor | None) -> tuple[list[bytes], Cursor | None]:
        """All mails since ``cursor``, with line ends as CRLF, and the cursor behind them."""
        found = []
        try:
            for page in box.fetch(cursor):
                found += [clean(raw) for raw in page.mails]
                cursor = page.cursor
        finally:
            box.close()
        return found, cursor


def mail(number: int, body: bytes = b"Hello") -> bytes:
    """A mail with a subject of its own."""
    return b"From: ming@example.com\r\nSubject: mail %d\r\nMessage-ID: <%d@example.com>\r\n\r\n%s\r\n" % (
        number,
        number,
        body,
    )


def clean(raw: bytes) -> bytes:
    """``raw`` with the line ends of mail (RFC 5322, 2.1)."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
