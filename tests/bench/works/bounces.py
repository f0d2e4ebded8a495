"""Read returned mail from a maildir and from an mbox, beside a bare walk of the same mbox by the standard library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench.model import Bench, Measured, Place, Size
from tests.bench.process import SFACTL, here, ran
from tests.bench.workspace import workspace

CLOCK = {"SFACTL_NOW": "2026-11-02T10:00:00"}
MOST = 100_000
MOST_RSS_MB = 600
BAR = 5.0


def run(size: Size, place: Place) -> Iterator[Measured]:
    mails = min(size.leads, MOST)
    folder = workspace(place, size) / "ws"
    boxes = place.once("mailboxes", lambda made: ran(here("ours", "returned-mail", made, folder, mails)) and None)
    bare = ran(here("bare", "walk", boxes / "bounces.mbox"))
    for box, note in (("maildir", "from a maildir"), ("bounces.mbox", "the same again from an mbox")):
        done = ran([*SFACTL, "-w", folder, "touch", "bounces", boxes / box], env=CLOCK)
        yield Measured(
            name="bounces",
            size=f"{mails:,} mails",
            seconds=done.seconds,
            bare_seconds=bare.seconds,
            rss_mb=done.rss_mb,
            value=done.seconds / bare.seconds,
            unit="×",
            bar=BAR,
            rss_bar_mb=MOST_RSS_MB,
            note=f"{note}: {mails / done.seconds:,.0f} mails/s",
        )


def write(folder: Path, workspace_folder: Path, mails: int) -> None:
    """A maildir and an mbox with the same returned mails, to the leads of the workspace."""
    import mailbox

    from sfactl.config.settings import Settings
    from sfactl.session import open_session

    with open_session(workspace_folder, settings=Settings(), command="bench", actor="bench") as session:
        with session.query() as query:
            addresses = [
                row[0]
                for row in query.rows(
                    "select coalesce(email, 'p' || lead_id || '@x.example') from leads order by lead_id limit $n",
                    {"n": mails},
                )
            ]
    for name in ("new", "cur", "tmp"):
        (folder / "maildir" / name).mkdir(parents=True)
    box = mailbox.mbox(folder / "bounces.mbox")
    for n in range(mails):
        raw = mail(n, addresses[n % len(addresses)])
        (folder / "maildir" / "new" / f"{n:08}.bench").write_bytes(raw)
        box.add(raw)
    box.close()


def mail(n: int, to: str) -> bytes:
    """The ``n``-th mail that came back: three reports, a letter without one, and a note of absence, in turn."""
    said = SAID[n % len(SAID)]
    copy = f"Message-ID: <m{n}@acme.example>\nTo: {to}\nSubject: Spring\n\n" + "Come and see our laser cutters.\n" * 20
    if said is None:
        return (
            HEAD.format(n=n, sender=to, subject="Out of office") + "Auto-Submitted: auto-replied\n\nBack on Monday.\n"
        ).encode()
    head = HEAD.format(n=n, sender="MAILER-DAEMON@mx.example.net", subject="Undelivered Mail Returned to Sender")
    if n % 5 == 3:
        return (head + LETTER.format(to=to, said=said[1], copy=copy)).encode()
    return (head + REPORT.format(n=n, to=to, status=said[0], said=said[1], copy=copy)).encode()


SAID = (
    ("5.1.1", "550 5.1.1 Recipient address rejected: User unknown in virtual mailbox table"),
    ("5.2.2", "552 5.2.2 The email account that you tried to reach is over quota"),
    ("5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
    ("5.1.1", "550 5.1.1 no such user here"),
    None,
)
HEAD = """Received: from mx.example.net by mail.acme.example; Mon, 2 Nov 2026 08:00:00 +0000
From: Mail Delivery System <{sender}>
To: sales@acme.example
Date: Mon, 2 Nov 2026 08:00:00 +0000
Message-ID: <b{n}@mx.example.net>
Subject: {subject}
"""
REPORT = """MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b{n}"

--b{n}
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.net.

I'm sorry to have to inform you that your message could not be delivered to one or more recipients.

<{to}>: host mail.example.com[192.0.2.9] said: {said} (in reply to RCPT TO command)

--b{n}
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {to}
Action: failed
Status: {status}
Diagnostic-Code: smtp; {said}

--b{n}
Content-Type: message/rfc822

{copy}
--b{n}--
"""
LETTER = """
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its recipients. The following address(es) failed:

  {to}
    SMTP error from remote mail server after RCPT TO:<{to}>:
    {said}

------ This is a copy of the message, including all the headers. ------

{copy}
"""
BENCH = Bench(name="bounces", summary="returned mail read from a maildir and an mbox", run=run, sized=False)
