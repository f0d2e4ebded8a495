"""What a lead source must hold to: nothing is lost or pulled twice, wherever the run was cut off."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import pyarrow as pa

from sfactl.api.protocols import LeadSource
from sfactl.api.records import CheckReport, Cursor, Page
from sfactl.testkit.offer_suite import Make, OfferSuite

MOST_PAGES = 1000
"""A pull that yields more pages than this in a test is taken for one that never ends."""


class LeadSourceSuite(OfferSuite):
    """Inherit this to test a lead source.

    ``key`` names the column that identifies a row; the settings must lead to at least two pages and ``rows`` rows.
    """

    kind: ClassVar[str] = "lead_source"
    key: ClassVar[str] = "id"
    rows: ClassVar[int] = 2

    def test_it_is_a_lead_source(self, make: Make) -> None:
        """It has the methods of `LeadSource`."""
        assert isinstance(make(), LeadSource)

    def test_check_answers_without_problems(self, make: Make) -> None:
        """``check`` says that the source is usable."""
        report = make().check()
        assert isinstance(report, CheckReport)
        assert report.problems == ()

    def test_a_pull_yields_every_row_once(self, make: Make) -> None:
        """All rows arrive in pages of Arrow tables, each with a cursor."""
        pages = self._pull(make())
        keys = self._keys(pages)
        assert len(pages) > 1, "give settings that lead to at least two pages, or resuming is not tested"
        assert len(keys) >= self.rows
        assert len(keys) == len(set(keys))

    def test_cursors_are_json_and_differ(self, make: Make) -> None:
        """A cursor survives being saved, and every page moves it."""
        cursors = [page.cursor for page in self._pull(make())]
        assert [_saved(cursor) for cursor in cursors] == [dict(cursor) for cursor in cursors]
        assert len({json.dumps(cursor, sort_keys=True) for cursor in cursors}) == len(cursors)

    def test_a_run_cut_off_anywhere_resumes_without_loss(self, make: Make) -> None:
        """After a kill behind any page, a new run from that page's cursor brings all the rest, each row once."""
        pages = self._pull(make())
        everything = set(self._keys(pages))
        for cut, page in enumerate(pages, start=1):
            before = set(self._keys(pages[:cut]))
            after = self._keys(self._pull(make(), _saved(page.cursor)))
            assert before | set(after) == everything, f"resuming behind page {cut} lost rows"
            assert len(after) == len(set(after)), f"resuming behind page {cut} pulled a row twice"

    def test_a_second_pull_brings_nothing_unknown(self, make: Make) -> None:
        """From the last cursor nothing new comes while the source has not changed."""
        pages = self._pull(make())
        again = self._pull(make(), _saved(pages[-1].cursor))
        assert set(self._keys(again)) <= set(self._keys(pages))

    def test_two_pulls_agree(self, make: Make) -> None:
        """The same source pulled twice from the start gives the same rows."""
        assert self._keys(self._pull(make())) == self._keys(self._pull(make()))

    def _pull(self, source: Any, cursor: Cursor | None = None) -> list[Page]:
        pages: list[Page] = []
        for page in source.pull(cursor):
            assert isinstance(page, Page)
            assert isinstance(page.table, pa.Table)
            pages.append(page)
            assert len(pages) < MOST_PAGES, "the pull does not end"
        return pages

    def _keys(self, pages: Iterable[Page]) -> list[Any]:
        return [key for page in pages for key in _column(page.table, self.key)]


def _column(table: pa.Table, name: str) -> list[Any]:
    return table.column(name).to_pylist() if table.num_rows else []


def _saved(cursor: Cursor) -> Mapping[str, Any]:
    """The cursor as it comes back from the workspace."""
    saved: Mapping[str, Any] = json.loads(json.dumps(dict(cursor)))
    return saved
