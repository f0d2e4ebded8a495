"""Find the records in an answer, and refuse an answer that is not what the settings describe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import DataError
from sfactl_source_http.settings import Settings

if TYPE_CHECKING:
    import requests


def records_in(response: requests.Response, settings: Settings) -> Sequence[Mapping[str, Any]]:
    """The records of one page. Raises `DataError` for anything else than a list of objects at ``records``."""
    where = settings.url
    try:
        answer = response.json()
    except ValueError:
        kind = response.headers.get("Content-Type", "no content type").partition(";")[0]
        raise DataError(
            f"{where}: the answer is not JSON but {kind}: {response.text[:60]!r}",
            hint="Is the address right? A page to log in looks like this, too.",
        ) from None
    found = at_path(answer, settings.records)
    place = settings.records or "the top"
    if not isinstance(found, list):
        keys = ", ".join(answer) if isinstance(answer, Mapping) else type(answer).__name__
        raise DataError(f"{where}: there is no list at {place} of the answer", hint=f"The answer has: {keys}")
    for n, row in enumerate(found):
        if not isinstance(row, Mapping):
            raise DataError(f"{where}: record {n} at {place} is {json.dumps(row)[:60]}, not an object")
    return found


def at_path(answer: Any, path: str) -> Any:
    """The value at a dotted path, None where it is not there. An empty path is the answer itself."""
    for part in filter(None, path.split(".")):
        answer = answer.get(part) if isinstance(answer, Mapping) else None
    return answer
