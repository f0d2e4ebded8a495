"""Clean plain text: NFKC, blanks, placeholders, and the transforms that a mapping states.

Text that people wrote in sentences keeps its line ends and full-width punctuation; names, addresses and codes do not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import Answer, among, literal, look_up
from sfactl.leads.mapping import as_text
from sfactl.leads.model import Plan, Target, Transform

PROSE = frozenset({"note", "need", "background", "text"})
"""Fields of sentences: only trimmed."""
SAFE = (
    r"\x{00C0}-\x{00D6}\x{00D8}-\x{00F6}\x{00F8}-\x{0131}\x{0134}-\x{013E}\x{0141}-\x{0148}\x{014A}-\x{017E}"
    r"\x{0391}-\x{03A1}\x{03A3}-\x{03C9}\x{0410}-\x{044F}\x{2010}\x{2012}-\x{2016}\x{2018}-\x{2023}\x{2027}\x{3041}-\x{3096}\x{30A1}-\x{30FE}\x{3001}-\x{3029}"
    r"\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}\x{AC00}-\x{D7A3}"
)
"""Characters that NFKC leaves alone wherever they stand; a test compares them with the Unicode tables."""
UNSAFE = rf"[^\x{{00}}-\x{{7F}}{SAFE}]"
_GAP_SQL = {"  ": "'  '", "\t": "chr(9)", "\n": "chr(10)", "\r": "chr(13)"}
_GONE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\x00-\x08\x0b-\x1f\x7f]")


def register_nfkc(query: Query, staged: str, columns: Sequence[int]) -> tuple[int, ...]:
    """Make the table ``nfkc`` (raw, clean) of all values that NFKC changes, and say in which columns such are."""
    if not columns:
        return ()
    # ASCII is told by its length in bytes, which costs far less than a pattern.
    tests = ", ".join(f"bool_or(strlen(c{i}) > length(c{i}) and {_unsafe(i)})" for i in columns)
    doubted = [i for i, found in zip(columns, query.one(f"select {tests} from {staged}") or ()) if found]
    if not doubted:
        return ()
    parts = " union ".join(f"select c{i} as raw, {i} as i from {staged} where {_unsafe(i)}" for i in doubted)
    look_up(query, f"select distinct raw, i from ({parts})", "nfkc_answers", normalised, ("clean",))
    query.run("create or replace temp table nfkc as select distinct raw, clean from nfkc_answers where clean <> raw")
    return tuple(int(r[0]) for r in query.rows("select distinct i from nfkc_answers where clean <> raw order by 1"))


def _unsafe(i: int) -> str:
    return f"regexp_matches(c{i}, {literal(UNSAFE)})"


def normalised(rows: Sequence[Answer]) -> list[Answer]:
    """NFKC of each text, without characters that nobody sees."""
    return [(nfkc(row[0] or ""),) for row in rows]


def nfkc(text: str) -> str:
    """NFKC without invisible characters; runs of blanks of any kind become one plain blank."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", _GONE.sub("", text)))


def trimmed(i: int, gaps: Sequence[str], normal: bool, *, prose: bool = False) -> str:
    """SQL for the staged column ``i`` (alias ``s``, its NFKC in ``n<i>``) without blanks around it and runs of them.

    ``gaps`` are the characters that a cell may hold where one blank should be.
    """
    raw = f"s.c{i}"
    if prose:
        return f"trim({raw}, ' ' || chr(9) || chr(10) || chr(13) || chr(12288))"
    text = f"coalesce(n{i}.clean, {raw})" if normal else raw
    # Trimming reads every character; most cells have no blank at their ends, and that is told by one byte of each.
    ends = f"when starts_with({text}, ' ') or ends_with({text}, ' ') then trim({text}) else {text} end"
    if not gaps:
        return f"case {ends}"
    runs = " or ".join(f"contains({raw}, {_GAP_SQL[gap]})" for gap in gaps)
    return f"case when {runs} then trim(regexp_replace({text}, '\\s+', ' ', 'g')) {ends}"


def transformed(target: Target) -> str:
    """SQL for a target's text over trimmed cells: joined, without placeholders, transformed; null where empty."""
    if target.constant is not None:
        return literal(as_text(target.constant))
    kind = "p" if target.field in PROSE else "t"
    cells = [f"s.{kind}{i}" for i in target.columns]
    if len(cells) == 1:
        return _transformed(_blanked(cells[0], target), target.transform)
    parts = ", ".join(_blanked(c, target) for c in cells)
    joined = f"nullif(concat_ws({literal(target.transform.separator)}, {parts}), '')"
    return _transformed(joined, target.transform)


def _blanked(text: str, target: Target) -> str:
    listed = sorted({p.strip().lower() for p in target.placeholders} - {""})
    if target.field == "country":  # NA is Namibia
        listed = [p for p in listed if p != "na"]
    longest = max((len(p.encode()) for p in listed), default=0)
    # Most values are longer than any placeholder: their length settles it.
    return (
        f"case when strlen({text}) > {longest} then {text} when {among(text, ('', *listed))} then null else {text} end"
    )


def _transformed(text: str, transform: Transform) -> str:
    if transform.regex is not None:
        if transform.replace is not None:
            text = f"regexp_replace({text}, {literal(transform.regex)}, {literal(transform.replace)}, 'g')"
        else:
            group = 1 if re.compile(transform.regex).groups else 0
            text = f"nullif(regexp_extract({text}, {literal(transform.regex)}, {group}), '')"
    if transform.split is not None:
        text = f"trim(split_part({text}, {literal(transform.split)}, {transform.part}))"
    if transform.values:
        whens = " ".join(
            f"when {literal(str(k).strip().lower())} then {literal(as_text(v))}" for k, v in transform.values.items()
        )
        other = literal(as_text(transform.other)) if transform.other is not None else text
        text = f"case when {text} is null then null else case lower({text}) {whens} else {other} end end"
    if transform.case:
        text = _cased(text, transform.case)
    if transform.prefix:
        text = f"{literal(transform.prefix)} || {text}"
    return f"nullif({text}, '')" if transform != Transform() else text


def _cased(text: str, case: str) -> str:
    if case == "title":
        words = f"string_split(lower({text}), ' ')"
        return f"array_to_string(list_transform({words}, lambda w: upper(w[1]) || w[2:]), ' ')"
    return f"{case}({text})"


def text_columns(plan: Plan) -> tuple[int, ...]:
    """Staged columns that go through NFKC."""
    found = (i for t in plan.targets if t.field not in PROSE for i in t.columns)
    return tuple(sorted(set(found)))
