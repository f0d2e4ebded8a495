"""Change cases: move them on, give them to somebody, say what settled them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sfactl.api.errors import UserError
from sfactl.cases.model import CasesSet, Row
from sfactl.cases.recording import WORDS, Sheet
from sfactl.cases.usecases.writing import DATASETS, check_owner, known_cases, sheet_of, store
from sfactl.config.cases import CaseRules, read_cases
from sfactl.leads.named_leads import find_leads
from sfactl.session import Session


def change(session: Session, refs: Sequence[str], said: Mapping[str, str], *, reason: str = "") -> CasesSet:
    """Say of the cases ``refs`` what ``said`` has: status, owner, lead, note, or one of `WORDS`.

    All or none are changed. Raises `UserError` for a move that ``cases.toml`` forbids, naming case and rule; `NotFound`
    for a case, rep or lead that is not there.
    """
    if not said:
        raise UserError("say what is to change", hint="sfactl case set CASE --status STATUS")
    rules = read_cases(session.folder)
    _check(rules, said)
    with session.write(*DATASETS, reason=reason or None) as tx:
        query = tx.query
        check_owner(query, said.get("owner", ""))
        lead = query.get("leads", find_leads(query, [said["lead"]])[0]) if said.get("lead") else None
        rows = known_cases(query, refs)
        sheet = sheet_of(session, rules, len(rows))
        for row in rows:
            _change(sheet, row, said, dict(lead) if lead else None, session.now(), reason)
        touched = len({c.case_id for c in sheet.changes})
        commit = None
        if sheet.changes:
            store(session, tx, sheet)
            commit = tx.commit(cases=touched).seq
    return CasesSet(changes=tuple(sheet.changes), same=len(rows) - touched, dry_run=session.dry_run, commit=commit)


def _change(sheet: Sheet, row: Row, said: Mapping[str, str], lead: Row | None, at: datetime, reason: str) -> None:
    if lead is not None and lead["lead_id"] != row.get("lead_id"):
        row = sheet.belong(row, lead, at, reason=reason)
    if said.get("owner") and said["owner"] != row.get("owner"):
        row = sheet.give(row, said["owner"], at, reason=reason)
    for name in WORDS:
        if name in said and said[name] != (row.get(name) or ""):
            row = sheet.say(row, name, said[name], at, reason=reason)
    if said.get("note"):
        row = sheet.note(row, said["note"], at)
    if said.get("status") and said["status"] != row["status"]:
        sheet.move(row, said["status"], at, reason=reason)


def _check(rules: CaseRules, said: Mapping[str, str]) -> None:
    if said.get("status"):
        rules.status(said["status"])
    rules.check_word("priority", said.get("priority", ""))
    rules.check_word("category", said.get("category", ""))
    if "subject" in said and not said["subject"].strip():
        raise UserError("the subject is empty")
