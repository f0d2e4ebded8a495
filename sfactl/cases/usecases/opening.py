"""Open one case, as somebody tells it at the prompt."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sfactl.api.errors import UserError
from sfactl.cases.model import CaseOpened, Opening, Row
from sfactl.cases.usecases.writing import DATASETS, check_owner, sheet_of, store
from sfactl.config.cases import CaseRules, read_cases
from sfactl.engine.duck import Query
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
        if key and (there := _known(tx.query, said)) is not None:
            return _answer(session, there, known=True)
        check_owner(tx.query, owner)
        if lead:
            said = _of_lead(tx.query, said, lead)
        sheet = sheet_of(session, rules, 1)
        row = sheet.open(session.reserve("case"), said)
        store(session, tx, sheet)
        commit = tx.commit(case=row["case_id"]).seq
    return _answer(session, row, commit=commit)


def _known(query: Query, said: Opening) -> Row | None:
    """The case that has the number already."""
    asked = {"source": said.source, "key": said.source_key}
    found = query.one("select case_id from cases where source = $source and source_key = $key", asked)
    return dict(query.get("cases", found[0]) or {}) if found else None


def _of_lead(query: Query, said: Opening, ref: str) -> Opening:
    """The case as one of a lead, and, where nobody else is to have it, of the lead's rep."""
    [lead_id] = find_leads(query, [ref])
    lead = query.get("leads", lead_id) or {}
    return replace(
        said,
        lead_id=lead_id,
        contact_id=lead.get("contact_id"),
        account_id=lead.get("account_id"),
        owner=said.owner or lead.get("owner") or "",
    )


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


def _answer(session: Session, row: Row, *, known: bool = False, commit: int | None = None) -> CaseOpened:
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
