"""Choose, field by field, which of several records' values the survivor carries. Pure: rules in, SQL out.

Fields that only make sense together come from one record: the parts of a name, of an address, of a first touch. A
value that is missing never wins over one that is there. Ties go to the newer record, then to the larger number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sfactl.api.errors import ConfigError
from sfactl.schemas import Dataset
from sfactl.schemas.references import ENTITIES

PLAIN = ("newest", "oldest", "fullest", "longest", "survivor", "max", "min", "join", "furthest")
STAGES = ("new", "disqualified", "mql", "sql", "converted")
"""A dropped lead that comes back as new stays dropped; one that somebody works on is alive."""

WHY: Mapping[str, str] = {
    "newest": "newest",
    "oldest": "oldest",
    "fullest": "from the fullest record",
    "longest": "longest",
    "survivor": "the survivor's own",
    "max": "largest",
    "min": "smallest",
    "join": "both texts",
    "furthest": "furthest along",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields that come from one record: of those where an ``anchor`` is known, the first by ``rule``.

    With ``most`` the record in which most of them are known comes first.
    """

    fields: tuple[str, ...]
    rule: str
    anchor: tuple[str, ...] = ()
    most: bool = False


_PLACE = ("street", "city", "region", "postal_code", "country")

GROUPS: Mapping[str, tuple[Group, ...]] = {
    "lead": (
        Group(fields=("status", "disqualified_reason"), rule="furthest", anchor=("status",)),
        Group(
            fields=("converted_at", "account_id", "contact_id", "opportunity_id"),
            rule="furthest",
            anchor=("converted_at", "account_id", "contact_id", "opportunity_id"),
        ),
        Group(fields=("full_name", "first_name", "last_name"), rule="newest", anchor=("full_name",)),
        Group(fields=("company", "company_key"), rule="newest", anchor=("company",)),
        Group(
            fields=("source", "channel", "direction", "event", "campaign", "referrer", "referrer_kind", "referrer_id"),
            rule="oldest",
            anchor=("source",),
        ),
        Group(fields=("external_id", "id_namespace", "row_key"), rule="survivor", anchor=("external_id", "row_key")),
        Group(fields=_PLACE, rule="newest", most=True),
    ),
    "account": (
        Group(fields=("name", "company_key"), rule="newest", anchor=("name",)),
        Group(fields=_PLACE, rule="newest", most=True),
    ),
    "contact": (Group(fields=("full_name", "first_name", "last_name"), rule="newest", anchor=("full_name",)),),
}

RULES: Mapping[str, Mapping[str, str]] = {
    "lead": {
        "owner": "survivor",
        "created_at": "min",
        "first_contact_on": "min",
        "note": "join",
        "background": "join",
    },
    "account": {
        "owner": "survivor",
        "created_at": "min",
        "source": "oldest",
        "lead_id": "oldest",
        "parent_id": "survivor",
    },
    "contact": {"owner": "survivor", "created_at": "min", "account_id": "survivor", "lead_id": "oldest"},
}
"""What is not named here, and in no group, is the newest that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivorship:
    """The rules of a workspace, field → rule, by entity: the file's [survivorship] over the defaults."""

    lead: Mapping[str, str] = field(default_factory=dict)
    account: Mapping[str, str] = field(default_factory=dict)
    contact: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How one field is chosen: its rule, the SQL of the value, and the SQL of the record that it comes from."""

    field: str
    rule: str
    value: str
    winner: str


def check_rules(schema: Dataset, entity: str, rules: Mapping[str, str], *, where: str) -> None:
    """Raise `ConfigError` for a field or a rule that is not known."""
    import difflib

    for name, rule in rules.items():
        if name not in schema.types or name in kept_by_us(entity):
            near = difflib.get_close_matches(name, [c for c in schema.types if c not in kept_by_us(entity)], 1)
            raise ConfigError(
                f"{where}: {name}: {entity}s have no such field{f'. Did you mean {near[0]!r}?' if near else ''}"
            )
        if rule not in PLAIN and not re.fullmatch(r"source:.+", rule):
            near = difflib.get_close_matches(rule, PLAIN, 1)
            known = f"Did you mean {near[0]!r}?" if near else f"Rules: {', '.join(PLAIN[:8])} or source:NAME,NAME"
            raise ConfigError(f"{where}: {name}: unknown rule {rule!r}. {known}")
        if rule == "furthest" and name != "status":
            raise ConfigError(f"{where}: {name}: only the status of a lead can be furthest along")
        if rule.startswith("source:") and "source" not in schema.types:
            raise ConfigError(f"{where}: {name}: {entity}s have no source")


def kept_by_us(entity: str) -> tuple[str, ...]:
    """Fields that no rule decides: the number, and when the record was last changed."""
    return (ENTITIES[entity][1], "updated_at")


def choices(
    schema: Dataset, entity: str, rules: Mapping[str, str], picks: Mapping[str, int] | None = None
) -> list[Choice]:
    """How each field is chosen. ``picks`` names for some fields the record whose value is taken, known or not.

    The SQL is over rows of one group of duplicates with the columns ``_id``, ``_place`` (0 is the survivor) and the
    ranks ``_newest``, ``_oldest``, ``_fullest``; see `ranked`.
    """
    picked = dict(picks or {})
    asked = {**RULES[entity], **rules}
    made: dict[str, Choice] = {}
    for group in GROUPS[entity]:
        head = group.fields[0]
        if head in picked:
            picked |= {f: picked[head] for f in group.fields if f not in picked}
        if any(f in rules for f in group.fields[1:]):
            group = Group(
                fields=tuple(f for f in group.fields if f == head or f not in rules),
                rule=group.rule,
                anchor=tuple(a for a in group.anchor if a == head or a not in rules),
                most=group.most,
            )
        rule = rules.get(head, group.rule)
        if rule in ("max", "min", "join"):
            continue
        made |= {f: _together(f, group, rule) for f in group.fields}
    for name, kind in schema.types.items():
        if name in kept_by_us(entity):
            continue
        if name in picked:
            made[name] = _picked(name, picked[name])
        elif name not in made:
            made[name] = _alone(name, kind, asked.get(name, "newest"))
    return [made[n] for n in schema.types if n in made]


def _picked(name: str, record: int) -> Choice:
    own = f'arg_min_null("{name}", case when _id = {int(record)} then 0 else 1 end)'
    return Choice(field=name, rule="by hand", value=own, winner=f"cast({int(record)} as bigint)")


def _together(name: str, group: Group, rule: str) -> Choice:
    rank = _group_rank(group, rule)
    return Choice(
        field=name, rule=rule, value=f'arg_min_null("{name}", {rank})', winner=f"arg_min(_id, {rank})"
    )  # fmt: skip


def _group_rank(group: Group, rule: str) -> str:
    known = [f'("{a}" is not null{_said(a)})' for a in group.anchor]
    parts = [f"(case when {' or '.join(known)} then 0 else 1 end) * 1000000000000"] if known else []
    if group.most:
        filled = " + ".join(f'(case when "{f}" is null then 1 else 0 end)' for f in group.fields)
        parts.append(f"({filled}) * 100000000000")
    return " + ".join([*parts, _rank(rule, group.fields[0])])


def _said(name: str) -> str:
    return f" and \"{name}\" <> 'unknown'" if name == "source" else ""


def _alone(name: str, kind: str, rule: str) -> Choice:
    column = f'"{name}"'
    there = f"filter (where {column} is not null)"
    if rule in ("max", "min"):
        value, winner = f"{rule}({column})", f"arg_{rule}(_id, {column})"
    elif rule == "join" and kind == "varchar":
        value = f'string_agg({column}, chr(10) order by _oldest) filter (where "_first_{name}" = 1)'
        winner = f"arg_min(_id, _newest) {there}"
    else:
        rank = _rank("newest" if rule == "join" else rule, name)
        value, winner = f"arg_min({column}, {rank}) {there}", f"arg_min(_id, {rank}) {there}"
    return Choice(field=name, rule=rule, value=value, winner=winner)


def _rank(rule: str, name: str) -> str:
    """SQL of a number that is least for the record that wins."""
    if rule == "longest":
        return f'(100000000 - length(cast("{name}" as varchar)) * 100 + _newest / 1000000.0)'
    if rule == "furthest":
        steps = " ".join(f"when '{s}' then {len(STAGES) - i}" for i, s in enumerate(STAGES))
        return f"((case status {steps} else {len(STAGES)} end) * 1000000 + _place)"
    if rule.startswith("source:"):
        wanted = [s.strip().replace("'", "''") for s in rule.removeprefix("source:").split(",")]
        order = " ".join(f"when '{s}' then {i}" for i, s in enumerate(wanted))
        return f"((case source {order} else {len(wanted)} end) * 1000000 + _newest)"
    return {"newest": "_newest", "oldest": "_oldest", "fullest": "_fullest", "survivor": "_place"}[rule]


def ranked(schema: Dataset, entity: str, chosen: Sequence[Choice]) -> str:
    """SELECT of the rows of ``members`` (``_group``, ``_id``, ``_place`` and the record's columns) with their ranks."""
    age = ['"updated_at" desc nulls last', '"created_at" desc nulls last', "_id desc"]
    birth = ['"created_at" asc nulls last', "_id asc"]
    own = kept_by_us(entity)
    filled = " + ".join(f'(case when "{c}" is null then 0 else 1 end)' for c in schema.types if c not in own)
    firsts = "".join(
        f', row_number() over (partition by _group, "{c.field}" order by {", ".join(birth)}) as "_first_{c.field}"'
        for c in chosen
        if c.rule == "join" and schema.types[c.field] == "varchar"
    )
    return (
        "select *,"
        f" row_number() over (partition by _group order by {', '.join(age)}) as _newest,"
        f" row_number() over (partition by _group order by {', '.join(birth)}) as _oldest,"
        f" row_number() over (partition by _group order by {filled} desc, {', '.join(age)}) as _fullest{firsts}"
        " from members"
    )


def survivors(schema: Dataset, entity: str, chosen: Sequence[Choice]) -> str:
    """SELECT of one row a group: the survivor as the merge leaves it. ``$now`` is the time of the merge."""
    made = {c.field: c.value for c in chosen}
    made[ENTITIES[entity][1]] = "_group"
    made["updated_at"] = "cast($now as timestamp)"
    cells = ", ".join(f'{made[name]} as "{name}"' for name in schema.types)
    return f"select {cells} from ({ranked(schema, entity, chosen)}) as r group by _group"


def winners(schema: Dataset, entity: str, chosen: Sequence[Choice]) -> str:
    """SELECT of one row a group: for each field the record whose value won, null where nobody knows one."""
    cells = ", ".join(f'{c.winner} as "{c.field}"' for c in chosen)
    return f"select _group, {cells} from ({ranked(schema, entity, chosen)}) as r group by _group"
