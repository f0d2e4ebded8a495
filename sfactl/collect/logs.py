"""What lines of a web server's access log say was done with signed links; the same acts as the collector's, same ids.

Only what the server answered well counts, and only a POST unsubscribes or confirms. A log holds neither what was posted
nor with which headers, so that preferences and forms cannot be read from it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sfactl.collect.model import Act, Deed
from sfactl.engine.links import PATHS, ForgedLink, Purpose, Signer, event_id
from sfactl.engine.robots import is_scanner

LINK = re.compile(rb"/([cuopd])/[A-Za-z0-9_.%=-]{40}")
"""What a line must hold to be looked at."""

_PATH = re.compile(r"(?:.*/)?([cuopd])/([A-Za-z0-9_.=-]+)$")
_PURPOSES: dict[str, Purpose] = {path: purpose for purpose, path in PATHS.items()}
_SAID: dict[Purpose, Deed] = {"unsubscribe": "unsubscribe", "confirm": "consent"}
_TRAILING = ").,;:>'\"/]} "
_LONGEST_AGENT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One request as a log tells it; ``at`` is UTC without a zone."""

    at: datetime
    method: str
    target: str
    status: int
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """An act, and the id that the collector gave it where headers that no log holds told it that a program asked."""

    act: Act
    ahead_id: str


@dataclass(slots=True, kw_only=True)
class LogReader:
    """Reads lines. ``counts`` tells what was left out: forged links, requests that failed, and posts of preferences."""

    signer: Signer
    counts: Counter[str] = field(default_factory=Counter)

    def acts(self, lines: Iterable[Line]) -> Iterator[Logged]:
        """What was done, in the order of ``lines``."""
        for line in lines:
            found = _PATH.match(line.target.partition("?")[0].partition("#")[0])
            if found is None:
                continue
            purpose = _PURPOSES[found[1]]
            deed = self._deed(purpose, line)
            if deed is None:
                continue
            try:
                link = self.signer.read(purpose, found[2].rstrip(_TRAILING))
            except ForgedLink:
                self.counts["forged"] += 1
                continue
            by_robot = line.method == "HEAD" or is_scanner(line.agent, picture=deed == "open")
            kind = "bot" if deed in ("open", "click") and by_robot else "look" if deed == "look" else ""
            topic = link.target if deed in ("unsubscribe", "consent") else ""
            act = Act(
                id=event_id(link, line.at, kind=kind, topic=topic),
                at=line.at,
                deed=deed,
                message_key=link.message_key,
                lead_id=link.lead_id,
                campaign=link.campaign,
                step=link.step,
                target=link.target if deed == "click" else purpose if deed == "look" else "",
                topic=topic,
                method=line.method,
                agent=line.agent[:_LONGEST_AGENT],
            )
            yield Logged(act=act, ahead_id=event_id(link, line.at, kind="bot", topic=topic) if not kind else "")

    def _deed(self, purpose: Purpose, line: Line) -> Deed | None:
        if not (200 <= line.status < 400):
            self.counts["refused"] += 1
            return None
        if line.method == "POST":
            if purpose not in _SAID:
                self.counts["preferences"] += purpose == "preferences"
                return None
            return _SAID[purpose]
        if line.method not in ("GET", "HEAD"):
            return None
        return "click" if purpose == "click" else "open" if purpose == "open" else "look"
