"""Open cases from mail, and add what customers write about a case to it; a mail that was read before adds nothing.

Each page of mails and how far its mailbox was read land in one commit. Who writes and is not known becomes a lead
first, so that they can be told.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.cases.letters import Letter, NoLetter, read_letter
from sfactl.cases.model import Opening, Row
from sfactl.cases.notices import addresses_of_ours
from sfactl.cases.recording import Sheet
from sfactl.cases.usecases.writing import DATASETS, sheet_of, store
from sfactl.config.cases import NOTICES, read_cases
from sfactl.feedback.mailboxes import mails_in
from sfactl.feedback.usecases.fetching import open_mailbox
from sfactl.feedback.usecases.mail import pages
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query

PACKAGE = "cases"
SOURCE = "case-mail"
"""Where the leads come from whom nobody knew before they wrote."""
OURS = "we wrote it ourselves"
NO_SUBJECT = "(no subject)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unopened:
    """How many mails opened nothing for a reason, and who wrote the first of them about what."""

    reason: str
    mails: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMailResult:
    """What was read. ``heard`` mails were about a case that is there, ``again`` of them took one up that was settled.

    ``known`` mails were read before; ``strangers`` are new leads.
    """

    mails: int = 0
    opened: int = 0
    heard: int = 0
    again: int = 0
    known: int = 0
    strangers: int = 0
    cases: tuple[int, ...] = ()
    nothing: tuple[Unopened, ...] = ()
    dry_run: bool = False
    commit: int | None = None
    commits: int = 0


def read_case_mail(session: Session, paths: Sequence[Path]) -> CaseMailResult:
    """Read mails from files, maildirs or mbox files. Raises `UserError` where there is nothing to read."""
    total = _Total(session)
    for page in pages(raw for path in paths for raw in mails_in(path)):
        total.add(page)
    return total.result()


def fetch_case_mail(session: Session, mailbox: str) -> CaseMailResult:
    """Read what came in at a mailbox of the workspace since it was last read for cases.

    Raises `NotFound` for a mailbox that is not there, and what its plugin raises; what was read before that is kept.
    """
    total, cursor = _Total(session), f"{SOURCE}.{mailbox}"
    box = open_mailbox(session, mailbox)
    try:
        reached = session.workspace.cursor(cursor)
        for page in box.fetch(reached):
            total.add(page.mails, cursors={cursor: page.cursor} if page.cursor != reached else None)
            reached = page.cursor
    finally:
        box.close()
    return total.result()


class _Total:
    """Reads page after page and counts."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rules = read_cases(session.folder)
        self._ours = addresses_of_ours(self._rules)
        self._sums: Counter[str] = Counter()
        self._nothing: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self._cases: list[int] = []
        self._commits: list[int] = []

    def add(self, raws: Iterable[bytes], *, cursors: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Bring in the mails of one page."""
        session = self._session
        letters: list[Letter] = []
        for raw in raws:
            self._sums["mails"] += 1
            read = read_letter(raw, now=session.now(), lists=self._rules.mail.lists)
            if isinstance(read, NoLetter):
                self._leave(read.why, read.about)
            else:
                letters.append(read)
        # In the order in which they came: an answer follows what it answers.
        letters = sorted({letter.event_id: letter for letter in letters}.values(), key=lambda x: (x.at, x.event_id))
        if letters and self._rules.mail.strangers == "lead" and not session.dry_run:
            self._meet(letters)
        with session.write(*DATASETS, reason="mail of customers") as tx:
            sheet = sheet_of(session, self._rules, len(letters))
            self._take(tx.query, sheet, letters, session.reserve("case", len(letters)) if letters else 1)
            store(session, tx, sheet)
            for name, cursor in (cursors or {}).items():
                tx.set_cursor(name, cursor)
            if sheet.events or cursors:
                made = tx.commit(cases=len(sheet.cases), events=len(sheet.events)).seq
                self._commits += [made] if made is not None else []

    def result(self) -> CaseMailResult:
        """All pages together."""
        names = ("mails", "opened", "heard", "again", "known", "strangers")
        return CaseMailResult(
            **{name: self._sums[name] for name in names},
            cases=tuple(self._cases),
            nothing=tuple(
                Unopened(reason=reason, mails=n, example=self._examples[reason])
                for reason, n in self._nothing.most_common()
            ),
            dry_run=self._session.dry_run,
            commit=self._commits[-1] if self._commits else None,
            commits=len(self._commits),
        )

    def _leave(self, why: str, about: str) -> None:
        self._nothing[why] += 1
        self._examples.setdefault(why, about)

    def _meet(self, letters: Sequence[Letter]) -> None:
        """Make leads of the writers whom nobody knows, by the rules by which all leads are made."""
        from sfactl.leads.usecases import import_files
        from sfactl.leads.usecases.imports import work_folder

        with self._session.query() as query:
            found = list(zip(letters, _matched(query, letters, self._ours), strict=True))
        new = [t for t, row in found if row["lead_id"] is None and not _settled(row)]
        if not new:
            return
        people: dict[str, str] = {}
        for letter in new:
            people[letter.sender] = people.get(letter.sender) or letter.name
        with work_folder(self._session) as scratch:
            path = scratch / f"{SOURCE}.jsonl"
            path.write_text("".join(_person(*pair) for pair in people.items()), encoding="utf-8")
            self._sums["strangers"] += import_files(self._session, [path], source=SOURCE).new

    def _take(self, query: Query, sheet: Sheet, letters: Sequence[Letter], first: int) -> None:
        """Open and hear; cases that are opened get the numbers from ``first`` on."""
        opened: dict[str, Row] = {}
        for number, (letter, row) in enumerate(zip(letters, _matched(query, letters, self._ours), strict=True), first):
            if row["is_known"]:
                self._sums["known"] += 1
                continue
            if row["is_ours"]:
                self._leave(OURS, f"{letter.sender}: {letter.subject}")
                continue
            here = next((opened[one] for one in letter.answers if one in opened), None)
            case_id = here["case_id"] if here else row["case_id"]
            if case_id is not None:
                self._hear(sheet, sheet.cases.get(case_id) or dict(query.get("cases", case_id) or {}), letter)
                continue
            case = self._open(sheet, number, letter, row)
            if letter.message_id:
                opened[letter.message_id] = case

    def _hear(self, sheet: Sheet, case: Row, letter: Letter) -> None:
        known = len(sheet.events)
        sheet.hear(
            case,
            letter.text,
            letter.at,
            event_id=letter.event_id,
            message_id=letter.message_id,
            subject=letter.subject,
            sender=letter.sender,
        )
        self._sums["heard"] += 1
        self._sums["again"] += any(e["kind"] == "reopened" for e in sheet.events[known:])

    def _open(self, sheet: Sheet, number: int, letter: Letter, row: Row) -> Row:
        said = Opening(
            lead_id=row["lead_id"],
            contact_id=row["contact_id"],
            account_id=row["account_id"],
            owner=row["owner"] or "",
            channel="email",
            subject=letter.subject or NO_SUBJECT,
            opened_at=letter.at,
            text=letter.text,
            address=letter.sender,
            source="mail",
            source_key=letter.message_id,
            message_id=letter.message_id,
            thread=letter.thread,
            silent=letter.silent,
            event_id=letter.event_id,
        )
        self._sums["opened"] += 1
        case = sheet.open(number, said)
        self._cases.append(case["case_id"])
        return case


def _matched(query: Query, letters: Sequence[Letter], ours: Sequence[str]) -> Iterator[Row]:
    """What the data know of each of ``letters``, in their order."""
    import pyarrow as pa

    query.register("letters", _letter_table(letters))
    query.register("letter_ids", _id_table(letters))
    query.register("ours", pa.table({"address": pa.array(list(ours), pa.string())}))
    yield from query.table(query.statement(PACKAGE, "letters"), {"campaign": NOTICES}).to_pylist()


def _settled(row: Row) -> bool:
    """Whether a mail makes no new case."""
    return bool(row["is_known"] or row["is_ours"] or row["case_id"] is not None)


def _person(address: str, name: str) -> str:
    return json.dumps({"email": address, **({"full_name": name} if name else {})}, ensure_ascii=False) + "\n"


def _letter_table(letters: Sequence[Letter]) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "n": pa.array(range(len(letters)), pa.int64()),
            "event_id": pa.array([t.event_id for t in letters], pa.string()),
            "sender": pa.array([t.sender for t in letters], pa.string()),
            "own_id": pa.array([t.message_id.strip("<>").partition("@")[0] for t in letters], pa.string()),
            "token": pa.array([t.token for t in letters], pa.int64()),
        }
    )


def _id_table(letters: Sequence[Letter]) -> pa.Table:
    import pyarrow as pa

    rows = []
    for n, letter in enumerate(letters):
        for place, whole in enumerate(letter.answers):
            left, _, right = whole.strip("<>").rpartition("@")
            rows.append({"n": n, "place": place, "local_part": left, "domain": right.lower(), "whole": whole})
    schema = pa.schema(
        [("n", pa.int64()), ("place", pa.int64()), *((x, pa.string()) for x in ("local_part", "domain", "whole"))]
    )
    return pa.Table.from_pylist(rows, schema)
