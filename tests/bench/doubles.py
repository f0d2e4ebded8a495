"""Dirty copies of some leads of a made-up world, so that it is known which records are the same.

``python -m tests.bench.doubles WORKSPACE EVERY`` copies one lead in EVERY with the slips that people make: letters
swapped, lost or doubled, initials, names the other way round, another phone or address, fields left empty. The copy of
W00000017 has the external id W00000017-2. What is changed depends on the number of the lead alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

FIRST = 1_000_000_000
"""The copies are numbered from here on."""


def draw(salt: str, of: int) -> str:
    """SQL for a number below ``of`` that depends on the lead and the salt."""
    return f"(hash('{salt}' || lead_id) % {of})"


def slip(column: str, often: int) -> str:
    """SQL for a text with a slip in one of ``often`` rows."""
    at = f"(2 + {draw('at ' + column, 1000)} % greatest(length({column}) - 3, 1))::bigint"
    swapped = f"left({column}, {at} - 1) || {column}[{at} + 1] || {column}[{at}] || substr({column}, {at} + 2)"
    lost = f"left({column}, {at} - 1) || substr({column}, {at} + 1)"
    doubled = f"left({column}, {at}) || substr({column}, {at})"
    kind = draw("kind " + column, 3)
    return (
        f"case when length({column}) < 4 or {draw('slip ' + column, often)} > 0 then {column}"
        f" when {kind} = 0 then {swapped} when {kind} = 1 then {lost} else {doubled} end"
    )


def gone(column: str, often: int, instead: str = "null") -> str:
    """SQL for a column that is empty, or something else, in one of ``often`` rows."""
    return f"case when {draw('gone ' + column, often)} = 0 then {instead} else {column} end"


COPIES = f"""
select * replace (
    lead_id + {FIRST} as lead_id, external_id || '-2' as external_id, g as first_name, f as last_name,
    g || ' ' || f as full_name, {slip("company", 4)} as company, {slip("street", 3)} as street,
    {gone("email", 2, f"case when {draw('mail', 3)} = 0 then null else 'x' || email end")} as email,
    {gone("phone", 3)} as phone, {gone("title", 2)} as title, {gone("postal_code", 4)} as postal_code,
    {gone("website", 2)} as website, {gone("tax_id", 2)} as tax_id
) from (
    select * exclude (given, family), case when {draw("turned", 12)} = 0 then family else given end as g,
        case when {draw("turned", 12)} = 0 then given else family end as f
    from (
        select *, case when {draw("initial", 10)} = 0 then left(first_name, 1) else {slip("first_name", 4)} end as given,
            {slip("last_name", 4)} as family
        from leads where {draw("copied", 1_000_000)} % $every = 0
    )
)
"""


def add(folder: Path, every: int) -> None:
    """Write the copies into the workspace."""
    from sfactl.config.settings import Settings
    from sfactl.session import open_session

    with open_session(folder, settings=Settings(), command="bench", actor="bench") as session:
        with session.write("leads") as tx:
            tx.upsert("leads", f"select * exclude (g, f) from ({COPIES})", {"every": every})
            tx.commit()


if __name__ == "__main__":
    add(Path(sys.argv[1]), int(sys.argv[2]))
