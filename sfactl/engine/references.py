"""How people name one row at the prompt: ``lead:8841``, or the bare number."""

from __future__ import annotations

from sfactl.api.errors import UserError

LARGEST = 2**63 - 1


def number_of(kind: str, text: str) -> int:
    """The number in ``kind:8841`` or ``8841``. Raises `UserError`."""
    said_kind, _, rest = text.rpartition(":")
    if said_kind not in ("", kind):
        article = "an" if said_kind[0] in "aeiou" else "a"
        raise UserError(f"{text!r} names {article} {said_kind}, not a {kind}", hint=f"Write {kind}:8841 or 8841.")
    if not (rest.isascii() and rest.isdigit()) or int(rest) > LARGEST:
        raise UserError(f"{text!r} does not name a {kind}", hint=f"Write {kind}:8841 or 8841.")
    return int(rest)
