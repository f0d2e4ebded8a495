"""The moment a next round begins at: the greatest seen, less the overlap. Moments are compared as what they are.

A moment that lies ahead of our clock by more than `AHEAD` is somebody's slip, and asking from there would skip all that
really happens until then: such rows are handed over, and do not move the round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sfactl.api.errors import DataError
from sfactl_source_http.settings import Settings

Moment = str | int | float
AHEAD = timedelta(days=1)
MILLISECONDS_FROM = 10**11
"""Numbers from here on count milliseconds: as seconds they would lie in the year 5138."""


def greatest(
    sofar: Moment | None, rows: Iterable[Mapping[str, Any]], settings: Settings, now: datetime
) -> Moment | None:
    """The greatest value of ``since_field`` in ``rows`` and ``sofar``; ``now`` is UTC, no zone.

    Raises `DataError` for mixed kinds.
    """
    if not settings.since_field:
        return None
    for row in rows:
        value = row.get(settings.since_field)
        if value is None:
            continue
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (is_number or isinstance(value, str)) or (sofar is not None and is_number == isinstance(sofar, str)):
            raise DataError(f"{settings.url}: since_field {settings.since_field!r} is {value!r:.60}, unlike the others")
        read = _time(value)
        if read is not None and read > now + AHEAD:
            continue
        if sofar is None or _later(value, sofar):
            sofar = value
    return sofar


def begin_of(moment: Moment, overlap_s: int, url: str) -> str:
    """What a round asks with: ``moment`` less the overlap, because rows may become visible late."""
    if overlap_s == 0:
        return str(moment)
    if not isinstance(moment, str):
        return str(moment - overlap_s * (1000 if moment >= MILLISECONDS_FROM else 1))
    try:
        began = datetime.fromisoformat(moment) - timedelta(seconds=overlap_s)
    except ValueError:
        raise DataError(f"{url}: overlap_s needs times in ISO 8601, and {moment!r} is none") from None
    text = began.isoformat()
    return text.replace("+00:00", "Z") if moment.endswith("Z") else text


def written_like(at: datetime, seen: Moment | None) -> Moment:
    """``at`` (UTC, no zone) as the service writes moments, of which ``seen`` is one: text, seconds or milliseconds."""
    if seen is None or isinstance(seen, str):
        return at.replace(tzinfo=None).isoformat() + "Z"
    seconds = at.replace(tzinfo=UTC).timestamp()
    return int(seconds * 1000) if seen >= MILLISECONDS_FROM else int(seconds)


def _later(one: Moment, other: Moment) -> bool:
    """Is ``one`` later? Texts with different offsets are compared as times."""
    times = _time(one), _time(other)
    if times[0] is not None and times[1] is not None:
        return times[0] > times[1]
    return one > other  # type: ignore[operator]


def _time(value: Moment) -> datetime | None:
    """The moment as a naive UTC time, None where it is none that we can read."""
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            return read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
        seconds = value / 1000 if value >= MILLISECONDS_FROM else value
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None
