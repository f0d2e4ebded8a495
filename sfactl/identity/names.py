"""Take names of people apart into what is compared: a given and a family name, short forms, and Latin letters."""

from __future__ import annotations

from collections.abc import Sequence

from sfactl.engine.duck import Query
from sfactl.identity.folding import latin, phonetic

HAN = r"[\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}]"
DOUBLE = (
    "欧阳", "司马", "诸葛", "上官", "皇甫", "司徒", "慕容", "令狐", "尉迟", "端木", "公孙", "东方", "夏侯", "南宫",
    "独孤", "张简", "范姜", "呼延", "长孙",
)  # fmt: skip
"""Family names of two characters, as simplified."""
_BEFORE = "'^(?:(?:mr|mrs|ms|miss|dr|prof|herr|frau|mme|sir|madam) )+'"
_AFTER = "'(?: (?:jr|sr|junior|senior|ii|iii|iv|2nd|3rd|4th|phd|md|esq|mba))+$'"
_GENERATION = "' (jr|junior|sr|senior|ii|iii|iv|2nd|3rd|4th)(?: (?:phd|md|esq|mba))*$'"
_SAME_GENERATION = {"junior": "jr", "senior": "sr", "2nd": "ii", "3rd": "iii", "4th": "iv"}
_NONE = "cast(null as varchar)"


def split_names(query: Query, table: str, have: Sequence[str]) -> list[str]:
    """SQL of the name's features over ``table``, to which the columns they need are joined.

    ``have`` are those of ``given``, ``family`` and ``full`` that the table has. The features are g (given name), gs
    (what it may be short for), gen (junior, senior …), gp and fp (their sound), f (family name), fl (its last word),
    nl (the whole name in Latin letters).
    """
    whole, given, family = (_bare(f'"{c}"') if c in have else _NONE for c in ("full", "given", "family"))
    han = f"regexp_full_match(n, '{HAN}{{2,4}}')"
    first = f"case when left(n, 2) in ({', '.join(repr(d) for d in DOUBLE)}) and length(n) > 2 then 2 else 1 end"
    # A whole name is only cut where a part is missing; what has one word is a family name.
    query.run(
        f"create or replace temp table match_names as select id, coalesce(b, case when a is not null then null"
        f" when {han} then left(n, {first}) else nullif(regexp_extract(n, '[^ ]+$'), '') end) as f,"
        f" coalesce(a, case when b is not null then null when {han} then substr(n, 1 + {first})"
        " else nullif(trim(regexp_replace(n, '[^ ]+$', '')), '') end) as a"
        f" from (select id, {whole} as n, {given} as a, {family} as b from {table})"
    )
    generation = _generation([f'm."{c}"' for c in ("family", "full", "given") if c in have])
    _register(query)
    # An initial in front of a name says less than the name behind it.
    main = "coalesce(nullif(regexp_extract(n.a, '^(?:[a-z0-9] )+([^ ]{2,})', 1), ''), split_part(n.a, ' ', 1))"
    query.run(
        f"create or replace temp table {table} as select m.*, {main} as g_, n.f as f_, l.nl, {generation} as gen_"
        f" from {table} m"
        " join match_names n using (id) left join match_latin l on l.whole = concat(n.f, n.a)"
    )
    query.run(
        f"create or replace temp table {table} as select m.*, s.forms as gs_ from {table} m"
        " left join match_short s on s.name = m.g_"
    )
    plain = "case when nl is null then replace(concat(f_, g_), ' ', '') else nl end"
    return [
        "g_ as g", "gs_ as gs", "gen_ as gen", "f_ as f", "nullif(regexp_extract(f_, '[^ ]+$'), '') as fl",
        f"{phonetic('g_')} as gp",
        f"{phonetic('f_')} as fp", f"nullif({plain}, '') as nl",
    ]  # fmt: skip


def _generation(names: Sequence[str]) -> str:
    """SQL of what tells father and son apart, where a name says so."""
    said = [f"nullif(regexp_extract({n}, {_GENERATION}, 1), '')" for n in names]
    told = f"coalesce({', '.join(said)})"
    whens = " ".join(f"when '{said}' then '{short}'" for said, short in _SAME_GENERATION.items())
    return f"case {told} {whens} else {told} end"


def _bare(name: str) -> str:
    return f"nullif(regexp_replace(regexp_replace({name}, {_BEFORE}, ''), {_AFTER}, ''), '')"


def _register(query: Query) -> None:
    """Register `match_latin` (whole, nl) of names in other scripts, and `match_short` (name, forms) of short forms."""
    import pyarrow as pa
    from nicknames import NickNamer

    foreign = "select distinct concat(f, a) as whole from match_names where strlen(concat(f, a)) > length(concat(f, a))"
    wholes = query.table(foreign).column("whole").to_pylist()
    given = query.table("select distinct split_part(a, ' ', 1) as g from match_names where a is not null")
    namer = NickNamer()
    found = {g: sorted({g, *namer.canonicals_of(g)}) for g in given.column("g").to_pylist()}
    short = {g: forms for g, forms in found.items() if len(forms) > 1 or namer.nicknames_of(g)}
    query.register(
        "match_latin",
        pa.table({"whole": pa.array(wholes, pa.string()), "nl": pa.array([latin(w) for w in wholes], pa.string())}),
    )
    query.register(
        "match_short",
        pa.table({
            "name": pa.array(list(short), pa.string()), "forms": pa.array(list(short.values()), pa.list_(pa.string())),
        }),
    )  # fmt: skip
