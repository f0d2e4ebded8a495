"""Find intents by words and phrases: offline, the same each time, with negation within the clause.

Text and patterns are compared folded (NFKC, small letters). A pattern in a script with spaces must stand as whole words
(``*`` at its end: as a beginning); one in Chinese or Japanese may stand anywhere. It never guesses a language.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.records import IntentLabel

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.api.context import PluginContext

VERSION = "1"
FIRST, FURTHER, MOST = 0.6, 0.15, 0.95
"""Confidence of one pattern that is found, what each further one adds, and the most there is."""

UNSPACED = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\u3040-\u30ff\U00020000-\U0003ffff]")
WORD = re.compile(r"[\w'’-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation:
    """What turns a pattern into its contrary, and how far before it."""

    words: frozenset[str]
    reach: int
    harmless: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """One pattern of a label, ready to be looked for."""

    label: str
    text: str
    found: re.Pattern[str]
    unspaced: bool


class KeywordExtractor:
    """Implements `sfactl.api.protocols.IntentExtractor` and `LabelledExtractor`."""

    def __init__(self, _settings: None, _context: PluginContext) -> None:
        self._phrases: tuple[Phrase, ...] = ()

    def use_labels(self, labels: Sequence[IntentLabel]) -> str:
        """Take the patterns; the version is a hash of them and of the words of negation."""
        self._phrases = tuple(
            _phrase(label.name, text) for label in labels for texts in label.patterns.values() for text in texts
        )
        parts = [VERSION, _negation_text(), *sorted(f"{p.label}={p.text}" for p in self._phrases)]
        return f"{VERSION}-{hashlib.sha256(chr(31).join(parts).encode()).hexdigest()[:12]}"

    def extract(self, table: pa.Table) -> pa.Table:
        """One row for each label found in each text."""
        import pyarrow as pa

        ids: list[Any] = []
        labels: list[str] = []
        sure: list[float] = []
        for key, text in zip(table["utterance_id"].to_pylist(), table["text"].to_pylist()):
            for label, confidence in self.intents(text or "").items():
                ids.append(key)
                labels.append(label)
                sure.append(confidence)
        return pa.table(
            {
                "utterance_id": pa.array(ids, table["utterance_id"].type),
                "label": pa.array(labels, pa.string()),
                "confidence": pa.array(sure, pa.float64()),
                "model": pa.array(["patterns"] * len(ids), pa.string()),
            }
        )

    def intents(self, text: str) -> dict[str, float]:
        """The labels found in ``text`` with their confidence, by name."""
        said = folded(text)
        found: dict[str, int] = {}
        for phrase in self._phrases:
            if any(not _negated(said, match.start(), phrase.unspaced) for match in phrase.found.finditer(said)):
                found[phrase.label] = found.get(phrase.label, 0) + 1
        return {label: round(min(MOST, FIRST + FURTHER * (n - 1)), 2) for label, n in sorted(found.items())}


def folded(text: str) -> str:
    """Text as it is compared: compatibility forms, capitals, apostrophes and runs of blanks folded."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("\u200b", "")
    return re.sub(r"[^\S\n]+", " ", plain)


def _phrase(label: str, text: str) -> Phrase:
    plain = folded(text).strip()
    unspaced = UNSPACED.search(plain) is not None
    begins = plain.endswith("*")
    body = re.escape(plain.removesuffix("*")).replace(r"\ ", r"\s+")
    if not unspaced:
        body = rf"(?<!\w){body}" + ("" if begins else r"(?!\w)")
    return Phrase(label=label, text=plain, found=re.compile(body), unspaced=unspaced)


def _negated(text: str, at: int, unspaced: bool) -> bool:
    """Whether a negation stands shortly before ``at`` in the same clause."""
    ends, turning = _clauses()
    clause = ends.split(text[max(0, at - 80) : at])[-1]
    for word in turning:
        clause = clause.rpartition(word)[2] if word in clause else clause
    rule = _negations()[unspaced]
    clause = rule.harmless.sub(" ", clause)
    if unspaced:
        return any(word in clause[-rule.reach :] for word in rule.words)
    return any(word in rule.words for word in WORD.findall(clause)[-rule.reach - 1 :])


@lru_cache(maxsize=1)
def _negation_text() -> str:
    return Path(__file__).with_name("negation.toml").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _clauses() -> tuple[re.Pattern[str], tuple[str, ...]]:
    raw = tomllib.loads(_negation_text())
    turning = tuple(word if UNSPACED.search(word) else f" {word} " for word in raw["turning"])
    return re.compile(f"[{re.escape(raw['clause_ends'])}]"), turning


@lru_cache(maxsize=1)
def _negations() -> dict[bool, Negation]:
    raw = tomllib.loads(_negation_text())

    def rule(table: dict[str, Any]) -> Negation:
        longest_first = sorted(table["harmless"], key=len, reverse=True)
        return Negation(
            words=frozenset(table["words"]),
            reach=table["reach"],
            harmless=re.compile("|".join(map(re.escape, longest_first))),
        )

    return {False: rule(raw["spaced"]), True: rule(raw["unspaced"])}
