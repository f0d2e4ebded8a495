"""What a run of a strategy decided, in the words of a test, and what that shows of the strategy. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sfactl.strategies.files import StrategyFile


def decided(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What was decided about one lead, by the names under which a test may expect it."""

    def steps(*actions: str) -> list[str]:
        return [row["step"] for row in rows if row["action"] in actions]

    return {
        "sends": steps("send"),
        "tasks": steps("task", "approval"),
        "pushes": steps("push"),
        "skips": {row["step"]: row["reason"] for row in rows if row["action"] == "skip"},
        "waits": {row["step"]: row["reason"] for row in rows if row["action"] == "wait"},
        "moves": [f"{row['step']} → {row['to_step']}" for row in rows if row["to_step"]],
    }


def line(at: datetime, row: Mapping[str, Any]) -> str:
    """One decision in words."""
    said = " ".join(part for part in (row["reason"] or "", f"→ {row['to_step']}" if row["to_step"] else "") if part)
    return f"{at:%Y-%m-%d %H:%M}  {row['step']} · {row['action']} {said}".rstrip()


def ways_of(file: StrategyFile) -> list[tuple[str, str]]:
    """Everything that a strategy can do."""
    strategy = file.strategy
    found = [("entry", "enters")] + ([("entry", "held out as control")] if strategy.holdout.percent else [])
    for step in strategy.steps:
        name = f"step {step.name}"
        if step.action == "touch":
            found += [(name, "sent"), (name, "skipped")]
        elif step.action == "wait":
            found += [(name, "waits")] + ([(name, "until")] if step.until else [])
            found += [(name, "time ran out" if step.until else "is over")] if step.lasts else []
        elif step.action in ("branch", "split", "approval"):
            found += [(name, reason) for reason, _ in strategy.ways[step.name]]
            found += [(name, "asked")] if step.action == "approval" else []
        else:
            found.append((name, {"task": "made", "push": "told", "stop": "reached"}[step.action]))
    exits = [("goal", bool(strategy.goal)), ("blacklisted", bool(strategy.blacklist))]
    exits += [
        ("exit", bool(strategy.exit and strategy.exit.where)),
        ("too long", bool(strategy.exit and strategy.exit.after)),
    ]
    return found + [("leaves", name) for name, there in exits if there]


def taken(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What one decision shows of a strategy."""
    name, action, reason = f"step {row['step']}", row["action"], row["reason"] or ""
    if row["step"] == "entry":
        yield "entry", "enters" if action == "enter" else "held out as control"
    elif action == "leave":
        yield ("leaves", reason) if reason != "finished" else (name, "reached")
    elif action == "pass":
        yield name, {"condition holds": "until"}.get(reason, reason).removeprefix("arm ")
        if reason.endswith(" are over"):
            yield name, "is over"
    else:
        ways = {"send": "sent", "skip": "skipped", "wait": "waits", "task": "made", "approval": "asked", "push": "told"}
        yield name, ways.get(action, action)
