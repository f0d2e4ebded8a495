"""Which texts are the same when people search: width and compatibility forms, capitals, and on demand traditional and
simplified characters.

What is searched is known beforehand, so it becomes a pattern that lists the characters it stands for; stored texts are
matched as they are. Of combined characters (e with an accent, ka with a voiced mark) both ways of writing are known.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from types import MappingProxyType

BLOCKS = (
    range(0x41, 0x5B),
    range(0xA0, 0x3400),
    range(0xA640, 0xAC00),
    range(0xF900, 0x10000),
    range(0x10400, 0x10600),
    range(0x10780, 0x107C0),
    range(0x10C80, 0x10D80),
    range(0x118A0, 0x118C0),
    range(0x16E40, 0x16E80),
    range(0x1CCD0, 0x1CD00),
    range(0x1D100, 0x1D800),
    range(0x1DF00, 0x1F300),
    range(0x1FB00, 0x1FC00),
    range(0x2F800, 0x2FA20),
)
"""Where characters with a compatibility form or a small letter lie; all others are themselves."""
HAN = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000))
MARKS = tuple(
    chr(code)
    for code in chain(range(0x300, 0x370), range(0x900, 0xE00), (0x3099, 0x309A, 0xFF9E, 0xFF9F))
    if unicodedata.category(chr(code)).startswith("M") or code > 0xFF00
)
"""Characters that may melt with the one before them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A text to search for: ``plain`` as it is compared where all is ASCII (None: it cannot be in ASCII), ``pattern``
    as regular expression over stored texts, and ``longer``: characters that stand for several, which come first."""

    plain: str | None
    pattern: str
    longer: Mapping[str, str]


@lru_cache(maxsize=512)
def sought(text: str, *, han: bool = False) -> Sought:
    """How to find ``text``; with ``han`` traditional and simplified characters are the same."""
    wanted = folded(text, han=han)
    parts = "".join(_pattern(char, han) for char in wanted)
    longer = {source: to for source, to in _tables(han)[1].items() if not set(to).isdisjoint(wanted)}
    plain = wanted if wanted.isascii() else None
    return Sought(plain=plain, pattern=parts, longer=MappingProxyType(longer))


def guard(text: str, *, han: bool = False) -> str:
    """What must follow the end of ``text`` so that its last character is whole."""
    wanted = folded(text, han=han)
    marks = "".join(m for m in MARKS if wanted and _melts(wanted[-1], m))
    return f"(?:[^{marks}]|$)" if marks else ""


def folded(text: str, *, han: bool = False) -> str:
    """``text`` as it is compared: NFKC, small letters, and with ``han`` simplified characters."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    return plain.translate(_simplified()) if han and not plain.isascii() else plain


def _melts(char: str, mark: str) -> bool:
    return len(unicodedata.normalize("NFC", char + folded(mark))) == 1


def _pattern(char: str, han: bool) -> str:
    found = _class(char, han)
    parts = unicodedata.normalize("NFD", char)
    if len(parts) == 1:
        return found
    first = unicodedata.normalize("NFC", parts[:-1])
    return f"(?:{found}|{_pattern(first, han)}{_class(parts[-1], han)})"


def _class(char: str, han: bool) -> str:
    every = sorted({char, *_tables(han)[0].get(char, "")})
    return f"[{''.join(_escaped(c) for c in every)}]"


def _escaped(char: str) -> str:
    return f"\\x{{{ord(char):x}}}" if ord(char) < 0x80 and not char.isalnum() else char


@lru_cache(maxsize=2)
def _tables(han: bool) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Other characters that stand for one, and characters that stand for several."""
    same: dict[str, list[str]] = {}
    longer: dict[str, str] = {}
    simplified = _simplified() if han else {}
    for char in _characters(han):
        if not (unicodedata.decomposition(char) or char.lower() != char or ord(char) in simplified):
            continue
        to = folded(char, han=han)
        if to == char:
            continue
        if len(to) == 1:
            same.setdefault(to, []).append(char)
        elif to and unicodedata.normalize("NFD", char) != unicodedata.normalize("NFD", to):
            longer[char] = to
    return {to: "".join(chars) for to, chars in same.items()}, longer


def _characters(han: bool) -> Iterator[str]:
    return map(chr, chain(*BLOCKS, *(HAN if han else ())))


@lru_cache(maxsize=1)
def _simplified() -> Mapping[int, str]:
    """Each traditional character with the simplified one, character by character."""
    from opencc import OpenCC

    characters = [chr(code) for code in chain(*HAN)]
    turned = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    return {ord(a): b for a, b in zip(characters, turned, strict=True) if a != b and len(b) == 1}
