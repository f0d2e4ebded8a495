"""Settle messages of which nobody knows whether they arrived, by the word of a person who has looked.

A message that is not unknown is never touched. One wrong row, and nothing of its file is taken.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sfactl.api.errors import DataError, NotFound
from sfactl.api.records import Outcome, Receipt
from sfactl.campaigns.usecases.folding import fold
from sfactl.config.cases import NOTICES
from sfactl.engine.delimited import BadRow, Row, read_rows
from sfactl.session import Session
from sfactl.workspace.ledger import EffectRow

OUTCOMES: dict[str, Outcome] = {"accepted": "accepted", "refused": "refused", "retry": "retry_after"}
COLUMNS = ("key", "outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveResult:
    """One message that a person settled; ``of`` tells whether a campaign or a strategy sent it."""

    key: str
    campaign: str
    outcome: str
    of: str = "campaign"

    @property
    def again(self) -> str:
        """The command by which it leaves once it may."""
        return "case ack" if self.campaign == NOTICES else f"{self.of} plan {self.campaign}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedFile:
    """How many messages of a file were settled, by outcome; ``before`` had been settled by then."""

    accepted: int
    refused: int
    retry: int
    before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What a row of the file says of a message."""

    line: int
    key: str
    outcome: str
    note: str


def resolve(session: Session, key: str, outcome: str, *, detail: str = "") -> ResolveResult:
    """Settle an unknown message: ``accepted``, ``refused``, or ``retry`` to let it be sent again.

    Raises `NotFound` if it is not unknown, `LockBusy` while its campaign is being sent.
    """
    found = _held(session).get(key)
    if found is None:
        raise NotFound(f"there is no held message with key {key!r}", hint="See: sfactl touch list --state unknown")
    if not session.dry_run:
        _settle(session, found.scope, [_receipt(session, key, outcome, detail)])
    of = found.scope.partition("/")[0]
    return ResolveResult(key=key, campaign=str(found.meta.get("campaign", "")), outcome=outcome, of=of)


def resolve_file(session: Session, path: Path) -> ResolvedFile:
    """Settle what the CSV file says: columns ``key``, ``outcome`` and, if you like, ``note``; others are left alone.

    A row without an outcome, and one that was settled by an earlier run with the same file, changes nothing. Raises
    `DataError` with the line of a row that cannot be meant, `LockBusy` while one of the campaigns is being sent.
    """
    held = _held(session)
    words, before = _words(session, path, held)
    by_scope: dict[str, list[Receipt]] = defaultdict(list)
    for word in words:
        by_scope[held[word.key].scope].append(_receipt(session, word.key, word.outcome, word.note))
    if not session.dry_run:
        for scope, receipts in sorted(by_scope.items()):
            _settle(session, scope, receipts)
    counts = Counter(word.outcome for word in words)
    return ResolvedFile(**{name: counts[name] for name in OUTCOMES}, before=before)


def _held(session: Session) -> dict[str, EffectRow]:
    return {r.key: r for r in session.ledger.rows(state="unknown") if r.kind == "message"}


def _receipt(session: Session, key: str, outcome: str, note: str) -> Receipt:
    return Receipt(key=key, outcome=OUTCOMES[outcome], detail=note or f"said {session.actor}")


def _settle(session: Session, scope: str, receipts: Sequence[Receipt]) -> None:
    with session.ledger.lease(scope, run_id=session.run_id):
        session.ledger.resolve_all(receipts)
        fold(session, scope)


def _words(session: Session, path: Path, held: Mapping[str, EffectRow]) -> tuple[list[_Word], int]:
    """What there is to settle, and how many were settled before."""
    words: dict[str, _Word] = {}
    for row in read_rows(path):
        word = _word(path, row)
        if word is None:
            continue
        if word.key in words and words[word.key].outcome != word.outcome:
            raise DataError(
                f"{path}: line {word.line}: {word.key} is {word.outcome} here and"
                f" {words[word.key].outcome} in line {words[word.key].line}",
                hint="Leave one of them in the file. Nothing was settled.",
            )
        words.setdefault(word.key, word)
    gone = [word for word in words.values() if word.key not in held]
    known = _settled(session, [word.key for word in gone]) if gone else set()
    for word in gone:
        if word.key not in known:
            raise DataError(
                f"{path}: line {word.line}: no message has the key {word.key!r}",
                hint="See: sfactl touch list --state unknown. Nothing was settled.",
            )
    return [word for word in words.values() if word.key in held], len(gone)


def _settled(session: Session, keys: Sequence[str]) -> set[str]:
    """Those of ``keys`` that are known, though not held."""
    import pyarrow as pa

    with session.query() as query:
        query.register("asked", pa.table({"key": pa.array(keys, pa.string())}))
        found = query.rows("select distinct key from asked join messages on message_key = key")
    return {r[0] for r in found} | {r.key for r in session.ledger.rows()}


def _word(path: Path, row: Row | BadRow) -> _Word | None:
    if isinstance(row, BadRow):
        raise DataError(f"{path}: line {row.number}: {row.reason}", hint="Nothing was settled.")
    missing = [name for name in COLUMNS if name not in row.values]
    if missing:
        raise DataError(
            f"{path}: there is no column {missing[0]!r}",
            hint="Begin with: sfactl touch list --state unknown --format csv --output held.csv",
        )
    outcome = row.values["outcome"].lower()
    if not outcome:
        return None
    if outcome not in OUTCOMES:
        raise DataError(
            f"{path}: line {row.number}: outcome: {row.values['outcome']!r} is none of {', '.join(OUTCOMES)}",
            hint="Nothing was settled.",
        )
    return _Word(line=row.number, key=row.values["key"], outcome=outcome, note=row.values.get("note", ""))
