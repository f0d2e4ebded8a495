"""Intents: found offline by words, asked about once, never beyond what is declared, whatever the extractor does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from sfactl.api.errors import AuthError, ConfigError, NotFound
from sfactl.api.records import IntentLabel
from sfactl.host.builtin import BUILTIN
from sfactl.portrait.extractors.keyword import KeywordExtractor
from sfactl.portrait.usecases import extraction, tagging
from sfactl.testkit import IntentSuite

from .conftest import NOW, Desk, touch

PRICE = """
schema = 1
summary = "Asks what it costs"
tag = "asks-price"
expires = "30 days"
min_confidence = 0.6
[patterns]
en = ["price", "how much", "quot*"]
zh = ["多少錢", "報價", "价格"]
"""
DEMO = 'schema = 1\n[patterns]\nen = ["demo"]\nzh = ["試用"]\n'


class TestKeyword(IntentSuite):
    plugin = BUILTIN["portrait"]
    offer = "keyword"
    finds: ClassVar[Mapping[str, str]] = {"price": "price", "chinese": "price"}


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    desk = make_desk()
    desk.file("intents/price.toml", PRICE)
    desk.file("intents/demo.toml", DEMO)
    desk.put(
        "touchpoints",
        [
            touch(1, 1, "form_submit", days=3, text="請問 LX-300 多少錢？"),
            touch(2, 1, "call", days=2, direction="outbound", text="Wants a demo; asked how much"),
            touch(3, 2, "reply", days=1, text="請問 LX-300 多少錢？"),
            touch(4, 2, "email", days=1, direction="outbound", text="our price list"),
            touch(5, 3, "note", days=1, text="   "),
            touch(6, 3, "form_submit", days=40, text="What does a quotation take?"),
        ],
    )
    return desk


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What is the PRICE?", {"price": 0.6}),
        ("Price and how much", {"price": 0.75}),
        ("ｐｒｉｃｅ", {"price": 0.6}),
        ("priceless", {}),
        ("a quotation please", {"price": 0.6}),
        ("I do not need a price", {}),
        ("I don't want a price, but show a demo", {"demo": 0.6}),
        ("No demo. What is the price?", {"price": 0.6}),
        ("I don't know the price", {"price": 0.6}),
        ("not only the price", {"price": 0.6}),
        ("what is the price, not the demo", {"price": 0.6}),
        ("請問多少錢", {"price": 0.6}),
        ("我不要報價", {}),
        ("不用報價，但想試用", {"demo": 0.6}),
        ("不知道价格", {"price": 0.6}),
        ("能不能報價", {"price": 0.6}),
        ("不好意思，請報價", {"price": 0.6}),
        ("", {}),
        ("😀", {}),
    ],
)
def test_words_and_negation(text: str, found: dict[str, float]) -> None:
    extractor = KeywordExtractor(None, None)  # type: ignore[arg-type]
    extractor.use_labels(
        [
            IntentLabel(
                name="price", patterns={"en": ("price", "how much", "quot*"), "zh": ("多少錢", "報價", "价格")}
            ),
            IntentLabel(name="demo", patterns={"any": ("demo", "試用")}),
        ]
    )
    assert extractor.intents(text) == found


def test_intents_and_tags_come_of_what_customers_said(desk: Desk) -> None:
    done = extraction.extract(desk.session())
    assert (done.utterances, done.texts, done.asked, done.failed) == (4, 3, 3, 0)
    assert done.intents == {"price": 4, "demo": 1}
    assert desk.rows("select event_id, label from intents order by 1, 2") == [
        ("t1", "price"), ("t2", "demo"), ("t2", "price"), ("t3", "price"), ("t6", "price"),
    ]  # fmt: skip
    assert desk.rows("select entity_id, tag, author, rule from tags order by 1") == [
        (1, "asks-price", "keyword", "price"),
        (2, "asks-price", "keyword", "price"),
    ], "what was said 40 days ago no longer tags"
    again = extraction.extract(desk.session())
    assert (again.kept, again.asked, again.commit) == (3, 0, None)
    tagging.set_tags(desk.session(), ["1"], ["asks-price"])
    desk.later(days=40)
    extraction.extract(desk.session())
    assert desk.rows("select source from tags") == [("manual",)]


def test_a_new_definition_reads_again_and_the_past_stays(desk: Desk) -> None:
    extraction.extract(desk.session())
    desk.later(days=1)
    desk.file("intents/price.toml", PRICE.replace('"how much", ', ""))
    done = extraction.extract(desk.session())
    assert (done.asked, done.intents["price"]) == (3, 3)
    assert done.removed == 1
    assert desk.rows("select count(*) from intents", as_of="2026-11-21") == [(5,)]


def test_a_dry_run_asks_nobody(desk: Desk) -> None:
    done = extraction.extract(desk.session(dry_run=True))
    assert (done.asked, done.problems) == (0, {"not asked: dry run": 3})
    assert desk.rows("select count(*) from intent_answers") == [(0,)]


def test_conditions_ask_for_intents(desk: Desk) -> None:
    from sfactl.engine.conditions import compile_condition
    from sfactl.schemas import core_schemas

    extraction.extract(desk.session())
    where = "has(intents) filter (where label = 'price' and confidence >= 0.6 and within('7 days'))"
    compiled = compile_condition(where, schemas=core_schemas(), now=NOW)
    with desk.session() as session, session.query() as query:
        assert sorted(query.rows(compiled.sql, compiled.params)) == [(1,), (2,)]


class Scripted:
    """An extractor that does what the test says."""

    def __init__(self, *, answer: Callable[[list[str]], Any] | None = None) -> None:
        self.asked: list[str] = []
        self.answer = answer or (lambda ids: [(i, "price", 0.9) for i in ids])

    def extract(self, table: pa.Table) -> Any:
        ids = table["utterance_id"].to_pylist()
        self.asked += ids
        rows = self.answer(ids)
        if isinstance(rows, pa.Table):
            return rows
        names = ("utterance_id", "label", "confidence", "error", "input_tokens")
        return (
            pa.Table.from_pylist([dict(zip(names, row)) for row in rows])
            if rows
            else pa.table({name: pa.array([], pa.string()) for name in names})
        )


def run(desk: Desk, monkeypatch: pytest.MonkeyPatch, scripted: Scripted, **options: Any) -> extraction.Extracted:
    monkeypatch.setattr(extraction, "_made", lambda *_: (scripted, False))
    return extraction.extract(desk.session(), extractor="scripted", **options)


def test_kept_answers_are_replayed_without_asking(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Scripted(answer=lambda ids: [(i, "price", 0.7, None, 11) for i in ids])
    done = run(desk, monkeypatch, first)
    assert (done.asked, done.input_tokens) == (3, 33)
    before = desk.rows("select event_id, label, confidence, text_hash from intents order by all")
    other = Scripted(answer=lambda ids: [(i, "demo", 0.1) for i in ids])
    again = run(desk, monkeypatch, other)
    assert (other.asked, again.added, again.removed) == ([], 0, 0)
    assert desk.rows("select event_id, label, confidence, text_hash from intents order by all") == before


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda ids: [(i, "admin", 0.9) for i in ids], "label 'admin', which intents/ does not declare"),
        (lambda ids: [(i, "price", 7.0) for i in ids], "confidence 7, which is not between 0 and 1"),
        (lambda ids: [(i, "price", float("nan")) for i in ids], "without a confidence"),
        (lambda ids: [(i, None, None, "refused") for i in ids], "refused"),
        (lambda ids: pa.table({"x": [1]}), "lacks the column utterance_id"),
        (lambda ids: 1 / 0, "ZeroDivisionError"),
    ],
    ids=["label", "range", "nan", "refusal", "columns", "raises"],
)
def test_what_is_answered_wrongly_is_listed_and_asked_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, answer: Any, said: str
) -> None:
    done = run(desk, monkeypatch, Scripted(answer=answer))
    assert (done.failed, done.added) == (3, 0)
    assert said in next(iter(done.problems))
    healed = run(desk, monkeypatch, Scripted())
    assert (healed.asked, healed.failed) == (3, 0)


def test_answers_about_texts_nobody_asked_about_are_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(desk, monkeypatch, Scripted(answer=lambda ids: [("other", "price", 0.5)]))
    assert done.problems == {"answered about a text that nobody asked about": 1}
    assert done.failed == 0, "no row is an answer too"


def test_one_that_hangs_is_left_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    done = run(desk, monkeypatch, Scripted(answer=lambda ids: let_go.wait() or []), timeout_s=0.05)
    let_go.set()
    assert done.problems == {"the extractor did not answer within 0.05 seconds": 3}


def test_a_chunk_without_any_answer_ends_the_asking(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "CHUNK", 1)
    broken = Scripted(answer=lambda ids: [(i, None, None, "down") for i in ids])
    done = run(desk, monkeypatch, broken)
    assert len(broken.asked) == 1
    assert done.problems == {"down": 1, "not asked: the extractor answers nothing": 2}


def test_answers_got_before_a_refused_key_are_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "CHUNK", 1)
    answered: list[str] = []

    def answer(ids: list[str]) -> Any:
        if answered:
            raise AuthError("401")
        answered.extend(ids)
        return [(i, "price", 1.0) for i in ids]

    with pytest.raises(AuthError):
        run(desk, monkeypatch, Scripted(answer=answer))
    assert desk.rows("select text_hash from intent_answers") == [(answered[0],)]


def test_unknown_names_are_told(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no extractor 'keywrod'") as caught:
        extraction.extract(desk.session(), extractor="keywrod")
    assert caught.value.hint == "Did you mean 'keyword'?"
    desk.file("intents/price.toml", PRICE.replace("30 days", "soon"))
    with pytest.raises(ConfigError, match=r"intents/price.toml: expires: 'soon' is not a period"):
        extraction.extract(desk.session())
    for path in (desk.folder / "intents").iterdir():
        path.unlink()
    with pytest.raises(ConfigError, match="there are no intents"):
        extraction.extract(desk.session())
