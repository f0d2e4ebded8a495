"""Read the word lists and places, and lay them out as the small tables that the statements pick from."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

FOLDER = Path(__file__).parent
LANGUAGES = ("zh-Hant", "zh-Hans", "ja", "en", "de")


def tables() -> dict[str, pa.Table]:
    """The tables ``word``, ``place``, ``city``, ``industry``, ``title``, ``source``, ``product`` and ``act``."""
    words = _read("words.toml")
    places = _read("places.toml")["country"]
    return {
        "word": pa.Table.from_pylist(list(_words(words))),
        "place": _numbered("place_no", [{**p, "cities": len(p["cities"])} for p in places]),
        "city": pa.Table.from_pylist(
            [
                {"place_no": n, "i": i, "name": name, "postal_code": code}
                for n, p in enumerate(places)
                for i, (name, code) in enumerate(p["cities"])
            ]
        ),
        "industry": _numbered("industry_no", _without(words["industry"], "trade")),
        "title": _numbered("title_no", _without(words["title"], "text")),
        "source": _numbered("source_no", [{"event": None, **s} for s in words["source"]]),
        "product": _numbered("product_no", _without(words["product"], "text")),
        "act": _numbered("act_no", words["act"]),
    }


def decks() -> dict[str, list[int]]:
    """For each weighted choice a hundred cards; drawing one is choosing with the weights."""
    words = _read("words.toml")
    acts = words["act"]
    return {
        "place_deck": _deck(p["weight"] for p in _read("places.toml")["country"]),
        "title_deck": _deck(t["weight"] for t in words["title"]),
        "source_deck": _deck(s["weight"] for s in words["source"]),
        "product_deck": _deck(p["weight"] for p in words["product"]),
        "act_deck": [card for warmth in ("cold", "warm", "hot") for card in _deck(a[warmth] for a in acts)],
    }


def products() -> Sequence[Mapping[str, Any]]:
    """What the world's seller sells: sku, price, and the name in each language."""
    return list(_read("words.toml")["product"])


def _words(words: Mapping[str, Any]) -> Iterable[dict[str, object]]:
    for kind in ("family", "given", "first", "second"):
        for language, pairs in words[kind].items():
            for i, (native, roman) in enumerate(pairs):
                yield {"kind": kind, "language": language, "i": i, "native": native, "roman": roman}
    for kind, objects, key in (
        ("trade", words["industry"], "trade"),
        ("title", words["title"], "text"),
        ("product", words["product"], "text"),
    ):
        for i, thing in enumerate(objects):
            for language in LANGUAGES:
                yield {"kind": kind, "language": language, "i": i, "native": thing[key][language], "roman": None}


def _deck(weights: Iterable[int]) -> list[int]:
    cards = [number for number, weight in enumerate(weights) for _ in range(weight)]
    if len(cards) != 100:
        raise ValueError(f"the weights of a choice add up to {len(cards)}, not 100")
    return cards


def _numbered(column: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([{column: i, **row} for i, row in enumerate(rows)])


def _without(rows: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != key} for row in rows]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))
