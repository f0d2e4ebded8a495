"""Tell robots by their User-Agent: those that say so, those on the list of crawler-user-agents, scanners of mail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

SAY_SO = (
    r"(?i)bot\b|bot[/;_.+-]|crawl|spider|slurp|scrap|monitor|uptime|headless|phantomjs|preview|fetch|validator"
    r"|curl/|wget/|libwww|python-|go-http|okhttp|axios|java/|ruby|perl|httpclient|facebookexternalhit|lighthouse"
)
"""What settles most of them in the engine; the list is asked only about the others."""
_MAIL_SCANNERS = re.compile(
    r"(?i)barracuda|proofpoint|mimecast|safelinks|symantec|messagelabs|trend ?micro|forcepoint|fireeye|trellix"
    r"|ironport|sophos|zscaler|netcraft|urldefense|cloudmark|vade ?secure|hornetsecurity|antispam|antivirus"
)
_PICTURE_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy")
"""Google and Yahoo load a picture through these when a person opens the message."""
_NOBODY = frozenset({"", "-", "Mozilla/5.0"})
"""Names that no browser has; Apple's Mail Privacy Protection, which opens every message, has the last one."""


def judged(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """("yes",) for each User-Agent that is on the list, (None,) for the others."""
    return [("yes" if _is_listed(str(row[0] or "")) else None,) for row in rows]


@lru_cache(maxsize=4096)
def is_scanner(agent: str, *, picture: bool) -> bool:
    """Whether a program by this name follows links, or loads a ``picture``, without a person having asked for it."""
    if picture and _PICTURE_PROXIES.search(agent):
        return False
    name = agent.strip()
    return name in _NOBODY or bool(re.search(SAY_SO, name) or _MAIL_SCANNERS.search(name)) or _is_listed(name)


def _is_listed(agent: str) -> bool:
    try:
        from crawleruseragents import is_crawler
    except ImportError:  # an installation without the list knows those that say so
        return False
    return bool(is_crawler(agent))
