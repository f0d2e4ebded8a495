"""Fetch the mail that came in at the mailboxes of the workspace, and go on where each was read last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound, SfactlError, UserError
from sfactl.feedback.usecases.mail import BOUNCES, REPLIES, MailResult, Total

if TYPE_CHECKING:
    from sfactl.api.protocols import Mailbox
    from sfactl.session import Session

OURS = ("schedule",)
"""Keys of ``mailboxes/NAME.toml`` that are the core's own and never reach a plugin's settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What one mailbox held that is new; ``problem`` is why it was not read to its end. What came before is kept."""

    mailbox: str
    read: MailResult
    problem: str = ""
    hint: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """All mailboxes that were read."""

    mailboxes: tuple[Fetched, ...]

    @property
    def partly(self) -> bool:
        """Whether one of them could not be read to its end."""
        return any(box.problem for box in self.mailboxes)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxState:
    """Whether a mailbox can be read, and what it says of itself."""

    mailbox: str
    use: str
    ok: bool
    said: str


def fetch(session: Session, names: Sequence[str] = ()) -> FetchResult:
    """Read what came in at ``names``, by default at all mailboxes: bounces, complaints and replies become events.

    Each page of mails and how far the mailbox is read land in one commit, so that a run that is killed goes on behind
    the last whole page and nothing is missed. Raises `NotFound` for a mailbox that is not there.
    """
    return FetchResult(mailboxes=tuple(_fetch(session, name) for name in _named(session, names)))


def check_mailboxes(session: Session, names: Sequence[str] = ()) -> tuple[MailboxState, ...]:
    """Whether each of ``names``, by default every mailbox, can be read; nothing is fetched."""
    found = []
    for name in _named(session, names):
        use = ""
        try:
            use = str(session.settings.mailboxes[name]["use"])
            box = open_mailbox(session, name)
            try:
                report = box.check()
            finally:
                box.close()
            problems = report.problems
            said = "; ".join(problems) or " · ".join(f"{key} {value}" for key, value in report.facts.items())
        except SfactlError as err:
            problems, said = (err.message,), err.message
        found.append(MailboxState(mailbox=name, use=use, ok=not problems, said=said))
    return tuple(found)


def _fetch(session: Session, name: str) -> Fetched:
    with session.progress(f"Mails read from {name}") as progress:
        return _read_on(session, name, Total(session, BOUNCES | REPLIES, progress))


def _read_on(session: Session, name: str, total: Total) -> Fetched:
    cursor = f"mailbox.{name}"
    try:
        box = open_mailbox(session, name)
        try:
            reached = session.workspace.cursor(cursor)
            for page in box.fetch(reached):
                total.add(page.mails, cursors={cursor: page.cursor} if page.cursor != reached else None)
                reached = page.cursor
        finally:
            box.close()
    except SfactlError as err:
        return Fetched(mailbox=name, read=total.result(), problem=err.message, hint=err.hint or "", code=err.code)
    return Fetched(mailbox=name, read=total.result())


def open_mailbox(session: Session, name: str) -> Mailbox:
    """The mailbox of the workspace called ``name``. Raises `NotFound`, and what its plugin raises."""
    _named(session, [name])
    table = session.settings.mailboxes[name]
    settings = {key: value for key, value in table.items() if key not in OURS}
    return session.host.make("mailbox", str(table["use"]), settings, where=f"mailboxes/{name}.toml")


def _named(session: Session, names: Sequence[str]) -> list[str]:
    known = list(session.settings.mailboxes)
    for name in names:
        if name not in known:
            there = f"There are: {', '.join(known)}" if known else "Mailboxes are files mailboxes/NAME.toml."
            raise NotFound(f"there is no mailbox {name!r}", hint=there)
    if not known:
        raise UserError(
            "the workspace has no mailboxes",
            hint='Write mailboxes/NAME.toml with use = "imap" or "files", or read files: sfactl touch replies PATH',
        )
    return list(names) or known
