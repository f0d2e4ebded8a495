"""Where the next page is, for each way of paging. None means that the answer in hand was the last."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin, urlsplit

from sfactl.api.errors import DataError
from sfactl_source_http.rows import answer_of, at_path
from sfactl_source_http.settings import Settings

if TYPE_CHECKING:
    import requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page: an address the server gave, a mark it gave, or a number we count. All empty: the first page."""

    address: str = ""
    mark: str = ""
    number: int | None = None

    @classmethod
    def of(cls, saved: Any) -> Self:
        """The place a cursor holds."""
        return cls(**saved) if saved else cls()

    def saved(self) -> dict[str, Any]:
        """The place as a cursor holds it."""
        return asdict(self)

    @property
    def shown(self) -> str:
        """The page in messages; of an address only its path, for a query may hold a key."""
        if self.address:
            return f"next page below {urlsplit(self.address).path or '/'}"
        if self.mark:
            return f"cursor {self.mark:.40}"
        return "first page" if self.number is None else f"page or offset {self.number}"

    def params(self, settings: Settings) -> dict[str, str]:
        """What asks for this page, beside the settings' own parameters."""
        if self.mark:
            return {settings.page_param: self.mark}
        if self.number is not None:
            return {settings.page_param: str(self.number)}
        if settings.pages == "page":
            return {settings.page_param: str(settings.first_page)}
        return {}


def next_place(place: Place, response: requests.Response, rows: int, settings: Settings) -> Place | None:
    """The place of the page behind ``place``, which was answered with ``response`` and had ``rows`` rows."""
    match settings.pages:
        case "none":
            return None
        # How long a full page is only the server knows, so only an empty page is the last one.
        case "page":
            number = settings.first_page if place.number is None else place.number
            return Place(number=number + 1) if rows else None
        case "offset":
            return Place(number=(place.number or 0) + rows) if rows else None
        case "link-header":
            link = response.links.get("next", {}).get("url")
        case _:
            link = at_path(answer_of(response), settings.next)
    if link in (None, "", False):
        return None
    if not isinstance(link, (str, int)):
        raise DataError(f"{settings.url}: {settings.next!r} in the answer is {link!r:.60}, not the way to a next page")
    return Place(mark=str(link)) if settings.pages == "cursor" else Place(address=urljoin(response.url, str(link)))
