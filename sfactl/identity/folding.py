"""Fold what people write into what is compared: case, accents, width, punctuation, traditional characters, scripts.

Plain ASCII is folded by SQL. Every other distinct value is folded once in Python and looked up. Han, kana and hangul
stay as they are (traditional as simplified), because a transliteration would make many names the same; letters of all
other scripts become Latin ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Protocol

from sfactl.engine.duck import Query

NATIVE = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]")
_OTHER = re.compile("[^a-z0-9\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]+")
_RUNS = re.compile(
    "([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]+)|([^\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]+)"
)
FOLDS = "match_folds"


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


@cache
def _simplifier() -> _Converter:
    from opencc import OpenCC

    made: _Converter = OpenCC("t2s")
    return made


def folded(text: str) -> str:
    """One value as it is compared.

    NFKC, without case, accents and punctuation; traditional characters simplified; other scripts in Latin letters.
    """
    from anyascii import anyascii

    plain = unicodedata.normalize("NFKC", text)
    if plain.isascii():
        return " ".join(_OTHER.sub(" ", plain.lower().replace("'", "")).split())
    if NATIVE.search(plain):
        plain = _simplifier().convert(plain)
    parts = [native or anyascii(other) for native, other in _RUNS.findall(plain)]
    return " ".join(_OTHER.sub(" ", "".join(parts).lower().replace("'", "")).split())


def latin(text: str) -> str:
    """A folded value in Latin letters without blanks, for comparing names across scripts; empty for Latin ones."""
    from anyascii import anyascii

    return anyascii(text).lower().replace(" ", "") if NATIVE.search(text) else ""


def ascii_folded(value: str) -> str:
    """SQL for `folded` over a value of ASCII characters alone."""
    return f"trim(regexp_replace(replace(lower({value}), '''', ''), '[^a-z0-9]+', ' ', 'g'))"


def fold_columns(query: Query, source: str, columns: Sequence[str]) -> Iterable[str]:
    """SQL for each of ``columns`` of the table ``source``, folded; null where nothing is left.

    Registers what the distinct values outside ASCII fold to, as `FOLDS`.
    """
    import pyarrow as pa

    foreign = " union ".join(f"select {c} as raw from {source} where strlen({c}) > length({c})" for c in columns)
    raw = query.table(foreign).column("raw").to_pylist() if columns else []
    values = [folded(r) for r in raw]
    query.register(
        FOLDS,
        pa.table({"raw": pa.array(raw, pa.string()), "folded": pa.array(values, pa.string())}),
    )
    for c in columns:
        found = f"(select folded from {FOLDS} where raw = {c})" if raw else ascii_folded(c)
        yield f"nullif(case when strlen({c}) = length({c}) then {ascii_folded(c)} else {found} end, '')"


def phonetic(name: str) -> str:
    """SQL for a rough sound of a folded Latin name: consonants by the place where they are spoken, no vowels.

    A name in another script stands for itself. Meant for finding pairs, not for judging them.
    """
    sounds = f"replace(replace(replace({name}, 'ph', 'f'), 'ch', 'k'), 'll', 'l')"
    spoken = f"translate({sounds}, 'bcdfgjkmnpqrstvwxz', 'pktfkskmmpkrstffss')"
    bare = f"regexp_replace(substr({spoken}, 2), '[aeiouyh ]', '', 'g')"
    return f"case when strlen({name}) > length({name}) then {name} else left({spoken}, 1) || left({bare}, 4) end"
