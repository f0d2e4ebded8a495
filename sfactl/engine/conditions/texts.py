"""Text within text, whatever its width, its capitals and, where asked, its script; and regular expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from sqlglot import exp

from sfactl.engine.conditions.arguments import arguments, text
from sfactl.engine.conditions.kinds import TEXT
from sfactl.engine.conditions.source import nearest
from sfactl.engine.conditions.typed import Typed, sql_of
from sfactl.engine.folding import guard, sought

if TYPE_CHECKING:
    from sfactl.engine.conditions.expressions import Checker

Place = Literal["anywhere", "start", "whole"]
FOLDED = "folded"
"""The option that makes traditional and simplified characters the same."""
BETWEEN = "\x1f"

_UNPORTABLE = re.compile(r"\(\?(?!:|i\))|\\[1-9kGXRK]|[*+?}]\+")


def contains(checker: Checker, node: exp.Expr) -> Typed:
    """``contains(text, 'word')`` or ``contains(text, 'word', 'folded')``."""
    option = node.args.get("json_scope")
    return _found(checker, node, [node.this, node.expression, *([option] if option else [])], "contains()", "anywhere")


def starts_with(checker: Checker, node: exp.Expr) -> Typed:
    """``starts_with(text, 'word')``."""
    return _found(checker, node, [node.this, node.expression], "starts_with()", "start")


def equals(checker: Checker, node: exp.Expr) -> Typed:
    """``equals(text, 'words')`` or ``equals(text, 'words', 'folded')``: the same but for width and capitals."""
    return _found(checker, node, arguments(checker, node, 2, 3), "equals()", "whole")


def matches(checker: Checker, node: exp.Expr) -> Typed:
    """``matches(text, 'pattern')``, the same as regexp_matches."""
    found = arguments(checker, node, 2, 2)
    return _pattern(checker, node, found[0], found[1], "matches()")


def regexp(checker: Checker, node: exp.Expr) -> Typed:
    """A regular expression of the part that RE2 and Java share: no look-around, no back-references."""
    if node.args.get("flag"):
        raise checker.source.error("regexp_matches() takes 2 arguments", node=node)
    return _pattern(checker, node, node.this, node.expression, "regexp_matches()")


def _found(checker: Checker, node: exp.Expr, given: list[exp.Expr], what: str, place: Place) -> Typed:
    stored = sql_of(text(checker, given[0], what), checker.plan)
    wanted = checker.text_literal(given[1], what)
    han = len(given) == 3 and _option(checker, given[2], what)
    found = sought(wanted, han=han)
    end = guard(wanted, han=han)
    pattern = {"anywhere": found.pattern + end, "start": f"^{found.pattern}{end}", "whole": f"^{found.pattern}$"}[place]
    wide = f"regexp_matches({_spread(checker, stored, found.longer)}, {checker.plan.bind(pattern, TEXT)})"
    narrow = "false"
    if found.plain is not None:
        bound = checker.plan.bind(found.plain, TEXT)
        test = {"anywhere": "contains({}, {})", "start": "starts_with({}, {})", "whole": "({} = {})"}[place]
        narrow = test.format(f"lower({stored})", bound)
    # Most texts are plain ASCII, and comparing those is several times faster.
    return checker.yes_no(
        node, f"(case when bit_length({stored}) = 8 * length({stored}) then {narrow} else {wide} end)"
    )


def _spread(checker: Checker, stored: str, table: Mapping[str, str]) -> str:
    """``stored`` with each character that stands for several written out, where there is one."""
    if not table:
        return stored
    plan = checker.plan
    one, to = plan.bind("".join(table), TEXT), plan.bind(BETWEEN.join(table.values()), TEXT)
    any_of = plan.bind(f"[{''.join(table)}]", TEXT)
    place = f"list_position(string_split({one}, ''), _c)"
    spelled = f"coalesce(list_extract(string_split({to}, '{BETWEEN}'), {place}), _c)"
    written = f"array_to_string(list_transform(string_split({stored}, ''), lambda _c: {spelled}), '')"
    return f"(case when regexp_matches({stored}, {any_of}) then {written} else {stored} end)"


def _option(checker: Checker, node: exp.Expr, what: str) -> bool:
    said = checker.text_literal(node, what)
    if said != FOLDED:
        raise checker.source.error(f"unknown option {said!r} of {what}.{nearest(said, [FOLDED])}", node=node)
    return True


def _pattern(checker: Checker, node: exp.Expr, of: exp.Expr, written: exp.Expr, what: str) -> Typed:
    found = text(checker, of, what)
    pattern = checker.text_literal(written, what)
    try:
        re.compile(pattern)
    except re.error as err:
        raise checker.source.error(f"the pattern does not parse: {err}", node=written) from None
    if _UNPORTABLE.search(pattern):
        raise checker.source.error("the pattern uses look-around, back-references or the like", node=written)
    return checker.yes_no(node, f"regexp_matches({sql_of(found, checker.plan)}, {checker.plan.bind(pattern, TEXT)})")
