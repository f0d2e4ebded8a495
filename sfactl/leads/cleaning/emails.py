"""Clean e-mail addresses: the domain in lower case, the local part as written (it is compared without case).

What a strict pattern accepts is right; all else is judged by email-validator, without asking any server. Of several
addresses in one cell the first valid one is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import Answer, Expression, Second, literal, look_up

PATTERN = (
    r"[A-Za-z0-9_+&'/=-]+(?:\.[A-Za-z0-9_+&'/=-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
"""What needs no second look; a test compares it with email-validator."""
NOT_VALID = "e-mail not valid"
_AROUND = " .,;:<>()[]\"'"


def email_expression(text: str) -> Expression:
    """SQL for the address where the pattern settles it; ``text`` is SQL for its cleaned text."""
    good = f"regexp_full_match({text}, {literal(PATTERN)}) and length({text}) <= 120 and not contains({text}, '--')"
    at = f"split_part({text}, '@', 1) || '@' || lower(split_part({text}, '@', 2))"
    return Expression(
        value="s._email",
        problem=f"case when not contains({text}, '@') then '{NOT_VALID}' end",
        steps={"_email": f"case when {good} then {at} end"},
        counts={"emails": f"coalesce(s._email <> {text}, false)", "several_emails": "false"},
        doubt=f"s._email is null and contains({text}, '@')",
        raw=text,
    )


def second_email(query: Query, doubted: str) -> Second:
    """Have the addresses that no pattern settled judged by the library; ``doubted`` is where to read them from."""
    asked = f"select distinct _raw_email as raw from {doubted} where _raw_email is not null"
    look_up(query, asked, "email_answers", judged, ("email", "problem", "several"))
    return Second(
        join="left join email_answers ea on ea.raw = c._raw_email",
        value="case when c._raw_email is null then c.email else ea.email end",
        problem="ea.problem",
        counts={
            "emails": "c._is_emails or coalesce(ea.email <> c._raw_email, false)",
            "several_emails": "coalesce(ea.several is not null, false)",
        },
    )


def judged(rows: Sequence[Answer]) -> list[Answer]:
    """(address, problem, several) for each text."""
    return [_judge(row[0] or "") for row in rows]


def _judge(text: str) -> Answer:
    found = [e for e in (validated(part) for part in _parts(text)) if e]
    if not found:
        return (None, NOT_VALID, None)
    return (found[0], None, "yes" if len({e.lower() for e in found}) > 1 else None)


def _parts(text: str) -> list[str]:
    """The addresses of a cell, without ``mailto:``, names, angle brackets and the punctuation around them."""
    text = re.sub(r"(?i)\bmailto:", "", text)
    bracketed = re.findall(r"<([^<>]+@[^<>]+)>", text)
    if bracketed:
        return [b.strip() for b in bracketed]
    parts = [p.strip(_AROUND) for p in re.split(r"[;,、|]|/(?=[^/]*@)", text)]
    # A blank parts two addresses, but it may also be a slip within one: "mi ng@example.com" is not ng@example.com.
    found = [q for p in parts for q in (p.split() if all("@" in w for w in p.split()) else [p])]
    return [text.strip(_AROUND), *found]


def validated(address: str) -> str | None:
    """The normalised address, or None if its syntax is wrong."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return f"{found.local_part}@{found.domain.lower()}"
