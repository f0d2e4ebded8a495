"""The moment a next round begins at: the greatest seen, less the overlap. Moments are compared as what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sfactl.api.errors import DataError
from sfactl_source_http.settings import Settings

Moment = str | int | float


def greatest(sofar: Moment | None, rows: Iterable[Mapping[str, Any]], settings: Settings) -> Moment | None:
    """The greatest value of ``since_field`` in ``rows`` and ``sofar``. Raises `DataError` for mixed kinds."""
    if not settings.since_field:
        return None
    for row in rows:
        value = row.get(settings.since_field)
        if value is None:
            continue
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (is_number or isinstance(value, str)) or (sofar is not None and is_number == isinstance(sofar, str)):
            raise DataError(f"{settings.url}: since_field {settings.since_field!r} is {value!r:.60}, unlike the others")
        if sofar is None or value > sofar:
            sofar = value
    return sofar


def begin_of(moment: Moment, overlap_s: int, url: str) -> str:
    """What a round asks with: ``moment`` less the overlap, because rows may become visible late."""
    if overlap_s == 0:
        return str(moment)
    if not isinstance(moment, str):
        return str(moment - overlap_s)
    try:
        began = datetime.fromisoformat(moment) - timedelta(seconds=overlap_s)
    except ValueError:
        raise DataError(f"{url}: overlap_s needs times in ISO 8601, and {moment!r} is none") from None
    text = began.isoformat()
    return text.replace("+00:00", "Z") if moment.endswith("Z") else text
