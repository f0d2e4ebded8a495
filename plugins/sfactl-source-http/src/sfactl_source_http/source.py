"""Pull records page by page, so that a cursor always stands behind rows that were handed over whole.

A server that answers the same page again, or something that is not the JSON that was described, is an error: to guess
on would lose or double leads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.api.context import PluginContext
from sfactl.api.errors import DataError, SfactlError, UserError
from sfactl.api.http import HttpSession
from sfactl.api.records import CheckReport, Cursor, Page
from sfactl.api.tables import table_of
from sfactl_source_http.paging import Place, next_place
from sfactl_source_http.rows import records_in
from sfactl_source_http.settings import Settings
from sfactl_source_http.since import begin_of, greatest, written_like

if TYPE_CHECKING:
    import requests


class HttpSource:
    """Implements `sfactl.api.protocols.LeadSource` over HTTP."""

    def __init__(self, settings: Settings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context

    def check(self) -> CheckReport:
        """Ask for the first page and say what is in it."""
        facts = {"url": self._settings.url}
        try:
            response = self._ask(self._open(), Place(), None)
            rows = records_in(response, self._settings, Place().shown)
            following = next_place(Place(), response, len(rows), self._settings)
        except SfactlError as err:
            return CheckReport(facts=facts, problems=(" ".join(filter(None, (err.message, err.hint))),))
        columns = list(dict.fromkeys(name for row in rows for name in row))
        facts |= {"rows on the first page": str(len(rows)), "columns": ", ".join(columns)}
        return CheckReport(facts={**facts, "more pages": "yes" if following else "no"})

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """Yield the pages behind ``cursor``. A round that was finished is followed by one for what changed since."""
        state = dict(cursor or {})
        session, place = self._open(), Place.of(state.get("place"))
        since, newest, last = state.get("since"), state.get("newest"), state.get("print")
        visited = {place}
        while True:
            response = self._ask(session, place, since)
            rows = [] if response.status_code == 404 else records_in(response, self._settings, place.shown)
            if rows and _print_of(rows) == last and place != Place():
                raise self._same_page(f"sent the same page twice in a row ({place.shown})")
            newest = greatest(newest, rows, self._settings, self._context.now())
            following = None if response.status_code == 404 else next_place(place, response, len(rows), self._settings)
            if following is None:
                yield Page(table=table_of(rows), cursor={"since": newest, "newest": newest})
                return
            if following in visited:
                raise self._same_page("leads back to a page that was pulled already")
            last = _print_of(rows)
            saved = {"place": following.saved(), "since": since, "newest": newest, "print": last}
            yield Page(table=table_of(rows), cursor=saved)
            visited.add(following)
            place = following

    def cursor_at(self, at: datetime, cursor: Cursor | None) -> Cursor:
        """A round that asks for what changed since ``at``. Raises `UserError` without ``since_param``."""
        if not self._settings.since_param:
            raise UserError(
                f"{self._settings.url}: without since_param it cannot be asked what changed since a time",
                hint="Set since_param and since_field, or pull from the start: sfactl source reset",
            )
        seen = dict(cursor or {}).get("newest")
        return {"since": written_like(at, seen), "newest": seen}

    def _open(self) -> HttpSession:
        settings = self._settings
        headers = {"Accept": "application/json"}
        if settings.auth_secret:
            headers[settings.auth_header] = settings.auth_prefix + self._context.secret(settings.auth_secret)
        return self._context.http(base_url=settings.url, headers=headers, timeout_s=settings.timeout_s)

    def _ask(self, session: HttpSession, place: Place, since: Any) -> requests.Response:
        """The answer for one page; 404 behind the first page is how some servers say that there is no more."""
        settings = self._settings
        if place.address:  # the server's own link carries every parameter already
            response = session.request("GET", place.address)
        else:
            params = {**settings.params, **place.params(settings)}
            if settings.page_size_param:
                params[settings.page_size_param] = str(settings.page_size)
            if settings.since_param and since is not None:
                params[settings.since_param] = begin_of(since, settings.overlap_s, settings.url)
            response = session.request("GET", "", params=params)
        ends_here = response.status_code == 404 and place.number is not None
        if response.status_code >= 400 and not ends_here:
            raise DataError(
                f"{settings.url} ({place.shown}): the server answered {response.status_code}: {response.text[:120]!r}",
                hint="Check url and params: sfactl source check",
            )
        return response

    def _same_page(self, what: str) -> DataError:
        settings = self._settings
        return DataError(
            f"{settings.url}: the server {what}",
            hint=f"With pages = {settings.pages!r} the next page is never reached: check page_param and next.",
        )


def _print_of(rows: Sequence[Mapping[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:16]
