"""Offers splink as a matcher of records."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import RecordMatcherOffer


@hookimpl
def sfactl_record_matchers() -> Iterator[RecordMatcherOffer]:
    """One matcher."""
    yield RecordMatcherOffer(
        name="splink",
        summary="Probabilistic record linkage by splink",
        target="sfactl_matcher_splink.matcher:SplinkMatcher",
    )
