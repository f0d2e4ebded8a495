"""What changed rules would do on the data of now: who joins and leaves segments, and which prices change.

Scores and layers count as they are stored, because new ones come with their next run; what a strategy would do is told
by its plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from sfactl.api.errors import SfactlError
from sfactl.quotes.model import LineRequest, holds
from sfactl.quotes.usecases.prices import price, price_table, read_books, read_products
from sfactl.segments.files import read_segments, with_used
from sfactl.segments.usecases.past import computed_members
from sfactl.session import Session

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One segment with its members, or one product of a price book with the price of one piece, before and after.

    Null stands for a segment or price that is not there. ``joined`` and ``left`` count leads.
    """

    kind: Literal["segment", "price"]
    name: str
    before: Decimal | None
    after: Decimal | None
    joined: int = 0
    left: int = 0
    currency: str = ""


def effects(now: Session, then: Session, paths: Collection[str]) -> tuple[Effect, ...]:
    """What differs between the rules of ``now`` and those of ``then``, of which the files ``paths`` are others."""
    found: list[Effect] = []
    changed = {p.removeprefix("segments/").removesuffix(".toml") for p in paths if p.startswith("segments/")}
    if changed:
        found += _segments(now, then, changed)
    if any(path.startswith("prices/") for path in paths):
        found += _prices(now, then)
    return tuple(found)


def _segments(now: Session, then: Session, changed: set[str]) -> Iterator[Effect]:
    touched = _depending(now, changed) | _depending(then, changed)
    for name in sorted(touched):
        before, after = _members(now, name), _members(then, name)
        joined, left = _missing(after, before), _missing(before, after)
        if joined or left or (before is None) != (after is None):
            yield Effect(
                kind="segment", name=name, before=_count(before), after=_count(after), joined=joined, left=left
            )


def _depending(session: Session, changed: set[str]) -> set[str]:
    """The segments that are among ``changed``, or ask for one of them."""
    segments = read_segments(session.folder)
    return {name for name in segments if changed & {used.name for used in with_used(segments, [name])}}


def _members(session: Session, name: str) -> npt.NDArray[np.int64] | None:
    if name not in read_segments(session.folder):
        return None
    try:
        members: npt.NDArray[np.int64] = computed_members(session, name).column("lead_id").to_numpy()
    except SfactlError:
        return None  # a segment that was broken has no members; the new one must be right
    return members


def _missing(one: npt.NDArray[np.int64] | None, other: npt.NDArray[np.int64] | None) -> int:
    """How many of ``one`` are not in ``other``."""
    import numpy as np

    if one is None:
        return 0
    return len(one) if other is None else len(np.setdiff1d(one, other, assume_unique=True))


def _count(members: npt.NDArray[np.int64] | None) -> Decimal | None:
    return None if members is None else Decimal(len(members))


def _prices(now: Session, then: Session) -> Iterator[Effect]:
    before, after = _price_lists(now), _price_lists(then)
    for book, sku in sorted({*before, *after}):
        old, new = before.get((book, sku)), after.get((book, sku))
        if old != new:
            currency = (new or old or (None, ""))[1]
            yield Effect(
                kind="price",
                name=f"{book} {sku}",
                before=old[0] if old else None,
                after=new[0] if new else None,
                currency=currency,
            )


def _price_lists(session: Session) -> dict[tuple[str, str], tuple[Decimal, str]]:
    """What one piece of every product costs today, in every book that holds; by book and product."""
    found: dict[tuple[str, str], tuple[Decimal, str]] = {}
    today = session.today()
    with session.query() as query:
        skus = sorted(read_products(query, None))
        for name, book in read_books(session).items():
            if not skus or not holds(book.valid_from, book.valid_to, today):
                continue
            table = price_table(session, query, skus, on=today, book=name, country="", tier="")
            for sku in skus:
                try:
                    (line,) = price(session, [LineRequest(line_no=1, sku=sku, quantity=Decimal(1))], table)
                except SfactlError:
                    continue  # not in this book
                found[name, sku] = (line.amount, book.currency)
    return found
