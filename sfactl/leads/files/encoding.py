"""Decide the encoding of a text file: a byte-order mark, then valid UTF-8, then evidence; never a silent guess.

Bytes that are not UTF-8 are decoded with every candidate. A candidate that cannot decode all of the sample is out. What
is left is judged by how common the characters are that it gives: level 1 of the national standards for Chinese,
Japanese and Korean, letters that fit their neighbours for single-byte encodings. Where the runner-up reads differently
and is not clearly worse, the file is ambiguous and the mapping has to say.
"""

from __future__ import annotations

import codecs
import unicodedata
from dataclasses import dataclass

from sfactl.api.errors import DataError
from sfactl.leads.files.scan import Scan

CLEAR = 0.12
"""How much more common the best candidate's characters must be than the runner-up's."""
GOOD = 0.80
"""Below this share of common characters nothing is chosen without being told."""
LOST = "\ufffd"
"""Stands for bytes that the stated encoding cannot read."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ALIASES = {"big5": "cp950", "gb2312": "gb18030", "gbk": "gb18030", "cp936": "gb18030", "shift_jis": "cp932"}
"""A superset that reads all of what people call by the narrower name."""
_NAMES = {"cp950": "Big5", "gb18030": "GB18030", "cp932": "Shift-JIS", "euc_jp": "EUC-JP", "cp949": "EUC-KR"}
_NAMES |= {"utf-8": "UTF-8", "utf-8-sig": "UTF-8 with BOM", "utf-16": "UTF-16", "utf-32": "UTF-32", "ascii": "ASCII"}
_NAMES |= {"utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE", "big5hkscs": "Big5-HKSCS", "iso8859-1": "Latin-1"}
_LEVEL_1 = {
    "cp950": ("cp950", 0xA4, 0xC6, 0x40),
    "gb18030": ("gb2312", 0xB0, 0xD7, 0xA1),
    "cp932": ("cp932", 0x88, 0x97, 0x40),
    "euc_jp": ("euc_jp", 0xB0, 0xCF, 0xA1),
    "cp949": ("euc_kr", 0xB0, 0xC8, 0xA1),
}
"""Codec, first and last lead byte, and first trail byte of the commonest characters of each East Asian encoding."""
_SINGLE = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "koi8-r", "mac-roman", "cp850", "cp437")


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """What was decided and why. ``confidence`` is the share of common characters where evidence decided."""

    codec: str
    why: str
    confidence: float | None = None

    @property
    def label(self) -> str:
        """As people call it."""
        return _NAMES.get(self.codec, self.codec)

    @property
    def is_utf8(self) -> bool:
        """Can the bytes be handed on as they are?"""
        return self.codec in ("utf-8", "ascii", "utf-8-sig")


def stated(name: str, *, where: str) -> Encoding:
    """The encoding a mapping states; ``where`` names file and key."""
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        raise DataError(
            f"{where}: unknown encoding {name!r}", hint="Known ones: utf-8, utf-16, big5, gb18030, latin-1, cp1252 …"
        ) from None
    return Encoding(codec=_ALIASES.get(codec, codec), why="stated")


def detect(found: Scan, *, file: str) -> Encoding:
    """Decide from the bytes. Raises `DataError` that names the candidates where it is ambiguous."""
    for mark, codec in _BOMS:
        if found.head.startswith(mark):
            return Encoding(codec=codec, why="byte-order mark")
    if found.nul and (wide := _wide(found.head)):
        return Encoding(codec=wide, why="every other byte is zero")
    if found.ascii:
        return Encoding(codec="utf-8", why="ASCII")
    if found.bad_utf8_line is None:
        return Encoding(codec="utf-8", why="valid UTF-8")
    return _by_evidence(found, file)


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: ASCII text has its zero bytes all on one side."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    if max(even, odd) / half < 0.3 or min(even, odd) / half > 0.02:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


@dataclass(frozen=True, slots=True)
class _Candidate:
    codec: str
    text: str
    score: float


def _by_evidence(found: Scan, file: str) -> Encoding:
    if _mostly_utf8(found.sample):
        raise DataError(
            f"{file}: most lines are UTF-8, but line {found.bad_utf8_line} is not",
            hint='To reject such lines, state it in the mapping: [file] encoding = "utf-8"',
        )
    candidates = sorted(_candidates(found.sample), key=lambda c: -c.score)
    if not candidates:
        raise DataError(
            f"{file}: line {found.bad_utf8_line} is not UTF-8, and no other encoding reads the whole file",
            hint='State it in the mapping, for instance [file] encoding = "utf-8": lines it cannot read are rejected',
        )
    best = candidates[0]
    rivals = [c for c in candidates[1:] if c.text != best.text]
    if best.score >= GOOD and all(_clearly_worse(best, rival) for rival in rivals):
        return Encoding(codec=best.codec, why="evidence", confidence=round(best.score, 2))
    raise _ambiguous(file, [best, *(r for r in rivals if r.score > best.score / 2)][:4])


def _mostly_utf8(sample: bytes) -> bool:
    """Files put together from several sources: some lines in one encoding, some in another."""
    lines = sample[: 1 << 17].splitlines()
    readable = 0
    for line in lines:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            continue
        readable += 1
    return 2 * readable >= len(lines) > 0


def _clearly_worse(best: _Candidate, rival: _Candidate) -> bool:
    """Two single-byte readings are compared only where they differ: the letters they share prove nothing."""
    if best.codec in _LEVEL_1 or rival.codec in _LEVEL_1 or len(best.text) != len(rival.text):
        return best.score - rival.score >= CLEAR
    differ = {i for i, (a, b) in enumerate(zip(best.text, rival.text)) if a != b}
    return _fitting_letters(best.text, differ) - _fitting_letters(rival.text, differ) >= CLEAR


def _ambiguous(file: str, candidates: list[_Candidate]) -> DataError:
    shown = "; ".join(f"{_NAMES.get(c.codec, c.codec)} reads {_example(c.text)!r}" for c in candidates)
    named = " or ".join(f'"{c.codec}"' for c in candidates)
    return DataError(
        f"{file}: the encoding is ambiguous: {shown}", hint=f"State it in the mapping: [file] encoding = {named}"
    )


def _example(text: str) -> str:
    """The first non-ASCII word of the text."""
    words = (w for w in text.replace(",", " ").replace(";", " ").split() if not w.isascii())
    return next(words, text[:12])[:16]


def _candidates(sample: bytes) -> list[_Candidate]:
    found = []
    for codec in (*_LEVEL_1, *_SINGLE):
        try:
            text = sample[: 1 << 17].decode(codec)
        except UnicodeDecodeError as err:
            if err.end < min(len(sample), 1 << 17) - 4:
                continue
            text = sample[: err.start].decode(codec)
        score = _common_wide(text, codec) if codec in _LEVEL_1 else _fitting_letters(text)
        found.append(_Candidate(codec, text, score))
    return found


def _common_wide(text: str, codec: str) -> float:
    total = common = 0.0
    for char in text:
        if not char.isascii():
            total += 1
            common += _usual(char, codec)
    return common / total if total else 0.0


def _usual(char: str, codec: str) -> float:
    # Kana and full-width signs are as usual as common ideographs; half-width kana are what misread Latin gives.
    if "\u3000" <= char <= "\u30ff" or "\uff01" <= char <= "\uff5e" or _level_1(char, codec):
        return 1.0
    # GB18030 also writes traditional Chinese, though less often than Big5 does.
    return 0.85 if codec == "gb18030" and _level_1(char, "cp950") else 0.0


def _level_1(char: str, codec: str) -> bool:
    narrow, low, high, trail = _LEVEL_1[codec]
    raw = char.encode(narrow, "ignore")
    return len(raw) == 2 and low <= raw[0] <= high and raw[1] >= trail


def _fitting_letters(text: str, only: set[int] | None = None) -> float:
    """Share of non-ASCII characters that are letters of the script and case of the letters around them."""
    total = fitting = 0.0
    for i in sorted(only) if only is not None else range(len(text)):
        char = text[i]
        if not char.isascii():
            total += 1
            fitting += _fit(char, text[max(i - 1, 0) : i], text[i + 1 : i + 2])
    return fitting / total if total else 0.0


def _fit(char: str, before: str, behind: str) -> float:
    if not char.isalpha():
        return 0.9 if char in "«»–—’‘“”€£°…" else 0.0
    near = [c for c in (before, behind) if c.isalpha()]
    if not near:
        return 0.3
    if any(_script(c) != _script(char) for c in near) or (char.isupper() and before.islower()):
        return 0.0
    if _script(char) != "LATIN":
        return 1.0
    if len(near) == 2 and not any(c.isascii() for c in near):
        return 0.3
    # Where Western and Central European code pages both make a letter, the Western one is likelier; those of
    # _TURNED are what Czech, Hungarian and Croatian look like when misread, so they prove less.
    return 0.85 if char in _TURNED else 1.0 if char in _WESTERN else 0.8


_WESTERN = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŒ")
_TURNED = frozenset("øìðþõûæùòØÌÐÞÕÛÆÙÒ")


def _script(char: str) -> str:
    return "LATIN" if char.isascii() else unicodedata.name(char, "?").split()[0]
