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


def tax_id_expression(query: Query, text: str, country: str, source: str) -> Expression:
    """SQL for the number; ``country`` is SQL for the row's country code or null."""
    compact = f"regexp_replace({text}, '[ -]', '', 'g')"
    taiwan = f"({country} = 'TW' and regexp_full_match({compact}, '[0-9]{{8}}'))"
    asked = look_up(
        query,
        f"select distinct {text} as raw, {country} as place from {source}"
        f" where {text} is not null and not coalesce({taiwan}, false)",
        "tax_answers",
        judged,
        ("number", "state"),
    )
    right = taiwan_rule(compact)
    if not asked:
        return Expression(
            value=f"case when {right} then {compact} else {text} end",
            counts={
                "tax_ids": f"coalesce({taiwan}, false)",
                "tax_ids_wrong": f"coalesce({taiwan} and not {right}, false)",
            },
        )
    return Expression(
        value=f"case when {taiwan} then case when {right} then {compact} else {text} end else ta.number end",
        joins=(f"left join tax_answers ta on ta.raw = {text} and ta.place is not distinct from {country}",),
        counts={
            "tax_ids": f"coalesce({taiwan} or ta.state in ('right', 'wrong'), false)",
            "tax_ids_wrong": f"coalesce(case when {taiwan} then not {right} else ta.state = 'wrong' end, false)",
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
    modules = [_module(n) for n in MODULES.get(country or "", ())]
    prefix = re.match(r"[A-Z]{2}", compact)
    if not modules and not country and re.fullmatch(r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}", compact):
        modules = [_module("cn.uscc")]
    if not modules and (country or prefix):
        modules = [_module("eu.vat")]
        compact_vat = compact if prefix else f"{country}{compact}"
        if modules[0] and modules[0].is_valid(compact_vat):
            return (modules[0].compact(compact_vat), "right")
        return (tidy, "unknown" if not prefix or not country else "wrong")
    for module in modules:
        if module and module.is_valid(tidy):
            return (module.compact(tidy), "right")
    return (tidy, "wrong" if any(modules) else "unknown")


def _module(name: str) -> Any:
    try:
        return import_module(f"stdnum.{name}")
    except ImportError:
        return None
