"""Offer the lead source and the enricher that ship with sfactl: both read files."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import EnricherOffer, LeadSourceOffer

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


@hookimpl
def sfactl_enrichers() -> Iterator[EnricherOffer]:
    """The enricher ``file``."""
    yield EnricherOffer(
        name="file",
        summary="Facts from a CSV, Parquet or spreadsheet file of the workspace, by domain, tax number, postal code…",
        target="sfactl.leads.file_enricher:FileEnricher",
        settings="sfactl.leads.file_enricher:FileEnricherSettings",
        fields=("email", "email_domain", "website_domain", "tax_id", "postal_code", "country", "company_key"),
    )
