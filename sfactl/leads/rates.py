"""Exchange rates as banks publish them: a row a day with a column a currency, or one rate a row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sfactl.api.errors import DataError
from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import among, literal
from sfactl.leads.files.staging import Staged
from sfactl.leads.headers import recognise

KEY = ("base", "currency", "rated_on")
LONG = ("rated_on", "base", "currency", "rate")
EUROPEAN = "EUR"


def one_a_row(query: Query, staged: Staged, into: Path, *, base: str | None) -> Staged:
    """The file as (rated_on, base, currency, rate), one rate a row. Raises `DataError` where it holds no rates."""
    found = recognise(staged.columns, "rates")
    if "rated_on" not in found:
        raise DataError(
            f"no column holds the day of the rate ({', '.join(staged.columns[:8])})", hint='Call it "Date".'
        )
    day = f"c{found['rated_on']}"
    said = literal(base) if base else f"c{found['base']}" if "base" in found else literal(EUROPEAN)
    if "currency" in found and "rate" in found:
        cells = f"{day} as c0, {said} as c1, c{found['currency']} as c2, c{found['rate']} as c3"
        rows = f"select _row, _line, _problem, _rest, {cells} from {staged.source}"
    else:
        codes = {i: c.strip().upper() for i, c in enumerate(staged.columns) if re.fullmatch(r"\s*[A-Za-z]{3}\s*", c)}
        codes = {i: c for i, c in codes.items() if i != found["rated_on"]}
        if not codes:
            raise DataError(
                "no columns of currencies, and none of a currency and its rate",
                hint="Give columns Date, USD, JPY … or columns Date, Currency, Rate.",
            )
        names = ", ".join(literal(c) for c in codes.values())
        values = ", ".join(f"c{i}" for i in codes)
        rows = (
            f"select _row, _line, _problem, _rest, {day} as c0, {said} as c1, unnest([{names}]) as c2,"
            f" unnest([{values}]) as c3 from {staged.source}"
        )
    # A bank that knows no rate of a day says so by a blank or N/A; that is no row.
    known = "c3 is not null and upper(trim(c3)) not in ('', 'N/A', 'NA', '-', 'ND')"
    query.run(
        f"copy (select row_number() over () as _row, _line, _problem, _rest, c0, c1, c2, c3 from ({rows})"
        f" where {known}) to {literal(str(into))} (format parquet)"
    )
    (count,) = query.one(f"select count(*) from read_parquet({literal(str(into))})") or (0,)
    return Staged(path=into, columns=LONG, rows=int(count), facts=staged.facts, notes=staged.notes)


def judged(cleaned: str, currencies: Sequence[str]) -> str:
    """SELECT of the clean rows with the reason why one cannot be used."""
    wrong = (
        "case when rated_on is null then 'no day' when rate is null or rate <= 0 then 'no rate'"
        f" when not {among('currency', currencies)} then 'currency ' || currency || ' is not known'"
        f" when not {among('base', currencies)} then 'currency ' || base || ' is not known' end"
    )
    return (
        f"(select * replace (coalesce(_reason, {wrong}) as _reason, upper(currency) as currency, upper(base) as base)"
        f" from {cleaned})"
    )


def folded(rows: str) -> str:
    """SELECT of one row a rate: of several the last counts; ``n`` is how many they are."""
    return (
        f"select base, currency, rated_on, arg_max(rate, _row) as rate, count(*) as n from {rows}"
        " where _reason is null group by 1, 2, 3"
    )
