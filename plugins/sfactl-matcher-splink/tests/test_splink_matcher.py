"""splink keeps what sfactl asks of a matcher, and finds planted duplicates."""

from __future__ import annotations

from sfactl.testkit import MatcherSuite


class TestSplink(MatcherSuite):
    plugin = "sfactl_matcher_splink"
    offer = "splink"
