"""Tax numbers with a prefix and no country beside them."""

from __future__ import annotations

import pytest

from sfactl.leads.cleaning.tax_ids import judged


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("DE136695976", ("DE136695976", "right")),
        ("DE136695978", ("DE136695978", "unknown")),
        ("GB980780684", ("GB980780684", "unknown")),
    ],
    ids=["valid", "wrong check digit", "no member state"],
)
def test_a_prefix_alone_is_judged_without_a_fault(text: str, answer: tuple[str, str]) -> None:
    assert judged([(text, None)]) == [answer]
