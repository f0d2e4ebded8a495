"""Texts that people take for the same, against Python's own normalisation."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from datetime import datetime

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sfactl.engine.conditions import compile_condition
from sfactl.engine.folding import BLOCKS, folded
from sfactl.schemas import core_schemas

NOW = datetime(2026, 11, 21)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("create table leads (lead_id bigint, note varchar)")
        yield opened


def found(connection: duckdb.DuckDBPyConnection, call: str, stored: list[str | None]) -> list[str | None]:
    connection.execute("truncate leads")
    connection.executemany("insert into leads values (?, ?)", list(enumerate(stored)))
    compiled = compile_condition(call, schemas=core_schemas(), now=NOW)
    return [stored[row[0]] for row in connection.execute(f"{compiled.sql} order by 1", compiled.params).fetchall()]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


CASES: dict[str, tuple[str, list[str], list[str]]] = {
    "capitals": ("contains(note, 'LASER')", ["a laser", "LaSer", "ｌａｓｅｒ"], ["lase r", ""]),
    "width": ("contains(note, 'ＬＸ-300')", ["LX-300", "lx-300", "型號ＬＸ－３００"], ["LX300"]),
    "no pattern": ("contains(note, 'a.c')", ["a.c", "A．C"], ["abc", "ａｂｃ"]),
    "script as written": ("contains(note, '機')", ["機器", "切割機"], ["机器"]),
    "either script": ("contains(note, '切割机', 'folded')", ["切割機 LX", "切割机", "激光切割機ＡＢＣ"], ["切割"]),
    "either script, asked in the other": ("contains(note, '雷射切割機', 'folded')", ["雷射切割机"], ["雷射切割"]),
    "half-width kana": ("contains(note, 'ガス')", ["ガス", "ｶﾞｽ", "カ\u3099ス"], ["カス", "ｶｽ"]),
    "a mark makes another letter": ("contains(note, 'カ')", ["カス", "ｶｽ", "ｶ"], ["ガ", "ｶﾞ", "カ\u3099"]),
    "accents written apart": ("contains(note, 'café')", ["CAFÉ", "cafe\u0301"], ["cafe"]),
    "a letter without its accent": ("contains(note, 'cafe')", ["cafe", "cafeteria"], ["cafe\u0301", "café"]),
    "one for several": ("contains(note, 'kg')", ["5 kg", "5㎏", "KG"], ["k g"]),
    "part of one for several": ("contains(note, '(株)')", ["㈱台灣", "(株)", "（株）"], ["株"]),
    "within one for several": ("contains(note, 'g')", ["㎏"], ["k"]),
    "start": ("starts_with(note, '台灣')", ["台灣精密"], ["在台灣"]),
    "start, wide": ("starts_with(note, 'ab')", ["ＡＢ", "abc"], ["ｘＡＢ", "xab"]),
    "whole": ("equals(note, 'acme gmbh')", ["ACME GmbH", "ＡＣＭＥ ＧｍｂＨ"], ["acme gmbh x"]),
    "whole, either script": ("equals(note, '台湾', 'folded')", ["台灣", "台湾"], ["台灣 "]),
    "empty is in all": ("contains(note, '')", ["", "x", "機"], []),
    "regex": ("matches(note, '^LX-[0-9]+$')", ["LX-300"], ["lx-300", "LX-"]),
}


@pytest.mark.parametrize(("call", "right", "wrong"), CASES.values(), ids=CASES.keys())
def test_text(connection: duckdb.DuckDBPyConnection, call: str, right: list[str], wrong: list[str]) -> None:
    assert found(connection, call, [*right, None, *wrong]) == right


LETTERS = st.text(alphabet="aAａkgKＧ㎏é\u0301eｅカｶﾞガ機机ab.(株)㈱ﬁfi湾灣 ", max_size=6)


@settings(max_examples=40)
@given(word=LETTERS.filter(bool), stored=st.lists(LETTERS, min_size=5, max_size=12), han=st.booleans())
@example(word="e", stored=["e\u0301"], han=True)
def test_a_text_contains_what_its_folded_form_contains(
    connection: duckdb.DuckDBPyConnection, word: str, stored: list[str], han: bool
) -> None:
    option = ", 'folded'" if han else ""
    wanted = folded(word, han=han)
    # A mark at the beginning of a word is no text of its own: what it stands on decides what it is.
    if unicodedata.category(wanted[0]).startswith("M"):
        return
    expected = [text for text in stored if wanted in folded(text, han=han)]
    assert found(connection, f"contains(note, {quoted(word)}{option})", stored) == expected


def test_every_character_that_folds_lies_in_a_known_block() -> None:
    known = {code for block in BLOCKS for code in block}
    every = (chr(code) for code in range(sys.maxunicode) if code not in known and not 0xD800 <= code < 0xE000)
    assert [char for char in every if folded(char) != char] == []
