"""How two records are compared field by field: a score in SQL for each field, cut into levels, strongest first.

A missing value says nothing. The score of a field is a number from 0 (differs) to 1, and 3 where both are the same; -1
says nothing. What each level is worth is not decided here: it is learned from the data, starting from ``belief``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sfactl.identity.fields import SHARED_EXTRAS, Chosen, Extra
from sfactl.identity.tokens import shared

SAME = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One degree of agreement: from the score ``cut`` on.

    ``belief`` is the share of true pairs that show it, before any data. ``count`` is the feature whose frequency makes
    agreement on a rare value worth more.
    """

    name: str
    cut: float
    belief: float
    count: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One field of two records ``x`` and ``y``.

    ``shared`` says that members of one household or company have it in common. ``identifier`` says that a value is
    given to one record only, so that how often strangers share one is learned instead of counted. ``chain`` says that
    no level may be worth more than the one before it. ``who``: where it differs, they are not the same. ``fixed``: a
    record has one value for good, so that two that differ are not to be joined through others. ``told`` is whether the
    same value tells who somebody is, or where, although the companies differ.
    """

    name: str
    feature: str
    shows: tuple[str, ...]
    score: str
    levels: tuple[Level, ...]
    shared: bool = False
    identifier: bool = False
    chain: bool = True
    who: bool = False
    fixed: bool = False
    told: bool = False


def comparisons(chosen: Chosen, *, at_work: bool) -> tuple[Comparison, ...]:
    """The comparisons of the chosen columns, in the order in which they are shown.

    ``at_work`` says that people come with their companies: then colleagues share the company's data, and not, as a
    household does, a family name.
    """
    roles, names = chosen.roles, chosen.has_names
    made = [_given(), _family(shared=not at_work)] if names else []
    if "company" in roles:
        made.append(_text("company", "co", shared=names, who=True))
    if "email" in roles:
        made.append(_mail(names=names))
    if "phone" in roles:
        made.append(_phone(names=names))
    if names:
        made += [_common(c, f) for c, f in (("email", "mail"), ("phone", "phone")) if c in roles]
    if "birth_date" in roles:
        made.append(_date("birth_date", "born"))
    if "tax_id" in roles:
        made.append(_code("tax_id", "tax", shared=at_work))
    if "website" in roles or ("email" in roles and "company" in roles):
        made.append(_site(mail="email" in roles, shared=names))
    if chosen.has_place:
        made.append(_address(chosen))
    elif "region" in roles:
        made.append(_word("region", "region", shared=True))
    return (*made, *(_extra(e) for e in chosen.extras))


def _extra(extra: Extra) -> Comparison:
    common = extra.column in SHARED_EXTRAS
    f = extra.feature
    if extra.kind == "text":
        return _text(extra.column, f, shared=common, who=False)
    if extra.kind == "code":
        return _code(extra.column, f, shared=common)
    if extra.kind == "date":
        return _date(extra.column, f)
    return (
        _number(extra.column, f, extra.kind)
        if extra.kind in ("number", "year")
        else _word(extra.column, f, shared=common)
    )


def _alike(a: str, b: str) -> str:
    return f"jaro_winkler_similarity({a}, {b})"


def _initial(feature: str) -> str:
    """Whether two values begin alike: a cheap question before a dear one."""
    return f"left(x.{feature}, 1) = left(y.{feature}, 1)"


def _known(feature: str) -> str:
    return f"x.{feature} is null or y.{feature} is null"


def _scripts(feature: str) -> str:
    """Whether two values are written in scripts that cannot be compared letter by letter."""
    return f"(strlen(x.{feature}) = length(x.{feature})) <> (strlen(y.{feature}) = length(y.{feature}))"


_TURNED = (
    "x.g <> y.g and x.f <> y.f and jaro_winkler_similarity(x.g, y.f) >= 0.9"
    " and jaro_winkler_similarity(x.f, y.g) >= 0.9"
)
"""Both names in the other order, perhaps with a slip."""
_EITHER = "(x.g is null or x.f is null or y.g is null or y.f is null)"
"""One of the two has one name only, which may be either."""
_TRANSLATED = "case when jaro_winkler_similarity(x.nl, y.nl) >= 0.95 then 0.95 else -1 end"


def _given() -> Comparison:
    initial = "length(x.g) = 1 or length(y.g) = 1"
    score = (
        "case when x.gen <> y.gen then 0"
        f" when {_EITHER} and (x.g = y.f or y.g = x.f) then 0.9 when {_known('g')} then -1 when x.g = y.g then 3"
        f" when {_TURNED} then 0.95 when {_scripts('g')} then {_TRANSLATED}"
        " when list_has_any(coalesce(x.gs, [x.g]), coalesce(y.gs, [y.g])) then 0.95"
        f" when {initial} then case when left(x.g, 1) = left(y.g, 1) then 0.85 else 0 end"
        " when length(x.g) >= 3 and length(y.g) >= 3 and (starts_with(x.g, y.g) or starts_with(y.g, x.g)) then 0.93"
        f" when x.gp = y.gp and length(x.gp) >= 3 then greatest(0.85, {_alike('x.g', 'y.g')})"
        f" else {_alike('x.g', 'y.g')} end"
    )
    levels = (
        Level(name="same", cut=SAME, belief=0.70, count="g"),
        Level(name="alike", cut=0.9, belief=0.17),
        Level(name="perhaps", cut=0.8, belief=0.08),
        Level(name="differs", cut=0.0, belief=0.05),
    )
    return Comparison(
        name="given name", feature="g", shows=("given", "full"), score=score, levels=levels, who=True, fixed=True
    )


def _family(*, shared: bool) -> Comparison:
    score = (
        f"case when {_EITHER} and (x.g = y.f or y.g = x.f) then -1 when {_known('f')} then -1 when x.f = y.f then 3"
        f" when {_TURNED} then 0.95"
        f" when {_scripts('f')} then {_TRANSLATED}"
        " when x.fl = y.fl and length(x.fl) > 1 then 0.93 when x.f = y.g or x.g = y.f then 0.85"
        f" when x.fp = y.fp and length(x.fp) >= 3 then greatest(0.85, {_alike('x.f', 'y.f')})"
        f" else {_alike('x.f', 'y.f')} end"
    )
    levels = (
        Level(name="same", cut=SAME, belief=0.72, count="f"),
        Level(name="alike", cut=0.9, belief=0.15),
        Level(name="perhaps", cut=0.8, belief=0.06),
        Level(name="differs", cut=0.0, belief=0.07),
    )
    return Comparison(
        name="family name", feature="f", shows=("family", "full"), score=score, levels=levels, shared=shared
    )


def _mail(*, names: bool) -> Comparison:
    near = "x.md = y.md and jaro_winkler_similarity(x.mail, y.mail) >= 0.96"
    if names:  # colleagues have addresses alike, because their names are
        near += " and (x.f is null or y.f is null or jaro_winkler_similarity(x.f, y.f) >= 0.9)"
    common = " or x.mail_c or y.mail_c" if names else ""
    score = (
        f"case when {_known('mail')}{common} then -1 when x.mail = y.mail then 3"
        f" when x.ml = y.ml then 0.95 when {near} then 0.9 else 0 end"
    )
    levels = (
        Level(name="same", cut=SAME, belief=0.65, count="mail"),
        Level(name="alike", cut=0.9, belief=0.10),
        Level(name="differs", cut=0.0, belief=0.25),
    )
    return Comparison(
        name="email", feature="mail", shows=("email",), score=score, levels=levels, identifier=True, told=True
    )


def _phone(*, names: bool) -> Comparison:
    common = " or x.phone_c or y.phone_c" if names else ""
    score = (
        f"case when {_known('phone')}{common} then -1 when x.phone = y.phone then 3"
        " when length(x.phone) <> length(y.phone) and (ends_with(x.phone, y.phone) or ends_with(y.phone, x.phone)) then"
        " 0.95 when length(x.phone) = length(y.phone) and hamming(x.phone, y.phone) = 1 then 0.9 else 0 end"
    )
    levels = (
        Level(name="same", cut=SAME, belief=0.68, count="phone"),
        Level(name="alike", cut=0.9, belief=0.07),
        Level(name="differs", cut=0.0, belief=0.25),
    )
    return Comparison(
        name="phone", feature="phone", shows=("phone",), score=score, levels=levels, identifier=True, told=True
    )


def _common(column: str, feature: str) -> Comparison:
    """A mailbox or phone that people of several names use: it tells where somebody belongs, not who it is."""
    known = f"x.{feature} is null or y.{feature} is null or not (x.{feature}_c or y.{feature}_c)"
    score = f"case when {known} then -1 when x.{feature} = y.{feature} then 3 else 0 end"
    levels = (
        Level(name="same", cut=SAME, belief=0.70, count=feature),
        Level(name="differs", cut=0.0, belief=0.30),
    )
    return Comparison(
        name=f"common {column}", feature=feature, shows=(column,), score=score, levels=levels, shared=True
    )


def _date(name: str, feature: str) -> Comparison:
    a, b = f"x.{feature}", f"y.{feature}"
    turned = f"left({a}, 4) = left({b}, 4) and {a}[5:6] = {b}[7:8] and {a}[7:8] = {b}[5:6]"
    score = (
        f"case when {_known(feature)} then -1 when {a} = {b} then 3"
        f" when {turned} or hamming({a}, {b}) = 1 then 0.9"
        f" when hamming({a}, {b}) = 2 or left({a}, 4) = left({b}, 4) or {a}[5:8] = {b}[5:8] then 0.5 else 0 end"
    )
    levels = (
        Level(name="same", cut=SAME, belief=0.80, count=feature),
        Level(name="alike", cut=0.9, belief=0.12),
        Level(name="partly", cut=0.5, belief=0.05),
        Level(name="differs", cut=0.0, belief=0.03),
    )
    return Comparison(name=name, feature=feature, shows=(name,), score=score, levels=levels, fixed=True, told=True)


def _code(name: str, feature: str, *, shared: bool) -> Comparison:
    a, b = f"x.{feature}", f"y.{feature}"
    near = f"length({a}) >= 6 and length({a}) = length({b}) and hamming({a}, {b}) = 1"
    score = f"case when {_known(feature)} then -1 when {a} = {b} then 3 when {near} then 0.9 else 0 end"
    levels = (
        Level(name="same", cut=SAME, belief=0.80, count=feature),
        Level(name="alike", cut=0.9, belief=0.08),
        Level(name="differs", cut=0.0, belief=0.12),
    )
    return Comparison(
        name=name,
        feature=feature,
        shows=(name,),
        score=score,
        levels=levels,
        shared=shared,
        identifier=not shared,
        fixed=not shared,
        told=True,
    )


def _site(*, mail: bool, shared: bool) -> Comparison:
    # The same mailbox has the same domain: that is one piece of evidence, not two.
    told = " or x.mail = y.mail" if mail else ""
    score = f"case when {_known('site')}{told} then -1 when x.site = y.site then 3 else 0 end"
    levels = (
        Level(name="same", cut=SAME, belief=0.75, count="site"),
        Level(name="differs", cut=0.0, belief=0.25),
    )
    return Comparison(
        name="website", feature="site", shows=("website", "email"), score=score, levels=levels, shared=shared, told=True
    )


def _word(name: str, feature: str, *, shared: bool) -> Comparison:
    a, b = f"x.{feature}", f"y.{feature}"
    score = f"case when {_known(feature)} then -1 when {a} = {b} then 3 else {_alike(a, b)} end"
    levels = (
        Level(name="same", cut=SAME, belief=0.75, count=feature),
        Level(name="alike", cut=0.9, belief=0.08),
        Level(name="differs", cut=0.0, belief=0.17),
    )
    return Comparison(name=name, feature=feature, shows=(name,), score=score, levels=levels, shared=shared)


def _number(name: str, feature: str, kind: Literal["number", "year"] | str) -> Comparison:
    a, b = f"x.{feature}", f"y.{feature}"
    off = f"abs({a} - {b})" if kind == "year" else f"abs({a} - {b}) / greatest(abs({a}), abs({b}))"
    near, far = (1, 3) if kind == "year" else (0.05, 0.25)
    score = (
        f"case when {_known(feature)} then -1 when {a} = {b} then 3 when {off} <= {near} then 0.9"
        f" when {off} <= {far} then 0.5 else 0 end"
    )
    levels = (
        Level(name="same", cut=SAME, belief=0.60, count=feature),
        Level(name="close", cut=0.9, belief=0.15),
        Level(name="near", cut=0.5, belief=0.12),
        Level(name="differs", cut=0.0, belief=0.13),
    )
    return Comparison(name=name, feature=feature, shows=(name,), score=score, levels=levels)


def _text(name: str, feature: str, *, shared: bool, who: bool) -> Comparison:
    ids, weight = f"{feature}_ids", f"{feature}_w"
    cosine = f"{_shared(ids)} / sqrt(x.{weight}::double * y.{weight})"
    # Slips of the pen hide shared words of short texts; long ones have words enough.
    slip = f"least(length(x.{feature}), length(y.{feature})) <= 40"
    alike = f"{_alike(f'x.{feature}', f'y.{feature}')} >= 0.94"
    spelled = f"case when {slip} and {_initial(feature)} and {alike} then 0.85 else 0 end"
    glued = f"replace(x.{feature}, ' ', '') = replace(y.{feature}, ' ', '')"
    score = (
        f"case when {_known(feature)} then -1 when x.{feature} = y.{feature} or x.{ids} = y.{ids} or {glued} then 3"
        f" when {_scripts(feature)} and {_shared(ids)} = 0 then -1 else greatest({cosine}, {spelled}) end"
    )
    levels = (
        Level(name="same", cut=SAME, belief=0.45, count=feature),
        Level(name="very alike", cut=0.8, belief=0.20),
        Level(name="alike", cut=0.6, belief=0.13),
        Level(name="partly", cut=0.4, belief=0.09),
        Level(name="a little", cut=0.2, belief=0.07),
        Level(name="differs", cut=0.0, belief=0.06),
    )
    return Comparison(name=name, feature=feature, shows=(name,), score=score, levels=levels, shared=shared, who=who)


def _shared(ids: str) -> str:
    feature = ids.removesuffix("_ids")
    return shared(f"x.{ids}", f"y.{ids}", f"x.{feature}_m", f"y.{feature}_m")


def _address(chosen: Chosen) -> Comparison:
    """One comparison for the whole address: who agrees on the street agrees on the town, which is no second proof."""
    has_zip, has_city = "postal_code" in chosen.roles, "city" in chosen.roles
    same = [
        *(["x.zip = y.zip"] if has_zip else []),
        *(["x.city = y.city", f"({_initial('city')} and {_alike('x.city', 'y.city')} >= 0.93)"] if has_city else []),
    ]
    known = [
        *(["(x.zip is not null and y.zip is not null)"] if has_zip else []),
        *(["(x.city is not null and y.city is not null)"] if has_city else []),
    ]
    place = f"case when {' or '.join(same)} then 1 when {' or '.join(known)} then -1 else 0 end" if same else "0"
    postal = "x.zip = y.zip" if has_zip else "false"
    town = f"case when {postal} then 0.7 when p > 0 then 0.6 when p < 0 then 0 else -1 end"
    score = f"list_transform([{place}], lambda p: {town})[1]"
    if "street" in chosen.roles:
        there = shared("x.st_ids", "y.ad_ids", "x.st_m", "y.ad_m")
        back = shared("y.st_ids", "x.ad_ids", "y.st_m", "x.ad_m")
        inside = f"greatest({there} / x.st_w, {back} / y.st_w)"
        spelled = f"case when {_initial('st')} and {_alike('x.st', 'y.st')} >= 0.94 then 0.9 else 0 end"
        numbers = "x.num <> y.num"
        street = (
            f"case when {_known('st')} then -1 when x.st = y.st then 1 when {numbers} then 0"
            f" else greatest(coalesce({inside}, 0), {spelled}) end"
        )
        score = (
            f"list_transform([[{place}, {street}]], lambda s: case when s[2] < 0"
            f" then list_transform([s[1]], lambda p: {town})[1]"
            " when s[2] >= 0.8 then case when s[1] >= 0 then 3 else 0.2 end"
            " when s[2] >= 0.5 then case when s[1] >= 0 then 0.9 else 0 end"
            " when s[1] > 0 then 0.5 else 0 end)[1]"
        )
    levels = (
        Level(name="same", cut=SAME, belief=0.55),
        Level(name="alike", cut=0.9, belief=0.13),
        Level(name="same postal code", cut=0.7, belief=0.08, count="zip" if has_zip else None),
        Level(name="same town", cut=0.6, belief=0.08, count="city" if has_city else None),
        Level(name="same town, other street", cut=0.5, belief=0.08),
        Level(name="same street, other town", cut=0.2, belief=0.03),
        Level(name="differs", cut=0.0, belief=0.05),
    )
    return Comparison(
        name="address",
        feature="st",
        shows=("street", "postal_code", "city", "region"),
        score=score,
        levels=levels,
        shared=chosen.has_names,
        chain=False,
        told=True,
    )


def level_sql(comparison: Comparison, score: str) -> str:
    """SQL for the number of the level that ``score`` reaches: 1 is the strongest, 0 says nothing."""
    whens = " ".join(f"when {score} >= {lv.cut} then {i}" for i, lv in enumerate(comparison.levels, 1))
    return f"case when {score} < 0 or {score} is null then 0 {whens} else 0 end"


def base(comparisons: Sequence[Comparison]) -> int:
    """In which base the levels of all fields are written as one number, the pattern."""
    return max((len(c.levels) for c in comparisons), default=1) + 1
