"""Read a mapping and lay it over the columns of a file; without one, recognise the columns by their headers.

It decides which column becomes which field, by what rows are known again, and refuses what it does not know.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sfactl.api.errors import ConfigError, DataError
from sfactl.config.objects import build, read_object
from sfactl.leads.headers import position, recognise
from sfactl.leads.model import IdentityKey, LeadMapping, Plan, Scalar, Target, Transform
from sfactl.schemas import Dataset

RESERVED = (
    "lead_id", "status", "company_key", "row_key", "converted_at", "account_id", "contact_id", "opportunity_id",
    "disqualified_reason", "created_at", "updated_at", "id_namespace", "referrer_kind", "referrer_id",
)  # fmt: skip
"""Fields of a lead that an import may not set."""
HARMLESS = ("-", "--", "---", "—", "n/a", "#n/a", "null", "nan", "(null)", "<null>", "(blank)", "(empty)", "\\n")
"""Always read as blank, unless ``placeholders.defaults`` is false. Compared without case."""
KEYS: tuple[IdentityKey, ...] = ("external_id", "email", "phone", "tax_id", "row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What the command line and the workspace say where the mapping does not.

    ``source`` and ``event`` overrule the mapping; ``pulled`` is the source that rows come from, which the mapping may
    overrule.
    """

    file: str
    source: str | None = None
    event: str | None = None
    pulled: str | None = None
    country: str = ""
    zone: str = "UTC"


COMMANDS = {
    "leads": "sfactl lead import",
    "touchpoints": "sfactl touch import",
    "costs": "sfactl source import-cost",
    "orders": "sfactl order import",
    "cases": "sfactl case import",
}
"""The command that takes a mapping of each dataset."""


def load_mapping(said: str | None, folder: Path, *, dataset: str | None = None) -> LeadMapping | None:
    """The mapping file ``said``: a path, or a name in the folder ``mappings``. Raises `ConfigError`.

    A mapping that is for another dataset than ``dataset`` is refused.
    """
    if said is None:
        return None
    path = Path(said)
    if path.suffix != ".toml" or not path.exists():
        named = folder / "mappings" / (said if said.endswith(".toml") else f"{said}.toml")
        if not named.exists():
            known = sorted(p.stem for p in (folder / "mappings").glob("*.toml"))
            near = difflib.get_close_matches(path.stem, known, 1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known) or 'none yet'}"
            raise ConfigError(f"there is no mapping {said!r} ({named} does not exist)", hint=hint)
        path = named
    mapping = read_object(LeadMapping, path, inject={"name": path.stem})
    if dataset and mapping.dataset and mapping.dataset != dataset:
        raise ConfigError(
            f"mapping {mapping.name} is for {mapping.dataset}", hint=f"{COMMANDS[mapping.dataset]} FILE …"
        )
    return mapping


def check_fields(
    mapping: LeadMapping,
    dataset: Dataset,
    *,
    where: str,
    extra: Sequence[str] = (),
    reserved: Sequence[str] = RESERVED,
) -> dict[str, str]:
    """Types of the fields the mapping fills. Raises `ConfigError` for the first it does not know.

    ``extra`` are names that are no columns of the dataset but that rows are matched by.
    """
    types = {n: t for n, t in dataset.types.items() if n not in reserved or n in extra}
    types |= {n: "varchar" for n in extra if n not in types}
    for table, names in (
        ("columns", mapping.columns),
        ("constants", mapping.constants),
        ("transforms", mapping.transforms),
        ("placeholders.fields", mapping.placeholders.fields),
    ):
        for name in names:
            if name not in types:
                raise _unknown(name, f"{where}: {table}.{name}", types, dataset.name, reserved)
    for name in mapping.optional:
        if name not in mapping.columns:
            raise ConfigError(f"{where}: optional: {name!r} is not in [columns]")
    both = sorted(set(mapping.columns) & set(mapping.constants))
    if both:
        raise ConfigError(f"{where}: {both[0]} is in [columns] and in [constants]; keep one")
    return types


def unknown_fields(mapping: LeadMapping, dataset: Dataset, extra: Sequence[str] = ()) -> tuple[str, ...]:
    """Fields the mapping fills that are not declared."""
    return tuple(n for n in (*mapping.columns, *mapping.constants) if n not in dataset.types and n not in extra)


def _unknown(name: str, at: str, types: Mapping[str, str], dataset: str, reserved: Sequence[str]) -> ConfigError:
    if name in reserved:
        return ConfigError(f"{at}: {name} is kept by sfactl itself and cannot be imported")
    near = difflib.get_close_matches(name, types, 1)
    declare = f'Declare it in sfactl.toml: [fields.{dataset}] {name} = "text", or repeat with --add-fields.'
    guess = f"Did you mean {near[0]!r}?" if near else f"See: sfactl data show {dataset}"
    return ConfigError(f"{at}: unknown field of {dataset}. {guess}", hint=declare)


def plan_mapping(
    mapping: LeadMapping,
    dataset: Dataset,
    columns: Sequence[str],
    defaults: Defaults,
    *,
    extra: Sequence[str] = (),
    reserved: Sequence[str] = RESERVED,
) -> Plan:
    """Lay ``mapping`` over the columns of one file. Raises `ConfigError` or, for a missing column, `DataError`."""
    where = f"mapping {mapping.name}"
    types = check_fields(mapping, dataset, where=where, extra=extra, reserved=reserved)
    transforms = {n: _transform(t, f"{where}", f"transforms.{n}") for n, t in mapping.transforms.items()}
    targets: dict[str, Target] = {}
    for name, said in mapping.columns.items():
        names = (said,) if isinstance(said, str) else said
        if name in mapping.optional and any(position(n, columns) is None for n in names):
            continue
        at = tuple(_position(n, columns, f"{where}: columns.{name}", defaults.file) for n in names)
        targets[name] = Target(field=name, type=types[name], columns=at, names=tuple(columns[i] for i in at))
    for name, constant in mapping.constants.items():
        targets[name] = Target(field=name, type=types[name], constant=constant)
    for name, transform in transforms.items():
        if name in mapping.optional and name not in targets:
            continue
        if name not in targets:
            raise ConfigError(f"{where}: transforms.{name}: the field is neither in [columns] nor in [constants]")
        targets[name] = replace(targets[name], transform=transform)
    return _plan(mapping, targets, columns, defaults, types, guessed=False)


def plan_by_headers(
    dataset: Dataset,
    columns: Sequence[str],
    defaults: Defaults,
    *,
    extra: Sequence[str] = (),
    without: Collection[str] = (),
    reserved: Sequence[str] = RESERVED,
) -> Plan:
    """Recognise the columns by their headers, not those ``without`` values. Raises `DataError` where none is known."""
    types = {n: t for n, t in dataset.types.items() if n not in reserved or n in extra}
    types |= {n: "varchar" for n in extra if n not in types}
    custom = [c.name for c in dataset.columns if c.custom]
    found = {f: i for f, i in recognise(columns, dataset.name, custom).items() if f in types}
    found = {f: i for f, i in found.items() if columns[i] not in without}
    if not found:
        raise DataError(
            f"{defaults.file}: no column was recognised by its header ({', '.join(columns[:8])})",
            hint='Write a mapping: mappings/NAME.toml with schema = 1 and [columns] email = "…"; then --mapping NAME',
        )
    targets = {f: Target(field=f, type=types[f], columns=(i,), names=(columns[i],)) for f, i in found.items()}
    mapping = LeadMapping(name=Path(defaults.file).stem)
    return _plan(mapping, targets, columns, defaults, types, guessed=True)


def _plan(
    mapping: LeadMapping,
    targets: dict[str, Target],
    columns: Sequence[str],
    defaults: Defaults,
    types: Mapping[str, str],
    *,
    guessed: bool,
) -> Plan:
    for name, flag in (("source", defaults.source), ("event", defaults.event)):
        if flag and name in types:
            targets[name] = Target(field=name, type="varchar", constant=flag)
    used = {i for t in targets.values() for i in t.columns}
    blanks = (*(HARMLESS if mapping.placeholders.defaults else ()), *mapping.placeholders.values)
    targets = {
        n: replace(t, placeholders=(*blanks, *mapping.placeholders.fields.get(n, ()))) for n, t in targets.items()
    }
    constant = targets["source"].constant if "source" in targets else None
    source = defaults.source or (str(constant) if constant is not None else None) or defaults.pulled
    keys, notes = _keys(mapping, targets)
    return Plan(
        targets=tuple(targets.values()),
        unmapped=tuple(c for i, c in enumerate(columns) if i not in used),
        keys=keys,
        namespace=mapping.identity.namespace
        or defaults.pulled
        or source
        or (Path(defaults.file).stem if guessed else mapping.name),
        source=source or "unknown",
        mode=mapping.update.mode,
        bad_values=mapping.rejects.bad_values,
        day_month=mapping.file.day_month_order,
        zone=mapping.file.time_zone or defaults.zone,
        country=defaults.country,
        guessed=guessed,
        notes=notes,
    )


def _keys(mapping: LeadMapping, targets: Mapping[str, Target]) -> tuple[tuple[IdentityKey, ...], tuple[str, ...]]:
    said = mapping.identity.key
    if said != "auto":
        keys = (said,) if isinstance(said, str) else said
        missing = [k for k in keys if k != "row" and k not in targets]
        if missing:
            raise ConfigError(f"mapping {mapping.name}: identity.key: no column is mapped to {missing[0]!r}")
        return keys, ()
    # A tax id is a company's: it does not tell one person from another, so it identifies only where asked to.
    keys = tuple(k for k in KEYS[:3] if k in targets)
    if keys:
        return keys, ()
    return ("row",), (
        "no id, e-mail or phone is mapped: a row is known again by all its mapped values,"
        " and identical rows by how many there are",
    )


def _position(name: str, columns: Sequence[str], at: str, file: str) -> int:
    found = position(name, columns)
    if found is None:
        near = difflib.get_close_matches(name, columns, 1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(columns[:20])}"
        raise DataError(f"{file}: there is no column {name!r} ({at})", hint=hint)
    return found


def _transform(said: object, where: str, path: str) -> Transform:
    if isinstance(said, str):
        return Transform(format=said)
    if not isinstance(said, Mapping):
        raise ConfigError(f"{where}: {path}: {said!r} is neither a date format nor a table")
    return build(Transform, said, where=where, path=path)


def as_text(value: Scalar) -> str:
    """A constant as the text that a cell would have held."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)
