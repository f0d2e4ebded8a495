"""Offer the lead source that ships with sfactl: files and folders of files."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import LeadSourceOffer

SFACTL_API = "1.0"


@hookimpl
def sfactl_lead_sources() -> Iterator[LeadSourceOffer]:
    """The source ``file``."""
    yield LeadSourceOffer(
        name="file",
        summary="CSV, JSON, Parquet, spreadsheet and vCard files, or folders of them",
        target="sfactl.leads.file_source:FileSource",
        settings="sfactl.leads.file_source:FileSettings",
    )
