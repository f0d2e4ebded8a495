"""How people name a lead, a contact or an account: ``lead:8841``, ``contact:7``, ``account:12``, an e-mail address."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from sfactl.api.errors import UserError
from sfactl.config.tags import DATASETS, Kind, kind_of
from sfactl.engine.references import number_of

HINT = "Write lead:8841, contact:7, account:12, or the e-mail address of a lead."


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """One of ours as it was named: its ``kind``, and its number or (leads only) its e-mail address."""

    kind: Kind
    number: int | None = None
    email: str | None = None


def ref_of(text: str) -> Ref:
    """What ``text`` names; a bare number or an address is a lead. Raises `UserError`."""
    said = text.strip()
    kind, _, rest = said.rpartition(":")
    if not kind and "@" in said:
        return Ref(kind="lead", email=said.lower())
    if not kind and said.startswith("L-"):
        kind, rest = "lead", said[2:]
    kind = kind or "lead"
    if kind not in DATASETS:
        near = difflib.get_close_matches(kind, DATASETS, 1)
        hint = f"Did you mean {near[0]}:{rest}?" if near else HINT
        raise UserError(f"{text!r} names no {', '.join(DATASETS)}", hint=hint)
    if kind == "lead" and "@" in rest:
        return Ref(kind="lead", email=rest.lower())
    return Ref(kind=kind_of(kind), number=number_of(kind, rest))
