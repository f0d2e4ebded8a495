"""Links for leads that say who followed them, to be put into mails and letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sfactl.api.errors import NotFound, UserError
from sfactl.leads import links
from sfactl.leads.named_leads import find_leads

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.session import Session


def make_links(session: Session, url: str, refs: Sequence[str] = (), *, segment: str | None = None) -> pa.Table:
    """The signed link of each lead of ``refs``, or of each member of ``segment``: lead_id, email, url.

    Visits that come by such a link are known as the lead's when the server's log is imported. The key is made with the
    first link and stays in the workspace; whoever has a link can pass it on, so that it proves nothing but a visit.
    Raises `UserError` for an address that is none, `NotFound` for a lead or an empty segment.
    """
    import pyarrow as pa

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"{url!r} is not a web address", hint="Write https://www.example.com/prices")
    if bool(refs) == bool(segment):
        raise UserError("name leads, or a segment, and not both")
    with session.query() as query:
        if segment:
            rows = query.rows(
                "select l.lead_id, l.email from leads l join segment_members m on m.lead_id = l.lead_id"
                " where m.segment = $segment order by l.lead_id",
                {"segment": segment},
            )
            if not rows:
                raise NotFound(f"the segment {segment!r} has no members", hint=f"Run: sfactl segment build {segment}")
        else:
            found = find_leads(query, refs)
            rows = query.rows(
                "select lead_id, email from leads where list_contains($ids, lead_id) order by lead_id", {"ids": found}
            )
    key = links.key_of(session.workspace.private, make=True)
    assert key is not None
    return pa.table(
        {
            "lead_id": pa.array([row[0] for row in rows], pa.int64()),
            "email": pa.array([row[1] for row in rows], pa.string()),
            "url": pa.array([links.link(url, key, row[0]) for row in rows], pa.string()),
        }
    )
