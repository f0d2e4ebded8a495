"""Find the records in an answer, and refuse an answer that is not what the settings describe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import DataError
from sfactl_source_http.settings import Settings

if TYPE_CHECKING:
    import requests


def records_in(response: requests.Response, settings: Settings, page: str) -> Sequence[Mapping[str, Any]]:
    """The records of one page, which messages call ``page``.

    Raises `DataError` for anything else than a list of objects at ``records``.
    """
    where = f"{settings.url} ({page})"
    try:
        answer = answer_of(response)
    except (UnicodeDecodeError, LookupError):
        said = response.encoding or "nothing"
        raise DataError(
            f"{where}: the answer is in another character set than it says ({said})",
            hint="JSON is UTF-8; the service must say so, or send what it says.",
        ) from None
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


def answer_of(response: requests.Response) -> Any:
    """The answer read as JSON: UTF-8 or its wide kin, else the character set that the header states; never a guess.

    Raises `ValueError` for what is no JSON, `UnicodeDecodeError` (one of them) for bytes of another character set.
    """
    try:
        return json.loads(response.content)
    except UnicodeDecodeError:
        return json.loads(response.content.decode(response.encoding or "utf-8"))


def at_path(answer: Any, path: str) -> Any:
    """The value at a dotted path, None where it is not there. An empty path is the answer itself."""
    for part in filter(None, path.split(".")):
        answer = answer.get(part) if isinstance(answer, Mapping) else None
    return answer
