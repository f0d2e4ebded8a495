"""Open one case, as somebody tells it at the prompt."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sfactl.api.errors import UserError
from sfactl.cases.model import CaseOpened, Opening
from sfactl.cases.usecases.writing import DATASETS, check_owner, sheet_of, store
from sfactl.config.cases import CaseRules, read_cases
from sfactl.leads.named_leads import find_leads
from sfactl.session import Session

LONGEST_SUBJECT = 300


def open_case(
    session: Session,
    subject: str,
    *,
    lead: str = "",
    channel: str = "phone",
    text: str = "",
    category: str = "",
    priority: str = "",
    owner: str = "",
    address: str = "",
    at: str = "",
    source: str = "",
    key: str = "",
) -> CaseOpened:
    """Open a case. Without ``owner`` the lead's rep has it; ``at`` is when the customer came with it, by default now.

    With ``key``, its number in ``source``, the same case is opened once. Raises `NotFound` for a lead or rep that is
    not there, `UserError` for a word that ``cases.toml`` does not know.
    """
    rules = read_cases(session.folder)
    said = Opening(
        lead_id=None,
        channel=channel,
        subject=" ".join(subject.split()),
        opened_at=_moment(session, at),
        text=text.strip(),
        category=category,
        priority=priority,
        owner=owner,
        address=address,
        source=(source or "manual") if key else source,
        source_key=key,
    )
    _check(rules, said)
    with session.write(*DATASETS, reason=f"case: {said.subject}") as tx:
        if key:
            asked = {"source": said.source, "key": key}
            there = tx.query.one("select case_id from cases where source = $source and source_key = $key", asked)
            if there:
                row = tx.query.get("cases", there[0]) or {}
                return _answer(session, row, known=True)
        check_owner(tx.query, owner)
        if lead:
            [lead_id] = find_leads(tx.query, [lead])
            found = tx.query.get("leads", lead_id) or {}
            said = replace(
                said,
                lead_id=lead_id,
                contact_id=found.get("contact_id"),
                account_id=found.get("account_id"),
                owner=owner or found.get("owner") or "",
            )
        sheet = sheet_of(session, rules, 1)
        row = sheet.open(session.reserve("case"), said)
        store(session, tx, sheet)
        commit = tx.commit(case=row["case_id"]).seq
    return _answer(session, row, commit=commit)


def _check(rules: CaseRules, said: Opening) -> None:
    if not said.subject:
        raise UserError("the subject is empty", hint='Say what it is about: sfactl case open "Laser does not start"')
    if len(said.subject) > LONGEST_SUBJECT:
        raise UserError(
            f"the subject has {len(said.subject):,} characters; no more than {LONGEST_SUBJECT} fit into a line",
            hint="Put the rest into --text.",
        )
    rules.check_word("priority", said.priority)
    rules.check_word("category", said.category)
    rules.check_word("channel", said.channel)


def _moment(session: Session, at: str) -> datetime:
    moment = session.moment(at) if at else session.now()
    if moment > session.now():
        raise UserError(f"--at {at} is in the future")
    return moment


def _answer(session: Session, row: dict[str, object], *, known: bool = False, commit: int | None = None) -> CaseOpened:
    lead_id, owner = row.get("lead_id"), row.get("owner")
    return CaseOpened(
        case_id=int(str(row["case_id"])),
        status=str(row["status"]),
        lead_id=int(str(lead_id)) if lead_id is not None else None,
        owner=str(owner or ""),
        silent=str(row.get("silent") or ""),
        known=known,
        dry_run=session.dry_run,
        commit=commit,
    )
