"""Send what a sender's channel takes, and hand the rest to people: no step is lost for want of a way to send it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sfactl.api.protocols import KeyMemory, ReceiptLookup, TouchpointSender
from sfactl.api.records import CheckReport, Message, Receipt


class ByChannel:
    """A touchpoint sender made of one for ``channel`` and one for all others."""

    def __init__(self, channel: str, sender: TouchpointSender, others: TouchpointSender) -> None:
        self._channel = channel
        self._sender = sender
        self._others = others

    @property
    def remembers_s(self) -> float:
        """What the sender's receiver remembers."""
        return self._sender.remembers_s if isinstance(self._sender, KeyMemory) else 0.0

    def check(self) -> CheckReport:
        """Whether both are usable."""
        first, second = self._sender.check(), self._others.check()
        return CheckReport(facts={**second.facts, **first.facts}, problems=(*first.problems, *second.problems))

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        """Each message by the one that takes its channel."""
        yield from self._others.send([m for m in messages if m.channel != self._channel])
        if ours := [m for m in messages if m.channel == self._channel]:
            yield from self._sender.send(ours)

    def lookup(self, keys: Sequence[str]) -> Iterable[Receipt]:
        """What became of messages of the sender's own channel, where it can tell."""
        return self._sender.lookup(keys) if isinstance(self._sender, ReceiptLookup) else ()

    def close(self) -> None:
        """Close both."""
        self._sender.close()
        self._others.close()
