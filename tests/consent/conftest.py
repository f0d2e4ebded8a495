"""The campaigns' workspace, with topics."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns.conftest import Acme

TOPICS = """schema = 1
[workspace]
name = "Acme"
time_zone = "Asia/Taipei"
country = "TW"

[topics.news]
title = "Newsletter"
[topics.events]
title = "Events"
basis = "consent"
[topics.offers]
title = "Offers"
double_opt_in = true
"""


def with_topics(folder: Path) -> Acme:
    """A workspace with three topics: on legitimate interest, on consent, and on consent that is confirmed."""
    acme = Acme(folder)
    acme.write("sfactl.toml", TOPICS)
    return acme


@pytest.fixture
def acme(tmp_path: Path) -> Acme:
    """The workspace with topics."""
    return with_topics(tmp_path / "acme")
