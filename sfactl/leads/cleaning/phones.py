"""Phones to E.164. A statement made from libphonenumber's own tables settles the plain cases, the library the rest.

The library takes some 18 µs a number. Most numbers are plain: an international one, or a national one with or without
its trunk prefix, that matches its country's numbering plan. For these the patterns are generated from the library's
metadata; whatever could be read differently (an inner prefix, an exit code, letters, an extension) goes to the library.
A number that cannot exist by its length is a wrong value. One whose country is not known is kept as written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import Answer, Expression, Second, among, literal, look_up

TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip
MOST = 12
"""So many countries get a pattern of their own; the rest is rare enough for the library."""
LOOKED = 200_000
"""So many rows are looked at to see which countries are frequent."""
PLAIN = r"\+?[0-9 ().\-]{5,24}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """What a statement must know of one calling code: patterns of RE2, numbers without the code."""

    code: str
    valid: str
    inner_prefix: str
    trunk: str | None
    exit: str


_STATES = {
    "phones_without_country": "no country",
    "phones_not_assigned": "not assigned",
    "phone_extensions": "extension",
}


def phone_expression(query: Query, text: str, country: str, source: str, *, patterns: bool = True) -> Expression:
    """SQL for the number where a pattern settles it; ``country`` is SQL for the row's country code or null.

    Without ``patterns`` every number is in doubt, so that the library is asked for all of them at once.
    """
    early = (
        {"_phone_digits": dialled(text, country), "_phone_place": country} if patterns else {"_phone_place": country}
    )
    columns = "".join(f", {sql} as {step}" for step, sql in early.items())
    fast = _fast(query, text, f"(select s.*{columns} from {source}) s") if patterns else "cast(null as varchar)"
    return Expression(
        value="s._phone",
        early=early,
        steps={"_phone": fast},
        counts={"phones": f"coalesce(s._phone <> {text}, false)", **dict.fromkeys(_STATES, "false")},
        doubt=f"s._phone is null and {text} is not null",
        raw=text,
        place="s._phone_place",
    )


def second_phone(query: Query, doubted: str) -> Second:
    """Have the numbers that no pattern settled read by the library; ``doubted`` is where to read them from."""
    look_up(
        query,
        f"select distinct _raw_phone as raw, _place_phone as place from {doubted} where _raw_phone is not null",
        "phone_answers",
        judged,
        ("phone", "problem", "state"),
    )
    return Second(
        join="left join phone_answers pa on pa.raw = c._raw_phone and pa.place is not distinct from c._place_phone",
        value="case when c._raw_phone is null then c.phone else pa.phone end",
        problem="pa.problem",
        counts={
            "phones": "c._is_phones or coalesce(pa.phone[1:1] = '+' and pa.phone <> c._raw_phone, false)",
            **{key: f"coalesce(pa.state = '{state}', false)" for key, state in _STATES.items()},
        },
    )


def dialled(text: str, country: str) -> str:
    """SQL for the digits of a number, an exit code 00 read as + in the countries that dial it."""
    digits = f"regexp_replace({text}, '[ ().-]', '', 'g')"
    return (
        f"case when {text}[1:2] = '00' and {among(country, _dialling_00())} then '+' || {digits}[3:] else {digits} end"
    )


@lru_cache(maxsize=1)
def _dialling_00() -> tuple[str, ...]:
    from phonenumbers import SUPPORTED_REGIONS, PhoneMetadata

    found = (PhoneMetadata.metadata_for_region(r) for r in sorted(SUPPORTED_REGIONS))
    return tuple(m.id for m in found if m and "00" in _alternatives(m.international_prefix or ""))


def _fast(query: Query, text: str, source: str) -> str:
    digits, place = "s._phone_digits", "s._phone_place"
    looked = f"(select {digits} as digits, {place} as place from {source} limit {LOOKED})"
    abroad = query.rows(
        f"select left(digits, 4), count(*) as n from {looked} where digits[1:1] = '+'"
        f" group by 1 order by n desc, 1 limit {3 * MOST}"
    )
    codes = dict.fromkeys(c for start, _ in abroad if (c := calling_code(str(start)[1:])))
    at_home = query.rows(
        f"select place, count(*) as n from {looked} where digits[1:1] <> '+' and place is not null"
        f" group by 1 order by n desc, 1 limit {MOST}"
    )
    whens = [international(digits, numbering(code)) for code in list(codes)[:MOST]]
    regions = [(str(r), n) for r, _ in at_home if (n := numbering_of(str(r)))]
    homes = "".join(f" when {literal(r)} then {national(digits, n)}" for r, n in regions)
    if homes:
        whens.append(f"when {digits}[1:1] <> '+' then case {place}{homes} end")
    if not whens:
        return "cast(null as varchar)"
    return f"case when regexp_full_match({text}, {literal(PLAIN)}) then case {' '.join(whens)} end end"


def international(digits: str, plan: Numbering) -> str:
    """A WHEN branch for numbers that begin with + and the calling code."""
    behind = len(plan.code) + 2
    inner = f" and not regexp_matches({digits}[{behind}:], {literal('^(?:' + plan.inner_prefix + ')')})"
    return (
        f"when left({digits}, {behind - 1}) = '+{plan.code}' then case when regexp_full_match({digits}[{behind}:],"
        f" {literal(plan.valid)}){inner if plan.inner_prefix else ''} then {digits} end"
    )


def national(digits: str, plan: Numbering) -> str:
    """SQL for a national number of the plan's country: E.164, or null where the library must look."""
    no_exit = f"not regexp_matches({digits}, {literal('^(?:' + plan.exit + ')')})" if plan.exit else "true"
    no_inner = (
        f"not regexp_matches({digits}, {literal('^(?:' + plan.inner_prefix + ')')})" if plan.inner_prefix else "true"
    )
    bare = (
        f"when {no_inner} and {no_exit} and left({digits}, {len(plan.code)}) <> '{plan.code}'"
        f" and regexp_full_match({digits}, {literal(plan.valid)}) then '+{plan.code}' || {digits}"
    )
    if plan.trunk is None:
        return f"case {bare} end"
    others = _other_prefixes(plan)
    behind = f"{digits}[{len(plan.trunk) + 1}:]"
    clean = f" and not regexp_matches({digits}, {literal('^(?:' + others + ')')})" if others else ""
    return (
        f"case when left({digits}, {len(plan.trunk)}) = '{plan.trunk}'{clean} and {no_exit}"
        f" and regexp_full_match({behind}, {literal(plan.valid)}) then '+{plan.code}' || {behind} {bare} end"
    )


def _other_prefixes(plan: Numbering) -> str:
    return "|".join(p for p in _alternatives(plan.inner_prefix) if p != plan.trunk)


@lru_cache(maxsize=256)
def numbering(code: str) -> Numbering:
    """The plan of a calling code: all types of numbers in all its regions."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

    regions = COUNTRY_CODE_TO_REGION_CODE[int(code)]
    main = _metadata(regions[0], int(code))
    patterns: dict[str, None] = {}
    for region in regions:
        found: Any = PhoneMetadata.metadata_for_region(region) if len(region) == 2 else _metadata(region, int(code))
        for kind in TYPES:
            description = getattr(found, kind, None) if found else None
            if description is not None and description.national_number_pattern:
                patterns[description.national_number_pattern] = None
    prefix = main.national_prefix_for_parsing or ""
    trunk = main.national_prefix if main.national_prefix in _alternatives(prefix) else None
    return Numbering(
        code=code,
        valid="|".join(f"(?:{p})" for p in patterns) or "[^0-9]",
        inner_prefix=prefix,
        trunk=trunk,
        exit=main.international_prefix or "",
    )


def numbering_of(region: str) -> Numbering | None:
    """The plan of a region that is its calling code's main one; others share prefixes they do not own."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, country_code_for_region

    code = country_code_for_region(region)
    found = PhoneMetadata.metadata_for_region(region) if code else None
    if not code or found is None:
        return None
    main = _metadata(COUNTRY_CODE_TO_REGION_CODE[code][0], code)
    same = (found.national_prefix_for_parsing, found.national_prefix, found.international_prefix) == (
        main.national_prefix_for_parsing,
        main.national_prefix,
        main.international_prefix,
    )
    return numbering(str(code)) if same else None


def _metadata(region: str, code: int) -> Any:
    from phonenumbers import PhoneMetadata

    if region == "001":
        return PhoneMetadata.metadata_for_nongeo_region(code)
    return PhoneMetadata.metadata_for_region(region)


def _alternatives(pattern: str) -> list[str]:
    """The parts of a pattern between its outermost bars."""
    parts, depth, last = [], 0, 0
    for i, char in enumerate(pattern):
        depth += (char in "([") - (char in ")]")
        if char == "|" and depth == 0:
            parts.append(pattern[last:i])
            last = i + 1
    return [*parts, pattern[last:]] if pattern else []


def calling_code(digits: str) -> str | None:
    """The calling code at the start of ``digits``."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return next(
        (digits[:n] for n in (1, 2, 3) if digits[:n].isdigit() and int(digits[:n]) in COUNTRY_CODE_TO_REGION_CODE), None
    )


def judged(rows: Sequence[Answer]) -> list[Answer]:
    """(phone, problem, state) for each (text, country)."""
    return [_judge(row[0] or "", row[1]) for row in rows]


def _judge(text: str, country: str | None) -> Answer:
    import phonenumbers as lib

    if re.fullmatch(r"[\d.]+[eE]\+?\d+", text):
        return (None, "phone was shortened by a spreadsheet", None)
    text = _first(re.sub(r"^(\d{6,})\.0$", r"\1", text))
    region = country if country and country.upper() in lib.SUPPORTED_REGIONS else None
    try:
        number = lib.parse(text, region)
    except lib.NumberParseException as err:
        return _unreadable(text, region, err)
    reason = lib.is_possible_number_with_reason(number)
    if reason not in (lib.ValidationResult.IS_POSSIBLE, lib.ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
        return (None, _length(text), None)
    if reason == lib.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        return (text, None, "no country")
    state = "extension" if number.extension else None if lib.is_valid_number(number) else "not assigned"
    return (lib.format_number(number, lib.PhoneNumberFormat.E164), None, state)


def _first(text: str) -> str:
    """The first of several numbers in one cell."""
    parts = [p.strip() for p in re.split(r"[;,、|]|\s/\s|/(?=\s*[+0(])|\bor\b|或", text)]
    return next((p for p in parts if len(re.sub(r"\D", "", p)) >= 6), text)


def _unreadable(text: str, region: str | None, err: Any) -> Answer:
    import phonenumbers as lib

    count = len(re.sub(r"\D", "", text))
    if err.error_type == lib.NumberParseException.INVALID_COUNTRY_CODE and region is None and 5 <= count <= 15:
        return (text, None, "no country")
    return (None, _length(text) if count else "phone is not a number", None)


def _length(text: str) -> str:
    count = len(re.sub(r"\D", "", text))
    return f"phone has {count} digit{'s' if count != 1 else ''}"
