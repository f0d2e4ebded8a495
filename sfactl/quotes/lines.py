"""Read a line as people type it: ``SKU=QUANTITY``, and ``@PERCENT%`` behind it for a discount given by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from sfactl.api.errors import DataError
from sfactl.quotes.model import LineRequest

_LINE = re.compile(r"(?P<sku>.+)=(?P<quantity>\d+(?:\.\d+)?)(?:@(?P<discount>\d+(?:\.\d+)?)%)?")


def parse_lines(texts: Sequence[str]) -> tuple[LineRequest, ...]:
    """Lines numbered from 1 in the order given. The last ``=`` divides, so an article number may hold one."""
    return tuple(_parse(text, number) for number, text in enumerate(texts, 1))


def _parse(text: str, number: int) -> LineRequest:
    match = _LINE.fullmatch(text.strip())
    if match is None:
        raise DataError(
            f"line {number}: {text!r} is not SKU=QUANTITY or SKU=QUANTITY@DISCOUNT%",
            hint="For instance: --line LX-300=4@5%",
        )
    return LineRequest(
        line_no=number,
        sku=match["sku"].strip(),
        quantity=Decimal(match["quantity"]),
        discount_percent=Decimal(match["discount"] or 0),
    )
