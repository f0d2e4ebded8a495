"""Whether the scores that strategies ask for have learned from enough leads, and what decides where they have not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sfactl.strategies.asking import audience_text, compile_scores
from sfactl.strategies.files import FOLDER, read_names, read_strategies
from sfactl.strategies.model import Strategy, flow_conditions

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """One use of a score that learns: how many leads its model in use learned from, how many are asked for, and what
    follows: ``ok``, ``falls back`` (another condition decides) or ``too few`` (nothing takes its place)."""

    strategy: str
    where: str
    score: str
    samples: int
    asked: int
    verdict: Literal["ok", "falls back", "too few"]
    message: str


def lint(session: Session, *, min_samples: int = 0) -> tuple[Sampled, ...]:
    """Every use of a learned score in a strategy's conditions; ``min_samples`` is for strategies that state none."""
    read_names(session.folder, session.workspace.schemas)
    strategies = [file.strategy for file in read_strategies(session.folder).values()]
    with session.query() as query:
        learned = _learned(query)
    return tuple(found for s in strategies for found in _uses(s, learned, min_samples))


def _learned(query: Query) -> dict[str, int]:
    """Scores that learn, and the leads that the model in use learned from; 0 where none is in use."""
    return {
        str(score): int(leads or 0)
        for score, leads in query.rows(
            "select score, max(case when state = 'champion' then leads end) from models group by score"
        )
    }


def _uses(strategy: Strategy, learned: dict[str, int], least: int) -> Iterator[Sampled]:
    asked = strategy.min_samples or least
    texts = {"where": audience_text(strategy), **dict(flow_conditions(strategy))}
    for key, text in texts.items():
        for score in compile_scores(text):
            if score in learned:
                yield _judged(strategy, key, score, learned[score], asked)


def _judged(strategy: Strategy, key: str, score: str, samples: int, asked: int) -> Sampled:
    said = f"score.{score} learned from {samples:,} leads"
    verdict: Literal["ok", "falls back", "too few"] = "ok"
    if samples >= asked:
        message = f"{said}, at least {asked:,} are asked for" if asked else f"{said}; no min_samples is stated"
    elif key == "where" and strategy.min_samples:
        instead = strategy.fallback
        verdict = "falls back" if instead else "too few"
        follows = f"the fallback decides who enters: {' '.join(instead.split())}" if instead else "nobody enters"
        message = f"{said}, fewer than {asked:,}: {follows}"
    else:
        verdict = "too few"
        cause = "only where may fall back" if strategy.min_samples else "state min_samples and fallback"
        message = f"{said}, fewer than {asked:,}, and the condition relies on it all the same; {cause}"
    return Sampled(
        strategy=strategy.name,
        where=f"{FOLDER}/{strategy.name}.toml: {key}",
        score=score,
        samples=samples,
        asked=asked,
        verdict=verdict,
        message=message,
    )
