"""Compares what the receiver took with what sfactl says, and decides what is wrong."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfactl.testkit import Answered
from tests.torture.fleet import Starter


class TortureFailed(Exception):
    """A command that nobody disturbed did not end well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message as sfactl lists it."""

    key: str
    state: str
    recipient: str


def ask(starter: Starter, *words: str) -> Any:
    """The answer of a command that has to succeed."""
    answered = starter.run(*words, "--format", "json")
    return _good(answered, words).result


def _good(answered: Answered, words: Sequence[str]) -> Answered:
    if answered.code not in (0, 3):
        raise TortureFailed(f"sfactl {' '.join(words)}: exit {answered.code}: {answered.err}")
    return answered


def listed(starter: Starter) -> list[Told]:
    """All messages that ``touch list`` knows."""
    rows = ask(starter, "touch", "list", "--limit", "0")
    return [Told(key=row["key"], state=row["state"], recipient=row["recipient"]) for row in rows]


def settle(starter: Starter, held: Sequence[Told], delivered: Counter[str], file: Path) -> tuple[int, int]:
    """Do what a person does who looks into the receiver: say of each held message whether it is there."""
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(("key", "outcome", "note"))
        rows.writerows((h.key, "accepted" if delivered[h.recipient] else "retry", "seen") for h in held)
    ask(starter, "touch", "resolve", "--from", str(file))
    there = sum(bool(delivered[h.recipient]) for h in held)
    return there, len(held) - there


def between(told: Sequence[Told], delivered: Counter[str], most: int) -> list[str]:
    """What is wrong while messages are held: each delivered one must be known or held, each known one delivered."""
    accepted = {t.recipient for t in told if t.state == "accepted"}
    unknown = {t.recipient for t in told if t.state == "unknown"}
    found = [f"{n} times delivered: {address}" for address, n in delivered.items() if n > 1]
    found += [f"accepted and not delivered: {a}" for a in sorted(accepted - set(delivered))]
    found += [f"delivered, and neither accepted nor held: {a}" for a in sorted(set(delivered) - accepted - unknown)]
    if len(unknown) > most:
        found.append(f"{len(unknown)} messages are held, more than the {most} that may have been in flight")
    return found


def at_the_end(starter: Starter, delivered: Counter[str], everybody: frozenset[str]) -> list[str]:
    """What is wrong when all is done: everybody once, in the receiver, the messages and the touchpoints."""
    found = [f"{n} times delivered: {address}" for address, n in delivered.items() if n > 1]
    found += [f"lost: {a}" for a in sorted(everybody - set(delivered))]
    found += [f"nobody asked for it: {a}" for a in sorted(set(delivered) - everybody)]
    messages = listed(starter)
    found += [f"still {t.state}: {t.recipient}" for t in messages if t.state != "accepted"]
    told = Counter(t.recipient for t in messages if t.state == "accepted")
    found += [f"delivered and not accepted: {a}" for a in sorted(set(delivered) - set(told))]
    found += [f"{n} times accepted: {a}" for a, n in told.items() if n > 1]
    (touched,) = ask(
        starter,
        "sql",
        "select count(*) as n, count(distinct lead_id) as leads from touchpoints where kind = 'email_sent'",
    )
    if touched != {"n": len(everybody), "leads": len(everybody)}:
        found.append(f"touchpoints say {touched}, not {len(everybody)} messages")
    found += [f"data verify: {p}" for p in ask(starter, "data", "verify")["problems"]]
    return found
