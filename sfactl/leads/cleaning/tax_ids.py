"""Tax numbers by the rules of their country. A wrong check digit is told, and the number kept as it was written.

Most rules are python-stdnum's. Taiwan's is stated here because the Ministry of Finance widened it: since April 2023 the
weighted sum need only be divisible by 5, where it used to be 10.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import Answer, Expression, look_up

MODULES = {
    "CN": ("cn.uscc",), "BR": ("br.cnpj", "br.cpf"), "US": ("us.ein", "us.tin"), "JP": ("jp.cn",), "KR": ("kr.brn",),
    "IN": ("in_.gstin", "in_.pan"), "AU": ("au.abn", "au.acn"), "NZ": ("nz.ird",), "MX": ("mx.rfc",), "CA": ("ca.bn",),
    "GB": ("gb.vat",), "CH": ("ch.uid", "ch.vat"), "NO": ("no.orgnr", "no.mva"), "ID": ("id.npwp",), "TH": ("th.tin",),
    "VN": ("vn.mst",), "RU": ("ru.inn",), "TR": ("tr.vkn", "tr.tckimlik"), "ZA": ("za.tin",), "CL": ("cl.rut",),
    "AR": ("ar.cuit",), "CO": ("co.nit",), "PE": ("pe.ruc",), "IL": ("il.hp",),
    "FR": ("fr.siret", "fr.siren", "fr.tva"), "DE": ("de.vat", "de.stnr"), "IT": ("it.iva", "it.codicefiscale"),
    "PT": ("pt.nif",), "ES": ("es.nif", "es.cif"),
}  # fmt: skip
"""Modules of stdnum by country, in the order they are tried; the EU's others are tried as VAT numbers."""


def tax_id_expression(text: str, country: str) -> Expression:
    """SQL for the number where a statement settles it; ``country`` is SQL for the row's country code or null."""
    compact = f"regexp_replace({text}, '[ -]', '', 'g')"
    taiwan = f"({country} = 'TW' and regexp_full_match({compact}, '[0-9]{{8}}'))"
    return Expression(
        value=f"case when s._tax_right then s._tax_compact else {text} end",
        steps={
            "_tax_compact": compact,
            "_tax_taiwan": f"coalesce({taiwan}, false)",
            "_tax_right": f"case when {taiwan} then {taiwan_rule(compact)} end",
        },
        counts={"tax_ids": "s._tax_taiwan", "tax_ids_wrong": "s._tax_taiwan and not s._tax_right"},
        doubt=f"{text} is not null and not s._tax_taiwan",
    )


def answered_tax_id(query: Query, text: str, country: str, source: str) -> Expression:
    """SQL for the numbers of ``source``, each judged by its country's rule."""
    asked = f"select distinct {text} as raw, {country} as place from {source} where {text} is not null"
    look_up(query, asked, "tax_answers", judged, ("number", "state"))
    return Expression(
        value="s._tax_number",
        joins=(f"left join tax_answers ta on ta.raw = {text} and ta.place is not distinct from {country}",),
        steps={"_tax_number": "ta.number", "_tax_state": "ta.state"},
        counts={
            "tax_ids": "coalesce(s._tax_state in ('right', 'wrong'), false)",
            "tax_ids_wrong": "coalesce(s._tax_state = 'wrong', false)",
        },
    )


def taiwan_rule(number: str) -> str:
    """SQL for the check of a unified business number of eight digits (weights 1 2 1 2 1 2 4 1, digits added)."""

    def digit(i: int) -> str:
        return f"(ascii(substr({number}, {i}, 1)) - 48)"

    def added(i: int, weight: int) -> str:
        return f"(({digit(i)} * {weight}) // 10 + ({digit(i)} * {weight}) % 10)"

    total = " + ".join(added(i, w) if w > 1 else digit(i) for i, w in enumerate((1, 2, 1, 2, 1, 2, 4, 1), 1))
    # A 7 in the seventh place may count as 0 or as 1: 7 times 4 is 28, 2 and 8 is 10.
    return f"(({total}) % 5 = 0 or ({digit(7)} = 7 and ({total}) % 5 = 4))"


def judged(rows: Sequence[Answer]) -> list[Answer]:
    """(number, state) for each (text, country): right, wrong, or unknown where no rule applies."""
    return [_judge(row[0] or "", row[1]) for row in rows]


def _judge(text: str, country: str | None) -> Answer:
    tidy = re.sub(r"\s+", " ", text).strip()
    compact = re.sub(r"[\s./-]", "", tidy).upper()
    if country == "TW" and re.fullmatch(r"\d{8}", compact):
        return (compact, "right") if _taiwan(compact) else (tidy, "wrong")
    modules = [_module(n) for n in MODULES.get(country or "", ())]
    if not modules and not country and re.fullmatch(r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}", compact):
        modules = [_module("cn.uscc")]
    if not modules:
        return _european(tidy, compact, country)
    for module in modules:
        if module and module.is_valid(tidy):
            return (module.compact(tidy), "right")
    return (tidy, "wrong" if any(modules) else "unknown")


def _european(tidy: str, compact: str, country: str | None) -> Answer:
    """A VAT number with or without its country's letters."""
    vat = _module("eu.vat")
    member = country is not None and country.lower() in vat.MEMBER_STATES
    for number in (compact, f"{country}{compact}") if member else (compact,):
        if (member or country is None) and vat.is_valid(number):
            return (vat.compact(number), "right")
    return (tidy, "wrong" if member else "unknown")


def _taiwan(number: str) -> bool:
    products = "".join(str(int(d) * w) for d, w in zip(number, (1, 2, 1, 2, 1, 2, 4, 1)))
    total = sum(map(int, products))
    return total % 5 == 0 or (number[6] == "7" and total % 5 == 4)


def _module(name: str) -> Any:
    try:
        return import_module(f"stdnum.{name}")
    except ImportError:
        return None
