"""Look at cases: which there are, what happened in one, and whether ``cases.toml`` is in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfactl.cases.model import CaseEvent, CaseShown
from sfactl.cases.usecases.writing import known_case
from sfactl.config.cases import NOTICES, read_cases
from sfactl.leads.named_leads import find_leads
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

PACKAGE = "cases"


def list_cases(
    session: Session,
    *,
    status: str = "",
    state: str = "unsettled",
    owner: str = "",
    unowned: bool = False,
    lead: str = "",
    category: str = "",
    priority: str = "",
    channel: str = "",
) -> pa.Table:
    """Cases, those opened last on top; ``state`` is open, waiting, resolved, closed, unsettled or all."""
    if status:
        read_cases(session.folder).status(status)
        state = "all"
    with session.query() as query:
        params = {
            "status": status,
            "state": state,
            "owner": owner,
            "unowned": unowned,
            "lead": find_leads(query, [lead])[0] if lead else None,
            "category": category,
            "priority": priority,
            "channel": channel,
            "now": session.as_of_time(),
        }
        return query.table(query.statement(PACKAGE, "list"), params)


def show(session: Session, ref: str) -> CaseShown:
    """One case, all that happened in it, and where it may go. Raises `NotFound`."""
    rules = read_cases(session.folder)
    with session.query() as query:
        case = known_case(query, ref)
        lead = query.get("leads", case["lead_id"]) if case.get("lead_id") is not None else None
        rows = query.rows(query.statement(PACKAGE, "history"), {"case": case["case_id"], "campaign": NOTICES})
    named = [str(lead[key]) for key in ("full_name", "company", "email") if lead.get(key)] if lead else []
    here = [s for s in rules.statuses if s.name == case["status"]]
    return CaseShown(
        case=case,
        lead=" · ".join(named),
        events=tuple(CaseEvent(at=at, what=w, detail=d, actor=a or "") for at, w, d, a, *_ in rows),
        next=here[0].next if here else tuple(s.name for s in rules.statuses),
    )
