"""Show where people stand: by topic, with the word and the list entry that decide it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sfactl.api.errors import NotFound
from sfactl.consent.gate import listen, load_words
from sfactl.consent.model import HASHES, House, Standing, State, Terms
from sfactl.consent.words import Person, person_of
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

ALL_MAIL = "mail about no topic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of the list of addresses nobody may write to."""

    value: str
    scope: str
    reason: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One lead, or an address of nobody we know, and where they stand."""

    lead_id: int | None
    name: str
    email: str
    phone: str
    standings: tuple[Standing, ...]
    listed: tuple[Entry, ...]


def show(session: Session, who: str) -> tuple[Shown, ...]:
    """Where ``who`` (a lead, or everybody with an address) stands with each topic. Raises `NotFound`."""
    house = House(touch=session.settings.touch, topics=session.settings.topics)
    with session.query() as query:
        person = person_of(who, session.settings.workspace.country)
        leads = _leads(query, person)
        if not leads:
            if person.lead_id is not None:
                raise NotFound(f"there is no lead {person.lead_id}", hint="See: sfactl lead list")
            listed = _listed(query, [person.value])
            return (Shown(lead_id=None, name="", email=who, phone="", standings=(), listed=listed),)
        return tuple(_shown(query, house, lead) for lead in leads)


def history(session: Session, who: str) -> pa.Table:
    """Every word that ``who`` said about mail, oldest first. Raises `NotFound`."""
    with session.query() as query:
        person = person_of(who, session.settings.workspace.country)
        leads = _leads(query, person)
        if not leads:
            raise NotFound(f"there is no lead {who!r}", hint="See: sfactl lead list")
        _choose(query, [int(lead["lead_id"]) for lead in leads])
        return query.table(query.statement("consent", "history"))


def topics(session: Session) -> pa.Table:
    """Every topic with its basis, and how many leads said yes, have not confirmed it yet, or said no."""
    import pyarrow as pa

    house = House(touch=session.settings.touch, topics=session.settings.topics)
    asked, counted = [], []
    with session.query() as query:
        listen(query, "touchpoints")
        for place, (name, title, terms) in enumerate(_terms(house)):
            load_words(query, "", terms, people="select email, phone from leads limit 0")
            row = {"topic": name, "title": title, "basis": terms.basis, "double_opt_in": terms.double_opt_in}
            asked.append(row | {"place": place})
            states: dict[str, int] = dict(query.rows("select state, count(*) from spoken group by state"))
            yes, unsure, no = (states.get(s, 0) for s in ("in", "asked", "out"))
            counted.append({"topic": name, "yes": yes, "unconfirmed": unsure, "no": no})
        query.register("asked", pa.Table.from_pylist(asked))
        query.register("counted", pa.Table.from_pylist(counted))
        return query.table(query.statement("consent", "topics"))


def _terms(house: House) -> list[tuple[str, str, Terms]]:
    """Mail about no topic, then every topic."""
    named = [(name, topic.title, house.terms(name, where="topics")) for name, topic in house.topics.items()]
    return [("", ALL_MAIL, house.terms("", where="touch")), *named]


def _leads(query: Query, person: Person) -> list[Mapping[str, Any]]:
    columns = "select lead_id, full_name, email, phone from leads"
    value: int | str
    if person.lead_id is not None:
        test, value = "lead_id = $value", living(query, "lead", person.lead_id)
    else:
        test = "lower(trim(email)) = $value" if person.kind == "email" else "phone = $value"
        value = person.value
    found: list[Mapping[str, Any]] = query.table(
        f"{columns} where {test} order by lead_id", {"value": value}
    ).to_pylist()
    return found


def _shown(query: Query, house: House, lead: Mapping[str, Any]) -> Shown:
    _choose(query, [int(lead["lead_id"])])
    listen(query, "(select t.* from touchpoints t join chosen c on c.lead_id = t.lead_id)")
    addresses = [a for a in ((lead["email"] or "").strip().lower(), lead["phone"] or "") if a]
    return Shown(
        lead_id=int(lead["lead_id"]),
        name=lead["full_name"] or "",
        email=lead["email"] or "",
        phone=lead["phone"] or "",
        standings=tuple(_standing(query, name, title, terms) for name, title, terms in _terms(house)),
        listed=_listed(query, addresses),
    )


def _choose(query: Query, leads: list[int]) -> None:
    import pyarrow as pa

    query.register("chosen", pa.table({"lead_id": pa.array(leads, pa.int64())}))


def _standing(query: Query, topic: str, title: str, terms: Terms) -> Standing:
    load_words(query, "", terms, people="select l.email, l.phone from leads l join chosen c on c.lead_id = l.lead_id")
    said = query.one("select state from spoken")
    state: State | Literal[""] = said[0] if said else ""
    refused = query.one(
        "select r.suppressed, r.is_opted_out from refused_address r join leads l on r.address in"
        " (lower(trim(l.email)), l.phone) join chosen c on c.lead_id = l.lead_id"
        " order by r.suppressed nulls last limit 1"
    )
    last = query.one(query.statement("consent", "last_words"), {"topic": topic})
    may, why = _verdict(state, terms, refused)
    return Standing(
        topic=topic,
        title=title,
        basis=terms.basis,
        double_opt_in=terms.double_opt_in,
        state=state,
        since=last[1] if last else None,
        by=_told(last) if last else "",
        may=may,
        why=why,
    )


def _verdict(state: State | Literal[""], terms: Terms, refused: tuple[Any, ...] | None) -> tuple[bool, str]:
    """Whether marketing may go, and why: what the gate says, in its order."""
    if refused and refused[0]:
        return False, f"suppressed ({refused[0]})"
    if state == "out" or (refused and refused[1]):
        return False, "unsubscribed"
    if state == "in":
        return True, "agreed"
    if terms.needs_consent:
        return False, "not confirmed" if state == "asked" else "no consent"
    return True, "no objection"


def _told(last: tuple[Any, ...]) -> str:
    """The word that decides, in words."""
    _, _, kind, topic, channel, campaign, text = last
    about = f"{kind} ({topic})" if topic else kind
    return " · ".join(part for part in (about, channel, campaign, text) if part)


def _listed(query: Query, addresses: list[str]) -> tuple[Entry, ...]:
    import hashlib

    names = []
    for address in addresses:
        forms = [address, address.removeprefix("+")]
        names += [
            address,
            *(hashlib.new(h, f.encode(), usedforsecurity=False).hexdigest() for f in forms for h in HASHES),
        ]
    rows = query.rows(
        'select distinct value, scope, reason, "at" from suppressions s'
        " join (select unnest(cast($names as varchar[])) as name) n on n.name = lower(s.value) order by value, scope",
        {"names": names},
    )
    return tuple(Entry(value=v, scope=s, reason=r or "", at=at) for v, s, r, at in rows)
