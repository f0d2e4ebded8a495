"""Offer one lead source: any HTTP API that answers JSON page by page."""

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import LeadSourceOffer

SFACTL_API = "1.0"


@hookimpl
def sfactl_lead_sources() -> Iterator[LeadSourceOffer]:
    """The source ``http``."""
    yield LeadSourceOffer(
        name="http",
        summary="Any HTTP API that answers JSON page by page",
        target="sfactl_source_http.source:HttpSource",
        settings="sfactl_source_http.settings:Settings",
        hosts=("setting:url",),
        secrets=("auth_secret",),
    )
