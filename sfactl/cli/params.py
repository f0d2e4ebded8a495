"""Two more kinds of values that options take, given to click as ``type=``: an amount of money and FIELD=VALUE."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import click


def amount(text: str) -> Decimal:
    """Money; thousands may be set off with commas. Raises a usage error."""
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value < Decimal(10) ** 14:
        raise click.BadParameter(f"{text!r} is not an amount of money; write 1200000.50")
    return value


def pair(text: str) -> tuple[str, str]:
    """``FIELD=VALUE``. Raises a usage error."""
    field, sign, value = text.partition("=")
    if not sign or not field.strip():
        raise click.BadParameter(f"{text!r} is not FIELD=VALUE")
    return field.strip(), value.strip()
