"""Offer one lead source: any Singer tap, run as a process."""

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import LeadSourceOffer

SFACTL_API = "1.0"


@hookimpl
def sfactl_lead_sources() -> Iterator[LeadSourceOffer]:
    """The source ``singer``."""
    yield LeadSourceOffer(
        name="singer",
        summary="Any Singer tap, run as a process",
        target="sfactl_source_singer.source:SingerSource",
        settings="sfactl_source_singer.settings:Settings",
        secrets=("secrets",),
    )
