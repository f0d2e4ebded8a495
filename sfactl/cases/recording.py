"""Turn what is to happen to cases into rows of ``cases`` and ``case_events``. Pure: rules and rows in, rows out.

It decides what a move means: when a case counts as resolved and closed, and that one which was settled and is not any
more was reopened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sfactl.cases.model import CaseChange, Opening, Row
from sfactl.config.cases import SETTLED, CaseRules

WORDS = ("subject", "category", "priority", "resolution")
"""Fields of a case that people may say otherwise."""


@dataclass(slots=True, kw_only=True)
class Sheet:
    """The rows of one commit. ``first_event`` is the number that the first event gets."""

    rules: CaseRules
    actor: str
    first_event: int
    cases: dict[int, Row] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    changes: list[CaseChange] = field(default_factory=list)

    def open(self, case_id: int, said: Opening) -> Row:
        """A new case, with the events of its opening."""
        start = self.rules.start
        row: Row = {
            "case_id": case_id,
            "lead_id": said.lead_id,
            "contact_id": said.contact_id,
            "account_id": said.account_id,
            "channel": said.channel or None,
            "subject": said.subject,
            "text": said.text or None,
            "category": said.category or None,
            "priority": said.priority or None,
            "status": start.name,
            "state": start.state,
            "owner": said.owner or None,
            "opened_at": said.opened_at,
            "updated_at": said.opened_at,
            "reopened": 0,
            "source": said.source or None,
            "source_key": said.source_key or None,
            "address": said.address or None,
            "message_id": said.message_id or None,
            "thread": said.thread or None,
            "silent": said.silent or None,
            "opened_by": self.actor,
        }
        self.cases[case_id] = row
        self._event(
            row,
            "opened",
            said.opened_at,
            event_id=said.event_id,
            to_status=start.name,
            to_state=start.state,
            channel=said.channel or None,
            message_id=said.message_id or None,
        )
        if said.owner:
            self._event(row, "assigned", said.opened_at, field="owner", new_value=said.owner)
        return row

    def move(self, row: Row, status: str, at: datetime, *, reason: str = "", message_id: str = "") -> Row:
        """The case in another status. Raises `UserError` where the rules forbid the move."""
        before, after = self.rules.check_move(row["case_id"], row["status"], status)
        was, now = row["state"], after.state
        again = was in SETTLED and now not in SETTLED
        moved = {
            **row,
            "status": status,
            "state": now,
            "updated_at": at,
            "resolved_at": None if now not in SETTLED else row.get("resolved_at") or at,
            "closed_at": None if now != "closed" else row.get("closed_at") or at,
            "reopened": (row.get("reopened") or 0) + again,
        }
        self._event(
            moved,
            "reopened" if again else "moved",
            at,
            from_status=before.name,
            to_status=status,
            from_state=was,
            to_state=now,
            reason=reason or None,
            message_id=message_id or None,
        )
        return self._changed(moved, "status", before.name, status)

    def give(self, row: Row, owner: str, at: datetime, *, reason: str = "") -> Row:
        """The case with another owner."""
        before = row.get("owner") or ""
        given = {**row, "owner": owner, "updated_at": at}
        self._event(
            given,
            "assigned",
            at,
            field="owner",
            old_value=before or None,
            new_value=owner,
            reason=reason or None,
        )
        return self._changed(given, "owner", before, owner)

    def say(self, row: Row, name: str, value: str, at: datetime, *, reason: str = "") -> Row:
        """The case with another word in one of `WORDS`."""
        before = row.get(name) or ""
        said = {**row, name: value or None, "updated_at": at}
        self._event(
            said,
            "changed",
            at,
            field=name,
            old_value=before or None,
            new_value=value or None,
            reason=reason or None,
        )
        return self._changed(said, name, before, value)

    def belong(self, row: Row, lead: Row, at: datetime, *, reason: str = "") -> Row:
        """The case as one of another lead."""
        before = "" if row.get("lead_id") is None else f"lead:{row['lead_id']}"
        after = f"lead:{lead['lead_id']}"
        keys = ("lead_id", "contact_id", "account_id")
        linked = {**row, **{key: lead.get(key) for key in keys}, "updated_at": at}
        self._event(
            linked,
            "changed",
            at,
            field="lead",
            old_value=before or None,
            new_value=after,
            reason=reason or None,
        )
        return self._changed(linked, "lead", before, after)

    def hear(
        self, row: Row, text: str, at: datetime, *, event_id: str, message_id: str, subject: str, sender: str
    ) -> Row:
        """What the customer wrote about a case, and where that moves it."""
        self._event(
            row,
            "mail",
            at,
            event_id=event_id,
            text=text or None,
            channel="email",
            message_id=message_id or None,
            new_value=subject or None,
            actor=sender,
        )
        # A mail may have been written before what was done last, and read after it: the case is moved after that.
        at = max(at, row["updated_at"])
        row = {**row, "updated_at": at}
        self.cases[row["case_id"]] = row
        known = [s for s in self.rules.statuses if s.name == row["status"]]
        if known and known[0].on_reply:
            return self.move(row, known[0].on_reply, at, reason="the customer wrote", message_id=message_id)
        return row

    def note(self, row: Row, text: str, at: datetime) -> Row:
        """A word of ours on a case."""
        self._event(row, "note", at, text=text)
        return self._changed({**row, "updated_at": at}, "note", "", text)

    def _changed(self, row: Row, what: str, before: str, after: str) -> Row:
        self.cases[row["case_id"]] = row
        self.changes.append(CaseChange(case_id=row["case_id"], what=what, before=before, after=after))
        return row

    def _event(self, row: Row, kind: str, at: datetime, *, event_id: str = "", **values: object) -> None:
        number = self.first_event + len(self.events)
        made = event_id or f"case:{row['case_id']}:{number}"
        own = {"event_id": made, "at": at, "event_no": number, "case_id": row["case_id"], "kind": kind}
        self.events.append({**own, "actor": self.actor, "quiet": False, **values})
