"""Read what came in by mail: each notice and each answer becomes one event, dead or unwilling addresses have peace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.engine.links import ForgedLink, Link
from sfactl.feedback.events import Batch
from sfactl.feedback.mailboxes import check_mail, mails_in

if TYPE_CHECKING:
    from sfactl.session import Progress, Session
    from sfactl.workspace import Transaction

SOFT_DAYS = 5
WITHIN = timedelta(days=30)
"""Mail to an address that came back on so many days within this time is not tried again."""

BOUNCES = frozenset({"bounce", "complaint", "auto_reply"})
REPLIES = frozenset({"reply", "auto_reply", "unsubscribe"})
PAGE = 5000
PAGE_BYTES = 32 * 2**20
"""A page lands in one commit; it holds so many mails at most, and stops growing at so many bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCount:
    """How many notices gave a reason."""

    kind: str
    reason: str
    hard: bool
    notices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCount:
    """How many new answers of a kind came to a step of a campaign; both empty where they answer no message of ours."""

    kind: str
    campaign: str
    step: str
    mails: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailResult:
    """What was read. ``new`` events were stored, ``known`` ones before; ``strangers`` are of nobody we know.

    ``no_report`` are mails that say nothing that was looked for, ``ours`` those that colleagues wrote, ``unread`` those
    that could not be read.
    """

    mails: int = 0
    notices: int = 0
    no_report: int = 0
    new: int = 0
    known: int = 0
    strangers: int = 0
    ours: int = 0
    delays: int = 0
    suppressed: int = 0
    unread: int = 0
    reasons: tuple[ReasonCount, ...] = ()
    answers: tuple[AnswerCount, ...] = ()
    dry_run: bool = False
    commit: int | None = None
    commits: int = 0


def read_bounces(session: Session, paths: Sequence[Path]) -> MailResult:
    """Read returned mail from ``paths`` (.eml files, maildir, mbox); a mail that was read before adds nothing.

    Events have the kind bounce, complaint or auto_reply; of bounces the reason as content, what the server said as
    text, and 1 (hard) or 0.5 (soft) as value. A hard bounce and a complaint suppress the address at once, soft ones
    when mail came back on five days within thirty. Raises `UserError`.
    """
    return read_mails(session, _every(paths), BOUNCES)


def read_replies(session: Session, paths: Sequence[Path]) -> MailResult:
    """Read answers to our messages from ``paths``; a mail that was read before adds nothing.

    Events have the kind reply, auto_reply (a machine answered) or unsubscribe (somebody wants no more mail), the
    subject as content and the writer's own words as text. They belong to the message whose id they answer, and to its
    recipient; else to the lead with the writer's address. Raises `UserError`.
    """
    return read_mails(session, _every(paths), REPLIES)


def read_mails(session: Session, raws: Iterable[bytes], kinds: frozenset[str]) -> MailResult:
    """Read ``raws`` for events of ``kinds``, each page of mails in a commit of its own."""
    with session.progress("Mails read") as progress:
        total = Total(session, kinds, progress)
        for page in pages(raws):
            total.add(page)
    return total.result()


class Total:
    """Reads page after page and counts. Raises `ConfigError` where the key that links are signed with is not there."""

    def __init__(self, session: Session, kinds: frozenset[str], progress: Progress) -> None:
        self._session = session
        self._kinds = kinds
        self._progress = progress
        self._sums: Counter[str] = Counter()
        self._reasons: Counter[tuple[str, str, bool]] = Counter()
        self._answers: Counter[tuple[str, str, str]] = Counter()
        self._commits: list[int] = []

    def add(self, raws: Iterable[bytes], *, cursors: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Store what the mails of one page say, together with how far their mailbox is read now."""
        session = self._session
        batch = Batch(now=session.now(), kinds=self._kinds, read_link=self._link)
        for raw in raws:
            batch.add(raw)
            self._progress.advance()
        with session.write("suppressions", reason="mail that came in") as tx:
            new = self._store(tx, batch)
            for name, cursor in (cursors or {}).items():
                tx.set_cursor(name, cursor)
            if new or cursors:
                made = tx.commit(mails=batch.mails, new=new, suppressed=self._sums["suppressed"])
                self._commits += [made.seq] if made.seq is not None else []
        self._sums.update(mails=batch.mails, no_report=batch.silent, delays=batch.delays, unread=len(batch.unread))
        for why in batch.unread:
            session.note(f"a mail could not be read ({why}); the others were")
        self._reasons += batch.counted

    def result(self) -> MailResult:
        """All pages together."""
        return MailResult(
            **{
                name: self._sums[name]
                for name in ("mails", "no_report", "new", "known", "strangers", "ours", "delays", "unread")
            },
            notices=sum(self._reasons.values()),
            suppressed=self._sums["suppressed"],
            reasons=tuple(
                ReasonCount(kind=kind, reason=reason, hard=hard, notices=n)
                for (kind, reason, hard), n in sorted(self._reasons.items(), key=lambda c: (c[0][0], -c[1], c[0]))
            ),
            answers=tuple(
                AnswerCount(kind=kind, campaign=campaign, step=step, mails=n)
                for (kind, campaign, step), n in sorted(self._answers.items(), key=lambda c: (c[0][0], -c[1], c[0]))
            ),
            dry_run=self._session.dry_run,
            commit=self._commits[-1] if self._commits else None,
            commits=len(self._commits),
        )

    def _store(self, tx: Transaction, batch: Batch) -> int:
        """Put what is new into the transaction; answers how many events that is."""
        query = tx.query
        for name, table in (
            ("notices", batch.notice_table()),
            ("answers", batch.answer_table()),
            ("answer_ids", batch.id_table()),
        ):
            query.register(name, table)
        query.run(f"create or replace temp table returned as {query.statement('feedback', 'matched')}")
        query.run(f"create or replace temp table replied as {query.statement('feedback', 'answered')}")
        (returned, unknown) = query.one("select count(*), count(*) - count(lead_id) from returned") or (0, 0)
        if returned:
            params = {"soft_days": SOFT_DAYS, "since": batch.now - WITHIN, "now": batch.now}
            self._sums["suppressed"] += tx.upsert("suppressions", query.statement("feedback", "refused"), params)
        kinds = query.one(
            "select count(*), count(*) filter (where is_ours), count(*) filter (where not is_ours and lead_id is null)"
            " from replied"
        )
        (replied, ours, strangers) = kinds or (0, 0, 0)
        events = "select * exclude (recipient, written_to) from returned where lead_id is not null"
        tx.append("touchpoints", events)
        wanted = "lead_id is not null and not is_ours"
        tx.append("touchpoints", f"select * exclude (sender, is_ours) from replied where {wanted}")
        for kind, campaign, step, mails in query.rows(query.statement("feedback", "told")):
            self._answers[kind, campaign, step] += mails
        new = returned - unknown + replied - ours - strangers
        known = len(batch.notices) - returned + len(batch.answers) - replied
        self._sums.update(new=new, known=known, strangers=unknown + strangers, ours=ours)
        return new or int(returned)

    def _link(self, token: str) -> Link | None:
        try:
            return self._session.links.read("unsubscribe", token)
        except ForgedLink:
            return None


def pages(raws: Iterable[bytes], most: int = PAGE, most_bytes: int = PAGE_BYTES) -> Iterator[list[bytes]]:
    """``raws`` in pages."""
    page: list[bytes] = []
    held = 0
    for raw in raws:
        page.append(raw)
        held += len(raw)
        if len(page) == most or held >= most_bytes:
            yield page
            page, held = [], 0
    if page:
        yield page


def _every(paths: Sequence[Path]) -> Iterator[bytes]:
    for path in paths:
        check_mail(path)
        yield from mails_in(path)
