"""Countries by code or name, in the languages that CLDR knows, to ISO 3166 alpha-2."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import Answer, Expression, in_list, look_up

LANGUAGES = (
    "en",
    "zh",
    "zh_Hant",
    "ja",
    "ko",
    "pt",
    "es",
    "fr",
    "de",
    "it",
    "nl",
    "ru",
    "pl",
    "tr",
    "vi",
    "th",
    "id",
    "ar",
)
_OTHERS = {
    "uk": "GB", "greatbritain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "usa": "US", "america": "US",
    "unitedstatesofamerica": "US", "holland": "NL", "taiwanroc": "TW", "republicofchina": "TW", "roc": "TW",
    "臺灣": "TW", "中華民國": "TW", "中华民国": "TW", "prc": "CN", "peoplesrepublicofchina": "CN", "中國大陸": "CN",
    "中国大陆": "CN", "大陸": "CN", "mainlandchina": "CN", "korea": "KR", "southkorea": "KR", "republicofkorea": "KR",
    "russia": "RU", "vietnam": "VN", "uae": "AE", "czechrepublic": "CZ", "香港": "HK", "澳門": "MO", "澳门": "MO",
    "hongkong": "HK", "macau": "MO", "brasil": "BR", "deutschland": "DE", "iran": "IR", "ivorycoast": "CI",
}  # fmt: skip


def country_expression(query: Query, text: str, source: str) -> Expression:
    """SQL for the code; a name that is not known is kept as written and counted."""
    codes = in_list(sorted(alpha_2()))
    known = f"{text} in ({codes})"
    asked = look_up(
        query,
        f"select distinct {text} as raw from {source} where {text} is not null and not ({known})",
        "country_answers",
        found,
        ("code",),
    )
    if not asked:
        return Expression(value="s._country", early={"_country": text})
    return Expression(
        value="s._country",
        joins=(f"left join country_answers ca on ca.raw = {text}",),
        early={
            "_country": f"coalesce(ca.code, {text})",
            "_country_asked": "ca.raw is not null",
            "_country_code": "ca.code",
        },
        counts={
            "countries": "s._country_code is not null",
            "countries_unknown": "s._country_asked and s._country_code is null",
        },
    )


def found(rows: Sequence[Answer]) -> list[Answer]:
    """The code of each text, or None."""
    return [(country_code(row[0] or ""),) for row in rows]


def country_code(text: str) -> str | None:
    """ISO 3166 alpha-2 of a code or a name, or None."""
    for part in (text, re.sub(r"\(.*?\)|（.*?）", "", text)):
        for languages in (
            LANGUAGES[:3],
            LANGUAGES[3:],
        ):  # the rest only where these do not know: they take time to load
            if code := _names(languages).get(_folded(part)):
                return code
    return None


@lru_cache(maxsize=1)
def alpha_2() -> frozenset[str]:
    """All codes."""
    from babel import Locale

    codes = (str(c) for c in Locale("en").territories)
    return frozenset(c for c in codes if re.fullmatch("[A-Z]{2}", c) and c not in _NO_COUNTRY)


_NO_COUNTRY = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"})


@lru_cache(maxsize=2)
def _names(languages: tuple[str, ...]) -> Mapping[str, str]:
    from babel import Locale
    from babel.core import get_global

    known: dict[str, str] = {}
    codes = alpha_2()
    for language in languages:
        for code, territory in Locale.parse(language).territories.items():
            if code in codes:
                known.setdefault(_folded(territory), code)
    for alias, codes_of in get_global("territory_aliases").items():  # alpha-3 and numeric codes
        if len(codes_of) == 1 and codes_of[0] in codes and len(alias) == 3:
            known.setdefault(alias.lower(), codes_of[0])
    known |= {_folded(name): code for name, code in _OTHERS.items()}
    return known | {code.lower(): code for code in codes}


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return re.sub(r"[\W_]+", "", "".join(c for c in plain if not unicodedata.combining(c)))
