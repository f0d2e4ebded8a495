"""Hand messages to people: each becomes a task, exactly once, made by the core where it settles the message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sfactl.api.context import PluginContext
from sfactl.api.records import CheckReport, Message, PersonTask, Receipt

KINDS = {"phone": "call", "visit": "visit"}
"""The kind of task for a channel; any other channel is a follow-up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSettings:
    """Without ``owner`` the lead's own rep gets the task; it is due ``due_hours`` after it was made."""

    owner: str = ""
    due_hours: float = 24.0

    def __post_init__(self) -> None:
        """Refuse a task that was due before it was made."""
        if self.due_hours < 0:
            raise ValueError(f"due_hours: {self.due_hours} is in the past")


class PersonSender:
    """A touchpoint sender whose receiver is a colleague. The subject is what to do, the text what to say."""

    def __init__(self, settings: PersonSettings, _context: PluginContext) -> None:
        self._settings = settings

    def check(self) -> CheckReport:
        """Nothing stands in the way of a task."""
        return CheckReport(facts={"owner": self._settings.owner or "the rep of the lead"})

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        """A task for each message."""
        for m in messages:
            task = PersonTask(
                kind=KINDS.get(m.channel, "follow_up"),
                title=" ".join(m.subject.split()) or f"{m.channel}: {m.recipient}",
                content=f"{m.text.rstrip()}\n\n{m.channel}: {m.recipient}".lstrip(),
                owner=self._settings.owner,
                due_s=self._settings.due_hours * 3600,
            )
            yield Receipt(key=m.key, outcome="accepted", provider_id=m.key, detail="a task for a person", task=task)

    def close(self) -> None:
        """Nothing is open."""
