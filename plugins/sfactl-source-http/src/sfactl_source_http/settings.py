"""The keys of a source file that says ``use = "http"``, and which of them go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the records are and how to ask for the next page.

    ``records`` is the path to the list in the answer, dotted (``data.items``; empty: the answer is the list).
    ``pages`` says how the API pages: ``next-link`` (an address in the answer at ``next``), ``link-header`` (the header
    of RFC 8288), ``cursor`` (a mark in the answer at ``next``, given back as ``page_param``), ``page`` (numbers from
    ``first_page``), ``offset`` (rows to skip) or ``none``. With ``since_param`` a later pull asks only for what changed
    at or after the greatest value of ``since_field`` seen, less ``overlap_s`` seconds. ``auth_secret`` refers to a
    secret that is sent in ``auth_header`` behind ``auth_prefix``.
    """

    url: str
    records: str = ""
    pages: Literal["next-link", "link-header", "cursor", "page", "offset", "none"] = "next-link"
    next: str = "next"
    page_param: str = "page"
    first_page: int = 1
    page_size: int = 100
    page_size_param: str = ""
    since_param: str = ""
    since_field: str = ""
    overlap_s: int = 0
    params: Mapping[str, str] = field(default_factory=dict)
    auth_header: str = "Authorization"
    auth_prefix: str = "Bearer "
    auth_secret: str = ""
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse combinations that could not work."""
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url: {self.url!r} does not begin with http:// or https://")
        if bool(self.since_param) != bool(self.since_field):
            raise ValueError("since_param and since_field go together: what to ask with, and where to read it")
        if self.page_size < 1 or self.overlap_s < 0:
            raise ValueError("page_size is at least 1, and overlap_s at least 0")
