"""Names of people: put together from their parts, or taken apart where that is certain.

A Latin name of two words is given name and family name; "Family, Given" is turned round; a name of two to four Han
characters begins with its family name. Longer names are not cut: where is anybody's guess.
"""

from __future__ import annotations

from sfactl.leads.cleaning.expression import among, literal

HAN = r"[\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}]"
DOUBLE = (
    "歐陽", "欧阳", "司馬", "司马", "諸葛", "诸葛", "上官", "皇甫", "司徒", "慕容", "令狐", "尉遲", "尉迟", "端木",
    "公孫", "公孙", "東方", "东方", "夏侯", "南宮", "南宫", "獨孤", "独孤", "張簡", "范姜", "呼延", "長孫", "长孙",
)  # fmt: skip
SUFFIXES = (
    "jr",
    "jr.",
    "sr",
    "sr.",
    "ii",
    "iii",
    "phd",
    "ph.d.",
    "md",
    "m.d.",
    "esq",
    "esq.",
    "inc",
    "inc.",
    "ltd",
    "ltd.",
    "llc",
)

_WORD = r"[\p{Latin}'’-]+"
_TURNED = f"{_WORD}(?: {_WORD})?, {_WORD}(?: {_WORD}\\.?)?"


def full_name(full: str, first: str, last: str) -> str:
    """SQL for the name as a person reads it; each argument is SQL or ``null``."""
    behind = f"trim(split_part({full}, ',', 2))"
    turned = (
        f"case when contains({full}, ',') and regexp_full_match({full}, {literal(_TURNED)})"
        f" and not {among(behind, SUFFIXES)}"
        f" then trim(split_part({full}, ',', 2)) || ' ' || trim(split_part({full}, ',', 1)) else {full} end"
    )
    han = f"regexp_matches({last}, {literal(HAN)}) and coalesce(regexp_matches({first}, {literal(HAN)}), true)"
    made = f"case when {han} then concat({last}, {first}) else nullif(concat_ws(' ', {first}, {last}), '') end"
    if full == "null":
        return made
    if first == last == "null":
        return turned
    return f"coalesce({turned}, {made})"


def first_name(full: str) -> str:
    """SQL for the given name in a whole name; null where it is not certain."""
    return (
        f"case when {_two_words(full)} then split_part({full}, ' ', 1)"
        f" when {_han(full)} then case when {among(f'left({full}, 2)', DOUBLE)} then nullif(substr({full}, 3), '')"
        f" else substr({full}, 2) end end"
    )


def last_name(full: str) -> str:
    """SQL for the family name in a whole name; null where it is not certain."""
    return (
        f"case when {_two_words(full)} then split_part({full}, ' ', 2)"
        f" when {_han(full)} then case when {among(f'left({full}, 2)', DOUBLE)} then left({full}, 2)"
        f" else left({full}, 1) end end"
    )


def _two_words(full: str) -> str:
    return f"regexp_full_match({full}, '[\\p{{Latin}}][\\p{{Latin}}''’-]+ [\\p{{Latin}}][\\p{{Latin}}''’-]+')"


def _han(full: str) -> str:
    return f"strlen({full}) > length({full}) and regexp_full_match({full}, {literal(HAN + '{2,4}')})"
