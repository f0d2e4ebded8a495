"""Tell robots by their User-Agent: those that say so, and those on the list that crawler-user-agents keeps."""

from __future__ import annotations

from collections.abc import Sequence

from sfactl.leads.cleaning.expression import Answer

SAY_SO = (
    r"(?i)bot\b|bot[/;_.+-]|crawl|spider|slurp|scrap|monitor|uptime|headless|phantomjs|preview|fetch|validator"
    r"|curl/|wget/|libwww|python-|go-http|okhttp|axios|java/|ruby|perl|httpclient|facebookexternalhit|lighthouse"
)
"""What settles most of them in the engine; the list is asked only about the others."""


def judged(rows: Sequence[Answer]) -> list[Answer]:
    """("yes",) for each User-Agent that is on the list, (None,) for the others."""
    try:
        from crawleruseragents import is_crawler
    except ImportError:  # an installation without the list knows those that say so
        return [(None,) for _ in rows]
    return [("yes" if is_crawler(str(row[0] or "")) else None,) for row in rows]
