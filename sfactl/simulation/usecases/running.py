"""Run a strategy over a period of the past: one walk for each run, looking only at those who may move."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sfactl.engine.conditions import CompiledMany, Condition
from sfactl.engine.periods import parse_period
from sfactl.session import Progress
from sfactl.simulation.looked import Entrance, Sensitive, Watched, look
from sfactl.simulation.taking import Taker
from sfactl.simulation.ticks import Tick
from sfactl.simulation.usecases.past import Past
from sfactl.simulation.world import LOOKED
from sfactl.strategies.asking import audience_text, compile_conditions, member_of
from sfactl.strategies.book import Book
from sfactl.strategies.files import StrategyFile, as_conditions
from sfactl.strategies.model import NEVER, flow_conditions
from sfactl.strategies.walk import walk


def run(
    past: Past,
    taker: Taker,
    ticks: Sequence[Tick],
    book_of: Callable[[Tick], Book],
    progress: Progress,
    *,
    all_looked_at: bool = False,
) -> None:
    """Walk at every tick and take in what each walk decided. With ``all_looked_at`` nobody is passed over."""
    query = past.query
    taker.begin()
    before: Tick | None = None
    known = ""
    watched = Watched()
    for tick in ticks:
        past.turn(tick, some=False)
        book = book_of(tick)
        everybody = all_looked_at or before is None or known != book.file.version or _beyond(book)
        if known != book.file.version:
            known, watched = book.file.version, watch(book, tick.at)
        if not everybody and before is not None:
            past.share_addresses(needed=bool(book.file.strategy.of("touch")))
            changes = past.changes(watched.relations, before, tick)
            everybody = not look(query, watched, then=before.at, now=tick.at, changes=changes)
        if everybody or query.one(f"select 1 from {LOOKED} limit 1"):
            if not everybody:
                past.turn(tick, some=True)
            walk(
                query,
                book,
                at=tick.at,
                look_at="" if everybody else LOOKED,
                check_texts=False,
                consents=past.consents(tick, some=not everybody),
            )
            taker.take(tick, before.at if before else tick.at, book, everybody=everybody)
        before = tick
        progress.advance()


def _beyond(book: Book) -> bool:
    """Whether entering depends on more than one lead's own data: on other strategies, or on a model."""
    return bool(book.group or book.file.strategy.min_samples)


def watch(book: Book, at: datetime) -> Watched:
    """What to watch for all versions of a book."""
    strategy = book.file.strategy
    barred = [("@blacklist", member_of(strategy.blacklist))] if strategy.blacklist else []
    wanted = [("@audience", audience_text(strategy)), *barred, *_leaving(book.file)]
    longest = []
    staying = []
    for file in book.versions:
        staying.append([*barred, *_leaving(file), *_waking(file)])
        if file.strategy.exit and file.strategy.exit.after:
            longest.append((file.version, parse_period(file.strategy.exit.after)))
    again = strategy.entry.again
    return Watched(
        audience=_sensitive(book, [wanted], at),
        inside=_sensitive(book, staying, at),
        entrance=Entrance(again=None if again == NEVER else parse_period(again), limit=strategy.entry.limit),
        longest=tuple(longest),
    )


def asked_by(book: Book, at: datetime) -> list[CompiledMany]:
    """All conditions that a walk of ``book`` asks of leads, compiled; nothing where rivals or a model have a say."""
    if _beyond(book):
        return []
    barred = book.file.strategy.blacklist
    asked = [[("@audience", audience_text(book.file.strategy))], [("@blacklist", member_of(barred))] if barred else []]
    asked += [list(flow_conditions(file.strategy)) for file in book.versions]
    return [compile_conditions(book.names, as_conditions(pairs, book.file.path), at) for pairs in asked if pairs]


def _leaving(file: StrategyFile) -> Iterator[tuple[str, str]]:
    yield from ((key, text) for key, text in flow_conditions(file.strategy) if not key.startswith("steps."))


def _waking(file: StrategyFile) -> Iterator[tuple[str, str]]:
    yield from ((key, text) for key, text in flow_conditions(file.strategy) if key.endswith(".until"))


def _sensitive(book: Book, asked: Sequence[Sequence[tuple[str, str]]], at: datetime) -> Sensitive:
    groups: list[list[Condition]] = [as_conditions(pairs, book.file.path) for pairs in asked if pairs]
    return Sensitive.of(compile_conditions(book.names, conditions, at) for conditions in groups)
