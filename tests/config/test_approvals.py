"""Who may approve what: the rule of the size counts, and nobody approves what is their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfactl.api.errors import ConfigError
from sfactl.config.approvals import Approvals, What, read_approvals

FILE = """schema = 1
[[rules]]
what = "campaign"
by = ["team:marketing"]
[[rules]]
what = "campaign"
above = 1000
by = ["boss"]
"""
SMALL = "a campaign is approved by team:marketing, not by"
LARGE = "a campaign above 1,000 is approved by boss, not by"
OWN = "made it, so somebody else must approve it"


@pytest.fixture
def rules(tmp_path: Path) -> Approvals:
    (tmp_path / "approvals.toml").write_text(FILE, encoding="utf-8")
    found = read_approvals(tmp_path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("what", "size", "actor", "teams", "author", "why"),
    [
        ("campaign", 1000, "mei", ["marketing"], "ci", None),
        ("campaign", 1001, "mei", ["marketing"], "ci", LARGE),
        ("campaign", 1001, "boss", [], "ci", None),
        ("campaign", 5, "boss", [], "ci", SMALL),
        ("campaign", 5, "mei", ["sales"], None, SMALL),
        ("campaign", 5, "mei", ["marketing"], "mei", OWN),
        ("campaign", 5000, "boss", [], "boss", OWN),
        ("strategy", 5000, "anybody", [], "ci", None),
        ("strategy", 1, "anybody", [], "anybody", OWN),
    ],
)
def test_the_rule_of_the_size_counts(
    rules: Approvals, what: What, size: int, actor: str, teams: list[str], author: str | None, why: str | None
) -> None:
    """At the boundary the smaller rule still counts; without a rule only what is one's own is refused."""
    said = rules.refusal(what, size, actor=actor, teams=teams, author=author)
    assert (said is None) == (why is None)
    assert why is None or why in (said or "")


def test_one_may_allow_to_approve_what_is_ones_own() -> None:
    """For those who work alone."""
    alone = Approvals(self_approval=True)
    assert alone.refusal("campaign", 9, actor="mei", teams=(), author="mei") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('schema = 1\n[[rules]]\nwhat = "visit"\nby = ["a"]\n', "visit"),
        ('schema = 1\n[[rules]]\nwhat = "campaign"\nby = []\n', "name at least one actor"),
        ('schema = 1\n[[rules]]\nwhat = "campaign"\nby = ["a"]\nabove = -1\n', "less than nothing"),
        (FILE + '[[rules]]\nwhat = "campaign"\nby = ["a"]\n', "two for campaign above 0"),
        ("schema = 1\nself_aproval = true\n", "self_approval"),
    ],
    ids=["unknown-what", "nobody", "negative", "twice", "misspelt"],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """With what is wrong and where."""
    (tmp_path / "approvals.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_approvals(tmp_path)


def test_without_the_file_there_are_no_rules(tmp_path: Path) -> None:
    """Everybody may approve."""
    assert read_approvals(tmp_path) is None
