"""Survey files: what is not defined is refused with its key, and answers are on the scale or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfactl.api.errors import ConfigError
from sfactl.config.surveys import Alert, BadAnswer, Question, Survey, Text, read_survey

FILE = """schema = 1
kind = "csat"
summary = "Care"
template = "survey"
[[questions]]
name = "overall"
text = "How satisfied are you?"
[when]
every = "6 months"
[campaign]
segment = "customers"
"""


def survey(**more: object) -> Survey:
    fixed = {"name": "s", "kind": "csat", "summary": "", "template": "t", "when": {}, "campaign": {}}
    questions = (Question(name="overall", text="?"), Question(name="delivery", text="?"))
    return Survey(**{**fixed, "questions": questions, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('kind = "csat"', 'kind = "csta"', "Did you mean 'csat'?"),
        ('kind = "csat"', 'kind = "nps"\nscale = 5', "that is 10"),
        ('kind = "csat"', 'kind = "csat"\nscale = 4', "that is 5 or 7 or 10"),
        ('name = "overall"', 'name = "Over all"', "no name for a question"),
        ('text = "How satisfied are you?"', 'text = " "', "write what is asked"),
        ("[when]", '[[questions]]\nname = "overall"\ntext = "Again?"\n[when]', "'overall' is there twice"),
        ('template = "survey"', 'template = "survey"\nminimum = 0', "minimum: 0"),
        ('template = "survey"', 'template = "survey"\nreminder = "again"', "remind_after"),
        ('template = "survey"', 'template = "survey"\nquestoins = 1', "Did you mean 'questions'?"),
        ("[when]", "[alert]\nat_most = 5\n[when]", "alert.at_most: 5 is not on the scale below 5"),
        ("[when]", '[alert]\nwithin = "0 days"\n[when]', "within"),
        ("[when]", '[alert]\nwithin = "1 month"\n[when]', "no fixed length"),
        ("[when]", '[alert]\ntrend = "week"\n[when]', "month, quarter, half, year"),
        ("schema = 1", "", "schema"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    (tmp_path / "surveys").mkdir()
    (tmp_path / "surveys" / "care.toml").write_text(FILE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        read_survey(tmp_path, "care")
    assert says in str(told.value)
    assert "care.toml" in str(told.value)


@pytest.mark.parametrize(
    ("kind", "scale", "low", "high"),
    [("csat", 0, 1, 5), ("csat", 7, 1, 7), ("csat", 10, 1, 10), ("nps", 0, 0, 10), ("ces", 0, 1, 7), ("ces", 5, 1, 5)],
)
def test_each_kind_has_its_scale(kind: str, scale: int, low: int, high: int) -> None:
    found = survey(kind=kind, scale=scale)
    assert (found.low, found.high) == (low, high)
    assert [found.score(f" {n} ") for n in (low, high)] == [low, high]
    for text in (str(low - 1), str(high + 1), "", "five", "4.5", "1_0", "٤", "+4", "4\n5"):
        with pytest.raises(BadAnswer):
            found.score(text)


def test_the_first_question_must_be_answered_and_the_others_may() -> None:
    assert survey().answers({"overall": "5", "delivery": " ", "unknown": "3"}) == {"overall": 5}
    assert survey().answers({"overall": "5", "delivery": "2"}) == {"overall": 5, "delivery": 2}
    for said in ({}, {"delivery": "2"}, {"overall": "5", "delivery": "9"}):
        with pytest.raises(BadAnswer):
            survey().answers(said)


@pytest.mark.parametrize(("kind", "scale", "lowest"), [("csat", 5, 2), ("csat", 10, 2), ("nps", 10, 6), ("ces", 7, 2)])
def test_the_lowest_answers_open_a_case(kind: str, scale: int, lowest: int) -> None:
    assert survey(kind=kind, scale=scale, alert=Alert()).lowest == lowest
    assert survey(kind=kind, scale=scale, alert=Alert(at_most=4)).lowest == 4


def test_a_text_is_said_in_the_nearest_language() -> None:
    text = Text(text="Why?", languages={"zh-TW": "為什麼？", "ja": "なぜ？"})
    assert [text.said_in(t) for t in ("zh-TW", "zh-CN", "ja-JP", "de")] == ["為什麼？", "為什麼？", "なぜ？", "Why?"]
