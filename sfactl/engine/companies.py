"""Company names: kept as written but clean, and folded into a key that is the same for "ACME Co., Ltd." and "Acme"."""

from __future__ import annotations

LATIN_FORMS = (
    "co", "company", "ltd", "limited", "inc", "incorporated", "corp", "corporation", "llc", "llp", "lp", "plc", "pte",
    "pty", "gmbh", "mbh", "ag", "kg", "ohg", "ug", "se", "sa", "s a", "sas", "sarl", "s a r l", "sl", "s l", "srl",
    "s r l", "spa", "s p a", "ltda", "eireli", "me", "epp", "bv", "b v", "nv", "n v", "oy", "oyj", "ab", "a s", "as",
    "aps", "k k", "kk", "sdn bhd", "bhd", "jsc", "ooo", "zao", "sp z o o", "s r o", "kft",
)  # fmt: skip
HAN_FORMS = (
    "股份有限公司", "有限责任公司", "有限責任公司", "有限公司", "集团公司", "集團公司", "股份公司", "公司", "集团",
    "集團", "株式会社", "株式會社", "有限会社", "合同会社", "合資会社", "주식회사",
)  # fmt: skip


def folded(company: str) -> str:
    """SQL for a clean company name without case, accents and punctuation."""
    return f"trim(regexp_replace(strip_accents(lower({company})), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g'))"


def company_key(name: str) -> str:
    """SQL for the key of a folded company name: without its legal form and blanks."""
    return f"replace({without_form(name)}, ' ', '')"


def without_form(name: str) -> str:
    """SQL for a folded company name without its legal form; the whole name where nothing else is in it."""
    latin = "|".join(sorted(LATIN_FORMS, key=len, reverse=True))
    bare = f"regexp_replace({name}, {_literal(f'(?: (?:{latin}))+$')}, '')"
    han = _without_han(bare, "|".join(HAN_FORMS))
    key = f"trim(case when strlen({name}) > length({name}) then {han} else {bare} end)"
    return f"coalesce(nullif({key}, ''), {name})"


def _without_han(text: str, forms: str) -> str:
    front = f"regexp_replace({text}, {_literal(f'^(?:{forms}|株) ?')}, '')"
    return f"regexp_replace({front}, {_literal(f' ?(?:{forms}|株)+$')}, '')"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
