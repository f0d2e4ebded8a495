"""Tax numbers by the rules of their country. A wrong check digit is told, and the number kept as it was written.

The commonest numbers are settled by statements (`tax_rules`), the others by python-stdnum.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import Answer, Expression, Second, literal, look_up
from sfactl.leads.cleaning.tax_rules import rules

MODULES = {
    "CN": ("cn.uscc",), "BR": ("br.cnpj", "br.cpf"), "US": ("us.ein", "us.tin"), "JP": ("jp.cn",), "KR": ("kr.brn",),
    "IN": ("in_.gstin", "in_.pan"), "AU": ("au.abn", "au.acn"), "NZ": ("nz.ird",), "MX": ("mx.rfc",), "CA": ("ca.bn",),
    "GB": ("gb.vat",), "CH": ("ch.uid", "ch.vat"), "NO": ("no.orgnr", "no.mva"), "ID": ("id.npwp",), "TH": ("th.tin",),
    "SG": ("sg.uen",), "VN": ("vn.mst",), "RU": ("ru.inn",), "TR": ("tr.vkn", "tr.tckimlik"), "ZA": ("za.tin",),
    "CL": ("cl.rut",),
    "AR": ("ar.cuit",), "CO": ("co.nit",), "PE": ("pe.ruc",), "IL": ("il.hp",),
    "FR": ("fr.siret", "fr.siren", "fr.tva"), "DE": ("de.vat", "de.stnr"), "IT": ("it.iva", "it.codicefiscale"),
    "PT": ("pt.nif",), "ES": ("es.nif", "es.cif"),
}  # fmt: skip
"""Modules of stdnum by country, in the order they are tried; the EU's others are tried as VAT numbers."""


def tax_id_expression(text: str, country: str) -> Expression:
    """SQL for the number where a rule settles it; ``country`` is SQL for the row's country code or null."""
    return Expression(
        value=_stored(text),
        early={"_tax_compact": f"regexp_replace({text}, '[ -]', '', 'g')", "_tax_place": country},
        steps={"_tax_state": _settled()},
        counts={
            "tax_ids": "s._tax_state is not null",
            "tax_ids_wrong": "coalesce(s._tax_state = 'wrong', false)",
        },
        doubt=f"s._tax_state is null and {text} is not null",
        raw=text,
        place="s._tax_place",
    )


def second_tax_id(query: Query, doubted: str) -> Second:
    """Have the numbers that no rule settled judged by the library; ``doubted`` is where to read them from."""
    look_up(
        query,
        f"select distinct _raw_tax_id as raw, _place_tax_id as place from {doubted} where _raw_tax_id is not null",
        "tax_answers",
        judged,
        ("number", "state"),
    )
    return Second(
        join="left join tax_answers ta on ta.raw = c._raw_tax_id and ta.place is not distinct from c._place_tax_id",
        value="case when c._raw_tax_id is null then c.tax_id else ta.number end",
        problem="cast(null as varchar)",
        counts={
            "tax_ids": "c._is_tax_ids or coalesce(ta.state in ('right', 'wrong'), false)",
            "tax_ids_wrong": "c._is_tax_ids_wrong or coalesce(ta.state = 'wrong', false)",
        },
    )


def _settled() -> str:
    """SQL: right, wrong, or null where no rule settles it."""
    whens = []
    for rule in rules("s._tax_compact"):
        wrong = " else 'wrong'" if rule.sure else ""
        fits = f"regexp_full_match(s._tax_compact, {literal(rule.pattern)})"
        whens.append(
            f"when '{rule.country}' then case when {fits} then case when {rule.right} then 'right'{wrong} end end"
        )
    return f"case s._tax_place {' '.join(whens)} end"


def _stored(text: str) -> str:
    """SQL for what is stored: a right number without blanks, dashes and its country's letters, else the text."""
    compact = "s._tax_compact"
    whens = " ".join(
        f"when '{r.country}' then regexp_replace({compact}, '^{r.prefix}', '')" for r in rules(compact) if r.prefix
    )
    return f"case when s._tax_state = 'right' then case s._tax_place {whens} else {compact} end else {text} end"


def judged(rows: Sequence[Answer]) -> list[Answer]:
    """(number, state) for each (text, country): right, wrong, or unknown where no rule applies."""
    return [_judge(row[0] or "", row[1]) for row in rows]


def _judge(text: str, country: str | None) -> Answer:
    tidy = re.sub(r"\s+", " ", text).strip()
    compact = re.sub(r"[\s./-]", "", tidy).upper()
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


def _module(name: str) -> Any:
    try:
        return import_module(f"stdnum.{name}")
    except ImportError:
        return None
