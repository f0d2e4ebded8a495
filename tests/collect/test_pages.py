"""Pages in every language say the same things, in the language that the browser asks for."""

from __future__ import annotations

import pytest

from sfactl.collect import pages
from sfactl.collect.pages import Topic, language


@pytest.mark.parametrize(
    ("accepted", "fallback", "answered"),
    [
        ("", "en", "en"),
        ("", "zh-TW", "zh-TW"),
        ("de", "ja", "ja"),
        ("de-DE,de;q=0.9", "nl", "en"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "en", "zh-TW"),
        ("zh-HK", "en", "zh-TW"),
        ("zh-Hant-MY", "en", "zh-TW"),
        ("zh", "en", "zh-CN"),
        ("zh-Hans-TW;q=0.4, en-GB;q=0.7", "ja", "en"),
        ("fr, ja;q=0.2", "en", "ja"),
        ("ja;q=0, en;q=0.1", "zh-TW", "en"),
        ("*", "zh_TW", "zh-TW"),
        (";;q=x,,,=", "en", "en"),
        ("en;q=nan", "ja", "ja"),
    ],
)
def test_the_language_is_the_one_that_was_asked_for(accepted: str, fallback: str, answered: str) -> None:
    """By weight, then by order; scripts and regions of Chinese; garbage is nothing."""
    assert language(accepted, fallback) == answered


@pytest.mark.parametrize("tongue", sorted(pages._texts()))
def test_every_language_says_everything(tongue: str) -> None:
    """And every page can be written in it, for a topic or all."""
    assert set(pages._texts()[tongue]) == set(pages._texts()["en"])
    for key in pages._texts()[tongue]:
        name, _, kind = key.partition("_")
        if kind == "title":
            for topic in ("", "雷射 {x}"):
                made = pages.page(name, tongue, sender="", topic=topic).decode()
                assert "{sender}" not in made
                assert "{topic}" not in made


def test_a_topic_has_a_title_for_everybody() -> None:
    """In the language, one near it, the plain title, or at least its name."""
    topic = Topic(name="news", title="News", titles={"zh-TW": "新訊"})
    assert [topic.title_in(t) for t in ("zh-TW", "zh-CN", "ja")] == ["新訊", "新訊", "News"]
    assert Topic(name="news", title="").title_in("en") == "news"
