"""Work out which changes of cases their customers are to be told of, to whom not and why, and what each message says.

Nothing is sent or stored here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sfactl.api.errors import DataError
from sfactl.campaigns.candidates import load_candidates
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.mail import write_message
from sfactl.campaigns.planning import content_version, judge, load_refusals
from sfactl.campaigns.usecases.scene import (
    WANTED,
    effects_of,
    letterhead_of,
    load_blacklist,
    place_of,
)
from sfactl.cases.notices import addresses_of_ours, notices_of
from sfactl.config.cases import FILE, NOTICES, CaseRules
from sfactl.engine.duck import Query
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

PACKAGE = "cases"
TOLD_OF = timedelta(days=7)
"""So long what became too old to be told is still named as such."""
ITEMS = ("lead_id", "step", "action", "reason", "due_at", "channel", "recipient", "message_key", "inputs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One change that a customer may have to be told of, and what is done about it."""

    case_id: int
    status: str
    action: str
    reason: str
    lead_id: int | None
    recipient: str
    due_at: datetime | None = None
    subject: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be told at a time; ``items`` has the columns of the statement ``notices``."""

    plan_id: str
    version: str
    seq: int
    at: datetime
    items: pa.Table


def particulars(session: Session, query: Query, passed: pa.Table) -> pa.Table:
    """``passed`` with what each message says of its case, and the mail that it answers."""
    query.register("passed", passed)
    return query.table(query.statement(PACKAGE, "particulars"), {"zone": str(session.zone)})


def work_out(session: Session, query: Query, rules: CaseRules, files: CampaignFiles) -> Draft | None:
    """What is to be told now, and to whom not and why; None where nothing has happened that was not told."""
    import pyarrow as pa

    said, place, at = notices_of(rules, session.folder / FILE), place_of(session), session.as_of_time()
    query.register("told", pa.table({"status": pa.array([s.name for s in rules.told], pa.string())}))
    query.register("ours", pa.table({"address": pa.array(addresses_of_ours(rules), pa.string())}))
    fresh = at - timedelta(seconds=said.max_age_s)
    params = {"campaign": NOTICES, "fresh": fresh, "since": fresh - TOLD_OF, "max_age": said.max_age}
    query.run(f"create or replace temp table pending as {query.statement(PACKAGE, 'pending')}", params)
    if query.one("select 1 from pending limit 1") is None:
        return None
    query.run("create or replace temp table audience as select distinct lead_id from pending where why is null")
    query.run(f"create or replace temp table wanted {WANTED}")
    query.run("insert into wanted select lead_id, step, event_no, false from pending where why is null")
    load_blacklist(session, query, files.campaign)
    load_candidates(query, files, place)
    load_refusals(query, files.campaign, place.house)
    judge(query, files, place, at=at, effects=effects_of(session.ledger.rows() if session.as_of is None else ()))
    items = query.table(
        query.statement(PACKAGE, "notices"),
        {"campaign": NOTICES, "at": at, "day_ago": at - timedelta(days=1), "per_day": said.per_day},
    )
    version = content_version(files, place)
    digest = hashlib.sha256(f"{NOTICES}\n{version}\n".encode())
    for row in items.select(["event_no", *ITEMS]).to_pylist():
        digest.update(repr(sorted(row.items())).encode())
    return Draft(plan_id=digest.hexdigest(), version=version, seq=query.seq, at=at, items=items)


def written(session: Session, query: Query, files: CampaignFiles, made: Draft) -> tuple[Notice, ...]:
    """Every notice; those to be sent with their text, or with why it cannot be written."""
    query.register("drafted", made.items)
    passed = query.table(
        "select d.message_key, d.step, d.channel, d.recipient, c.* from drafted d"
        " join candidates c on c.lead_id = d.lead_id where d.action = 'send'"
    )
    rows = {r["message_key"]: r for r in particulars(session, query, passed).to_pylist()}
    head, found = letterhead_of(session), []
    for item in made.items.to_pylist():
        if item["action"] != "send":
            found.append(shown_notice(item))
            continue
        try:
            message = write_message(rows[item["message_key"]], files, head)
            found.append(shown_notice(item, subject=message.subject, text=message.text))
        except DataError as err:
            found.append(shown_notice({**item, "action": "skip", "reason": f"cannot be written: {err.message}"}))
    return tuple(found)


def shown_notice(row: dict[str, object], *, subject: str = "", text: str = "") -> Notice:
    """A row of the statement ``notices`` as it is told."""
    lead_id, due_at = row["lead_id"], row["due_at"]
    assert lead_id is None or isinstance(lead_id, int)
    assert due_at is None or isinstance(due_at, datetime)
    return Notice(
        case_id=int(str(row["case_id"])),
        status=str(row["step"]),
        action=str(row["action"]),
        reason=str(row["reason"] or ""),
        lead_id=lead_id,
        recipient=str(row["recipient"] or ""),
        due_at=due_at,
        subject=subject,
        text=text,
    )
