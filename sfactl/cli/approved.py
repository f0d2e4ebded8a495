"""Tell people what an approval of a quote or an order settled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfactl.approvals.model import Approved


def approved_lines(done: Approved) -> Iterator[str]:
    """What was approved, and what is still open."""
    if done.dry_run:
        yield "Dry run: nothing is written."
    yield f"{done.called}: " + (f"approved ({', '.join(done.given)})." if done.given else "nothing is left to approve.")
    for need in done.open:
        yield f"Still needs an approval: {need}"
