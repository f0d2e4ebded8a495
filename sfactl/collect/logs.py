"""What access logs say of signed links: the same acts as the collector keeps, with the same ids.

A POST to an unsubscribe or a confirmation that was answered well was one; what a POST to the preferences said stands in
no log. Requests that were refused are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from urllib.parse import unquote, urlsplit

from sfactl.collect.model import Act, Deed
from sfactl.engine.links import PATHS, ForgedLink, Link, Purpose, Signer, event_id
from sfactl.engine.robots import is_scanner
from sfactl.leads.cleaning.expression import literal

Row = tuple[datetime, str, str, str | None, int | None]
"""When, method, target, User-Agent (None: the log has none) and status."""
_LINKED = f"/({'|'.join(PATHS.values())})/[A-Za-z0-9_.-]{{20,}}"
_SAID: dict[Purpose, Deed] = {"unsubscribe": "unsubscribe", "confirm": "consent"}
_PURPOSES = {path: purpose for purpose, path in PATHS.items()}


def linked(parsed: str, *, names: bool) -> str:
    """SELECT of the rows of a parsed log whose target looks like a signed link; ``names``: it tells the User-Agent."""
    return (
        f'select "at", method, target, {"agent" if names else "null"}, status from'
        f' ({parsed}) where "at" is not null and regexp_matches(target, {literal(_LINKED)}) order by "at"'
    )


def acts_of(rows: Iterable[Row], signer: Signer, base: str) -> Iterator[Act | None]:
    """The act behind each row; None where its link was not signed by us. Rows that are no act are left out."""
    for at, method, target, agent, status in rows:
        path = unquote(urlsplit(target).path).removeprefix(base).lstrip("/")
        first, _, token = path.partition("/")
        deed = _deed(first, method, status)
        if deed is None:
            continue
        try:
            yield _act(signer.read(_PURPOSES[first], token), deed, at, method, agent)
        except ForgedLink:
            yield None


def _deed(first: str, method: str, status: int | None) -> Deed | None:
    purpose = _PURPOSES.get(first)
    if purpose is None or status is None or not 200 <= status < 400:
        return None
    if method == "POST":
        return _SAID.get(purpose)
    if method not in ("GET", "HEAD"):
        return None
    return purpose if purpose in ("click", "open") else "look"


def _act(link: Link, deed: Deed, at: datetime, method: str, agent: str | None) -> Act:
    # A log without names says nothing of who asked; a name that is missing in one that has them does.
    name = "not told" if agent is None else "" if agent == "-" else agent
    scanner = deed in ("open", "click") and (method == "HEAD" or is_scanner(name, picture=deed == "open"))
    word = deed in ("unsubscribe", "consent")
    return Act(
        id=event_id(link, at, kind="bot" if scanner else "look" if deed == "look" else ""),
        at=at,
        deed=deed,
        message_key=link.message_key,
        lead_id=link.lead_id,
        campaign=link.campaign,
        step=link.step,
        target=link.target if deed == "click" else link.purpose if deed == "look" else "",
        topic=link.target if word else "",
        method=method,
        agent=name,
    )
