"""Whether so much comes back, or annoys so many, that a campaign must stop before mailbox providers stop all mail."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sfactl.config.senders import StopRule

ONE_ALONE = 2
"""A single complaint never stops a campaign, however few messages there are: it says nothing about a rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What became of a campaign's messages: taken, refused at once, come back later, complained about."""

    accepted: int = 0
    refused: int = 0
    bounced: int = 0
    complained: int = 0

    def plus(self, *, accepted: int, refused: int) -> Returned:
        """The same with more answers of receivers."""
        return replace(self, accepted=self.accepted + accepted, refused=self.refused + refused)

    def overstepped(self, rule: StopRule) -> str:
        """Which limit is overstepped, in words; empty where none is."""
        sent = self.accepted + self.refused
        if sent < rule.after:
            return ""
        back = self.refused + self.bounced
        if 100 * back > rule.bounces * sent:
            return f"{100 * back / sent:.1f} % of {sent:,} messages came back, more than {rule.bounces:g} % (bounces)"
        arrived = max(self.accepted - self.bounced, 1)
        if self.complained >= ONE_ALONE and 100 * self.complained > rule.complaints * arrived:
            share = 100 * self.complained / arrived
            return (
                f"{self.complained:,} complaints about {arrived:,} messages are {share:.2f} %,"
                f" more than {rule.complaints:g} % (complaints)"
            )
        return ""
