"""Why a person got a message, or did not: what happened, what they said, and what would be done about them now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sfactl.api.errors import NotFound, SfactlError, UserError
from sfactl.campaigns.files import campaign_names
from sfactl.campaigns.usecases.asking import CampaignVerdict, verdict
from sfactl.campaigns.usecases.scene import effects_of
from sfactl.campaigns.usecases.stopping import standstill
from sfactl.consent.addresses import address_of
from sfactl.consent.model import Standing
from sfactl.consent.usecases.looking import Entry as Listed
from sfactl.consent.usecases.looking import show
from sfactl.engine.duck import Query
from sfactl.leads.named_leads import find_leads
from sfactl.reach.model import Entry, Suppressed
from sfactl.session import Session
from sfactl.strategies.files import strategy_names
from sfactl.strategies.usecases.history import Why as StrategyVerdict
from sfactl.strategies.usecases.history import log

PACKAGE = "reach"
NOBODY = -1
"""Stands for the lead where an address is nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyResult:
    """All there is to know about writing to one person; ``lead_id`` None where the address is nobody's.

    ``history`` is newest first, cut to what was asked for of ``entries``. ``standstill`` says who stopped all sending.
    ``standings`` tell for each topic whether marketing may go. ``broken`` are files that could not be asked,
    each with its error.
    """

    lead_id: int | None
    lead: str
    addresses: tuple[str, ...]
    suppressions: tuple[Suppressed, ...]
    standings: tuple[Standing, ...]
    history: tuple[Entry, ...]
    entries: int
    campaigns: tuple[CampaignVerdict, ...]
    strategies: tuple[StrategyVerdict, ...]
    broken: tuple[str, ...]
    standstill: str = ""


def why(session: Session, ref: str, *, only: str = "", limit: int = 30) -> WhyResult:
    """What happened with ``ref`` (a lead, a contact or an address), and what each campaign and strategy would do now.

    ``only`` names one campaign or strategy. Raises `NotFound` for a lead, a campaign or a strategy that is not there.
    """
    campaigns = [n for n in campaign_names(session.folder) if only in ("", n)]
    strategies = [n for n in strategy_names(session.folder) if only in ("", n)]
    if only and not campaigns and not strategies:
        raise NotFound(f"there is no campaign or strategy {only!r}", hint="See: sfactl campaign list")
    broken: list[str] = []
    with session.query() as query:
        lead_id, addresses = _person(session, query, ref)
        lead = query.get("leads", lead_id) or {} if lead_id is not None else {}
        params = {"lead": NOBODY if lead_id is None else lead_id, "addresses": [a.lower() for a in addresses]}
        history = _history(session, query, params, only)
        causes = {
            kind: found for kind, *found in query.rows(query.statement(PACKAGE, "causes"), {"lead": params["lead"]})
        }
        verdicts = []
        for name in campaigns:
            if lead_id is None:
                break
            try:
                verdicts.append(verdict(session, query, name, lead_id))
            except SfactlError as err:
                broken.append(f"{name}: {err.message}")
    (shown,) = show(session, f"lead:{lead_id}" if lead_id is not None else addresses[0])
    flows: list[StrategyVerdict] = []
    for name in strategies if lead_id is not None else ():
        try:
            flows += log(session, f"lead:{lead_id}", strategy=name, why=True).why
        except SfactlError as err:
            broken.append(f"{name}: {err.message}")
    return WhyResult(
        lead_id=lead_id,
        lead=" · ".join(str(lead[key]) for key in ("full_name", "company") if lead.get(key)),
        addresses=tuple(addresses),
        suppressions=tuple(_suppressed(entry, causes) for entry in shown.listed),
        standings=shown.standings,
        history=history[:limit] if limit else history,
        entries=len(history),
        campaigns=tuple(verdicts),
        strategies=tuple(flows),
        broken=tuple(broken),
        standstill=_stopped(session),
    )


def _person(session: Session, query: Query, ref: str) -> tuple[int | None, list[str]]:
    """The lead that ``ref`` means, if any, and the addresses it has, or that were asked for."""
    text = ref.strip()
    if text.startswith("contact:"):
        contact = query.get("contacts", int(text[8:])) if text[8:].isdigit() else None
        if contact is None or contact.get("lead_id") is None:
            raise NotFound(f"there is no {text} that was made from a lead", hint="See: sfactl contact list")
        text = f"lead:{contact['lead_id']}"
    phone = text.startswith("+")
    if phone or "@" in text:
        _, address = address_of(text, session.settings.workspace.country)
        column = "phone" if phone else "lower(trim(email))"
        found = query.rows(f"select lead_id from leads where {column} = $address order by 1", {"address": address})
        if not found:
            return None, [address]
        if len(found) > 1:
            listed = ", ".join(f"lead:{number}" for (number,) in found[:5])
            raise UserError(f"{address} is the address of {len(found)} leads: {listed}", hint="Name one by its number.")
        text = f"lead:{found[0][0]}"
    [lead_id] = find_leads(query, [text])
    lead = query.get("leads", lead_id) or {}
    return lead_id, [str(lead[key]).strip() for key in ("email", "phone") if lead.get(key)]


def _suppressed(entry: Listed, causes: Mapping[str, Sequence[str]]) -> Suppressed:
    event_id, said = causes.get(entry.reason, ("", ""))
    return Suppressed(
        address=entry.value, scope=entry.scope, reason=entry.reason, at=entry.at, said=said, event_id=event_id
    )


def _history(session: Session, query: Query, params: dict[str, Any], only: str) -> tuple[Entry, ...]:
    rows = session.ledger.rows() if session.as_of is None else []
    query.register("held", effects_of(rows))
    return _rows(Entry, query, "history", {**params, "campaign": only})


def _rows(kind: Any, query: Query, statement: str, params: dict[str, Any]) -> tuple[Any, ...]:
    names = list(kind.__dataclass_fields__)
    found = query.rows(query.statement(PACKAGE, statement), params)
    return tuple(kind(**dict(zip(names, row, strict=True))) for row in found)


def _stopped(session: Session) -> str:
    found = standstill(session) if session.as_of is None else None
    return "" if found is None else f"stopped by {found.by}: {found.reason}"
