"""The senders of the workspace: what each promises, and whether it can be reached. Nothing is sent."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from sfactl.api.errors import NotFound, SfactlError
from sfactl.api.offers import TouchpointSenderOffer
from sfactl.api.protocols import KeyMemory, TouchpointSender
from sfactl.config.senders import sender_pace
from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderState:
    """One file in ``senders/``. ``if_lost`` says what becomes of a message whose answer was lost; ``state`` is empty
    where it was not asked."""

    sender: str
    use: str
    channel: str
    if_lost: str
    pace: str
    state: Literal["", "ok", "error"] = ""
    detail: str = ""


def senders(session: Session, names: tuple[str, ...] = (), *, check: bool = False) -> tuple[SenderState, ...]:
    """The senders ``names``, by default all; with ``check`` each is reached. Raises `NotFound` for a name."""
    tables = session.settings.senders
    for name in names:
        if name not in tables:
            raise NotFound(f"there is no senders/{name}.toml", hint=f"There are: {', '.join(sorted(tables)) or 'none'}")
    return tuple(_state(session, name, check=check) for name in names or sorted(tables))


def _state(session: Session, name: str, *, check: bool) -> SenderState:
    table = session.settings.senders[name]
    use, where = str(table.get("use", "")), str(session.folder / "senders" / f"{name}.toml")
    channel, if_lost, pace = "", "", ""
    try:
        offer = session.host.find("touchpoint_sender", use).offer
        assert isinstance(offer, TouchpointSenderOffer)
        own = sender_pace(table, where=where)
        channel, pace = offer.channel, " · ".join(filter(None, (_connections(own.connections), own.rate)))
        with closing(session.host.make("touchpoint_sender", use, table, where=where)) as sender:
            if_lost = _if_lost(offer, sender)
            report = sender.check() if check else None
    except SfactlError as err:
        return SenderState(
            sender=name, use=use, channel=channel, if_lost=if_lost, pace=pace, state="error", detail=err.message
        )
    said = "; ".join(report.problems or (f"{k} {v}" for k, v in report.facts.items())) if report else ""
    state: Literal["", "ok", "error"] = "" if report is None else "error" if report.problems else "ok"
    return SenderState(sender=name, use=use, channel=channel, if_lost=if_lost, pace=pace, state=state, detail=said)


def _if_lost(offer: TouchpointSenderOffer, sender: TouchpointSender) -> str:
    if "lookup" in offer.capabilities:
        return "looked up"
    remembers_s = math.inf if "idempotent" in offer.capabilities else 0.0
    if isinstance(sender, KeyMemory):
        remembers_s = max(remembers_s, sender.remembers_s)
    if not remembers_s:
        return "held"
    return "sent again" if math.isinf(remembers_s) else f"sent again for {remembers_s / 3600:g} hours"


def _connections(count: int) -> str:
    return f"{count} connections" if count > 1 else ""
